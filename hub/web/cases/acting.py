"""The forms that act at a mall: from what was typed to one request, and what became of it in words."""

from datetime import date, datetime, time
from typing import Any, Final

from msgspec import Struct

from hub.core.contract import HoldReason, Outcome
from hub.core.errors import NotFoundAtMallError, UnsupportedByMallError
from hub.core.model import ClaimReason, ClaimState
from hub.desk.access import Actor
from hub.desk.acting.act import ReusedTokenError, VanishedError, act
from hub.desk.acting.action import (
    Action,
    ActionRequest,
    ActionResult,
    UnconfirmedError,
    WrongRequestError,
    fields_of,
    is_going_on,
)
from hub.desk.acting.answer_guard import GuardError, UnreadWarningsError
from hub.desk.acting.offers import answer_limit
from hub.desk.acting.rebill_hold import RebilledError
from hub.desk.services import Services
from hub.desk.views import CaseView, ClaimView, LineView
from hub.desk.worklist.locks import HeldError
from hub.policy.finding import Finding

#: more digits than any count has
_LONGEST_NUMBER: Final = 9
_LONGEST_WORD: Final = 200
#: reasons and holds an agent can choose
REASONS: Final = tuple(reason for reason in ClaimReason if reason is not ClaimReason.UNKNOWN)
HOLD_REASONS: Final = tuple(HoldReason)


class ActForm(Struct, kw_only=True):
    """Everything that any action's form may hold, as it was typed."""

    action: str = ""
    line_no: str | list[str] = ""
    inquiry_no: str = ""
    text: str = ""
    reason: str = ""
    quantity: str = ""
    carrier: str = ""
    tracking_no: str = ""
    ship_on: str = ""
    deliver_on: str = ""
    deliver_at: str = ""
    hold_reason: str = ""
    option_code: str = ""
    points: str = ""
    fee: str = ""
    token: str = ""
    is_sure: str = ""
    template_id: str = ""
    warnings_read: str = ""
    guard_override: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        given = [self.line_no] if isinstance(self.line_no, str) else self.line_no
        return tuple(dict.fromkeys(line_no for line_no in given if line_no))


class Notice(Struct, frozen=True, kw_only=True):
    """What became of the last step: a message key with its words and, in the mall's own words, why.

    ``lines``: line number, outcome and the mall's words of each, where there were several. ``field`` is
    the one to mend.
    """

    key: str
    tone: str
    detail: str = ""
    words: tuple[tuple[str, str], ...] = ()
    lines: tuple[tuple[str, str, str], ...] = ()
    field: str | None = None


class Review(Struct, frozen=True, kw_only=True):
    """What will happen, shown before it does: the form as it stands, and the lines and claims it is about."""

    form: ActForm
    lines: tuple[LineView, ...]
    claims: tuple[ClaimView, ...]
    filled: tuple[tuple[str, str], ...]
    warning: str
    warning_ko: str


class Acted(Struct, frozen=True, kw_only=True):
    """``is_sent`` tells whether anything was sent, or had been by the same form. ``findings`` are what the
    answer guard stopped it for. ``is_kept``: a text was typed in vain and is worth a draft.
    """

    notice: Notice | None = None
    is_sent: bool = False
    review: Review | None = None
    findings: tuple[Finding, ...] = ()
    is_kept: bool = False


def tone_of(outcome: str | None) -> str:
    """How an outcome looks: wrong, due (somebody must look again) or done."""
    return {"refused": "wrong", "unknown": "due", "pending": "due", "part": "due"}.get(outcome or "", "done")


async def carry_out(services: Services, actor: Actor, view: CaseView, form: ActForm) -> Acted:
    """Do what one form says; what must be confirmed comes back as a review first."""
    if form.action not in set(Action):
        return _wrong("notice.wrong_request")
    try:
        request = _request_of(view, form)
        result = await act(services, actor, request, case_id=view.row.case_id)
    except HeldError as error:
        return Acted(notice=held_by(error), is_kept=True)
    except ReusedTokenError:
        return Acted(notice=Notice(key="notice.sent_elsewhere", tone="wrong", field="text"), is_kept=True)
    except UnconfirmedError as error:
        return Acted(review=_review(services, view, form, error))
    except GuardError as error:
        return _wrong("notice.guard_stops", field="text", findings=error.findings)
    except UnreadWarningsError as error:
        return _wrong("notice.guard_warns", field="text", findings=error.findings)
    except RebilledError as error:
        return _wrong("notice.rebilled", detail=error.old_order_no)
    except WrongRequestError as error:
        return _explained(services, view, form, error)
    except UnsupportedByMallError as error:
        return _wrong("notice.unsupported", detail=error.instead or "")
    except VanishedError:
        return Acted(notice=Notice(key="why.inquiry.vanished", tone="wrong"), is_kept=True)
    except NotFoundAtMallError:
        return _wrong("notice.not_known")
    return Acted(notice=_outcome(result), is_sent=True, is_kept=result.outcome is Outcome.REFUSED)


def held_by(error: HeldError) -> Notice:
    return Notice(key="notice.held_by", tone="wrong", words=(("name", error.name),))


def _outcome(result: ActionResult) -> Notice:
    word = "part" if result.is_mixed and result.outcome is Outcome.REFUSED else result.outcome.value
    lines = tuple((line.line_no or "", line.outcome.value, line.mall_message or "") for line in result.lines)
    if len(lines) > 1:
        return Notice(key=f"notice.{word}", tone=tone_of(word), lines=lines)
    return Notice(key=f"notice.{word}", tone=tone_of(word), detail=result.message or "")


def _request_of(view: CaseView, form: ActForm) -> ActionRequest:
    """Raises: WrongRequestError naming the field that cannot be read."""
    action = Action(form.action)
    return ActionRequest(
        action=action,
        shop=view.row.shop,
        order_no=None if action.is_about_inquiry else view.row.order_no,
        line_nos=form.lines,
        inquiry_no=form.inquiry_no or None,
        text=form.text.replace("\r\n", "\n"),
        reason=_choice(form.reason, ClaimReason, "reason"),
        hold_reason=_choice(form.hold_reason, HoldReason, "hold_reason"),
        quantity=_number(form.quantity, "quantity"),
        points=_number(form.points, "points"),
        fee=_number(form.fee, "fee"),
        ship_on=_day(form.ship_on, "ship_on"),
        deliver_on=_day(form.deliver_on, "deliver_on"),
        deliver_at=_time(form.deliver_at, "deliver_at"),
        carrier=form.carrier[:_LONGEST_WORD] or None,
        tracking_no=form.tracking_no[:_LONGEST_WORD] or None,
        option_code=form.option_code[:_LONGEST_WORD] or None,
        confirmed=bool(form.is_sure),
        token=form.token[:64] or None,
        template_id=form.template_id[:_LONGEST_WORD] or None,
        warnings_read=form.warnings_read[:64],
        guard_override=form.guard_override[:_LONGEST_WORD],
    )


def _choice(text: str, codes: Any, field: str) -> Any:
    if not text:
        return None
    if text not in set(codes):
        raise _unreadable(field)
    return codes(text)


def _number(text: str, field: str) -> int | None:
    text = text.strip().replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise _unreadable(field)
    return int(text)


def _day(text: str, field: str) -> date | None:
    moment = _moment(text, "%Y-%m-%d", field)
    return None if moment is None else moment.date()


def _time(text: str, field: str) -> time | None:
    moment = _moment(text, "%H:%M", field)
    return None if moment is None else moment.time()


def _moment(text: str, form: str, field: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), form)  # noqa: DTZ007  a day and a time of the day have no zone
    except ValueError as error:
        raise _unreadable(field) from error


def _unreadable(field: str) -> WrongRequestError:
    return WrongRequestError(f"{field} cannot be read", field=field)


def _wrong(key: str, *, findings: tuple[Finding, ...] = (), **more: Any) -> Acted:
    return Acted(notice=Notice(key=key, tone="wrong", **more), findings=findings)


def _explained(services: Services, view: CaseView, form: ActForm, error: WrongRequestError) -> Acted:
    """The sentence for one wrong field, by its name on the screen."""
    if error.field == "text":
        is_long = len(form.text) > answer_limit(services, view)
        return _wrong("notice.text_missing" if error.is_missing or not is_long else "notice.text_long", field="text")
    if error.field is None:
        return _wrong("notice.wrong_request")
    key = "notice.field_missing" if error.is_missing else "notice.field_wrong"
    return _wrong(key, words=(("field", f"@field.{error.field}"),), field=error.field)


def _review(services: Services, view: CaseView, form: ActForm, error: UnconfirmedError) -> Review:
    action = Action(form.action)
    order = view.dossier.order
    manifest = services.registry.manifests.get(view.row.mark.mall)
    stated = manifest.capabilities.get(action.capability) if manifest else None
    kind = action.claim_kind
    return Review(
        form=form,
        lines=tuple(line for line in order.lines if line.line_no in form.lines) if order else (),
        claims=tuple(
            claim
            for claim in view.dossier.claims
            if claim.line_no in form.lines and claim.kind == kind and is_going_on(ClaimState(claim.state))
        ),
        filled=tuple((name, getattr(form, name)) for name in fields_of(action, stated) if getattr(form, name)),
        warning=error.warning,
        warning_ko=error.warning_ko,
    )

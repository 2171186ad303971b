"""Writes to a mall: one path for the desk, the API and the command line.

An action is stored before anything is sent and delivered by the outbox (hub.desk.acting.outbox): sent at most
once per line, read back, its outcome stored: done, refused (with the mall's words), pending or unknown
(with the reason). What a mall's API cannot do is refused before anything is stored, with the way that exists.
"""

import asyncio

import structlog
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hub.core.contract import (
    Answer,
    CapabilityState,
    HoldReason,
    LineAction,
    Manifest,
    Outcome,
    Support,
)
from hub.core.errors import (
    NotFoundAtMallError,
    UnsupportedByMallError,
)
from hub.core.model import Inquiry, Line
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.acting.action import (
    IRREVERSIBLE,
    ONE_LINE,
    Action,
    ActionRequest,
    ActionResult,
    UnconfirmedError,
    WrongRequestError,
    fields_of,
    is_going_on,
    must_confirm,
    needs_of,
)
from hub.desk.acting.answer_guard import (
    GuardedText,
    GuardError,
    UnreadWarningsError,
    counts_of,
    digest_of,
    guard_answer,
)
from hub.desk.acting.drafts import clear_drafts
from hub.desk.acting.outbox import Letter, Outbox, seal
from hub.desk.acting.rebill_hold import require_to_be_sent
from hub.desk.acting.unsettled import earlier_answer
from hub.desk.services import Services
from hub.desk.worklist.locks import cases_of, hold_to_act, require_unheld
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.one import find_claims, find_inquiry, find_line, inquiry_numbers
from hub.store.sealed import ACTION_PLACE
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import actions
from hub.store.vanished import vanished_at

__all__ = [
    "IRREVERSIBLE",
    "Action",
    "ActionRequest",
    "ActionResult",
    "ReusedTokenError",
    "VanishedError",
    "WrongRequestError",
    "act",
]

log = structlog.get_logger(__name__)

_LONGEST_REASON = 200
#: more than this asked of a customer for a way back is a slip of the finger
_GREATEST_FEE = 10_000_000


class ReusedTokenError(WrongRequestError):
    """The same form was sent before with another text: this one was not sent."""

    def __init__(self) -> None:
        super().__init__("this token was used before with another text: nothing was sent", field="token")


class VanishedError(NotFoundAtMallError):
    """The mall has had no such question for a while: an answer would go to nobody."""


async def act(
    services: Services,
    actor: Actor,
    request: ActionRequest,
    *,
    dry_run: bool = False,
    case_id: int | None = None,
    heeds_locks: bool = True,
) -> ActionResult:
    """Do one thing at a mall, once for each line, while nobody else works on the cases that it is about.

    ``dry_run`` checks everything up to the sending and answers PENDING without storing anything. ``case_id``
    is the case from which it is done, where it is done from one. Without ``heeds_locks`` it is something that was
    decided before, whoever works on the case by now.
    Raises: ForbiddenError; WrongRequestError, UnconfirmedError, HeldError when somebody else has the case;
    GuardError and UnreadWarningsError from the answer guard, and ConfigurationError for an unknown shop;
    NotFoundAtMallError when the hub knows no such line or inquiry, VanishedError when its mall
    has it no more; UnsupportedByMallError when the mall's API cannot do it.
    """
    require(actor, Permission.WORK_CASES)
    shop = await ShopStore(services.database).named(request.shop)
    manifest = services.registry.manifest(shop.mall)
    stated = manifest.capabilities.get(request.action.capability)
    if stated is None or stated.state is not Support.YES:
        message = f"{manifest.title}: the API cannot {request.action.value.replace('-', ' ')}"
        raise UnsupportedByMallError(message, instead=stated.instead if stated else None, shop=shop.name)
    _require_fields(request, stated)
    await require_to_be_sent(services.database, shop_id=shop.id, request=request)
    letter = await _letter(services, shop, manifest, request)
    if letter.answer is not None:
        request = replace(request, inquiry_no=letter.answer.inquiry.inquiry_no)
    about = await _cases(services, shop, request, letter, case_id=case_id) if heeds_locks else []
    if not await _was_stored(services, request):
        await require_unheld(services, actor=actor, case_ids=about)
    guarded = None
    if letter.answer is not None:
        guarded = await guard_answer(services, shop, manifest, letter.answer.inquiry, letter.answer.text)
        _require_sendable(actor, request, guarded, limit=manifest.answer_limit)
        letter = replace(letter, answer=replace(letter.answer, text=guarded.text))
    findings = guarded.findings if guarded else ()
    if dry_run:
        message = "dry run: nothing was sent"
        return ActionResult(outcome=Outcome.PENDING, lines=(), message=message, findings=findings)
    if not request.confirmed:
        await _require_sure(services, actor, shop, request, stated, about=about)
    # A shop that cannot be opened is said to be so before anything is stored.
    await services.connector(shop.name)
    action_id = await _store(services, actor, shop, request, letter, guarded, about=about)
    # A page that is left while the mall works must not cut the write off between sending and reading back.
    result = await asyncio.shield(Outbox(services, shop).deliver(action_id))
    return replace(result, findings=findings)


def _require_sendable(actor: Actor, request: ActionRequest, guarded: GuardedText, *, limit: int) -> None:
    """Raises: GuardError, UnreadWarningsError; ForbiddenError for an override by somebody who may not approve it."""
    is_forced = bool(request.guard_override.strip())
    if is_forced:
        require(actor, Permission.APPROVE)
    elif guarded.blocking:
        raise GuardError(guarded.findings)
    elif guarded.warnings and request.warnings_read is not None:
        digest = digest_of(request.text.strip(), guarded.warnings)
        if request.warnings_read != digest:
            raise UnreadWarningsError(guarded.warnings, digest=digest)
    if len(guarded.text) > limit:
        message = f"with its gaps filled the answer has {len(guarded.text)} characters; the mall takes {limit}"
        raise WrongRequestError(message, field="text")


async def _require_sure(
    services: Services,
    actor: Actor,
    shop: ShopRow,
    request: ActionRequest,
    stated: CapabilityState,
    *,
    about: list[int],
) -> None:
    """Raises: UnconfirmedError with everything that a person must have read first; HeldError."""
    earlier = await earlier_answer(services.database, shop_id=shop.id, request=request)
    if earlier is None and not must_confirm(request.action, stated):
        return
    warning, warning_ko = stated.warning, stated.warning_ko
    if earlier is not None:
        # Whoever sent it a moment ago took the case with it: nothing to confirm for anybody else.
        await require_unheld(services, actor=actor, case_ids=about)
        warning = "; ".join(filter(None, (earlier.text, warning)))
        warning_ko = " ".join(filter(None, (earlier.text_ko, warning_ko)))
    raise UnconfirmedError(request.action, warning=warning, warning_ko=warning_ko)


def _require_fields(request: ActionRequest, stated: CapabilityState) -> None:
    """Raises: WrongRequestError naming what is missing or makes no sense, before anything is looked up."""
    action = request.action
    wanted = ("inquiry_no",) if action.is_about_inquiry else ("order_no",)
    missing = [name for name in (*wanted, *needs_of(action, stated)) if not _is_given(getattr(request, name))]
    if not action.is_about_inquiry and not request.lines:
        missing.insert(1 if "order_no" in missing else 0, "line_no")
    if missing:
        message = f"{action.value} needs {' and '.join(missing)}"
        raise WrongRequestError(message, field=missing[0], is_missing=True)
    if request.points is not None and request.points < 1:
        message = f"points {request.points} is not a whole number of 1 or more"
        raise WrongRequestError(message, field="points")
    _require_fee(request, stated)
    if len(request.lines) > 1:
        if action in ONE_LINE:
            message = f"{action.value} goes to one line at a time: line_no is given more than once"
            raise WrongRequestError(message, field="line_no")
        if request.quantity is not None:
            message = "quantity can be given for one line at a time"
            raise WrongRequestError(message, field="quantity")


def _require_fee(request: ActionRequest, stated: CapabilityState) -> None:
    """Raises: WrongRequestError."""
    if request.fee is None:
        return
    wrong = None
    if "fee" not in fields_of(request.action, stated):
        wrong = f"{request.action.value} asks for no fee at this mall"
    elif not 1 <= request.fee <= _GREATEST_FEE:
        wrong = f"fee {request.fee} is not a whole number of 1 to {_GREATEST_FEE}"
    elif len(request.lines) > 1:
        wrong = "fee can be given for one line at a time"
    if wrong is not None:
        raise WrongRequestError(wrong, field="fee")


def _is_given(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


async def _letter(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> Letter:
    """Everything the connector needs, from what the hub knows; nothing is sent yet."""
    if request.action.is_about_inquiry:
        return Letter(action=request.action, answer=await _answer(services, shop, manifest, request))
    lines = [await _known_line(services, shop, request, line_no) for line_no in request.lines]
    return Letter(
        action=request.action, lines=tuple([await _line_action(services, shop, request, line) for line in lines])
    )


async def _answer(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> Answer:
    text = request.text.strip()
    if len(text) > manifest.answer_limit:
        message = f"the answer has {len(text)} characters; {manifest.title} takes {manifest.answer_limit}"
        raise WrongRequestError(message, field="text")
    inquiry = await _known_inquiry(services, shop, request.inquiry_no or "")
    gone_at = await vanished_at(services.database, shop.id, inquiry.inquiry_no)
    if gone_at is not None:
        message = f"the mall was found to have this question no more at {gone_at:%Y-%m-%d %H:%M} UTC: nothing was sent"
        raise VanishedError(message, shop=shop.name)
    return Answer(inquiry=inquiry, text=text)


async def _known_inquiry(services: Services, shop: ShopRow, number: str) -> Inquiry:
    """By the hub's number, or by the mall's own where only one question has it."""
    inquiry = await find_inquiry(services.database, shop.id, number)
    if inquiry is None:
        numbers = await inquiry_numbers(services.database, shop.id, number.strip())
        if len(numbers) > 1:
            message = f"inquiry_no: several questions have the number {number!r}, name one of {', '.join(numbers)}"
            raise WrongRequestError(message, field="inquiry_no")
        inquiry = await find_inquiry(services.database, shop.id, numbers[0]) if numbers else None
    if inquiry is None:
        message = f"the hub knows no inquiry {number!r} of shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)
    return inquiry


async def _known_line(services: Services, shop: ShopRow, request: ActionRequest, line_no: str) -> Line:
    line = await find_line(services.database, shop.id, request.order_no or "", line_no)
    if line is None:
        message = f"the hub knows no line {line_no!r} of order {request.order_no!r} in shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)
    if request.quantity is not None and not 1 <= request.quantity <= line.quantity:
        message = f"quantity {request.quantity} is not within 1 to {line.quantity}"
        raise WrongRequestError(message, field="quantity")
    return line


async def _line_action(services: Services, shop: ShopRow, request: ActionRequest, line: Line) -> LineAction:
    claims = await find_claims(services.database, shop.id, line.line_no)
    kind = request.action.claim_kind
    going_on = [claim for claim in claims if claim.kind is kind and is_going_on(claim.state)]
    return LineAction(
        order_no=request.order_no or "",
        line=line,
        claim=next((claim for claim in going_on if claim.state.is_open), next(iter(going_on), None)),
        quantity=request.quantity,
        reason=request.reason,
        text=request.text.strip(),
        carrier=_word(request.carrier),
        tracking_no=_word(request.tracking_no),
        ship_on=request.ship_on,
        hold_reason=request.hold_reason or HoldReason.OTHER,
        option_code=_word(request.option_code),
        points=request.points,
        fee=request.fee,
        deliver_on=request.deliver_on,
        deliver_at=request.deliver_at,
    )


def _word(text: str | None) -> str | None:
    """Without blanks around it; nothing but blanks is nothing."""
    return (text or "").strip() or None


async def _store(
    services: Services,
    actor: Actor,
    shop: ShopRow,
    request: ActionRequest,
    letter: Letter,
    guarded: GuardedText | None,
    *,
    about: list[int],
) -> int:
    """Store the action as pending and return its id: of the earlier one when its token was used before.

    Raises: HeldError, ReusedTokenError.
    """
    box, action_id = services.database.box, new_id()
    forced = request.guard_override.strip() if guarded else ""
    text = guarded.text if guarded else request.text
    row = {
        "id": action_id,
        "shop_id": shop.id,
        "action": request.action.value,
        "order_no": request.order_no,
        "line_no": request.lines[0] if len(request.lines) == 1 else None,
        "inquiry_no": request.inquiry_no,
        "payload_sealed": box.seal(text.encode(), ACTION_PLACE),
        "letter_sealed": seal(services.database, letter),
        "outcome": Outcome.PENDING.value,
        "lines": "[]",
        "user_id": actor.user_id,
        "token": request.token,
        "created_at": to_ms(services.now()),
        "template_id": request.template_id if guarded else None,
        "guard": counts_of(guarded.findings, is_forced=bool(forced)) if guarded else None,
    }
    try:
        async with services.database.writing() as connection:
            await connection.execute(actions.insert(), [row])
            await hold_to_act(services, connection, actor=actor, case_ids=about)
            if request.action.is_about_inquiry:
                await clear_drafts(connection, case_ids=about, user_id=actor.user_id)
            if forced:
                await record_access(
                    connection,
                    at=services.now(),
                    actor=actor,
                    action=AccessAction.GUARD,
                    subject=f"inquiry {request.inquiry_no} of {shop.name}",
                    reason=forced[:_LONGEST_REASON],
                )
    except IntegrityError:
        async with services.database.reading() as connection:
            query = select(actions.c.id, actions.c.payload_sealed).where(actions.c.token == request.token)
            earlier = (await connection.execute(query)).one()
        if earlier.payload_sealed is not None and box.open(earlier.payload_sealed, ACTION_PLACE) != text.encode():
            raise ReusedTokenError from None
        return int(earlier.id)
    return action_id


async def _was_stored(services: Services, request: ActionRequest) -> bool:
    """Whether the same form was sent before: it gets its outcome, whoever has the case by now."""
    if request.token is None:
        return False
    async with services.database.reading() as connection:
        return await connection.scalar(select(actions.c.id).where(actions.c.token == request.token)) is not None


async def _cases(
    services: Services, shop: ShopRow, request: ActionRequest, letter: Letter, *, case_id: int | None
) -> list[int]:
    """The cases that must be this actor's: those that it is about, and the one from which it is done."""
    thread_no = letter.answer.inquiry.thread_no if letter.answer else None
    async with services.database.reading() as connection:
        about = await cases_of(connection, shop_id=shop.id, request=request, thread_no=thread_no)
    return about if case_id is None or case_id in about else [*about, case_id]

"""What an agent can ask of a mall: the actions, what each needs, and what must be confirmed first."""

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum

from msgspec import Struct

from hub.core.contract import Capability, CapabilityState, HoldReason, LineOutcome, Outcome
from hub.core.model import ClaimKind, ClaimReason, ClaimState
from hub.policy.finding import Finding


class Action(StrEnum):
    """The value is the command line's word."""

    ANSWER_INQUIRY = "answer-inquiry"
    CHANGE_ANSWER = "change-answer"
    CONFIRM = "confirm"
    DISPATCH = "dispatch"
    DELAY = "delay"
    SELLER_CANCEL = "seller-cancel"
    APPROVE_CANCEL = "approve-cancel"
    REFUSE_CANCEL = "refuse-cancel"
    ACCEPT_RETURN = "accept-return"
    COLLECT_RETURN = "collect-return"
    HOLD_RETURN = "hold-return"
    RELEASE_RETURN = "release-return"
    REFUSE_RETURN = "refuse-return"
    COMPLETE_RETURN = "complete-return"
    ACCEPT_EXCHANGE = "accept-exchange"
    COLLECT_EXCHANGE = "collect-exchange"
    HOLD_EXCHANGE = "hold-exchange"
    RELEASE_EXCHANGE = "release-exchange"
    REFUSE_EXCHANGE = "refuse-exchange"
    REDELIVER_EXCHANGE = "redeliver-exchange"
    COMPLETE_EXCHANGE = "complete-exchange"
    FILE_RETURN = "file-return"
    FILE_EXCHANGE = "file-exchange"
    MEMO = "memo"
    GIVE_POINTS = "give-points"
    MOVE_DELIVERY = "move-delivery"

    @property
    def capability(self) -> Capability:
        return Capability(self.value.replace("-", "_"))

    @property
    def is_about_inquiry(self) -> bool:
        """Whether it writes to a question's thread, not to the line of an order."""
        return self in _ABOUT_INQUIRIES

    @property
    def claim_kind(self) -> ClaimKind | None:
        """The kind of claim it decides; ``None`` for what needs no claim."""
        if self in _WITHOUT_CLAIM:
            return None
        kind = self.value.rpartition("-")[2]
        return ClaimKind(kind) if kind in {"cancel", "return", "exchange"} else None


_ABOUT_INQUIRIES = frozenset({Action.ANSWER_INQUIRY, Action.CHANGE_ANSWER})
_WITHOUT_CLAIM = frozenset({Action.SELLER_CANCEL, Action.FILE_RETURN, Action.FILE_EXCHANGE})

#: a mall whose API knows not the step before lets this one follow what that one follows
STEP_BEFORE: Mapping[Action, Action] = {
    Action.COLLECT_RETURN: Action.ACCEPT_RETURN,
    Action.COLLECT_EXCHANGE: Action.ACCEPT_EXCHANGE,
    Action.COMPLETE_RETURN: Action.COLLECT_RETURN,
    Action.REDELIVER_EXCHANGE: Action.COLLECT_EXCHANGE,
}
#: cannot be taken back at the mall, or costs money
IRREVERSIBLE = frozenset(
    {
        Action.DISPATCH,
        Action.SELLER_CANCEL,
        Action.APPROVE_CANCEL,
        Action.REFUSE_CANCEL,
        Action.REFUSE_RETURN,
        Action.COMPLETE_RETURN,
        Action.REFUSE_EXCHANGE,
        Action.REDELIVER_EXCHANGE,
        Action.COMPLETE_EXCHANGE,
        Action.GIVE_POINTS,
    }
)
#: twice the sum is no slip that anybody forgives: these go to one line at a time
ONE_LINE = frozenset({Action.GIVE_POINTS})
#: fields of the request without which an action makes no sense at any mall
_NEEDS: Mapping[Action, tuple[str, ...]] = {
    Action.ANSWER_INQUIRY: ("text",),
    Action.CHANGE_ANSWER: ("text",),
    Action.DISPATCH: ("carrier", "tracking_no"),
    Action.DELAY: ("ship_on",),
    Action.SELLER_CANCEL: ("reason",),
    Action.HOLD_RETURN: ("text",),
    Action.REFUSE_RETURN: ("text",),
    Action.HOLD_EXCHANGE: ("text",),
    Action.REFUSE_EXCHANGE: ("text",),
    Action.REDELIVER_EXCHANGE: ("carrier", "tracking_no"),
    Action.FILE_RETURN: ("reason",),
    Action.FILE_EXCHANGE: ("reason",),
    Action.MEMO: ("text",),
    Action.GIVE_POINTS: ("points", "text"),
    Action.MOVE_DELIVERY: ("deliver_on", "text"),
}
#: fields that an action may carry beyond what it needs
_MAY_HAVE: Mapping[Action, tuple[str, ...]] = {
    Action.DELAY: ("reason", "text"),
    Action.SELLER_CANCEL: ("quantity", "text"),
    Action.COLLECT_RETURN: ("carrier", "tracking_no"),
    Action.HOLD_RETURN: ("hold_reason",),
    Action.COLLECT_EXCHANGE: ("carrier", "tracking_no"),
    Action.HOLD_EXCHANGE: ("hold_reason",),
    Action.ACCEPT_EXCHANGE: ("option_code",),
    Action.FILE_RETURN: ("quantity", "text"),
    Action.FILE_EXCHANGE: ("option_code", "quantity", "text"),
    Action.MOVE_DELIVERY: ("deliver_at",),
}
#: the order in which a form asks
FIELDS = (
    "reason",
    "hold_reason",
    "quantity",
    "carrier",
    "tracking_no",
    "ship_on",
    "deliver_on",
    "deliver_at",
    "option_code",
    "points",
    "fee",
    "text",
)


def needs_of(action: Action, stated: CapabilityState | None) -> tuple[str, ...]:
    """Fields that must be given at a mall whose manifest says ``stated``, in the order of :data:`FIELDS`.

    A refused cancel wants its reason in words, unless the mall refuses by another act that it names
    the needs of: there the customer is shown no words.
    """
    needs = {*_NEEDS.get(action, ()), *(stated.needs if stated else ())}
    if action is Action.REFUSE_CANCEL and not (stated and stated.needs):
        needs.add("text")
    return tuple(name for name in FIELDS if name in needs)


def fields_of(action: Action, stated: CapabilityState | None) -> tuple[str, ...]:
    """Every field that a form for this action shows, in the order of :data:`FIELDS`."""
    shown = {*needs_of(action, stated), *_MAY_HAVE.get(action, ()), *(stated.takes if stated else ())}
    return tuple(name for name in FIELDS if name in shown)


def must_confirm(action: Action, stated: CapabilityState | None) -> bool:
    """Whether a person must say so twice: it cannot be taken back, costs money, or the mall does more than it says."""
    return action in IRREVERSIBLE or bool(stated and stated.warning)


def is_going_on(state: ClaimState) -> bool:
    """Whether an action can still decide a claim in ``state``: goods that travel to the customer again ask
    nothing of anybody, but the exchange is completed there.
    """
    return state.is_open or state is ClaimState.RESHIPPING


class ActionRequest(Struct, frozen=True, kw_only=True):
    """``inquiry_no`` for answers; ``order_no`` with ``line_no`` or ``line_nos`` for the rest. ``text`` is
    told to the customer.

    The other fields are those of :class:`hub.core.contract.LineAction`; with several lines each of
    them gets the same. ``confirmed``: a person has read what cannot be taken back, and the mall's
    warning. ``token``: chosen by a form once; the same token again returns the first outcome and
    sends nothing.

    Of an answer: ``template_id`` is the template it began with. ``warnings_read`` is the digest of the guard's
    warnings that a person has read, empty for none; ``None``: a program sends it, which warnings do not stop.
    ``guard_override`` is the reason to send what the guard blocks, by somebody who may approve that.
    """

    action: Action
    shop: str
    order_no: str | None = None
    line_no: str | None = None
    line_nos: tuple[str, ...] = ()
    inquiry_no: str | None = None
    text: str = ""
    reason: ClaimReason | None = None
    quantity: int | None = None
    carrier: str | None = None
    tracking_no: str | None = None
    ship_on: date | None = None
    hold_reason: HoldReason | None = None
    option_code: str | None = None
    points: int | None = None
    fee: int | None = None
    deliver_on: date | None = None
    deliver_at: time | None = None
    confirmed: bool = False
    token: str | None = None
    template_id: str | None = None
    warnings_read: str | None = None
    guard_override: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines to work, each once, in the order given."""
        given = (self.line_no, *self.line_nos) if self.line_no else self.line_nos
        return tuple(dict.fromkeys(line_no for line_no in given if line_no.strip()))


class ActionResult(Struct, frozen=True, kw_only=True):
    """What `hub act --json` prints. ``outcome`` is the worst of ``lines``; ``message`` is the first reason given.

    Without ``action_id`` nothing was stored or sent. ``findings`` are those of the answer guard that did not stop it.
    """

    outcome: Outcome
    lines: tuple[LineOutcome, ...]
    action_id: str | None = None
    message: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether some lines were done and some were not."""
        return len({line.outcome is Outcome.DONE for line in self.lines}) > 1


_FROM_BEST = (Outcome.DONE, Outcome.PENDING, Outcome.REFUSED, Outcome.UNKNOWN)


def worst(outcomes: list[Outcome]) -> Outcome:
    """Unknown before refused before pending: what is not known needs a person most."""
    return max(outcomes, key=_FROM_BEST.index)


class WrongRequestError(ValueError):
    """The request itself makes no sense: nothing was stored or sent. ``field`` names what is wrong with it,
    ``is_missing`` whether it is not there at all.
    """

    def __init__(self, message: str, *, field: str | None = None, is_missing: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.is_missing = is_missing


class UnconfirmedError(WrongRequestError):
    """Everything is right, but a person must confirm it first. ``warning`` is the mall's own, both may be empty."""

    def __init__(self, action: Action, *, warning: str, warning_ko: str) -> None:
        why = warning or "it cannot be taken back"
        super().__init__(f"{action.value} must be confirmed: {why}", field="confirmed", is_missing=True)
        self.warning = warning
        self.warning_ko = warning_ko

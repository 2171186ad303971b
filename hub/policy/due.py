"""By when a case must be dealt with, and who says so: law, mall, promise or our own target.

Source: Act on Consumer Protection in Electronic Commerce (Korea), articles 15 and 18; confidence:
sure. Clocks of malls come from outside as data. None of this is legal advice.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from hub.policy.calendar import BusinessCalendar, OwnDays


class CaseKind(StrEnum):
    """What a case is about; the values of claims and inquiries are those of the canonical model."""

    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    ADMIN_CANCEL = "admin_cancel"
    CONFIRM_HOLD = "confirm_hold"
    NON_RECEIPT = "non_receipt"
    DISPATCH = "dispatch"
    PRODUCT_INQUIRY = "product_inquiry"
    ORDER_INQUIRY = "order_inquiry"
    CHAT = "chat"
    CALL = "call"
    UNKNOWN = "unknown"


class DueCause(StrEnum):
    LAW = "law"
    MALL = "mall"
    PROMISE = "promise"
    TARGET = "target"


class Since(StrEnum):
    """The fact that starts a mall's clock."""

    OPENED = "opened_at"
    PAID = "paid_at"
    COLLECTED = "collected_at"
    PLANNED_SHIP = "planned_ship_at"


class Promised(Struct, frozen=True, kw_only=True):
    """An open promise: due at ``at``, made at ``made_at``. ``to_whom`` is customer, partner, logistics, md or mall."""

    at: datetime
    made_at: datetime
    to_whom: str = "customer"


class CaseFacts(Struct, frozen=True, kw_only=True):
    """What is known of one case; aware times, ``None`` where not known or not happened.

    ``country`` is the calendar of the shop ("KR", "JP"). ``opened_at`` is when the claim was
    requested or the question asked. ``collected_at`` is when the goods came back to the seller.
    ``out_of_stock_at`` is when the seller knew that it cannot supply, ``is_shortage_told`` that the
    customer knows it too. ``is_reserved``: everything that waits was sold before it can be sent, which is
    possible ``sendable_from`` on. ``promises`` are the open ones. ``is_answered`` says that the customer has had
    a first answer.
    """

    kind: CaseKind
    mall: str
    shop: str = ""
    country: str
    opened_at: datetime
    paid_at: datetime | None = None
    ordered_at: datetime | None = None
    planned_ship_at: datetime | None = None
    is_reserved: bool = False
    sendable_from: datetime | None = None
    dispatched_at: datetime | None = None
    collected_at: datetime | None = None
    out_of_stock_at: datetime | None = None
    is_shortage_told: bool = False
    promises: tuple[Promised, ...] = ()
    is_answered: bool = False


class Due(Struct, frozen=True, kw_only=True):
    """One deadline: ``at`` in UTC, whole days end with their last local second.

    ``source`` names the rule for people, ``label_key`` the screen's text, ``counted_from`` the
    moment that started the clock.
    """

    at: datetime
    cause: DueCause
    source: str
    label_key: str
    counted_from: datetime


class MallClock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deadline that one mall sets for ``kinds`` of cases, after ``since``.

    Either ``business_days`` of ``country``, ending with the day, or ``hours`` of the clock. ``shop``
    narrows it to one shop of the mall: there it stands in place of those of the whole mall for the same
    kind and ``since``. ``valid_from`` and ``valid_to`` are the first and last day on which it is in
    force; ``None`` leaves that side open.
    """

    mall: str
    shop: str | None = None
    kinds: tuple[CaseKind, ...]
    since: Since
    business_days: int | None = None
    hours: int | None = None
    country: str
    valid_from: date | None = None
    valid_to: date | None = None
    label_key: str
    source: str
    confidence: str

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Targets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The house's own aims, for one shop. Minutes of opening time, or business days; ``None`` sets no aim.

    ``claim_business_days`` is of all claims; cancel, return and exchange may have an aim of their own in
    its place. ``opens`` and ``closes`` are minutes after local midnight on business days.
    """

    product_inquiry_minutes: int | None = 240
    order_inquiry_minutes: int | None = 240
    chat_minutes: int | None = 30
    call_minutes: int | None = 240
    claim_business_days: int | None = 1
    cancel_business_days: int | None = None
    return_business_days: int | None = None
    exchange_business_days: int | None = None
    opens: int = 9 * 60
    closes: int = 18 * 60


DEFAULT_TARGETS: Final = Targets()
NO_OWN_DAYS: Final = OwnDays()

_CLAIMS: Final = frozenset(
    {
        CaseKind.CANCEL,
        CaseKind.RETURN,
        CaseKind.EXCHANGE,
        CaseKind.ADMIN_CANCEL,
        CaseKind.CONFIRM_HOLD,
        CaseKind.NON_RECEIPT,
    }
)
# Cases in which a paid and unsent line still waits to be sent. A claim is not one of them: the
# customer wants out; nor is a product question, which has no order.
_AWAITS_DISPATCH: Final = frozenset({CaseKind.DISPATCH, CaseKind.ORDER_INQUIRY, CaseKind.CHAT, CaseKind.CALL})
_SUPPLY_PREPAID: Final = "E-Commerce Consumer Protection Act 15(1): 3 business days after prepayment"
_SUPPLY_ORDERED: Final = "E-Commerce Consumer Protection Act 15(1): 7 days after the order"
_RESERVED: Final = "Reserved goods: the day from which on they can be sent, as the mall tells it"
_TELL_NO_SUPPLY: Final = "E-Commerce Consumer Protection Act 15(2): tell the reason without delay"
_REFUND_NO_SUPPLY: Final = "E-Commerce Consumer Protection Act 15(2): 3 business days after the prepayment"
_REFUND_NO_SUPPLY_KNOWN: Final = "E-Commerce Consumer Protection Act 15(2): 3 business days, payment's day not known"
_REFUND_WITHDRAWN: Final = "E-Commerce Consumer Protection Act 18(2): 3 business days after withdrawal"
_REFUND_RETURNED: Final = "E-Commerce Consumer Protection Act 18(2): 3 business days after the goods came back"


def due_dates(
    facts: CaseFacts,
    *,
    clocks: tuple[MallClock, ...] = (),
    targets: Targets = DEFAULT_TARGETS,
    days: OwnDays = NO_OWN_DAYS,
    on: date | None = None,
) -> tuple[Due, ...]:
    """Every deadline of a case, earliest first; law before mall before promise before target at the same time.

    A mall without a clock in ``clocks`` gives none: no number is made up. A clock must be in force on
    the day on which it starts or, with ``on``, on that day.
    Raises: ValueError for a country without a calendar, and for a time without a zone.
    """
    calendar = days.of_public(facts.country)
    dues = [
        *_mall_dues(facts, clocks, days, on),
        *_reserved_dues(facts, calendar),
        *_promise_dues(facts, calendar),
        *_target_dues(facts, days.of_shop(facts.country), targets),
    ]
    if facts.country == "KR":
        dues += _korean_law(facts, calendar)
    return tuple(sorted(dues, key=_by_time_and_weight))


def earliest(dues: tuple[Due, ...]) -> Due | None:
    """The deadline that bites first, ``None`` when there is none."""
    return min(dues, key=_by_time_and_weight, default=None)


_WEIGHT: Final = {cause: place for place, cause in enumerate(DueCause)}


def _by_time_and_weight(due: Due) -> tuple[datetime, int]:
    return due.at, _WEIGHT[due.cause]


def _awaits_dispatch(facts: CaseFacts) -> bool:
    return facts.kind in _AWAITS_DISPATCH and facts.dispatched_at is None


def _runs_from_payment(facts: CaseFacts) -> bool:
    """Goods that were sold before they can be sent are due when it was agreed, not some days after the payment.

    Source: the same 15(1), which leaves another agreement on the time of supply in force; the malls' own
    rules count reserved goods from their day, too. Confidence: likely.
    """
    return _awaits_dispatch(facts) and not facts.is_reserved


def _after_business_days(calendar: BusinessCalendar, since: datetime, count: int) -> datetime:
    return calendar.end_of(calendar.add_business_days(calendar.day_of(since), count))


def _law(label_key: str, source: str, since: datetime, at: datetime) -> Due:
    return Due(at=at, cause=DueCause.LAW, source=source, label_key=label_key, counted_from=since)


def _korean_law(facts: CaseFacts, calendar: BusinessCalendar) -> list[Due]:
    dues = []
    if _runs_from_payment(facts):
        if facts.paid_at is not None:
            at = _after_business_days(calendar, facts.paid_at, 3)
            dues.append(_law("due.law.supply", _SUPPLY_PREPAID, facts.paid_at, at))
        elif facts.ordered_at is not None:
            at = calendar.end_of(calendar.add_days(calendar.day_of(facts.ordered_at), 7))
            dues.append(_law("due.law.supply", _SUPPLY_ORDERED, facts.ordered_at, at))
    if facts.out_of_stock_at is not None:
        dues += _out_of_stock(facts, facts.out_of_stock_at, calendar)
    if facts.kind in {CaseKind.CANCEL, CaseKind.RETURN} and facts.collected_at is not None:
        at = _after_business_days(calendar, facts.collected_at, 3)
        dues.append(_law("due.law.refund", _REFUND_RETURNED, facts.collected_at, at))
    elif facts.kind is CaseKind.CANCEL and facts.dispatched_at is None:
        # Sent goods must come back first; only then does the refund's clock run.
        at = _after_business_days(calendar, facts.opened_at, 3)
        dues.append(_law("due.law.refund", _REFUND_WITHDRAWN, facts.opened_at, at))
    return dues


def _out_of_stock(facts: CaseFacts, known_at: datetime, calendar: BusinessCalendar) -> list[Due]:
    """The reason at once: the law names no hours, so that none are made up. The money counts from its payment."""
    dues = []
    if not facts.is_shortage_told:
        dues.append(_law("due.law.tell_no_supply", _TELL_NO_SUPPLY, known_at, known_at))
    source = _REFUND_NO_SUPPLY_KNOWN if facts.paid_at is None else _REFUND_NO_SUPPLY
    since = facts.paid_at or known_at
    dues.append(_law("due.law.refund_no_supply", source, since, _after_business_days(calendar, since, 3)))
    return dues


def _started(facts: CaseFacts, since: Since) -> datetime | None:
    if since is Since.OPENED:
        return facts.opened_at
    if since is Since.COLLECTED:
        return facts.collected_at
    if since is Since.PAID:
        return facts.paid_at if _runs_from_payment(facts) else None
    return facts.planned_ship_at if _awaits_dispatch(facts) else None


def _mall_dues(facts: CaseFacts, clocks: tuple[MallClock, ...], days: OwnDays, on: date | None) -> list[Due]:
    dues = []
    for clock in _clocks_of(facts, clocks, on):
        since = _started(facts, clock.since)
        if since is not None:
            # An announced holiday is one of the shop's country, not of another in which the mall counts.
            calendar = (days if clock.country == facts.country else NO_OWN_DAYS).of_public(clock.country)
            dues.append(
                Due(
                    at=_mall_end(clock, since, calendar),
                    cause=DueCause.MALL,
                    source=f"{clock.source} (confidence: {clock.confidence})",
                    label_key=clock.label_key,
                    counted_from=since,
                )
            )
    return dues


def _reserved_dues(facts: CaseFacts, calendar: BusinessCalendar) -> list[Due]:
    """The mall's day for reserved goods counts as a whole; without one nothing is due, and none is made up."""
    if not facts.is_reserved or facts.sendable_from is None or not _awaits_dispatch(facts):
        return []
    at = calendar.end_of(calendar.day_of(facts.sendable_from))
    return [
        Due(
            at=at,
            cause=DueCause.MALL,
            source=_RESERVED,
            label_key="due.mall.reserved",
            counted_from=facts.sendable_from,
        )
    ]


def _clocks_of(facts: CaseFacts, clocks: Iterable[MallClock], on: date | None) -> list[MallClock]:
    """The clocks in force; those of the shop itself in place of the mall's that start with the same fact."""
    of_case = [
        clock
        for clock in clocks
        if clock.mall == facts.mall and clock.shop in {None, facts.shop} and facts.kind in clock.kinds
    ]
    held = [clock for clock in of_case if _is_in_force(clock, facts, on)]
    own = {clock.since for clock in held if clock.shop is not None}
    return [clock for clock in held if clock.shop is not None or clock.since not in own]


def _is_in_force(clock: MallClock, facts: CaseFacts, on: date | None) -> bool:
    since = _started(facts, clock.since)
    return since is not None and clock.holds_on(on or NO_OWN_DAYS.of_public(clock.country).day_of(since))


def _mall_end(clock: MallClock, since: datetime, calendar: BusinessCalendar) -> datetime:
    if clock.hours is not None:
        return since.astimezone(UTC) + timedelta(hours=clock.hours)
    return _after_business_days(calendar, since, clock.business_days or 0)


def _promise_dues(facts: CaseFacts, calendar: BusinessCalendar) -> list[Due]:
    dues = [
        Due(
            at=promise.at.astimezone(UTC),
            cause=DueCause.PROMISE,
            source="Told to the customer" if promise.to_whom == "customer" else f"Promised: {promise.to_whom}",
            label_key="due.promise.customer" if promise.to_whom == "customer" else "due.promise.other",
            counted_from=min(promise.made_at, promise.at),
        )
        for promise in facts.promises
    ]
    if facts.planned_ship_at is not None and _awaits_dispatch(facts):
        # The announced day counts as a whole, also when it is a day of rest: it was announced.
        dues.append(
            Due(
                at=calendar.end_of(calendar.day_of(facts.planned_ship_at)),
                cause=DueCause.PROMISE,
                source="Planned ship date told to the mall",
                label_key="due.promise.planned_ship",
                counted_from=facts.planned_ship_at,
            )
        )
    return dues


def _target_dues(facts: CaseFacts, calendar: BusinessCalendar, targets: Targets) -> list[Due]:
    if facts.is_answered:
        return []
    if facts.kind in _CLAIMS:
        days = _days_for_claim(facts.kind, targets)
        return [] if days is None else [_target(facts, _after_business_days(calendar, facts.opened_at, days))]
    minutes = _minutes_to_answer(facts.kind, targets)
    if minutes is None:
        return []
    at = calendar.add_business_minutes(facts.opened_at, minutes, opens=targets.opens, closes=targets.closes)
    return [_target(facts, at)]


def _days_for_claim(kind: CaseKind, targets: Targets) -> int | None:
    own = {
        CaseKind.CANCEL: targets.cancel_business_days,
        CaseKind.RETURN: targets.return_business_days,
        CaseKind.EXCHANGE: targets.exchange_business_days,
    }.get(kind)
    return targets.claim_business_days if own is None else own


def _minutes_to_answer(kind: CaseKind, targets: Targets) -> int | None:
    if kind is CaseKind.PRODUCT_INQUIRY:
        return targets.product_inquiry_minutes
    if kind is CaseKind.ORDER_INQUIRY:
        return targets.order_inquiry_minutes
    if kind is CaseKind.CHAT:
        return targets.chat_minutes
    return targets.call_minutes if kind is CaseKind.CALL else None


def _target(facts: CaseFacts, at: datetime) -> Due:
    label_key = "due.target.claim" if facts.kind in _CLAIMS else "due.target.answer"
    return Due(at=at, cause=DueCause.TARGET, source="Own target", label_key=label_key, counted_from=facts.opened_at)

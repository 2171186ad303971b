"""What a list of cases shows: its filters as they stand in an address, and as they stand in a query.

A query is made once for each shape of filters, with places for what changes from one reader and moment to the
next (:func:`moment_values`, :func:`filter_parameters`): to make it anew took longer than to run it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import BigInteger, BindParameter, ColumnElement, and_, bindparam, case, or_, select

from hub.core.model import ClaimKind, InquiryKind
from hub.store.database import to_ms
from hub.store.tables import cases, mentions, shops, team_members

#: what is due within this, and not over, is at risk
RISK: Final = timedelta(hours=2)
_LONGEST: Final = 100
#: places in a query: the reader; now, the end of what is at risk, the end of the centre's day
READER: Final = bindparam("reader", type_=BigInteger)
NOW: Final = bindparam("now", type_=BigInteger)
_RISK_END: Final = bindparam("risk_end", type_=BigInteger)
_DAY_END: Final = bindparam("day_end", type_=BigInteger)
#: filters whose value has a place; a group of kinds is several words, and each group a query of its own
_PLACED: Final = ("mall", "shop", "state", "assignee", "team")


class View(StrEnum):
    """The agent's standing questions; each is one link with its count."""

    MINE = "mine"
    TODAY = "today"
    OVERDUE = "overdue"
    RISK = "risk"
    UNASSIGNED = "unassigned"
    TEAM = "team"
    MENTIONED = "mentioned"
    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"


class KindGroup(StrEnum):
    """Kinds as agents speak of them; every kind belongs to exactly one group."""

    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    INQUIRY = "inquiry"
    OTHER = "other"


KINDS: Final[Mapping[KindGroup, tuple[str, ...]]] = {
    KindGroup.CANCEL: (ClaimKind.CANCEL, ClaimKind.ADMIN_CANCEL),
    KindGroup.RETURN: (ClaimKind.RETURN,),
    KindGroup.EXCHANGE: (ClaimKind.EXCHANGE,),
    KindGroup.INQUIRY: (InquiryKind.PRODUCT_INQUIRY, InquiryKind.ORDER_INQUIRY, InquiryKind.CHAT),
    KindGroup.OTHER: (ClaimKind.CONFIRM_HOLD, ClaimKind.NON_RECEIPT, ClaimKind.UNKNOWN, "call"),
}
GROUP_OF: Final = {kind: group for group, kinds in KINDS.items() for kind in kinds}


class Filters(Struct, frozen=True, kw_only=True):
    """What the list shows. Empty means all. ``assignee`` and ``team`` are ids; ``state`` a case's state."""

    view: View = View.OPEN
    mall: str | None = None
    shop: str | None = None
    kind: KindGroup | None = None
    state: str | None = None
    assignee: int | None = None
    team: int | None = None


def filters_of(values: Mapping[str, str]) -> Filters:
    """The filters of an address; what is not understood is no filter."""
    view, kind = values.get("view"), values.get("kind")
    return Filters(
        view=View(view) if view in set(View) else View.OPEN,
        mall=_word(values.get("mall")),
        shop=_word(values.get("shop")),
        kind=KindGroup(kind) if kind in set(KindGroup) else None,
        state=_word(values.get("state")),
        assignee=_row_id(values.get("assignee")),
        team=_row_id(values.get("team")),
    )


def filter_values(filters: Filters) -> dict[str, object]:
    """The filters as address parameters; the default view is left out."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    if filters.view is View.OPEN:
        values.pop("view")
    return {name: str(value) for name, value in values.items()}


def shape_of(filters: Filters) -> Filters:
    """Equal for filters that differ in nothing but the values that have a place in a query."""
    return Filters(
        view=filters.view,
        kind=filters.kind,
        mall=None if filters.mall is None else "",
        shop=None if filters.shop is None else "",
        state=None if filters.state is None else "",
        assignee=None if filters.assignee is None else 0,
        team=None if filters.team is None else 0,
    )


def filter_parameters(filters: Filters, *, prefix: str = "") -> dict[str, object]:
    """What stands in the places of :func:`choosing`."""
    return {f"{prefix}{name}": value for name in _PLACED if (value := getattr(filters, name)) is not None}


def moment_values(now: datetime, zone: ZoneInfo, *, user_id: int | None) -> dict[str, object]:
    """What stands in the places of the reader and of the moment; milliseconds."""
    return {
        "reader": user_id,
        "now": to_ms(now),
        "risk_end": to_ms(now + RISK),
        "day_end": to_ms(end_of_day(now, zone)),
    }


def _word(text: str | None) -> str | None:
    return text[:_LONGEST] if text else None


def _row_id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def is_laid_aside() -> ColumnElement[bool]:
    """Asleep, or back and not received yet: few, and found by their own index, not by looking at all cases."""
    dozing = cases.alias("dozing")
    return cases.c.id.in_(select(dozing.c.id).where(dozing.c.snoozed_until.is_not(None)))


#: a moment, or the place of one
At = datetime | BindParameter[int]


def _ms(at: At) -> Any:
    return to_ms(at) if isinstance(at, datetime) else at


def is_asleep(now: At) -> ColumnElement[bool]:
    """Laid aside until a time to come, and nothing of it has changed since."""
    return and_(
        cases.c.snoozed_until.is_not(None),
        cases.c.snoozed_until > _ms(now),
        cases.c.updated_at <= cases.c.snoozed_at,
    )


def is_awake(now: At) -> ColumnElement[bool]:
    return or_(
        cases.c.snoozed_until.is_(None),
        cases.c.snoozed_until <= _ms(now),
        cases.c.updated_at > cases.c.snoozed_at,
    )


def conditions(
    filters: Filters, *, reader: BindParameter[int] | None, is_back: bool = False
) -> Iterable[ColumnElement[bool]]:
    """Of rows of ``cases`` joined with ``shops``. What sleeps stands only in its own view; a mention wakes it.

    ``reader`` is :data:`READER`, or ``None`` for nobody. ``is_back``: of these only those that were laid aside
    and are back.
    """
    yield shops.c.is_active
    yield from _of_view(filters.view, reader, is_few=is_back)
    if is_back:
        yield is_laid_aside()
        yield _is_open(is_few=True)
    yield from choosing(filters)


def open_and_awake() -> tuple[tuple[ColumnElement[bool], ...], ...]:
    """All of them in two parts: those that nobody laid aside, which stand in an index of their own, and the few."""
    return (
        (cases.c.is_open, cases.c.snoozed_until.is_(None)),
        (is_laid_aside(), _is_open(is_few=True), is_awake(NOW)),
    )


def choosing(filters: Filters, *, prefix: str = "") -> Iterable[ColumnElement[bool]]:
    """What the filters ask for besides the view; ``prefix`` of the places of their values."""
    if filters.kind is not None:
        # No list as one value: a statement is compiled once, with its values in it.
        yield or_(*(cases.c.kind == kind for kind in KINDS[filters.kind]))
    for name in _PLACED:
        if getattr(filters, name) is not None:
            yield _COLUMNS[name] == bindparam(f"{prefix}{name}")


_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "mall": shops.c.mall,
    "shop": shops.c.name,
    "state": cases.c.state,
    "assignee": cases.c.assignee_id,
    "team": cases.c.team_id,
}


def _is_open(*, is_few: bool) -> ColumnElement[bool]:
    """Of few rows written so that they are not looked for through the index of all open cases."""
    return case((cases.c.is_open, 1), else_=0) == 1 if is_few else cases.c.is_open.is_(True)


def _of_view(view: View, reader: BindParameter[int] | None, *, is_few: bool) -> Iterable[ColumnElement[bool]]:
    if view is View.MENTIONED:
        # Open or not: somebody was asked for.
        yield cases.c.id.in_(unseen_mentions(reader))
        return
    if view is View.CLOSED:
        yield cases.c.is_open.is_(False)
        return
    yield _is_open(is_few=is_few or view is View.SNOOZED)
    if view is View.SNOOZED:
        yield is_laid_aside()
        yield is_asleep(NOW)
        return
    yield is_awake(NOW)
    narrower = narrowing(view, reader)
    if narrower is not None:
        yield narrower


def narrowing(view: View, reader: BindParameter[int] | None) -> ColumnElement[bool] | None:
    """What makes a view narrower than all open cases that are awake; ``None`` where nothing does."""
    if view is View.MINE:
        return cases.c.assignee_id == reader
    if view is View.UNASSIGNED:
        return cases.c.assignee_id.is_(None)
    if view is View.TODAY:
        return cases.c.due_at < _DAY_END
    if view is View.OVERDUE:
        return cases.c.due_at < NOW
    if view is View.RISK:
        return and_(cases.c.due_at >= NOW, cases.c.due_at < _RISK_END)
    if view is View.TEAM:
        return cases.c.team_id.in_(select(team_members.c.team_id).where(team_members.c.user_id == reader))
    return None


def unseen_mentions(reader: int | BindParameter[int] | None) -> Any:
    return select(mentions.c.case_id).where(mentions.c.user_id == reader, mentions.c.seen_at.is_(None))


def end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)

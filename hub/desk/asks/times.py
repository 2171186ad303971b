"""Time as a contact's opening hours count it, and how fast contacts have answered so far.

A contact whose hours nobody has told is taken as always open, so that a question to it is not left
waiting for ever.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import read_rows, to_ms
from hub.store.tables import asks
from routing.contacts import Contact

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
#: opening hours are looked through for so long: no run of holidays is longer
_SEARCHED_DAYS: Final = 60
#: what is looked back on, and the most questions of one contact that count
LOOK_BACK: Final = timedelta(days=90)
NEWEST: Final = 200


class Speed(Struct, frozen=True, kw_only=True):
    """How fast a contact or a partner answered, in minutes of its opening hours.

    ``answered`` are the questions behind the figures; ``unanswered`` were passed on to somebody else
    without an answer. ``median`` and ``p90`` are ``None`` without an answered question.
    """

    median: int | None
    p90: int | None
    answered: int
    unanswered: int


def open_minutes(contact: Contact | None, start: datetime, end: datetime) -> int:
    """Whole minutes between two aware times in which the contact was open; all of them where its hours are unknown."""
    if contact is None or contact.hours is None:
        return max(0, (end - start) // _MINUTE)
    spans = _spans(contact, start, days=(end - start) // _DAY + 2)
    return sum((min(end, closes) - max(start, opens) for opens, closes in spans if opens < end), timedelta()) // _MINUTE


def after_open_minutes(contact: Contact | None, start: datetime, minutes: int) -> datetime | None:
    """When so many opening minutes are over; ``None`` when the contact does not open often enough within 60 days."""
    if contact is None or contact.hours is None:
        return start + minutes * _MINUTE
    left = minutes * _MINUTE
    for opens, closes in _spans(contact, start, days=_SEARCHED_DAYS):
        begins = max(start, opens)
        if closes - begins >= left:
            return begins + left
        left -= closes - begins
    return None


def _spans(contact: Contact, start: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Opening spans in UTC, in order, that end after ``start``."""
    zone = ZoneInfo(contact.timezone)
    first = start.astimezone(zone).date()
    for number in range(days):
        for opens, closes in _of_day(contact, first + number * _DAY, zone):
            if closes > start:
                yield opens, closes


def _of_day(contact: Contact, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    for period in contact.periods(day):
        opens, closes = (midnight + minute * _MINUTE for minute in (period.opens, period.closes))
        yield opens.astimezone(UTC), closes.astimezone(UTC)


async def read_speeds(
    connection: AsyncConnection, *, keys: Sequence[str], organisations: Sequence[str], now: datetime
) -> tuple[dict[str, Speed], dict[str, Speed]]:
    """By contact's key, and by organisation, of the newest questions of the last 90 days.

    The ranks are taken in the database, over at most 200 rows of an index for each name.
    """
    contacts, companies = list(dict.fromkeys(keys)), list(dict.fromkeys(organisations))
    if not contacts and not companies:
        return {}, {}
    names = {f"c{number}": key for number, key in enumerate(contacts)}
    names |= {f"o{number}": name for number, name in enumerate(companies)}
    query = _speeds(len(contacts), len(companies))
    by_kind: dict[str, dict[str, Speed]] = {"c": {}, "o": {}}
    for row in await read_rows(connection, query, since=to_ms(now - LOOK_BACK), **names):
        by_kind[row.kind][row.name] = Speed(
            median=row.median, p90=row.p90, answered=int(row.answered), unanswered=int(row.unanswered)
        )
    return by_kind["c"], by_kind["o"]


@lru_cache
def _speeds(contacts: int, companies: int) -> Select[Any]:
    """For so many names of each: chains have few different lengths, and each page with contacts asks."""
    wanted = [("c", asks.c.contact_key, f"c{number}") for number in range(contacts)]
    wanted += [("o", asks.c.organisation, f"o{number}") for number in range(companies)]
    newest = union_all(*(_newest(kind, column, name) for kind, column, name in wanted)).subquery()
    # A call that was answered on the spot waited for nobody.
    is_counted = and_(newest.c.answer_minutes.is_not(None), newest.c.answered_at > newest.c.asked_at)
    ranked = select(
        newest,
        case((is_counted, 1), else_=0).label("counts"),
        func.sum(case((is_counted, 1), else_=0)).over(partition_by=(newest.c.kind, newest.c.name)).label("many"),
        func.row_number()
        .over(
            partition_by=(newest.c.kind, newest.c.name),
            order_by=(case((is_counted, 0), else_=1), newest.c.answer_minutes),
        )
        .label("place"),
    ).subquery()
    is_unanswered = and_(ranked.c.state == "escalated", ranked.c.answered_at.is_(None))
    return select(
        ranked.c.kind,
        ranked.c.name,
        _at_share(ranked, 50).label("median"),
        _at_share(ranked, 90).label("p90"),
        func.sum(ranked.c.counts).label("answered"),
        func.sum(case((is_unanswered, 1), else_=0)).label("unanswered"),
    ).group_by(ranked.c.kind, ranked.c.name)


def _newest(kind: str, column: ColumnElement[str], name: str) -> Select[Any]:
    query = (
        select(
            literal(kind).label("kind"),
            column.label("name"),
            asks.c.state,
            asks.c.asked_at,
            asks.c.answered_at,
            asks.c.answer_minutes,
        )
        .where(column == bindparam(name), asks.c.asked_at >= bindparam("since"), asks.c.state != "withdrawn")
        .order_by(asks.c.asked_at.desc())
        .limit(NEWEST)
        .subquery()
    )
    return select(query)


def _at_share(ranked: Any, percent: int) -> ColumnElement[int | None]:
    """The smallest value that at least so many per cent of the values do not exceed (nearest rank)."""
    is_within = and_(ranked.c.counts == 1, ranked.c.place * 100 >= ranked.c.many * percent)
    return func.min(case((is_within, ranked.c.answer_minutes), else_=None))

"""The question of the order line: is ordering by web or app inconvenient, or are these customers new to it?

Answered calls of the order line by the age of the mall, and by whether the caller had ordered before. Callers who have
ordered and still cannot speak for an inconvenient order; callers who never ordered speak for customers who are new.
The share is order-assist calls ÷ answered calls of the order line; a call whose reason nobody noted counts as none.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import sqrt
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, case, false, func, literal_column, or_, select

from hub.stats.call_figures import Figure, condition_of
from hub.stats.calls import within
from hub.stats.span import Span
from hub.store.database import Database
from hub.store.rollup_tables import call_counts
from hub.store.rollups import DAY
from hub.store.tables import calls, orders, shops

#: age of a mall at the time of the call: name, and from how many days on
AGES: Final = (("under_2w", 0), ("from_2w", 14), ("from_4w", 28), ("from_12w", 84), ("from_26w", 182))
#: age of a mall of which nothing else is known
NO_AGE: Final = "unknown"
#: fewer answered calls of a kind of caller say nothing
LEAST_CALLS: Final = 30
#: shares that differ by less are the same for whoever has to decide
NEAR: Final = 0.1
#: of a normal distribution, for a confidence of 95 per cent
_Z: Final = 1.96
_DAY: Final = timedelta(days=1)


class Caller(StrEnum):
    """``KNOWN``: ordered before the call, on any mall. ``WITHHELD``: no number, so nobody can tell."""

    NEW = "new"
    KNOWN = "known"
    WITHHELD = "withheld"


#: the figure that counts each kind of caller
FIGURE_OF: Final = {
    Caller.NEW: Figure.CALLER_NEW,
    Caller.KNOWN: Figure.CALLER_KNOWN,
    Caller.WITHHELD: Figure.CALLER_WITHHELD,
}


class Assisted(Struct, frozen=True, kw_only=True):
    """Answered calls of the order line; ``noted``: with a reason, ``assist``: who could not order by web or app."""

    answered: int = 0
    noted: int = 0
    assist: int = 0

    def __add__(self, other: "Assisted") -> "Assisted":
        return Assisted(
            answered=self.answered + other.answered,
            noted=self.noted + other.noted,
            assist=self.assist + other.assist,
        )

    @property
    def share(self) -> float | None:
        return round(self.assist / self.answered, 4) if self.answered else None


class Verdict(StrEnum):
    """``NEW_TO_IT``: more of the new callers need help. ``KNOWN_TOO``: those who ordered before need it as often.

    ``UNCLEAR``: the difference may be chance. ``TOO_FEW``: too few calls of one kind of caller.
    """

    NEW_TO_IT = "new_to_it"
    KNOWN_TOO = "known_too"
    UNCLEAR = "unclear"
    TOO_FEW = "too_few"


class Cell(Struct, frozen=True, kw_only=True):
    """``mall`` is ``None`` for a number that names none."""

    mall: str | None
    age: str
    caller: Caller
    calls: Assisted


class OrderLine(Struct, frozen=True, kw_only=True):
    """``known_since``: the first order or call of each mall that is known here, which its age is counted from."""

    cells: tuple[Cell, ...]
    known_since: Mapping[str, datetime]

    def of(self, *, caller: Caller | None = None, mall: str | None = None, age: str | None = None) -> Assisted:
        """All cells of these; ``None``: whichever."""
        found = (
            cell.calls
            for cell in self.cells
            if caller in (None, cell.caller) and mall in (None, cell.mall) and age in (None, cell.age)
        )
        return sum(found, Assisted())

    @property
    def verdict(self) -> Verdict:
        return verdict_of(new=self.of(caller=Caller.NEW), known=self.of(caller=Caller.KNOWN))


def verdict_of(*, new: Assisted, known: Assisted) -> Verdict:
    """By the 95 % interval of the difference between the two shares (Wald's, which wants some calls of each)."""
    if min(new.answered, known.answered) < LEAST_CALLS:
        return Verdict.TOO_FEW
    of_new, of_known = new.assist / new.answered, known.assist / known.answered
    margin = _Z * sqrt(of_new * (1 - of_new) / new.answered + of_known * (1 - of_known) / known.answered)
    if of_new - of_known > margin:
        return Verdict.NEW_TO_IT
    if of_known - of_new > margin or of_new - of_known + margin < NEAR:
        return Verdict.KNOWN_TOO
    return Verdict.UNCLEAR


async def read_order_line(database: Database, *, span: Span) -> OrderLine:
    """Calls that came in within ``span``; sorted by mall, age and caller, cells without calls left out."""
    since = await _known_since(database)
    caller, age = _caller(), _age(since)
    groups = (calls.c.mall, age.label("age"), caller.label("caller"))
    figures = (Figure.ANSWERED, Figure.WITH_TOPIC, Figure.ORDER_ASSIST)
    query = (
        select(*groups, *(func.sum(case((condition_of(figure), 1), else_=0)) for figure in figures))
        .where(calls.c.line == "order", condition_of(Figure.ANSWERED), *within(span))
        .group_by(*groups)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    places = {name: place for place, name in enumerate((*(name for name, _ in AGES), NO_AGE))}
    cells = [
        Cell(
            mall=mall,
            age=age,
            caller=Caller(caller),
            calls=Assisted(answered=int(answered), noted=int(noted), assist=int(assist)),
        )
        for mall, age, caller, answered, noted, assist in rows
    ]
    return OrderLine(
        cells=tuple(sorted(cells, key=lambda cell: (cell.mall or "", places[cell.age], cell.caller.value))),
        known_since={mall: datetime.fromtimestamp(start / 1000, UTC) for mall, start in since.items()},
    )


def age_span(name: str, *, known_since: datetime, span: Span) -> tuple[datetime, datetime]:
    """When a mall was of this age, within ``span``."""
    place = [known for known, _ in AGES].index(name)
    since = known_since + AGES[place][1] * _DAY
    until = known_since + AGES[place + 1][1] * _DAY if place + 1 < len(AGES) else span.until
    return max(since, span.since) if place else span.since, min(until, span.until)


async def _known_since(database: Database) -> dict[str, int]:
    """By mall, in milliseconds."""
    first_call = (
        select(call_counts.c.mall, func.min(call_counts.c.starts_at))
        .where(call_counts.c.unit == DAY, call_counts.c.mall != "")
        .group_by(call_counts.c.mall)
    )
    # The oldest orders lie at the beginning of an index; a list by shop would read every order.
    first_order = (
        select(orders.c.ordered_at)
        .where(orders.c.shop_id == shops.c.id, orders.c.ordered_at.is_not(None))
        .order_by(orders.c.ordered_at)
        .limit(1)
        .scalar_subquery()
    )
    found: dict[str, int] = {}
    async with database.reading() as connection:
        for query in (first_call, select(shops.c.mall, first_order)):
            for mall, start in await connection.execute(query):
                if start is not None:
                    found[mall] = min(start, found.get(mall, start))
    return found


def _caller() -> ColumnElement[str]:
    known = condition_of(Figure.CALLER_KNOWN)
    return case(
        (calls.c.caller_idx.is_(None), literal_column(f"'{Caller.WITHHELD.value}'")),
        (known, literal_column(f"'{Caller.KNOWN.value}'")),
        else_=literal_column(f"'{Caller.NEW.value}'"),
    )


def _age(known_since: Mapping[str, int]) -> ColumnElement[str]:
    """The oldest age whose time has come; a call from before a mall was known counts as of its first days."""
    day = round(_DAY.total_seconds() * 1000)
    whens: list[Any] = [
        (or_(*_since(known_since, days * day)) if days else calls.c.mall.in_(known_since), literal_column(f"'{name}'"))
        for name, days in reversed(AGES)
    ]
    return case(*whens, else_=literal_column(f"'{NO_AGE}'"))


def _since(known_since: Mapping[str, int], age_ms: int) -> Iterable[ColumnElement[bool]]:
    yield false()
    for mall, start in known_since.items():
        yield and_(calls.c.mall == mall, calls.c.entered_at >= start + age_ms)

"""What no mall knows of a line: the steps of a purchase abroad, told by people, files and other systems.

Rows are only added; the newest of a fact counts, and a wrong one is corrected by the next.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import LineStatus
from hub.desk.access import Actor, Permission, require
from hub.desk.decisions.facts_told import FactGiven, FactProblem, FactSource, FactState, Moment, fact_problem
from hub.desk.services import Services
from hub.policy.stage import StageFact, StageFacts, StageFinding, Told, find_contradiction, stage_of
from hub.store.database import Database, among, from_ms, time_of, to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.tables import line_facts, lines, orders, shops, users

LONGEST: Final = 100
_MOST_PROBLEMS: Final = 1_000
_ARRIVED: Final = frozenset(
    {LineStatus.DELIVERED, LineStatus.PURCHASE_CONFIRMED, LineStatus.RETURNED, LineStatus.EXCHANGED}
)
_UNDER_WAY: Final = frozenset(
    {LineStatus.PENDING_PAYMENT, LineStatus.PAID, LineStatus.PREPARING, LineStatus.DISPATCHED}
)


class FactsResult(Struct, frozen=True, kw_only=True):
    """``written`` facts were new or different, ``unchanged`` ones known already.

    ``problem_count`` counts all problems, of which ``problems`` lists the first thousand.
    """

    written: int
    unchanged: int
    problem_count: int
    problems: tuple[FactProblem, ...]


class FactView(Struct, frozen=True, kw_only=True):
    """One telling of a fact: by whom (``None``: no person of ours), from where and when."""

    fact: StageFact
    moment: Moment
    reference: str | None
    source: FactSource
    by: str | None
    set_at: datetime


class LineFactsView(Struct, frozen=True, kw_only=True):
    """``facts`` are those that count, one for each fact ever told; ``history`` all tellings, newest first."""

    shop: str
    order_no: str
    line_no: str
    product_name: str
    finding: StageFinding
    facts: dict[StageFact, FactView]
    history: tuple[FactView, ...]


async def set_facts(
    services: Services, *, actor: Actor, given: Sequence[FactGiven], source: FactSource, is_trial: bool = False
) -> FactsResult:
    """Store what is told, in one transaction. What is wrong is named, and nothing is stored of its lines.

    The same again writes nothing. ``is_trial`` only says what would become of it.
    Raises: ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    now, database = services.now(), services.database
    of_shop: dict[str, list[FactGiven]] = defaultdict(list)
    for each in given:
        of_shop[each.shop].append(each)
    problems: list[FactProblem] = []
    rows: list[dict[str, Any]] = []
    unchanged = 0
    async with database.reading() if is_trial else database.writing() as connection:
        ids = {row.name: row.id for row in await connection.execute(select(shops.c.id, shops.c.name))}
        for shop, told in of_shop.items():
            if shop not in ids:
                problems += [fact_problem("unknown_shop", row=each.place, column="shop", value=shop) for each in told]
                continue
            sorted_out = await _sort_out(services, connection, ids[shop], told, now)
            problems += sorted_out.problems
            unchanged += sorted_out.unchanged
            who = {"shop_id": ids[shop], "source": source.value, "set_by": actor.user_id, "set_at": to_ms(now)}
            rows += [{"id": new_id(), **who, **values} for values in sorted_out.values]
        if rows and not is_trial:
            await connection.execute(line_facts.insert(), rows)
    named = sorted({(each.row, each.column or "", each.key): each for each in problems}.items())
    return FactsResult(
        written=len(rows),
        unchanged=unchanged,
        problem_count=len(named),
        problems=tuple(each for _, each in named[:_MOST_PROBLEMS]),
    )


async def read_told(
    connection: AsyncConnection, *, shop_id: int, order_nos: Sequence[str]
) -> dict[tuple[str, str], dict[StageFact, Told]]:
    """What counts of these orders, by order and line number; a fact that nobody told, or took back, is absent."""
    return await ask_one(connection, told_of(shop_id, order_nos))


def told_of(shop_id: int, order_nos: Sequence[str]) -> Question[dict[tuple[str, str], dict[StageFact, Told]]]:
    """As :func:`read_told`."""
    return Question(_FACTS, {"shop_id": shop_id, "order_nos": list(order_nos)}, _counting)


def _counting(rows: list[Any]) -> dict[tuple[str, str], dict[StageFact, Told]]:
    told: dict[tuple[str, str], dict[StageFact, Told]] = defaultdict(dict)
    for row in rows:
        order_no, line_no, fact, state, at, is_day, reference, set_at = row
        facts = told[order_no, line_no]
        facts.pop(StageFact(fact), None)
        if state != FactState.UNKNOWN:
            facts[StageFact(fact)] = Told(
                at=from_ms(at), reference=reference, is_day=bool(is_day), told_at=time_of(set_at)
            )
    return told


def facts_of_line(
    told: Mapping[StageFact, Told], *, status: LineStatus, delivered_at: datetime | None, as_of: datetime
) -> StageFacts:
    """All that is known of a line's stage: what was ``told``, and what its mall said at ``as_of``.

    A mall that calls goods delivered without a time means at the latest ``as_of``.
    """
    delivered = None
    if delivered_at is not None or status in _ARRIVED:
        delivered = Told(at=delivered_at or as_of)
    elif status in _UNDER_WAY:
        delivered = Told(at=None, told_at=as_of)
    return StageFacts(**{fact.value: each for fact, each in told.items()}, delivered=delivered)


async def read_line_facts(
    services: Services, *, actor: Actor, shop: str, order_no: str, line_no: str | None = None
) -> tuple[LineFactsView, ...]:
    """The lines of an order with their facts; empty when there is no such order or line. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        views = await ask_one(connection, line_facts_of(shop, order_no))
    return tuple(view for view in views if line_no is None or view.line_no == line_no)


def line_facts_of(shop: str, order_no: str | None) -> Question[tuple[LineFactsView, ...]]:
    """As :func:`read_line_facts`; no order has the number ``None``."""

    def views(rows: list[Any]) -> tuple[LineFactsView, ...]:
        of_line: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            of_line[row.line_id].append(row)
        return tuple(_line_view(of, shop=shop, order_no=order_no or "") for of in of_line.values())

    return Question(_HISTORY, {"shop": shop, "order_no": order_no}, views)


def _view(row: Any) -> FactView:
    return FactView(
        fact=StageFact(row.fact),
        moment=Moment(state=FactState(row.state), at=from_ms(row.at), is_day=row.is_day),
        reference=row.reference,
        source=FactSource(row.source),
        by=row.name,
        set_at=time_of(row.set_at),
    )


def _line_view(rows: list[Any], *, shop: str, order_no: str) -> LineFactsView:
    """``rows`` of one line, one for each telling; of a line that nobody told of a single one without a fact."""
    row, told = rows[0], [_view(each) for each in rows if each.fact is not None]
    newest = {view.fact: view for view in told}
    facts = facts_of_line(
        {fact: _told(view) for fact, view in newest.items() if view.moment.state is not FactState.UNKNOWN},
        status=LineStatus(row.status),
        delivered_at=from_ms(row.delivered_at),
        as_of=time_of(row.fetched_at),
    )
    return LineFactsView(
        shop=shop,
        order_no=order_no,
        line_no=row.line_no,
        product_name=row.product_name,
        finding=stage_of(facts),
        facts={fact: newest[fact] for fact in StageFact if fact in newest},
        history=tuple(reversed(told)),
    )


def _told(view: FactView) -> Told:
    moment = view.moment
    return Told(at=moment.at, reference=view.reference, is_day=moment.is_day, told_at=view.set_at)


class _Line(Struct, frozen=True, kw_only=True):
    """One line of the shop. ``told`` is what counts of it now."""

    order_no: str
    line_no: str
    status: str
    delivered_at: int | None
    fetched_at: int
    told: Mapping[StageFact, Told]

    def with_facts(self, told: Mapping[StageFact, Told]) -> StageFacts:
        return facts_of_line(
            told,
            status=LineStatus(self.status),
            delivered_at=from_ms(self.delivered_at),
            as_of=time_of(self.fetched_at),
        )


class _SortedOut(Struct, frozen=True, kw_only=True):
    """``values`` are columns of rows to write."""

    values: list[dict[str, Any]]
    unchanged: int
    problems: list[FactProblem]


async def _sort_out(
    services: Services, connection: AsyncConnection, shop_id: int, told: Sequence[FactGiven], now: datetime
) -> _SortedOut:
    """Find the lines that are told of, in as many queries for one as for ten thousand."""
    known = await _lines_told_of(services.database, connection, shop_id, told)
    zone = services.settings.zone
    problems: list[FactProblem] = []
    of_line: dict[tuple[str, str], list[FactGiven]] = defaultdict(list)
    by_place = _by_place(known)
    for each in told:
        found = by_place.get((each.order_no, each.line_no), [])
        if not found or (each.order_no is None and len(found) > 1):
            problems.append(_not_found(each, is_several=bool(found)))
            continue
        for line in found:
            of_line[line.order_no, line.line_no].append(each)
    lines_by_key = {(line.order_no, line.line_no): line for line in known}
    values: list[dict[str, Any]] = []
    unchanged = 0
    for key, tellings in of_line.items():
        line = lines_by_key[key]
        wrong = [*_wrong_alone(tellings, now)] or [*_wrong_together(line, tellings, now)]
        problems += wrong
        if not wrong:
            # They agree; the one with a number comes last.
            once = {each.fact: each for each in sorted(tellings, key=lambda each: each.reference is not None)}
            changed = [each for each in once.values() if not _is_known(line, each, now, zone)]
            unchanged += len(once) - len(changed)
            values += [_values(line, each) for each in changed]
    return _SortedOut(values=values, unchanged=unchanged, problems=problems)


async def _lines_told_of(
    database: Database, connection: AsyncConnection, shop_id: int, told: Sequence[FactGiven]
) -> list[_Line]:
    order_nos = sorted({each.order_no for each in told if each.order_no is not None})
    line_nos = sorted({each.line_no for each in told if each.order_no is None and each.line_no is not None})
    rows = {
        *await database.fetch(connection, _LINES_BY_ORDER, {"shop_id": shop_id, "order_nos": order_nos}),
        *await database.fetch(connection, _LINES_BY_LINE, {"shop_id": shop_id, "line_nos": line_nos}),
    }
    known = await read_told(connection, shop_id=shop_id, order_nos=sorted({row[0] for row in rows}))
    return [
        _Line(
            order_no=order_no,
            line_no=line_no,
            status=status,
            delivered_at=delivered_at,
            fetched_at=fetched_at,
            told=known.get((order_no, line_no), {}),
        )
        for order_no, line_no, status, delivered_at, fetched_at in sorted(rows, key=lambda row: (row[0], row[1]))
    ]


def _by_place(known: Iterable[_Line]) -> dict[tuple[str | None, str | None], list[_Line]]:
    """Lines by each way to name them: order and line, order alone, line alone."""
    found: dict[tuple[str | None, str | None], list[_Line]] = defaultdict(list)
    for line in known:
        for place in ((line.order_no, line.line_no), (line.order_no, None), (None, line.line_no)):
            found[place].append(line)
    return found


def _not_found(each: FactGiven, *, is_several: bool) -> FactProblem:
    if is_several:
        return fact_problem("several_lines", row=each.place, column="line_no", value=each.line_no or "")
    if each.line_no is None and each.order_no is None:
        return fact_problem("no_line", row=each.place, column="order_no")
    column, value = ("order_no", each.order_no) if each.line_no is None else ("line_no", each.line_no)
    return fact_problem("unknown_line", row=each.place, column=column, value=value or "")


def _wrong_alone(tellings: Sequence[FactGiven], now: datetime) -> Iterator[FactProblem]:
    first: dict[StageFact, FactGiven] = {}
    for each in tellings:
        moment, reference = each.moment, each.reference or ""
        other = first.setdefault(each.fact, each)
        if other.moment != moment or len({other.reference, each.reference} - {None}) > 1:
            yield fact_problem("told_twice", row=each.place, column=each.fact.value)
        if (moment.at is None) == (moment.state is FactState.HAPPENED):
            key = "time_missing" if moment.at is None else "time_unwanted"
            yield fact_problem(key, row=each.place, column=each.fact.value)
        elif moment.at is not None and moment.at > now:
            value = moment.at.isoformat(timespec="minutes")
            yield fact_problem("in_future", row=each.place, column=each.fact.value, value=value)
        if len(reference) > LONGEST:
            column = f"{each.fact.value}_no"
            yield fact_problem("reference_too_long", row=each.place, column=column, value=reference, most=str(LONGEST))
        elif not reference.isprintable():
            yield fact_problem("reference_unprintable", row=each.place, column=f"{each.fact.value}_no")


def _wrong_together(line: _Line, tellings: Sequence[FactGiven], now: datetime) -> Iterator[FactProblem]:
    """Whether what is told, beside what is known, can all be true."""
    told = dict(line.told)
    for each in tellings:
        told.pop(each.fact, None)
        if each.moment.state is not FactState.UNKNOWN:
            told[each.fact] = Told(at=each.moment.at, is_day=each.moment.is_day, told_at=now)
    wrong = find_contradiction(line.with_facts(told))
    if wrong is not None:
        # Shown beside the fact that was told now, whichever of the two it is.
        touched = {each.fact.value: each.place for each in tellings}
        column = wrong.later if wrong.later in touched else wrong.earlier
        row = touched.get(column, tellings[0].place)
        yield fact_problem(wrong.key, row=row, column=column, earlier=wrong.earlier, later=wrong.later)


def _is_known(line: _Line, each: FactGiven, now: datetime, zone: ZoneInfo) -> bool:
    known, moment = line.told.get(each.fact), each.moment
    if known is None or known.told_at is None:
        return moment.state is FactState.UNKNOWN
    if moment.state is FactState.UNKNOWN or each.reference not in {None, known.reference}:
        return False
    if known.at is None and moment.at is None:
        # That it has not happened yet is news on another day.
        return known.told_at.astimezone(zone).date() == now.astimezone(zone).date()
    return (known.at, known.is_day) == (moment.at, moment.is_day)


def _values(line: _Line, each: FactGiven) -> dict[str, Any]:
    known = line.told.get(each.fact)
    return {
        "order_no": line.order_no,
        "line_no": line.line_no,
        "fact": each.fact.value,
        "state": each.moment.state.value,
        "at": to_ms(each.moment.at),
        "is_day": each.moment.is_day,
        # A number that is not told again stays what it was.
        "reference": each.reference or (known.reference if known else None),
    }


_FACTS = (
    select(
        line_facts.c.order_no,
        line_facts.c.line_no,
        line_facts.c.fact,
        line_facts.c.state,
        line_facts.c.at,
        line_facts.c.is_day,
        line_facts.c.reference,
        line_facts.c.set_at,
    )
    .where(line_facts.c.shop_id == bindparam("shop_id"), among(line_facts.c.order_no, "order_nos"))
    .order_by(line_facts.c.id)
)
_LINE = select(
    orders.c.order_no, lines.c.line_no, lines.c.status, lines.c.delivered_at, lines.c.fetched_at
).select_from(lines.join(orders, orders.c.id == lines.c.order_id))
_LINES_BY_ORDER = _LINE.where(orders.c.shop_id == bindparam("shop_id"), among(orders.c.order_no, "order_nos"))
_LINES_BY_LINE = _LINE.where(lines.c.shop_id == bindparam("shop_id"), among(lines.c.line_no, "line_nos"))
_of_line = (
    (line_facts.c.shop_id == orders.c.shop_id)
    & (line_facts.c.order_no == orders.c.order_no)
    & (line_facts.c.line_no == lines.c.line_no)
)
_HISTORY = (
    select(
        lines.c.id.label("line_id"),
        lines.c.line_no,
        lines.c.product_name,
        lines.c.status,
        lines.c.delivered_at,
        lines.c.fetched_at,
        line_facts.c.fact,
        line_facts.c.state,
        line_facts.c.at,
        line_facts.c.is_day,
        line_facts.c.reference,
        line_facts.c.source,
        line_facts.c.set_at,
        users.c.name,
    )
    .select_from(
        shops.join(orders, orders.c.shop_id == shops.c.id)
        .join(lines, lines.c.order_id == orders.c.id)
        .outerjoin(line_facts, _of_line)
        .outerjoin(users, users.c.id == line_facts.c.set_by)
    )
    .where(shops.c.name == bindparam("shop"), orders.c.order_no == bindparam("order_no"))
    .order_by(lines.c.id, line_facts.c.id)
)

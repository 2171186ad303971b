"""Why customers got in touch: claims, written inquiries and calls by one tree of reasons.

An agent's note says why a call came; who noted nothing leaves it unknown. A claim tells by its reason, an inquiry by
the mall's category, else by its kind where the tree says so.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Select, and_, func, literal, select

from hub.stats.alike import counted_alike
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, pages, rows_of, stream
from hub.stats.reason_book import tree_history
from hub.stats.reason_tree import ReasonTree
from hub.stats.sold import is_of_copy
from hub.stats.stock import PRODUCT_COLUMNS, Stocks
from hub.store.belonging import case_of_claim, line_of_claim
from hub.store.tables import calls, cases, claims, inquiries, lines, shops

_CALL: Final = "call"


class ReasonFact(Fact, frozen=True, kw_only=True):
    """One claim, inquiry or answered call. ``group`` and ``reason`` are ``None`` where nobody said why.

    ``mode``: inventory mode of the product, "unknown" where no rule tells it, ``None`` where no product is named.
    """

    source: str
    kind: str
    reference: str
    order_no: str | None
    product: str | None
    product_code: str | None
    mode: str | None
    group: str | None
    reason: str | None


async def read_reasons(counted: Counted) -> AsyncIterator[ReasonFact]:
    for part, tree in await _parts(counted):
        async for fact in _read_part(part, tree):
            yield fact


async def _read_part(counted: Counted, tree: ReasonTree) -> AsyncIterator[ReasonFact]:
    async for row, mode in _with_modes(counted, _claims(counted), claims.c.requested_at, claims.c.id):
        yield _fact(row, source="claim", mode=mode, reason=tree.of_claim(row.reason))
    async for row, mode in _with_modes(counted, _inquiries(counted), inquiries.c.asked_at, inquiries.c.id):
        reason = tree.of_inquiry(category=row.category, kind=row.kind)
        yield _fact(row, source="inquiry", mode=mode, reason=reason)
    if counted.shop is None:
        async for call in stream(counted, _calls(counted), at=calls.c.entered_at, row_id=calls.c.call_id):
            reason = tree.of_topic(call.topic)
            yield ReasonFact(
                at=datetime.fromtimestamp(call.at_ms / 1000, UTC),
                mall=call.mall,
                shop=None,
                source=_CALL,
                kind=call.line or "",
                reference=call.row_id,
                order_no=None,
                product=None,
                product_code=None,
                mode=None,
                group=_group(reason),
                reason=reason,
            )


async def read_alike_reasons(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[ReasonFact, int]]:
    """As :func:`read_reasons`, counted by the database; the mode of a product is known one by one only."""
    if "mode" in names:
        async for fact in read_reasons(counted):
            yield fact, 1
        return
    for part, tree in await _parts(counted):
        async for alike in _read_part_alike(part, tree, names):
            yield alike


async def _parts(counted: Counted) -> list[tuple[Counted, ReasonTree]]:
    """The span, cut where another tree of reasons begins to count."""
    history = await tree_history(counted.database)
    return [
        (replace(counted, since=stretch.since, until=stretch.until), stretch.tree)
        for stretch in history.stretches(counted.since, counted.until)
    ]


async def _read_part_alike(
    counted: Counted, tree: ReasonTree, names: frozenset[str]
) -> AsyncIterator[tuple[ReasonFact, int]]:
    of_shop = {"mall": shops.c.mall, "shop": shops.c.name}
    claimed, asked = (
        column if "product" in names else None for column in (lines.c.product_name, inquiries.c.product_name)
    )
    columns = {**of_shop, "kind": claims.c.kind, "reason": claims.c.reason, "product": claimed}
    async for at, row, number in counted_alike(counted, _claims(counted), names, at=claims.c.requested_at, by=columns):
        yield _alike(at, row, source="claim", reason=tree.of_claim(row.reason)), number
    columns = {**of_shop, "kind": inquiries.c.kind, "category": inquiries.c.category, "product": asked}
    async for at, row, number in counted_alike(
        counted, _inquiries(counted), names, at=inquiries.c.asked_at, by=columns
    ):
        reason = tree.of_inquiry(category=row.category, kind=row.kind)
        yield _alike(at, row, source="inquiry", reason=reason), number
    if counted.shop is None:
        columns = {"mall": calls.c.mall, "shop": None, "kind": calls.c.line, "topic": calls.c.topic, "product": None}
        async for at, row, number in counted_alike(counted, _calls(counted), names, at=calls.c.entered_at, by=columns):
            yield _alike(at, row, source=_CALL, reason=tree.of_topic(row.topic)), number


def _alike(at: datetime, row: Any, *, source: str, reason: str | None) -> ReasonFact:
    return ReasonFact(
        at=at,
        mall=row.mall,
        shop=row.shop,
        source=source,
        kind=row.kind or "",
        reference="",
        order_no=None,
        product=row.product,
        product_code=None,
        mode=None,
        group=_group(reason),
        reason=reason,
    )


def _fact(row: Any, *, source: str, mode: str | None, reason: str | None) -> ReasonFact:
    return ReasonFact(
        at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
        mall=row.mall,
        shop=row.shop,
        case_id=row.case_id,
        source=source,
        kind=row.kind,
        reference=row.reference,
        order_no=row.order_no,
        product=row.product_name,
        product_code=row.product_code,
        mode=mode,
        group=_group(reason),
        reason=reason,
    )


def _group(reason: str | None) -> str | None:
    return reason.partition(".")[0] if reason else None


async def _with_modes(
    counted: Counted, query: Select[Any], at: Any, row_id: Any
) -> AsyncIterator[tuple[Any, str | None]]:
    """Each row with the mode of its product."""
    stocks = Stocks(counted)
    async for rows in pages(counted, query, at=at, row_id=row_id):
        for row, stock in zip(rows, await stocks.of(rows), strict=True):
            yield row, stock.mode


def _claims(counted: Counted) -> Select[Any]:
    """A claim on a copy of an order stands with the original."""
    return (
        rows_of(
            counted,
            claims,
            claims.c.kind,
            claims.c.reason,
            claims.c.claim_key.label("reference"),
            claims.c.order_no,
            cases.c.id.label("case_id"),
            *PRODUCT_COLUMNS,
            at=claims.c.requested_at,
        )
        .outerjoin(lines, line_of_claim())
        .outerjoin(cases, case_of_claim())
        .where(~is_of_copy(claims))
    )


def _inquiries(counted: Counted) -> Select[Any]:
    is_case = and_(cases.c.shop_id == inquiries.c.shop_id, cases.c.case_key == "inquiry:" + inquiries.c.thread_no)
    nothing = func.nullif("", "")
    return rows_of(
        counted,
        inquiries,
        inquiries.c.kind,
        inquiries.c.category,
        inquiries.c.inquiry_no.label("reference"),
        inquiries.c.order_no,
        cases.c.id.label("case_id"),
        inquiries.c.product_name,
        inquiries.c.product_code,
        nothing.label("product_option"),
        nothing.label("option_code"),
        nothing.label("seller_sku"),
        nothing.label("hints"),
        at=inquiries.c.asked_at,
    ).outerjoin(cases, is_case)


def _calls(counted: Counted) -> Select[Any]:
    query = select(
        calls.c.entered_at.label("at_ms"), calls.c.call_id.label("row_id"), calls.c.mall, calls.c.line, calls.c.topic
    ).where(calls.c.result == "answered")
    return query if counted.mall is None else query.where(calls.c.mall == counted.mall)


class Told(Struct, frozen=True, kw_only=True):
    """What so many claims, inquiries or calls tell of their reason. ``word``: ``None`` where they tell none."""

    source: str
    word: str | None
    kind: str
    number: int

    def reason(self, tree: ReasonTree) -> str | None:
        if self.source == "claim":
            return tree.of_claim(self.word or "")
        if self.source == _CALL:
            return tree.of_topic(self.word)
        return tree.of_inquiry(category=self.word, kind=self.kind)


async def read_told(counted: Counted) -> list[Told]:
    """The words of one span that reasons are known by, each once with its kind; often told ones first."""
    asked = [
        ("claim", _claims(counted), claims.c.requested_at, claims.c.reason, literal("")),
        ("inquiry", _inquiries(counted), inquiries.c.asked_at, inquiries.c.category, inquiries.c.kind),
        (_CALL, _calls(counted), calls.c.entered_at, calls.c.topic, literal("")),
    ]
    found: list[Told] = []
    async with counted.database.reading() as connection:
        for source, query, at, word, kind in asked:
            told = (word.label("word"), kind.label("kind"), func.count().label("number"))
            grouped = query.with_only_columns(*told).where(*counted.within(at))
            grouped = grouped.group_by(word, *([kind] if source == "inquiry" else []))
            found += [
                Told(source=source, word=row.word or None, kind=row.kind, number=row.number)
                for row in await connection.execute(grouped)
            ]
    return sorted(found, key=lambda told: (-told.number, told.source, told.word or "", told.kind))


def _is_known(fact: ReasonFact) -> bool:
    return fact.reason is not None


REASONS: Final = FactReport(
    name="reasons",
    row=ReasonFact,
    read=read_reasons,
    read_alike=read_alike_reasons,
    dimensions=("group", "reason", "mall", "shop", "source", "kind", "product", "mode"),
    default=("group", "reason", "mall"),
    measures=(
        Measure(name="matters"),
        Measure(name="claims", of=lambda fact: fact.source == "claim"),
        Measure(name="inquiries", of=lambda fact: fact.source == "inquiry"),
        Measure(name="calls", of=lambda fact: fact.source == _CALL),
        Measure(name="reason_known_share", how=How.SHARE, part=_is_known),
    ),
)

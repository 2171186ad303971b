"""Facts of many lines out of one CSV or Excel file: one row per line or order, one column per step.

A cell holds a day, a time, "not yet" or "unknown"; an empty one, or a dash, tells nothing. Beside each
step may stand a column with its number. Columns with other headings are left alone.
"""

import re
import unicodedata
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.desk.decisions.facts_told import FactGiven, FactProblem, Moment, fact_problem, read_moment
from hub.policy.stage import StageFact
from routing.sheet import Cell, SheetError, fold_word, read_sheet

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 50_000
_SEARCHED_HEAD: Final = 10
_LONGEST: Final = 200
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")
_DASHES: Final = frozenset("-–—―ー")
#: headings by column; the first in each language is what a page proposes
HEADINGS: Final = {
    "shop": ("shop", "판매계정", "판매자계정", "쇼핑몰계정", "샵", "ショップ", "店舗"),
    "order_no": ("order_no", "주문번호", "쇼핑몰주문번호", "注文番号", "カート番号"),
    "line_no": ("line_no", "품목번호", "상품주문번호", "품목별주문번호", "주문상품번호", "明細番号"),
    "overseas_ordered": ("overseas_ordered", "해외주문일", "해외주문일시", "현지주문일", "해외구매일", "海外注文日"),
    "overseas_ordered_no": ("overseas_ordered_no", "해외주문번호", "현지주문번호", "海外注文番号"),
    "overseas_dispatched": (
        "overseas_dispatched",
        "해외발송일",
        "해외발송일시",
        "현지발송일",
        "현지출고일",
        "해외출고일",
        "海外発送日",
    ),
    "overseas_dispatched_no": (
        "overseas_dispatched_no",
        "해외송장번호",
        "현지송장번호",
        "현지운송장번호",
        "트래킹번호",
        "海外追跡番号",
    ),
    "forwarder_in": ("forwarder_in", "배대지입고일", "배대지입고일시", "입고일", "센터입고일", "入庫日"),
    "forwarder_in_no": ("forwarder_in_no", "배대지신청번호", "배대지주문번호", "입고번호", "入庫番号"),
    "forwarder_out": ("forwarder_out", "배대지출고일", "배대지출고일시", "출고일", "국제발송일", "出庫日"),
    "forwarder_out_no": ("forwarder_out_no", "국제송장번호", "국제운송장번호", "hbl", "hbl번호", "国際追跡番号"),
}
_COLUMN_OF: Final = {fold_word(word): column for column, words in HEADINGS.items() for word in words}


class FactSheet(Struct, frozen=True, kw_only=True):
    """``columns`` are the headings as they stand, each with what it means (``None``: left alone).

    ``rows`` counts those with anything in them. A row with a problem tells nothing.
    """

    columns: tuple[tuple[str, str | None], ...]
    rows: int
    given: tuple[FactGiven, ...]
    problems: tuple[FactProblem, ...]


def read_fact_sheet(data: bytes, *, shop: str | None, zone: ZoneInfo) -> FactSheet:
    """``shop`` is whose lines they are where a row does not say. Never raises for what the file holds."""
    if len(data) > MOST_BYTES:
        return _refused(fact_problem("too_large", row=0, most=f"{MOST_BYTES:,} bytes"))
    try:
        rows = read_sheet(data, words=frozenset(_COLUMN_OF)).rows
    except SheetError as error:
        return _refused(fact_problem("unreadable", row=0, why=error.what))
    if len(rows) > MOST_ROWS:
        return _refused(fact_problem("too_large", row=0, most=f"{MOST_ROWS:,} rows"))
    head_at = _find_head(rows)
    if head_at is None:
        return _refused(fact_problem("empty", row=0))
    heads = tuple((_text(cell), _COLUMN_OF.get(_word(cell))) for cell in rows[head_at])
    wrong = _wrong_heads(heads, row=head_at + 1)
    if wrong:
        return _refused(*wrong, columns=heads)
    reader = _Rows({column: place for place, (_, column) in enumerate(heads) if column}, shop=shop, zone=zone)
    for number, cells in enumerate(rows[head_at + 1 :], head_at + 2):
        if any(_text(cell) for cell in cells):
            reader.read(number, cells)
    if not reader.rows:
        return _refused(fact_problem("empty", row=0), columns=heads)
    return FactSheet(columns=heads, rows=reader.rows, given=tuple(reader.given), problems=tuple(reader.problems))


def _refused(*problems: FactProblem, columns: tuple[tuple[str, str | None], ...] = ()) -> FactSheet:
    return FactSheet(columns=columns, rows=0, given=(), problems=problems)


def _find_head(rows: tuple[tuple[Cell, ...], ...]) -> int | None:
    """The first of the first ten rows that names an order or a line, else the first with anything in it."""
    first = None
    for place, cells in enumerate(rows[:_SEARCHED_HEAD]):
        if any(_COLUMN_OF.get(_word(cell)) in {"order_no", "line_no"} for cell in cells):
            return place
        if first is None and any(_text(cell) for cell in cells):
            first = place
    return first


def _wrong_heads(heads: tuple[tuple[str, str | None], ...], *, row: int) -> list[FactProblem]:
    columns = [column for _, column in heads if column]
    wrong = [fact_problem("two_headings", row=row, column=column) for column in HEADINGS if columns.count(column) > 1]
    if not {"order_no", "line_no"} & set(columns):
        names = ", ".join((*HEADINGS["order_no"][:2], *HEADINGS["line_no"][:2]))
        wrong.append(fact_problem("no_heading", row=row, column="order_no", names=names))
    if not set(StageFact) & set(columns):
        names = ", ".join(HEADINGS[fact.value][1] for fact in StageFact)
        wrong.append(fact_problem("no_heading", row=row, column=StageFact.OVERSEAS_ORDERED.value, names=names))
    return wrong


class _Rows:
    """Reads one row after the other and gathers what they tell, and what is wrong with them."""

    def __init__(self, columns: dict[str, int], *, shop: str | None, zone: ZoneInfo) -> None:
        self._columns = columns
        self._shop = shop
        self._zone = zone
        self.rows = 0
        self.given: list[FactGiven] = []
        self.problems: list[FactProblem] = []

    def read(self, number: int, cells: tuple[Cell, ...]) -> None:
        self.rows += 1
        before = len(self.problems)
        shop = self._text(cells, "shop") or self._shop
        order_no, line_no = self._number(number, cells, "order_no"), self._number(number, cells, "line_no")
        told = [
            (fact, self._moment(number, cells, fact), self._number(number, cells, f"{fact.value}_no"))
            for fact in StageFact
        ]
        if shop is None:
            self.problems.append(fact_problem("no_shop", row=number, column="shop"))
        elif order_no is None and line_no is None and len(self.problems) == before:
            self.problems.append(fact_problem("no_line", row=number, column="order_no"))
        elif len(self.problems) == before and not any(moment for _, moment, _ in told):
            self.problems.append(fact_problem("nothing_told", row=number))
        self.problems += [
            fact_problem("number_alone", row=number, column=fact.value, value=reference)
            for fact, moment, reference in told
            if reference and not self._text(cells, fact.value)
        ]
        if len(self.problems) > before or shop is None:
            return
        self.given += [
            FactGiven(
                place=number,
                shop=shop,
                order_no=order_no,
                line_no=line_no,
                fact=fact,
                moment=moment,
                reference=reference,
            )
            for fact, moment, reference in told
            if moment is not None
        ]

    def _cell(self, cells: tuple[Cell, ...], column: str) -> Cell:
        place = self._columns.get(column)
        return "" if place is None or place >= len(cells) else cells[place]

    def _text(self, cells: tuple[Cell, ...], column: str) -> str | None:
        return _text(self._cell(cells, column))[:_LONGEST] or None

    def _number(self, number: int, cells: tuple[Cell, ...], column: str) -> str | None:
        text = self._text(cells, column)
        if text is not None and _ROUNDED.fullmatch(text):
            self.problems.append(fact_problem("rounded_number", row=number, column=column, value=text))
            return None
        return text

    def _moment(self, number: int, cells: tuple[Cell, ...], fact: StageFact) -> Moment | None:
        cell = self._cell(cells, fact.value)
        text = _text(cell)
        if not text or set(text) <= _DASHES:
            return None
        moment = read_moment(cell if isinstance(cell, date) else text, zone=self._zone)
        if moment is None:
            self.problems.append(fact_problem("not_a_time", row=number, column=fact.value, value=text))
        return moment


def _text(cell: Cell) -> str:
    return unicodedata.normalize("NFKC", cell).strip() if isinstance(cell, str) else cell.isoformat()


def _word(cell: Cell) -> str:
    return fold_word(_text(cell))

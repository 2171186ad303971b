"""Import of the inventory mode table from a file, whole or not at all.

Columns: seller_sku, option_code or product_code (at least one), mode, and optionally shop,
valid_from, valid_to, partner, logistics; each under its English, Korean or Japanese names.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Final

from msgspec import Struct

from hub.core.model import InventoryMode
from routing.entries import ProductEntry
from routing.modes import KEYS, key_of
from routing.sheet import Cell, SheetError, fold_word, read_sheet
from routing.words import shown, tell_file_problem

_MAX_PROBLEMS: Final = 1_000
_MAX_VALUE: Final = 200
_COLUMNS: Final = {
    "seller_sku": (
        "seller_sku",
        "sku",
        "판매자상품코드",
        "판매자상품번호",
        "자체상품코드",
        "판매자코드",
        "出品者商品コード",
        "販売者商品コード",
        "販売者コード",
    ),
    "option_code": ("option_code", "옵션코드", "옵션관리코드", "자체옵션코드", "품목코드", "オプションコード"),
    "product_code": ("product_code", "상품코드", "상품번호", "商品コード", "商品番号"),
    "mode": (
        "mode",
        "inventory_mode",
        "재고형태",
        "재고구분",
        "재고유형",
        "재고방식",
        "운영방식",
        "在庫形態",
        "在庫区分",
    ),
    "shop": ("shop", "샵", "판매계정", "판매자계정", "쇼핑몰계정", "ショップ", "店舗"),
    "valid_from": ("valid_from", "시작일", "적용시작일", "적용일", "開始日", "適用開始日"),
    "valid_to": ("valid_to", "종료일", "적용종료일", "終了日", "適用終了日"),
    "partner": ("partner", "협력사", "공급사", "공급사코드", "협력사코드", "取引先", "仕入先"),
    "logistics": ("logistics", "물류사", "물류", "물류담당", "물류사코드", "物流会社", "物流"),
}
_COLUMN_OF: Final = {fold_word(name): column for column, names in _COLUMNS.items() for name in names}
_MODES: Final = {
    InventoryMode.CONSIGNMENT: ("consignment", "위탁", "위탁판매", "위탁상품", "위탁배송", "委託", "委託販売"),
    InventoryMode.DIRECT_PURCHASE: (
        "direct_purchase",
        "direct",
        "직매입",
        "사입",
        "매입",
        "직매입상품",
        "사입상품",
        "직매입/사입",
        "買取",
        "仕入",
        "仕入れ",
    ),
    InventoryMode.THIRD_PARTY_LOGISTICS: (
        "third_party_logistics",
        "3pl",
        "물류",
        "물류상품",
        "물류/3pl",
        "3자물류",
        "제3자물류",
        "풀필먼트",
        "fulfillment",
        "fulfilment",
        "物流",
        "物流商品",
    ),
}
_MODE_OF: Final = {fold_word(word): mode for mode, words in _MODES.items() for word in words}
MODE_WORDS: Final = "위탁 (consignment), 직매입 or 사입 (direct_purchase), 물류 or 3PL (third_party_logistics)"
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")
_DATE: Final = re.compile(r"(\d{4})\s*[-/.년]?\s*(\d{1,2})\s*[-/.월]?\s*(\d{1,2})\s*[일.]?(?:[ T]00:00(?::00)?)?")


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong and what to do. ``row`` counts from 1 with the head, as a spreadsheet shows it;
    row 0 is the file as a whole. ``key`` says the kind of mistake, ``words`` fill its sentences.
    """

    row: int
    column: str | None
    value: str | None
    key: str
    words: tuple[tuple[str, str], ...] = ()

    def told(self, locale: str) -> tuple[str, str]:
        """Reason and fix in the words of ``locale`` ("ko", "en")."""
        return tell_file_problem(self.key, locale, **dict(self.words))


class ModeTableImport(Struct, frozen=True, kw_only=True):
    """``rows`` is empty when there is any problem: nothing is half imported. ``readable`` counts the
    rows that were right by themselves, ``kind`` is the encoding or "excel".
    """

    rows: tuple[ProductEntry, ...]
    problems: tuple[Problem, ...]
    readable: int = 0
    kind: str | None = None


def read_mode_table(data: bytes) -> ModeTableImport:
    """Read the table out of the bytes of a CSV, xlsx or xls file. Never raises for what the file holds."""
    try:
        sheet = read_sheet(data, words=frozenset(_COLUMN_OF))
    except SheetError as error:
        return ModeTableImport(rows=(), problems=(_problem(0, None, None, error.key, **error.words),))
    head_at = _find_head(sheet.rows)
    if head_at is None:
        return ModeTableImport(rows=(), problems=(_problem(0, None, None, "empty"),), kind=sheet.kind)
    columns, problems = _read_head(sheet.rows[head_at], head_at + 1)
    found: list[tuple[int, ProductEntry]] = []
    if not problems:
        reader = _RowReader(columns, problems)
        for number, cells in enumerate(sheet.rows[head_at + 1 :], head_at + 2):
            row = reader.read(number, cells)
            if row is not None:
                found.append((number, row))
        problems += find_overlaps(found)
        if not found and not problems:
            problems.append(_problem(0, None, None, "no_rows"))
    problems.sort(key=lambda problem: problem.row)
    return ModeTableImport(
        rows=() if problems else tuple(row for _, row in found),
        problems=_shortened(problems),
        readable=len(found),
        kind=sheet.kind,
    )


def mode_of(word: str) -> InventoryMode | None:
    """The mode that an English, Korean or Japanese word means, ``None`` for any other word."""
    return _MODE_OF.get(_word(word))


def _shortened(problems: list[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= _MAX_PROBLEMS:
        return tuple(problems)
    more = f"{len(problems) - _MAX_PROBLEMS:,}"
    return (*problems[:_MAX_PROBLEMS], _problem(0, None, None, "more", count=more))


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else cell.isoformat()


def _word(cell: Cell) -> str:
    return fold_word(unicodedata.normalize("NFKC", _text(cell)))


def _find_head(rows: tuple[tuple[Cell, ...], ...]) -> int | None:
    """The first of the first ten rows that names the mode column, else the first row with anything in it."""
    first = None
    for place, cells in enumerate(rows[:10]):
        if any(_COLUMN_OF.get(_word(cell)) == "mode" for cell in cells):
            return place
        if first is None and any(_text(cell) for cell in cells):
            first = place
    return first


def _read_head(cells: tuple[Cell, ...], number: int) -> tuple[dict[str, int], list[Problem]]:
    """Column -> place. Columns with other names are left alone: the file may hold notes of its owner."""
    columns: dict[str, int] = {}
    problems = []
    for place, cell in enumerate(cells):
        column = _COLUMN_OF.get(_word(cell))
        if column is None:
            continue
        if column in columns:
            problems.append(_problem(number, column, cell, "column_twice", name=column))
        columns.setdefault(column, place)
    if "mode" not in columns:
        problems.append(_missing(number, "mode", _COLUMNS["mode"]))
    if not any(column in columns for column in KEYS):
        names = (name for column in KEYS for name in _COLUMNS[column][:2])
        problems.append(_missing(number, " | ".join(KEYS), names))
    return columns, problems


def _missing(number: int, column: str, names: Iterable[str]) -> Problem:
    return _problem(number, column, None, "column_missing", name=column, known=", ".join(names))


def _problem(row: int, column: str | None, cell: Cell | None, key: str, **words: str) -> Problem:
    value = None if cell is None else shown(_text(cell))
    return Problem(row=row, column=column, value=value, key=key, words=tuple(words.items()))


class _RowReader:
    """Reads one row after the other and gathers what is wrong with them."""

    def __init__(self, columns: dict[str, int], problems: list[Problem]) -> None:
        self._columns = columns
        self._problems = problems

    def read(self, number: int, cells: tuple[Cell, ...]) -> ProductEntry | None:
        """The row, or ``None`` for an empty row and for one with a problem."""
        if not any(cells) or not any(_text(cell) for cell in cells):
            return None
        before = len(self._problems)
        row = ProductEntry(
            mode=self._mode(number, cells),
            seller_sku=self._value(number, cells, "seller_sku"),
            option_code=self._value(number, cells, "option_code"),
            product_code=self._value(number, cells, "product_code"),
            shop=self._value(number, cells, "shop"),
            valid_from=self._date(number, cells, "valid_from"),
            valid_to=self._date(number, cells, "valid_to"),
            partner=self._value(number, cells, "partner"),
            logistics=self._value(number, cells, "logistics"),
        )
        if key_of(row) is None:
            columns = " | ".join(column for column in KEYS if column in self._columns)
            self._problems.append(_problem(number, columns, "", "no_product"))
        if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
            self._problems.append(_problem(number, "valid_to", row.valid_to, "dates", since=str(row.valid_from)))
        return row if len(self._problems) == before else None

    def _cell(self, cells: tuple[Cell, ...], column: str) -> Cell:
        place = self._columns.get(column)
        return "" if place is None or place >= len(cells) else cells[place]

    def _value(self, number: int, cells: tuple[Cell, ...], column: str) -> str | None:
        text = _text(self._cell(cells, column))
        if len(text) > _MAX_VALUE:
            words = {"length": f"{len(text):,}", "limit": str(_MAX_VALUE)}
            self._problems.append(_problem(number, column, text, "too_long", **words))
        if column in KEYS and _ROUNDED.fullmatch(text):
            self._problems.append(_problem(number, column, text, "rounded"))
        return text or None

    def _mode(self, number: int, cells: tuple[Cell, ...]) -> InventoryMode:
        cell = self._cell(cells, "mode")
        mode = mode_of(_text(cell))
        if mode is None:
            key = "no_mode" if _text(cell) else "mode_empty"
            self._problems.append(_problem(number, "mode", cell, key, known=MODE_WORDS))
            return InventoryMode.UNKNOWN
        return mode

    def _date(self, number: int, cells: tuple[Cell, ...], column: str) -> date | None:
        cell = self._cell(cells, column)
        if isinstance(cell, date):
            return cell
        text = cell.strip()
        if not text:
            return None
        parts = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
        if parts is not None:
            try:
                return date(int(parts[1]), int(parts[2]), int(parts[3]))
            except ValueError:
                parts = None  # 2026-02-30: said below, like any other text that is no date
        self._problems.append(_problem(number, column, cell, "no_date"))
        return None


def find_overlaps(found: Iterable[tuple[int, ProductEntry]]) -> list[Problem]:
    """Rows of the same key and shop that are valid on the same day would contradict each other."""
    groups: dict[tuple[tuple[str, str] | None, str | None], list[tuple[int, ProductEntry]]] = {}
    for pair in found:
        groups.setdefault((key_of(pair[1]), pair[1].shop), []).append(pair)
    problems = []
    for group in groups.values():
        if len(group) < 2:
            continue
        group.sort(key=lambda pair: (pair[1].valid_from or date.min, pair[0]))
        last_number, last_end = group[0][0], group[0][1].valid_to or date.max
        for number, row in group[1:]:
            if (row.valid_from or date.min) <= last_end:
                problems.append(_overlap(number, row, last_number))
            if (row.valid_to or date.max) >= last_end:
                last_number, last_end = number, row.valid_to or date.max
    return problems


def _overlap(number: int, row: ProductEntry, other: int) -> Problem:
    column = next(name for name in KEYS if getattr(row, name))
    return _problem(number, column, getattr(row, column), "overlap", other=str(other))

"""One cell to one value. A cell that cannot be read says why by a code, never by its content."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from connectors.sheet.tables import Cell
from hub.core.files import DateOrder
from hub.core.model import Money, minor_units

#: whole numbers up to here are exact in a spreadsheet's cell
MOST_EXACT: Final = 2**53
_EXCEL_DAY_ZERO: Final = datetime(1899, 12, 30)  # noqa: DTZ001  a spreadsheet's day has no zone
#: 1954 to 2119: a number outside is no date of an order
_SERIAL: Final = range(20_000, 80_000)
_DAYS_TO_1904: Final = 1_462
_SERIAL_OF_1904: Final = range(20_000 - _DAYS_TO_1904, 80_000 - _DAYS_TO_1904)
_SCIENTIFIC: Final = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,3}")
_AS_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_PLAIN_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:Z|[+-]\d\d:?\d\d)?")
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[ T_-]?(\d\d)(\d\d)(\d\d)?)?")
_DATE: Final = re.compile(
    r"(?P<a>\d{1,4})\s*[-/.년年]\s*(?P<b>\d{1,2})\s*[-/.월月]\s*(?P<c>\d{1,4})\s*[.일日]?"
    r"(?:\s*[(（]?[월화수목금토일月火水木金土日](?:요일|曜日)?[)）])?"
    r"(?:[\sT,]*(?P<half>오전|오후|午前|午後|am|pm|a\.m\.|p\.m\.)?\s*(?P<hour>\d{1,2})\s*[:시時]\s*(?P<minute>\d{1,2})\s*분?分?"
    r"(?:\s*:?\s*(?P<second>\d{1,2})(?:\.\d+)?\s*초?秒?)?\s*(?P<after>am|pm|a\.m\.|p\.m\.)?)?",
    re.IGNORECASE,
)
_REIWA: Final = re.compile(r"(?:令和|R)\s*(\d{1,2}|元)\s*[年.]", re.IGNORECASE)
_REIWA_ZERO: Final = 2018
_AFTERNOON: Final = frozenset({"오후", "午後", "pm", "p.m."})
_MONEY_MARKS: Final = str.maketrans("", "", "₩¥￥원円$€ \u00a0")
_UNITS: Final = re.compile(r"\s*(?:개|EA|個|点|pcs|세트|set|벌|켤레|박스|box)\.?", re.IGNORECASE)


class CellError(Exception):
    """``code`` is what is wrong with the cell."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def text(cell: Cell) -> str | None:
    """What a person sees in the cell; ``None`` when nothing. Whole numbers have no point and no exponent."""
    if type(cell) is str:
        if "\0" in cell:
            cell = cell.replace("\0", "")
        cell = cell.strip()
        if cell[:2] == '="' and (wrapped := _AS_TEXT.fullmatch(cell)):
            cell = wrapped[1].strip()
        return cell or None
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S") if cell.time() != time() else cell.date().isoformat()
    return str(cell)


def identity(cell: Cell) -> str | None:
    """A number that names something: digits must be whole. Full-width digits become plain ones."""
    if isinstance(cell, bool):
        raise CellError("not_a_number")
    if isinstance(cell, float) and abs(cell) > MOST_EXACT:
        raise CellError("digits_lost")
    found = text(cell)
    if found is None:
        return None
    if not found.isascii():
        found = unicodedata.normalize("NFKC", found).strip()
    if found[0] == "'" and (plain := found[1:].strip()):
        # A spreadsheet's sign that what follows is text; some programs write it into the file.
        found = plain
    if _SCIENTIFIC.fullmatch(found):
        raise CellError("digits_lost")
    if len(found) > 200:
        raise CellError("too_long")
    return found if found.isprintable() else _printable(found) or None


def _printable(found: str) -> str:
    """Without what has no place in a number that stands in addresses and keys."""
    return "".join(char for char in found if char.isprintable())


def quantity(cell: Cell) -> int | None:
    """A whole number above zero: 2, 2.0, "2개", "２ EA"."""
    found = text(cell)
    if found is None:
        return None
    if not found.isdecimal() or not found.isascii():
        found = _UNITS.sub("", unicodedata.normalize("NFKC", found)).strip()
        if not _NUMBER.fullmatch(found):
            raise CellError("not_a_quantity")
        number = Decimal(found.replace(",", ""))
        if number != number.to_integral_value():
            raise CellError("not_a_quantity")
        found = str(int(number))
    if not 0 < len(found) < 10 or int(found) <= 0:
        raise CellError("not_a_quantity")
    return int(found)


def money(cell: Cell, currency: str) -> Money | None:
    """12000, 12000.0, "12,000원", "₩12,000", "12,000.00"."""
    if isinstance(cell, bool | datetime | date | time | timedelta):
        raise CellError("not_an_amount")
    if type(cell) is float:
        cell = int(cell) if cell.is_integer() and abs(cell) <= MOST_EXACT else repr(cell)
    found = text(cell)
    if found is None:
        return None
    if not found.isascii() or not found.isdecimal():
        found = unicodedata.normalize("NFKC", found).translate(_MONEY_MARKS)
        if found in {"", "-"}:
            return None
        if not _NUMBER.fullmatch(found):
            raise CellError("not_an_amount")
        found = found.replace(",", "")
    if len(found) > 15:
        raise CellError("not_an_amount")
    try:
        return Money(minor=minor_units(found, currency), currency=currency)
    except ValueError as error:
        raise CellError("not_an_amount") from error


def moment_reader(zone: ZoneInfo, order: DateOrder) -> Callable[[Cell], datetime | None]:
    """A function from a cell to aware UTC; a naive time is one of ``zone``, a bare day its first moment."""

    @lru_cache(maxsize=4096)
    def of_text(found: str) -> datetime:
        moment = _moment(found, order)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

    def read(cell: Cell) -> datetime | None:
        if type(cell) is str:
            found = text(cell)
            return of_text(found) if found else None
        if cell is None:
            return None
        return _serial(cell).replace(tzinfo=zone).astimezone(UTC)

    return read


def since_1900(cell: Cell) -> Cell:
    """A day's number of a workbook that counts from 1904 as others count it; any other cell as it is."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and int(cell) in _SERIAL_OF_1904:
        return cell + _DAYS_TO_1904
    return cell


def _serial(cell: Cell) -> datetime:
    """A cell of a date, or the number of days since 1899-12-30 that a date without its format is."""
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if int(cell) in _SERIAL:
            return (_EXCEL_DAY_ZERO + timedelta(days=cell)).replace(microsecond=0)
        return _moment(str(int(cell)), DateOrder.YMD)
    raise CellError("not_a_date")


def _moment(found: str, order: DateOrder) -> datetime:
    try:
        if _PLAIN_MOMENT.fullmatch(found):
            return datetime.fromisoformat(found)
        found = unicodedata.normalize("NFKC", found).strip().lower()
        if _SERIAL_TEXT.fullmatch(found):
            return (_EXCEL_DAY_ZERO + timedelta(days=float(found))).replace(microsecond=0)
        found = _REIWA.sub(_western, found)
        if parts := _COMPACT.fullmatch(found):
            return datetime(*(int(part or 0) for part in parts.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        if parts := _DATE.fullmatch(found):
            return _spelt(parts, order)
    except (ValueError, OverflowError) as error:
        raise CellError("not_a_date") from error
    raise CellError("not_a_date")


_SERIAL_TEXT: Final = re.compile(r"[2-7]\d{4}(?:\.\d+)?", re.ASCII)


def _western(found: re.Match[str]) -> str:
    return f"{_REIWA_ZERO + (1 if found[1] == '元' else int(found[1]))}."


def _spelt(parts: re.Match[str], order: DateOrder) -> datetime:
    first, second, third = int(parts["a"]), int(parts["b"]), int(parts["c"])
    if len(parts["a"]) == 4 or order is DateOrder.YMD:
        year, month, day = first, second, third
    elif order is DateOrder.DMY:
        day, month, year = first, second, third
    else:
        month, day, year = first, second, third
    hour = int(parts["hour"] or 0)
    if half := parts["half"] or parts["after"]:
        hour = hour % 12 + (12 if half.lower() in _AFTERNOON else 0)
    year += 2000 if year < 100 else 0
    return datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts["second"] or 0))  # noqa: DTZ001


def word(found: str) -> str:
    """How words of a mall are compared: NFKC, folded, without blanks."""
    return "".join(unicodedata.normalize("NFKC", found).casefold().split())

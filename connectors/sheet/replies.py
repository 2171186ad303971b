"""Files for the mall: answers and tracking numbers in the columns of its upload form."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from connectors.sheet.tables import ENCODINGS
from hub.core.errors import ConfigurationError
from hub.core.files import FileFormat, Reply, ReplyColumn, ReplyFile, ReplyKind, ReplyLayout

#: fields that a column may show; those that must be given come from whoever wrote the reply
FIELDS: Final[Mapping[ReplyKind, tuple[str, ...]]] = {
    ReplyKind.ANSWERS: ("inquiry_no", "order_no", "subject", "answer", "author", "written_at", "written_on"),
    ReplyKind.TRACKING: (
        "order_no", "line_no", "product_name", "option", "quantity", "carrier", "tracking_no", "written_at",
        "written_on",
    ),
}  # fmt: skip
_REQUIRED: Final = {
    ReplyKind.ANSWERS: ("inquiry_no", "answer"),
    ReplyKind.TRACKING: ("order_no", "line_no", "carrier", "tracking_no"),
}
_IDENTITY: Final = {ReplyKind.ANSWERS: ("inquiry_no",), ReplyKind.TRACKING: ("order_no", "line_no")}
_PLAIN: Final = {
    ReplyKind.ANSWERS: {
        "문의번호": "inquiry_no",
        "주문번호": "order_no",
        "답변내용": "answer",
        "답변일시": "written_at",
    },
    ReplyKind.TRACKING: {
        "주문번호": "order_no",
        "상품주문번호": "line_no",
        "택배사": "carrier",
        "송장번호": "tracking_no",
        "발송일": "written_on",
    },
}
_LONGEST_CELL: Final = 32_767
_SHORT: Final = 4
#: a spreadsheet program takes a text that begins so for a formula
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def plain_layout(kind: ReplyKind) -> ReplyLayout:
    columns = tuple(ReplyColumn(heading=heading, field=field) for heading, field in _PLAIN[kind].items())
    return ReplyLayout(kind=kind, columns=columns)


def require_layout(layout: ReplyLayout) -> None:
    """Raises: ConfigurationError."""
    if not layout.columns:
        raise ConfigurationError("the file for the mall has no column", fix="Name at least one column.")
    for column in layout.columns:
        if column.field is not None and column.field not in FIELDS[layout.kind]:
            what = f"column {column.heading[:40]!r}: no field {column.field[:40]!r}"
            raise ConfigurationError(what, fix=f"Fields: {', '.join(FIELDS[layout.kind])}.")
    if layout.encoding not in ENCODINGS:
        what = f"no encoding {layout.encoding[:20]!r}"
        raise ConfigurationError(what, fix=f"Encodings: {', '.join(ENCODINGS)}.")


def require_reply(kind: ReplyKind, values: Mapping[str, str]) -> None:
    """Raises: ConfigurationError."""
    given = [field for field in FIELDS[kind] if not field.startswith("written_")]
    if missing := [field for field in _REQUIRED[kind] if not values.get(field, "").strip()]:
        what = f"{missing[0]} is missing"
        raise ConfigurationError(what, fix=f"Needed: {', '.join(_REQUIRED[kind])}.")
    if strange := sorted(set(values) - set(given)):
        what = f"no field {strange[0][:40]!r}"
        raise ConfigurationError(what, fix=f"Fields: {', '.join(given)}.")


def newest(replies: Iterable[Reply]) -> tuple[Reply, ...]:
    """One reply per identity, the newest, in the order in which they were first written."""
    found: dict[tuple[str, ...], Reply] = {}
    for reply in replies:
        found[tuple(reply.values.get(field, "") for field in _IDENTITY[reply.kind])] = reply
    return tuple(found.values())


def write_file(replies: Sequence[Reply], layout: ReplyLayout, *, shop: str, zone: ZoneInfo, at: datetime) -> ReplyFile:
    rows = [[_cell(column, reply, zone) for column in layout.columns] for reply in replies]
    headings = [column.heading for column in layout.columns]
    name = f"{shop}-{layout.kind.value}-{at.astimezone(zone):%Y%m%d-%H%M%S}.{layout.form.value}"
    if layout.form is FileFormat.XLSX:
        return ReplyFile(name=name, body=_workbook(headings, rows, at), rows=len(rows))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_harmless, headings))
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    whole = text.getvalue()
    body = whole.encode(layout.encoding, "replace")
    lost = sum(1 for char in set(whole) if not _can(char, layout.encoding))
    return ReplyFile(name=name, body=body, rows=len(rows), unwritable=lost)


def _can(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _cell(column: ReplyColumn, reply: Reply, zone: ZoneInfo) -> str:
    if column.field is None:
        return column.constant
    if column.field == "written_at":
        return reply.written_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if column.field == "written_on":
        return reply.written_at.astimezone(zone).strftime("%Y-%m-%d")
    value = reply.values.get(column.field, "")
    return malls_own(value, reply.values.get("order_no", "")) if column.field == "line_no" else value


def malls_own(line_no: str, order_no: str) -> str:
    """The line's number as the mall's file had it; empty for one that was made here."""
    rest = line_no.removeprefix(f"{order_no}-")
    if rest == line_no:
        return line_no
    return rest if len(rest) <= _SHORT else ""


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _workbook(headings: Sequence[str], rows: Sequence[Sequence[str]], at: datetime) -> bytes:
    """Every cell is text: no number loses its zeros, nothing is a formula."""
    out = io.BytesIO()
    options: dict[str, Any] = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": at.replace(tzinfo=None)})
        page = book.add_worksheet()
        as_text = book.add_format({"num_format": "@"})
        for number, row in enumerate((headings, *rows)):
            for place, cell in enumerate(row):
                page.write_string(number, place, cell[:_LONGEST_CELL], as_text)
    return out.getvalue()

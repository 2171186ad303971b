"""A whole file to its rows, as a run, a preview and a case read it alike."""

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

import msgspec
from msgspec import Struct

from connectors.sheet.head import Sheet, open_sheet
from connectors.sheet.headings import folded
from connectors.sheet.mapping import RowReader, Terms
from connectors.sheet.tables import Row
from connectors.sheet.values import since_1900
from connectors.sheet.vocabulary import FIELDS
from hub.core.contract import Reading
from hub.core.files import FileRow, Layout, RowProblem, UnreadableFileError, Upload

#: what is wrong and what to do, in Korean and English
SENTENCES = {
    "missing": ("값이 비어 있습니다. 채워서 다시 올리세요", "the cell is empty; fill it and upload again"),
    "digits_lost": (
        "숫자가 지수(1.2E+15)로 바뀌어 자릿수가 사라졌습니다. 열을 텍스트 서식으로 바꿔 다시 내려받으세요",
        "digits were lost to a number format (1.2E+15); download again with the column as text",
    ),
    "formula_failed": (
        "수식의 결과가 없습니다(#N/A 등). 엑셀에서 열어 값을 채우고 저장한 뒤 다시 올리세요",
        "the formula has no result (#N/A or the like); open it in a spreadsheet, mend it, save and upload again",
    ),
    "not_a_number": ("번호가 아니라 참/거짓입니다. 열 지정을 확인하세요", "TRUE or FALSE, no number; check the layout"),
    "too_long": ("번호가 200자를 넘습니다. 열 지정을 확인하세요", "a number of over 200 characters; check the layout"),
    "not_a_quantity": ("1 이상의 정수가 아닙니다", "no whole number above zero"),
    "not_an_amount": ("금액이 아닙니다. 12000 또는 12,000원처럼 적으세요", "no amount; write 12000 or 12,000"),
    "not_a_date": ("날짜가 아닙니다. 2026-11-22 14:05처럼 적으세요", "no date; write 2026-11-22 14:05"),
    "repeated": (
        "같은 주문 항목이 이 파일에 다른 내용으로 또 있습니다. 한 줄만 남기세요",
        "the file holds this line again with other content; keep one of them",
    ),
    "no_layout": (
        "열 지정이 없습니다. 파일 화면에서 열을 지정하세요",
        "there is no layout; make one on the Files page",
    ),
    "missing_column": (
        "필수 열이 파일에 없습니다. 열 지정을 고치세요",
        "a required column is not in the file; mend the layout",
    ),
}
_ON_THE_PAGE = "파일을 다시 내려받아 올리세요"


class OpenFile(Struct, kw_only=True):
    """A file that fits its layout, ready to be read row by row."""

    sheet: Sheet
    layout: Layout
    upload: Upload

    @property
    def place(self) -> str:
        """Where a row stands, for people: the file's name and its sheet."""
        return ", ".join(_printable(part) for part in (self.upload.name, self.sheet.table.name) if part)


def open_file(upload: Upload, layout: Layout) -> OpenFile:
    """Raises: UnreadableFileError, also when a required column is not there."""
    sheet = open_sheet(upload, layout)
    if missing := missing_fields(layout, sheet.headings):
        heading = next((rule.heading for rule in layout.columns if rule.field == missing[0]), missing[0])
        raise UnreadableFileError("missing_column", f"the file has no column {_printable(heading)!r} ({missing[0]})")
    return OpenFile(sheet=sheet, layout=layout, upload=upload)


def missing_fields(layout: Layout, headings: tuple[str, ...]) -> tuple[str, ...]:
    """Required fields that no column and no constant fills."""
    there = {folded(heading) for heading in headings if heading}
    filled = {rule.field for rule in layout.columns if folded(rule.heading) in there}
    filled |= {field for field, value in layout.constants.items() if value.strip()}
    return tuple(field.name for field in FIELDS[layout.kind] if field.is_required and field.name not in filled)


def read_rows(file: OpenFile, *, terms: Terms, unknown: Counter[str]) -> Iterator[FileRow]:
    """Every row once: what a file repeats word for word is left out, what it contradicts is a problem."""
    reader = RowReader(file.layout, headings=file.sheet.headings, terms=terms, unknown=unknown)
    met: dict[int, int] = {}
    for number, cells in _as_others_count(file):
        row = reader.read(number, cells)
        if row.key:
            told = hash(row.raw)
            first = met.get(mark := hash(row.key))
            if first is None:
                met[mark] = told
            elif first == told:
                continue
            else:
                problem = row.problem or RowProblem(code="repeated", row=number)
                row = FileRow(row=number, key=f"{row.key}#{number}", raw=row.raw, problem=problem)
        yield row


def _as_others_count(file: OpenFile) -> Iterator[tuple[int, Row]]:
    """The rows; days that are mere numbers are made those of 1900, as a stored row is read without its file."""
    if not file.sheet.table.counts_from_1904:
        return file.sheet.rows
    timed = {folded(rule.heading) for rule in file.layout.columns if rule.field.endswith("_at")}
    places = {place for place, heading in enumerate(file.sheet.headings) if heading and folded(heading) in timed}
    return (
        (number, [since_1900(cell) if place in places else cell for place, cell in enumerate(cells)])
        for number, cells in file.sheet.rows
    )


def to_reading(row: FileRow, file: OpenFile) -> Reading:
    """As a run reports it; a broken row without a number is named by its content."""
    key = row.key or f"row-{blake2b(row.raw, digest_size=8).hexdigest()}"
    if row.problem is None:
        return Reading(key=key, raw=row.raw, record=row.record)
    return Reading(key=key, raw=row.raw, error=sentence(row.problem, file.place))


def sentence(problem: RowProblem, place: str) -> str:
    """File, sheet, row, column, what is wrong and what to do; never what stands in the cell."""
    korean, english = SENTENCES[problem.code]
    column = f" '{_printable(problem.column)}'" if problem.column else ""
    field = f" ({problem.field})" if problem.field else ""
    return (
        f"{place} {problem.row}행{f',{column} 열' if column else ''}{field}: {korean}."
        f" / row {problem.row}{f', column{column}' if column else ''}: {english}."
    )


def unreadable(error: UnreadableFileError, upload: Upload, key: str) -> Reading:
    """A file that cannot be read at all, as one broken record."""
    korean, english = SENTENCES.get(error.code, (_ON_THE_PAGE, error.what))
    raw = msgspec.json.encode({"file": upload.name, "bytes": len(upload.body)})
    text = f"{_printable(upload.name)}: {korean}. / {english}."
    return Reading(key=f"file-{key[:16]}", raw=raw, error=text)


def _printable(text: str) -> str:
    return "".join(char for char in text[:80] if char.isprintable())

"""Files as a way in and out: what a mall without an API lets a person download and upload.

A file is kept whole, then read by an ordinary run of the shop. How its columns are to be read is a
:class:`Layout`, kept beside the files; the newest one of a kind holds, also for older files.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hub.core.model import Claim, Inquiry, Order


class Level(StrEnum):
    """How far a shop is connected. ``full``: orders, claims and inquiries come in, answers and tracking
    numbers go out. ``orders_only``: orders can be looked up. ``admin_only``: nothing but the mall's admin.
    """

    FULL = "full"
    ORDERS_ONLY = "orders_only"
    ADMIN_ONLY = "admin_only"


class FileKind(StrEnum):
    """What the rows of a file are."""

    ORDERS = "orders"
    CLAIMS = "claims"
    INQUIRIES = "inquiries"


class ReplyKind(StrEnum):
    """What goes back to the mall in a file."""

    ANSWERS = "answers"
    TRACKING = "tracking"


class DateOrder(StrEnum):
    """How a date of three numbers is meant when the year does not come first."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


class ColumnRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The column with ``heading`` fills ``field`` (a name of :class:`FileField`)."""

    heading: str
    field: str


class Layout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of file of one shop is read.

    ``words``: per field, what a word of the mall means. ``constants``: fields that every row has alike,
    written as a cell would be. ``sheet`` and ``encoding`` override what is found in the file. ``unused``
    are the headings that were seen and left out, so that another one is known to be new; ``None``: not noted.
    """

    kind: FileKind
    columns: tuple[ColumnRule, ...]
    words: Mapping[str, Mapping[str, str]] = {}
    constants: Mapping[str, str] = {}
    date_order: DateOrder = DateOrder.YMD
    sheet: str | None = None
    encoding: str | None = None
    unused: tuple[str, ...] | None = None


class KeptLayout(Struct, frozen=True, kw_only=True):
    """A version of a layout; ``by`` is who kept it."""

    layout: Layout
    kept_at: datetime
    by: str


class FileField(Struct, frozen=True, kw_only=True):
    """A field that a column may fill. ``meanings`` are what its words can be told to mean; empty for free text."""

    name: str
    is_required: bool = False
    meanings: tuple[str, ...] = ()


class Upload(Struct, frozen=True, kw_only=True):
    """A file as a person gave it."""

    kind: FileKind
    name: str
    body: bytes

    def __repr__(self) -> str:
        # The body is full of people.
        return f"Upload(kind={self.kind}, {len(self.body)} bytes)"


class ColumnLook(Struct, frozen=True, kw_only=True):
    """One column of a file. ``words``: the words of a column with meanings, and what each means (``None``: unknown).

    ``suggested``: the field that the heading of a column lets guess which the layout does not read.
    """

    heading: str
    samples: tuple[str, ...]
    field: str | None = None
    suggested: str | None = None
    is_guessed: bool = False
    words: tuple[tuple[str, str | None], ...] = ()


class FileLook(Struct, frozen=True, kw_only=True):
    """What a file looks like before it is read. ``header_row`` counts from 1 as a spreadsheet does.

    ``layout`` is the one given, or what the headings let guess. ``missing`` are required fields that
    nothing fills. ``warnings`` are ``(code, heading)``: leading_zero_lost, digits_rounded, and those of
    :meth:`ImportsFiles.column_warnings`.
    """

    sheet: str
    sheets: tuple[str, ...]
    encoding: str | None
    header_row: int
    rows: int
    columns: tuple[ColumnLook, ...]
    layout: Layout
    missing: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


class RowProblem(Struct, frozen=True, kw_only=True):
    """Why a row cannot be read: a code (``not_a_date``) and where; never the cell's content."""

    code: str
    row: int
    column: str | None = None
    field: str | None = None


class FileRow(Struct, frozen=True, kw_only=True):
    """One row of a file: what it becomes, or why not. ``key`` and ``raw`` as of a Reading."""

    row: int
    key: str
    raw: bytes
    record: Order | Claim | Inquiry | None = None
    problem: RowProblem | None = None


class ImportNote(Struct, frozen=True, kw_only=True):
    """What an import did: ``rows`` = new + changed + unchanged + errors."""

    rows: int
    new: int
    changed: int
    unchanged: int
    errors: int
    complete: bool = True


class ReceivedFile(Struct, frozen=True, kw_only=True):
    """One file of the history. ``note`` is ``None`` until it was read for the first time."""

    key: str
    kind: FileKind
    name: str
    size: int
    received_at: datetime
    by: str
    note: ImportNote | None = None


class UnreadableFileError(Exception):
    """A file that cannot be read at all. ``code`` is the key of a sentence; ``what`` says it in technical words."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.what = what


@runtime_checkable
class ImportsFiles(Protocol):
    """A shop that is read from files. Methods without ``async`` do no I/O but take as long as the file is big."""

    @property
    def level(self) -> Level: ...

    @property
    def file_kinds(self) -> tuple[FileKind, ...]:
        """The kinds of file that the level of this shop takes."""
        ...

    def file_fields(self, kind: FileKind) -> tuple[FileField, ...]: ...

    def look(self, upload: Upload, *, layout: Layout | None = None) -> FileLook:
        """Columns, samples and a layout. Raises: UnreadableFileError."""
        ...

    def column_warnings(self, upload: Upload, *, layout: Layout) -> tuple[tuple[str, str], ...]:
        """Where a file and a layout do not meet: ``(code, heading and letter of the column)``.

        new_known: the layout does not read it, but it looks like a field that nothing fills; new: it was in no
        file that the layout was made for; gone: the layout reads it, the file has it not.
        Raises: UnreadableFileError.
        """
        ...

    def file_rows(self, upload: Upload, *, layout: Layout) -> Iterator[FileRow]:
        """Every row as a run would read it. Raises: UnreadableFileError."""
        ...

    async def layout(self, kind: FileKind) -> KeptLayout | None:
        """The layout that holds."""
        ...

    async def keep_layout(self, layout: Layout, *, at: datetime, by: str) -> None:
        """From now on this one holds; the next run reads the files of its kind again.

        Raises: ConfigurationError naming the field that does not exist or is missing.
        """
        ...

    async def receive_file(self, upload: Upload, *, at: datetime, by: str) -> tuple[str, bool]:
        """Keep a file for the next run. Returns its key and whether it is new.

        Raises: UnreadableFileError; ConfigurationError when no layout holds or the level takes no such file.
        """
        ...

    async def note_import(self, key: str, note: ImportNote, *, at: datetime) -> None: ...

    async def files(self) -> tuple[ReceivedFile, ...]:
        """The history, newest first."""
        ...

    async def original(self, key: str) -> Upload | None:
        """The file as it came."""
        ...


class FileFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


class ReplyColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of a file for the mall: a field of the entries, or the same text in every row."""

    heading: str
    field: str | None = None
    constant: str = ""


class ReplyLayout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mall's upload form. ``encoding`` is that of a csv (utf-8-sig, cp949, cp932)."""

    kind: ReplyKind
    columns: tuple[ReplyColumn, ...]
    form: FileFormat = FileFormat.XLSX
    encoding: str = "utf-8-sig"


class Reply(Struct, frozen=True, kw_only=True):
    """One answer or tracking number written down for the mall. ``values`` by field; the newest of an identity counts.

    The identity is ``inquiry_no``, or ``order_no`` and ``line_no``.
    """

    seq: int
    kind: ReplyKind
    values: Mapping[str, str]
    written_at: datetime
    by: str


class ReplyFile(Struct, frozen=True, kw_only=True):
    """A file for the mall. ``unwritable`` counts characters that its encoding does not know (written as ``?``)."""

    name: str
    body: bytes
    rows: int
    unwritable: int = 0


@runtime_checkable
class ExportsFiles(Protocol):
    """A shop to which answers and tracking numbers go back in files."""

    def reply_fields(self, kind: ReplyKind) -> tuple[str, ...]: ...

    async def reply_layout(self, kind: ReplyKind) -> ReplyLayout:
        """The layout that holds; a plain one when nobody made any."""
        ...

    async def keep_reply_layout(self, layout: ReplyLayout, *, at: datetime, by: str) -> None:
        """Raises: ConfigurationError naming the wrong field or encoding."""
        ...

    async def write_down(self, kind: ReplyKind, values: Mapping[str, str], *, at: datetime, by: str) -> None:
        """Keep one answer or tracking number for the next file.

        Raises: ConfigurationError naming the field that is missing or unknown, or when the level sends none.
        """
        ...

    async def replies(
        self, kind: ReplyKind, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Reply, ...]:
        """Those not in any file yet; with ``since`` or ``until`` those written then, in a file or not."""
        ...

    async def export_file(
        self,
        kind: ReplyKind,
        *,
        at: datetime,
        by: str,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> ReplyFile | None:
        """Write the file and remember how far it went. ``None`` when there is nothing to write."""
        ...

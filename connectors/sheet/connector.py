"""One shop without an API: read from the files that people hand in, answered by files that they take out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.sheet import replies
from connectors.sheet.capabilities import CAPABILITIES
from connectors.sheet.head import open_sheet
from connectors.sheet.headings import column_warnings, unread_columns
from connectors.sheet.looking import look_at
from connectors.sheet.mapping import Terms
from connectors.sheet.payload import Remapper
from connectors.sheet.reading import OpenFile, open_file, read_rows, to_reading, unreadable
from connectors.sheet.settings import SheetCredentials
from connectors.sheet.shelf import FileHead, Shelf
from connectors.sheet.tables import ENCODINGS
from connectors.sheet.vocabulary import FIELDS, allowed
from hub.core.contract import (
    CallCounts,
    Capability,
    CheckItem,
    Feed,
    Manifest,
    OpenKeys,
    Page,
    Reading,
    ShopContext,
    Span,
)
from hub.core.errors import ConfigurationError
from hub.core.files import (
    FileField,
    FileKind,
    FileLook,
    FileRow,
    ImportNote,
    KeptLayout,
    Layout,
    Level,
    ReceivedFile,
    Reply,
    ReplyFile,
    ReplyKind,
    ReplyLayout,
    UnreadableFileError,
    Upload,
)
from hub.core.model import Inquiry
from hub.core.paging import decode_cursor, encode_cursor
from hub.core.wire_watch import PREFIX

PAGE: Final = 500
#: a file that was being stored while the last run began is older than that run, and was not read by it
_OVERLAP: Final = timedelta(seconds=15)
#: the store keeps milliseconds and rounds them
_ROUNDING: Final = timedelta(milliseconds=1)
_KINDS: Final = {
    Level.FULL: tuple(FileKind),
    Level.ORDERS_ONLY: (FileKind.ORDERS,),
    Level.ADMIN_ONLY: (),
}


class _Cursor(Struct, frozen=True):
    """``row``: how many rows of the file ``seq`` are done."""

    seq: int
    row: int


class SheetConnector:
    def __init__(self, context: ShopContext) -> None:
        settings = SheetCredentials.read(context.credentials, where=f"shop {context.shop.name}")
        self.shop = context.shop
        self.calls = CallCounts()
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        self._shelf = Shelf(context.inbox)
        self._now = context.now
        self._unknown: Counter[str] = Counter()
        self._remapper = Remapper([], terms=self._row_terms(), unknown=self._unknown)

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self._unknown

    @property
    def title(self) -> str:
        return self._settings.title or self.shop.name

    @property
    def level(self) -> Level:
        return self._settings.level

    @property
    def file_kinds(self) -> tuple[FileKind, ...]:
        return _KINDS[self._settings.level]

    async def aclose(self) -> None:
        """Nothing is open."""

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        """The front door: how a mall of which nothing is known addresses its orders cannot be known."""
        del order_no, line_no, inquiry
        return self._settings.admin_url

    # reading

    def read_orders(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        """Rows of the files that came in the span (all files for a full run), the newest file first.

        What a newer file tells of a line is not overwritten by an older one; a line that a newer file
        no longer holds stays as it was.
        """
        del open_keys
        return self._pages((FileKind.ORDERS, FileKind.CLAIMS), span, cursor)

    def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        del open_keys
        return self._pages((FileKind.INQUIRIES,), span, cursor)

    async def _pages(self, kinds: Sequence[FileKind], span: Span, cursor: str | None) -> AsyncIterator[Page]:
        layouts = {kind: await self.layout(kind) for kind in kinds}
        heads = [head for kind in kinds for head in await self._heads(kind, span, layouts[kind])]
        reached = decode_cursor(cursor, _Cursor)
        if reached is not None and reached.seq not in {head.seq for head in heads}:
            reached = None
        met: set[int] = set()
        last = _Cursor(seq=0, row=0)
        for index, head in enumerate(heads):
            async for done, readings, share in self._file_pages(head, layouts[head.kind], met):
                last = _Cursor(seq=head.seq, row=done)
                if reached is not None:
                    # Read again only to know what these rows were about.
                    if reached.seq != head.seq or done < reached.row:
                        continue
                    is_told, reached = done == reached.row, None
                    if is_told:
                        continue
                progress = min(1.0, (index + share) / len(heads))
                yield Page(readings=readings, cursor=encode_cursor(last), progress=progress)
        yield Page(readings=(), cursor=encode_cursor(last), progress=1.0)

    async def _heads(self, kind: FileKind, span: Span, layout: KeptLayout | None) -> list[FileHead]:
        """Files that the span asks for, newest first; a layout that was kept in it asks for all of its kind."""
        if kind not in self.file_kinds:
            return []
        since: datetime | None = span.since - _OVERLAP
        if span.is_full or (layout is not None and since is not None and layout.kept_at >= since):
            since = None
        return await self._shelf.heads(kind, since=since, until=span.until + _ROUNDING)

    async def _file_pages(
        self, head: FileHead, layout: KeptLayout | None, met: set[int]
    ) -> AsyncIterator[tuple[int, tuple[Reading, ...], float]]:
        """Rows done so far, the readings of the last of them, and the share of the file that is done.

        ``met`` are the keys that newer files have told of; those of this file join them at its end.
        """
        upload = await self._shelf.upload(head)
        terms = await self._terms()
        done = 0
        try:
            file = await asyncio.to_thread(_opened, upload, layout)
            # Counted as a new field of an API is, so that it stands on the page of the shop's truth, too.
            self._unknown.update(
                f"{PREFIX}{new.heading[:40]}" for new in unread_columns(file.layout, file.sheet.headings)
            )
            rows = read_rows(file, terms=terms, unknown=self._unknown)
            mine: set[int] = set()
            height = file.sheet.table.height
            while page := tuple(islice(rows, PAGE)):
                fresh = [row for row in page if not row.key or hash(row.key) not in met]
                mine.update(hash(row.key) for row in page if row.key)
                done += len(page)
                yield done, _readings(fresh, file), done / max(height, done + 1)
                # Others of this process have waited for as long as the page took.
                await asyncio.sleep(0)
            met |= mine
        except UnreadableFileError as error:
            yield done + 1, (unreadable(error, upload, head.key),), 1.0

    async def prepare_remap(self) -> None:
        """A row means what the newest layout says of its columns."""
        self._remapper = Remapper(
            [kept.layout for kind in self.file_kinds if (kept := await self.layout(kind)) is not None],
            terms=await self._terms(),
            unknown=self._unknown,
        )

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """By the layout of :meth:`prepare_remap`; an error before it."""
        return self._remapper.read(feed, key, raw)

    async def _terms(self) -> Terms:
        claims_apart = self.level is Level.FULL and await self.layout(FileKind.CLAIMS) is not None
        return self._row_terms(claims_apart=claims_apart)

    def _row_terms(self, *, claims_apart: bool = False) -> Terms:
        return Terms(
            zone=self._zone,
            currency=self._settings.currency,
            has_claims=self.level is Level.FULL,
            claims_apart=claims_apart,
        )

    async def check(self) -> tuple[CheckItem, ...]:
        """Whether each kind of file that the level takes has a layout, and when the last file came."""
        items = []
        received = await self.files()
        for kind in self.file_kinds:
            newest = next((file for file in received if file.kind is kind), None)
            layout = await self.layout(kind)
            if newest is None and layout is None and kind is not FileKind.ORDERS:
                # Not every mall gives a file of every kind.
                continue
            is_ok = newest is not None and layout is not None
            detail = f"{newest.received_at.astimezone(self._zone):%Y-%m-%d %H:%M}" if newest else "no file yet"
            fix = "" if is_ok else "파일 화면에서 파일을 올리고 열을 지정하세요. / Upload a file on the Files page."
            items.append(CheckItem(name=f"{kind.value} file", is_ok=is_ok, detail=detail, fix=fix))
        return tuple(items) or (CheckItem(name="level", is_ok=True, detail=self.level.value),)

    # files in

    def file_fields(self, kind: FileKind) -> tuple[FileField, ...]:
        return FIELDS[kind]

    def look(self, upload: Upload, *, layout: Layout | None = None) -> FileLook:
        return look_at(upload, layout)

    def file_rows(self, upload: Upload, *, layout: Layout) -> Iterator[FileRow]:
        return read_rows(open_file(upload, layout), terms=self._row_terms(), unknown=Counter())

    def column_warnings(self, upload: Upload, *, layout: Layout) -> tuple[tuple[str, str], ...]:
        return column_warnings(layout, open_sheet(upload, layout).headings)

    async def layout(self, kind: FileKind) -> KeptLayout | None:
        kept = await self._shelf.layouts(kind)
        return kept[-1] if kept else None

    async def keep_layout(self, layout: Layout, *, at: datetime, by: str) -> None:
        self._require_kind(layout.kind)
        require_layout(layout)
        await self._shelf.put_layout(layout, at=at, by=by)

    async def receive_file(self, upload: Upload, *, at: datetime, by: str) -> tuple[str, bool]:
        self._require_kind(upload.kind)
        kept = await self.layout(upload.kind)
        if kept is None:
            what = f"shop {self.shop.name!r} has no layout for files of {upload.kind.value}"
            raise ConfigurationError(what, fix="Make one on the Files page, or with `hub file layout`.")
        await asyncio.to_thread(open_file, upload, kept.layout)
        return await self._shelf.put_file(upload, at=at, by=by)

    def _require_kind(self, kind: FileKind) -> None:
        if kind not in self.file_kinds:
            what = f"shop {self.shop.name!r} has the level {self.level.value} and takes no file of {kind.value}"
            raise ConfigurationError(what, fix="Change `level` in the shop's credentials.")

    async def note_import(self, key: str, note: ImportNote, *, at: datetime) -> None:
        await self._shelf.note_import(key, note, at=at)

    async def files(self) -> tuple[ReceivedFile, ...]:
        return await self._shelf.history()

    async def original(self, key: str) -> Upload | None:
        return await self._shelf.original(key)

    # files out

    def reply_fields(self, kind: ReplyKind) -> tuple[str, ...]:
        return replies.FIELDS[kind]

    async def reply_layout(self, kind: ReplyKind) -> ReplyLayout:
        return await self._shelf.reply_layout(kind) or replies.plain_layout(kind)

    async def keep_reply_layout(self, layout: ReplyLayout, *, at: datetime, by: str) -> None:
        replies.require_layout(layout)
        await self._shelf.put_reply_layout(layout, at=at, by=by)

    async def write_down(self, kind: ReplyKind, values: Mapping[str, str], *, at: datetime, by: str) -> None:
        if self.level is not Level.FULL:
            what = f"shop {self.shop.name!r} has the level {self.level.value}: nothing goes back to its mall"
            raise ConfigurationError(what, fix="Change `level` in the shop's credentials.")
        replies.require_reply(kind, values)
        await self._shelf.put_reply(kind, dict(values), at=at, by=by)

    async def replies(
        self, kind: ReplyKind, *, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Reply, ...]:
        written = await self._shelf.replies(kind)
        if since is None and until is None:
            up_to = await self._shelf.exported_up_to(kind)
            return replies.newest(reply for reply in written if reply.seq > up_to)
        start, end = since or datetime.min.replace(tzinfo=UTC), until or datetime.max.replace(tzinfo=UTC)
        return replies.newest(reply for reply in written if start <= reply.written_at < end)

    async def export_file(
        self,
        kind: ReplyKind,
        *,
        at: datetime,
        by: str,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> ReplyFile | None:
        chosen = await self.replies(kind, since=since, until=until)
        if not chosen:
            return None
        layout = await self.reply_layout(kind)
        file = replies.write_file(chosen, layout, shop=self.shop.name, zone=self._zone, at=at)
        if since is None and until is None:
            # A chosen span is a copy; what is new is still to go.
            await self._shelf.note_export(kind, chosen, at=at, by=by)
        return file


def _opened(upload: Upload, layout: KeptLayout | None) -> OpenFile:
    if layout is None:
        raise UnreadableFileError("no_layout", "no layout is kept for files of this kind")
    return open_file(upload, layout.layout)


def _readings(rows: Sequence[FileRow], file: OpenFile) -> tuple[Reading, ...]:
    return tuple(to_reading(row, file) for row in rows)


def require_layout(layout: Layout) -> None:
    """Raises: ConfigurationError naming what is wrong with it."""
    known = {field.name: field for field in FIELDS[layout.kind]}
    fields = [rule.field for rule in layout.columns]
    named = {*fields, *layout.constants, *layout.words}
    if strange := sorted(named - set(known)):
        what = f"a file of {layout.kind.value} has no field {strange[0][:40]!r}"
        raise ConfigurationError(what, fix=f"Fields: {', '.join(known)}.")
    if twice := sorted({field for field in fields if fields.count(field) > 1}):
        what = f"two columns fill {twice[0]}"
        raise ConfigurationError(what, fix="Choose one of them; leave the other unused.")
    filled = {*fields, *(field for field, value in layout.constants.items() if value.strip())}
    if missing := [name for name, field in known.items() if field.is_required and name not in filled]:
        what = f"nothing fills {', '.join(missing)}"
        raise ConfigurationError(what, fix="Choose a column for it, or a value that every row has.")
    for field, words in layout.words.items():
        for meaning in words.values():
            if not allowed(field, meaning):
                what = f"{field}: {meaning[:40]!r} is no meaning"
                raise ConfigurationError(what, fix=f"Meanings: {', '.join(known[field].meanings) or 'none'}.")
    if layout.encoding is not None and layout.encoding not in ENCODINGS:
        what = f"no encoding {layout.encoding[:20]!r}"
        raise ConfigurationError(what, fix=f"Encodings: {', '.join(ENCODINGS)}.")


MANIFEST = Manifest(
    mall="sheet",
    title="Mall by file",
    title_ko="파일 연동몰",
    letter="F",
    colour="#4d7c5a",
    timezone="Asia/Seoul",
    default_base_url=None,
    capabilities=CAPABILITIES,
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=SheetCredentials,
    open=SheetConnector,
    # The column of changes is the mall's own: a file of yesterday says nothing about today.
    tells_change_time=True,
)

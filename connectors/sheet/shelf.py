"""What the inbox of a shop without an API holds: files, layouts, notes on imports, replies for the mall."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from hub.core.files import (
    FileKind,
    ImportNote,
    KeptLayout,
    Layout,
    ReceivedFile,
    Reply,
    ReplyKind,
    ReplyLayout,
    Upload,
)
from hub.core.inbox import Inbox, InboxItem, InboxKind

T = TypeVar("T")
_NOTES = "file-notes"


class FileHead(Struct, frozen=True, kw_only=True):
    """A kept file without its body."""

    seq: int
    key: str
    kind: FileKind
    name: str
    received_at: datetime


class _LayoutBody(Struct, frozen=True, kw_only=True):
    layout: Layout
    by: str


class _ReplyLayoutBody(Struct, frozen=True, kw_only=True):
    layout: ReplyLayout
    by: str


class _ReplyBody(Struct, frozen=True, kw_only=True):
    values: dict[str, str]
    by: str


class _ExportBody(Struct, frozen=True, kw_only=True):
    up_to: int
    rows: int
    by: str


class _Note(Struct, frozen=True, kw_only=True):
    """``note`` is ``None`` when it only tells that the file came."""

    file_key: str
    kind: FileKind
    name: str = ""
    size: int = 0
    by: str = ""
    note: ImportNote | None = None


def _reply_subject(kind: ReplyKind) -> str:
    return f"reply:{kind.value}"


def _export_subject(kind: ReplyKind) -> str:
    return f"exported:{kind.value}"


class Shelf:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def _put(self, kind: InboxKind, subject: str, body: Struct, *, at: datetime, key: str = "") -> None:
        raw = msgspec.json.encode(body)
        digest = hashlib.sha256(raw).hexdigest()[:16]
        key = key or f"{subject}:{at.isoformat()}:{digest}"
        await self._inbox.put(kind=kind, key=key, body=raw, at=at, subject=subject)

    # layouts

    async def layouts(self, kind: FileKind) -> list[KeptLayout]:
        """Every version, oldest first."""
        return [
            KeptLayout(layout=body.layout, kept_at=item.received_at, by=body.by)
            async for item, body in self._read(InboxKind.LAYOUT, kind.value, _LayoutBody)
        ]

    async def put_layout(self, layout: Layout, *, at: datetime, by: str) -> None:
        await self._put(InboxKind.LAYOUT, layout.kind.value, _LayoutBody(layout=layout, by=by), at=at)

    async def reply_layout(self, kind: ReplyKind) -> ReplyLayout | None:
        found = None
        async for _, body in self._read(InboxKind.LAYOUT, _reply_subject(kind), _ReplyLayoutBody):
            found = body.layout
        return found

    async def put_reply_layout(self, layout: ReplyLayout, *, at: datetime, by: str) -> None:
        body = _ReplyLayoutBody(layout=layout, by=by)
        await self._put(InboxKind.LAYOUT, _reply_subject(layout.kind), body, at=at)

    # files

    async def put_file(self, upload: Upload, *, at: datetime, by: str) -> tuple[str, bool]:
        digest = hashlib.sha256(upload.kind.value.encode() + b"\0")
        digest.update(upload.body)
        key = digest.hexdigest()
        name = upload.name[:200]
        is_new = await self._inbox.put(
            kind=InboxKind.FILE, key=key, body=upload.body, at=at, subject=upload.kind.value, name=name
        )
        # Also when it was there: a process may have died between the two.
        note = _Note(file_key=key, kind=upload.kind, name=name, size=len(upload.body), by=by)
        await self._put(InboxKind.EVENT, _NOTES, note, at=at, key=f"{key}:received")
        return key, is_new

    async def heads(self, kind: FileKind, *, since: datetime | None, until: datetime) -> list[FileHead]:
        """Files of one kind, newest first."""
        found = [
            FileHead(seq=item.seq, key=item.key, kind=kind, name=item.name, received_at=item.received_at)
            async for item in self._inbox.items(InboxKind.FILE, since=since, subject=kind.value)
            if item.received_at <= until
        ]
        return found[::-1]

    async def upload(self, head: FileHead) -> Upload:
        async for item in self._inbox.items(InboxKind.FILE, after=head.seq - 1, subject=head.kind.value):
            if item.seq == head.seq:
                return Upload(kind=head.kind, name=item.name, body=item.body)
            break
        raise LookupError(head.key)

    async def original(self, key: str) -> Upload | None:
        received = next((file for file in await self.history() if file.key == key), None)
        if received is None:
            return None
        async for item in self._inbox.items(InboxKind.FILE, since=received.received_at, subject=received.kind.value):
            if item.key == key:
                return Upload(kind=received.kind, name=item.name, body=item.body)
        return None

    async def note_import(self, key: str, note: ImportNote, *, at: datetime) -> None:
        kind = next((file.kind for file in await self.history() if file.key == key), None)
        if kind is None:
            raise LookupError(key)
        await self._put(InboxKind.EVENT, _NOTES, _Note(file_key=key, kind=kind, note=note), at=at)

    async def history(self) -> tuple[ReceivedFile, ...]:
        """Newest first."""
        found: dict[str, ReceivedFile] = {}
        async for item, body in self._read(InboxKind.EVENT, _NOTES, _Note):
            if body.note is None:
                found[body.file_key] = ReceivedFile(
                    key=body.file_key,
                    kind=body.kind,
                    name=body.name,
                    size=body.size,
                    received_at=item.received_at,
                    by=body.by,
                )
            elif body.file_key in found:
                found[body.file_key] = msgspec.structs.replace(found[body.file_key], note=body.note)
        return tuple(reversed(found.values()))

    # replies

    async def put_reply(self, kind: ReplyKind, values: dict[str, str], *, at: datetime, by: str) -> None:
        await self._put(InboxKind.EVENT, _reply_subject(kind), _ReplyBody(values=values, by=by), at=at)

    async def replies(self, kind: ReplyKind) -> list[Reply]:
        """All that was ever written down, oldest first."""
        return [
            Reply(seq=item.seq, kind=kind, values=body.values, written_at=item.received_at, by=body.by)
            async for item, body in self._read(InboxKind.EVENT, _reply_subject(kind), _ReplyBody)
        ]

    async def exported_up_to(self, kind: ReplyKind) -> int:
        up_to = 0
        async for _, body in self._read(InboxKind.EVENT, _export_subject(kind), _ExportBody):
            up_to = max(up_to, body.up_to)
        return up_to

    async def note_export(self, kind: ReplyKind, replies: Sequence[Reply], *, at: datetime, by: str) -> None:
        body = _ExportBody(up_to=max(reply.seq for reply in replies), rows=len(replies), by=by)
        await self._put(InboxKind.EVENT, _export_subject(kind), body, at=at)

    async def _read(self, kind: InboxKind, subject: str, shape: type[T]) -> AsyncIterator[tuple[InboxItem, T]]:
        decoder = msgspec.json.Decoder(shape)
        async for item in self._inbox.items(kind, subject=subject):
            yield item, decoder.decode(item.body)

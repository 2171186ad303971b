"""Reads files of call records: once, or on and on while a PBX writes them.

A file is known by its first bytes, not by its name: what was rotated away is found under its new name and read to its
end before the file that took its place. How far a file was read is kept; a last line without its end waits for it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import func, select

from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.tables import call_files, call_problems
from hub.sync.calls import CallImport, FileReport
from ivr.records import LOOK_AHEAD, UnknownRecordsError
from ivr.routes import Routes

HEAD_BYTES: Final = 256
#: read at a time; a line that is longer is no record
BLOCK_BYTES: Final = 8 << 20
_DETECT_BYTES: Final = 1 << 16
KEPT_PROBLEMS: Final = 1_000
LOST_TAIL = "the file was replaced and its older part is nowhere beside it: what came after this line was not read"


class ReadFile(Struct, kw_only=True):
    """How far a file was read. ``position``: bytes, at the start of a line; ``head``: digest of its first bytes."""

    id: int
    pbx: str
    path: str
    head: bytes
    head_length: int
    kind: str | None = None
    position: int = 0
    lines: int = 0
    events: int = 0
    ignored: int = 0
    unreadable: int = 0
    clock_jumps: int = 0

    def is_in(self, path: Path) -> bool:
        """Does ``path`` hold this file, no shorter than what was read of it?"""
        try:
            with path.open("rb") as file:
                return _digest(file.read(self.head_length)) == self.head and file.seek(0, 2) >= self.position
        except OSError:
            return False


class Problem(Struct, frozen=True, kw_only=True):
    """A line that could not be read. ``found_at``: milliseconds."""

    path: str
    pbx: str
    line_no: int
    reason: str
    found_at: int


class FollowedFile:
    """One file of one PBX; :meth:`poll` reads what was written since."""

    def __init__(
        self, database: Database, routes: Routes, *, path: Path, pbx: str | None = None, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._path = path
        self._pbx = pbx or ""
        self._records = CallImport(database, routes, pbx=pbx)
        self._now = now

    async def poll(self) -> list[FileReport]:
        """Read whole lines that are new, of a rotated file and of its successor. Empty where there are none.

        A file that is not there is waited for. Raises: ivr.records.UnknownRecordsError when it is no call record.
        """
        reports = []
        known = await self._known()
        if known is not None and not known.is_in(self._path):
            if not self._path.exists():
                return []
            reports += await self._finish(known)
            known = None
        if known is None:
            known = self._fresh()
        if known is not None:
            reports += await self._read_on(known, self._path, is_last=False)
        return reports

    async def _known(self) -> ReadFile | None:
        query = (
            select(call_files)
            .where(call_files.c.path == str(self._path), call_files.c.pbx == self._pbx)
            .order_by(call_files.c.id.desc())
            .limit(1)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return ReadFile(**{name: row[name] for name in ReadFile.__struct_fields__}) if row else None

    def _fresh(self) -> ReadFile | None:
        """``None`` while there is no whole line to know the file by."""
        try:
            with self._path.open("rb") as file:
                head = file.read(HEAD_BYTES)
        except FileNotFoundError:
            return None
        if b"\n" not in head and len(head) < HEAD_BYTES:
            return None
        return ReadFile(id=new_id(), pbx=self._pbx, path=str(self._path), head=_digest(head), head_length=len(head))

    async def _finish(self, known: ReadFile) -> list[FileReport]:
        """The rest of a file that was rotated away, its last line even without an end."""
        older = next((path for path in _beside(self._path) if known.is_in(path)), None)
        if older is None:
            await self._save(known, [(known.lines, LOST_TAIL)])
            return []
        return await self._read_on(known, older, is_last=True)

    async def _read_on(self, known: ReadFile, path: Path, *, is_last: bool) -> list[FileReport]:
        reports = []
        while (piece := _piece(path, known.position, is_last=is_last)) is not None:
            head = _first_lines(path)
            lines = piece.decode("utf-8", "replace").removesuffix("\n").split("\n")
            try:
                report = await self._records.read_file(str(self._path), lines, head=head, first_line=known.lines + 1)
            except UnknownRecordsError:
                if len(head) < LOOK_AHEAD and not is_last:
                    break  # the next lines may tell
                raise
            # Before the position is kept: who is killed in between reads and derives again.
            await self._records.derive()
            _advance(known, report, len(piece))
            if known.head_length < HEAD_BYTES:
                with path.open("rb") as file:
                    head_bytes = file.read(min(HEAD_BYTES, known.position))
                known.head, known.head_length = _digest(head_bytes), len(head_bytes)
            await self._save(known, report.problems)
            reports.append(report)
        return reports

    async def _save(self, known: ReadFile, problems: list[tuple[int, str]]) -> None:
        """Position, counts and problems in one transaction: a killed reader reads the same lines again, and once."""
        now = to_ms(self._now()) or 0
        row = msgspec.structs.asdict(known) | {"read_at": now}
        async with self._database.writing() as connection:
            upsert = self._database.upsert(call_files, key=[call_files.c.id], changed_hash=False)
            await connection.execute(upsert, [row])
            await keep_problems(self._database, connection, known.id, problems, at=now)


async def note_file(database: Database, report: FileReport, *, path: Path, pbx: str | None, now: datetime) -> None:
    """Keep what could not be read in a file that was imported as a whole, under the row of its earlier import."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    digest = _digest(head)
    where = (
        call_files.c.path == str(path), call_files.c.pbx == (pbx or ""), call_files.c.head == digest
    )  # fmt: skip
    async with database.writing() as connection:
        known = await connection.scalar(select(call_files.c.id).where(*where).limit(1))
        row = ReadFile(id=known or new_id(), pbx=pbx or "", path=str(path), head=digest, head_length=len(head))
        _advance(row, report, _end_of_lines(path))
        at = to_ms(now) or 0
        upsert = database.upsert(call_files, key=[call_files.c.id], changed_hash=False)
        await connection.execute(upsert, [msgspec.structs.asdict(row) | {"read_at": at}])
        await keep_problems(database, connection, row.id, report.problems, at=at)


async def keep_problems(
    database: Database, connection: Any, file_id: int, problems: list[tuple[int, str]], *, at: int
) -> None:
    """Up to a thousand lines a file; a line is kept once."""
    kept = await connection.scalar(
        select(func.count()).select_from(call_problems).where(call_problems.c.file_id == file_id)
    )
    rows = [
        {"id": new_id(), "file_id": file_id, "line_no": line_no, "reason": reason, "found_at": at}
        for line_no, reason in problems[: max(0, KEPT_PROBLEMS - (kept or 0))]
    ]
    if rows:
        key = [call_problems.c.file_id, call_problems.c.line_no]
        upsert = database.upsert(call_problems, key=key, keep=list(call_problems.c), changed_hash=False)
        await connection.execute(upsert, rows)


async def read_problems(database: Database) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Every file that was read with its counts, and its problems, oldest first."""
    columns = [column for column in call_files.c if column.name not in ("id", "head", "head_length")]
    query = (
        select(
            call_files.c.path,
            call_files.c.pbx,
            call_problems.c.line_no,
            call_problems.c.reason,
            call_problems.c.found_at,
        )
        .join_from(call_problems, call_files, call_files.c.id == call_problems.c.file_id)
        .order_by(call_files.c.id, call_problems.c.line_no)
    )
    async with database.reading() as connection:
        files = (await connection.execute(select(*columns).order_by(call_files.c.id))).mappings().all()
        rows = (await connection.execute(query)).mappings().all()
    return [dict(file) for file in files], [Problem(**row) for row in rows]


def _advance(known: ReadFile, report: FileReport, size: int) -> None:
    known.position += size
    known.kind = report.kind or known.kind
    known.lines += report.lines
    known.events += report.events
    known.ignored += report.ignored
    known.unreadable += report.unreadable
    known.clock_jumps += report.clock_jumps


def _piece(path: Path, position: int, *, is_last: bool) -> bytes | None:
    """Whole lines from ``position`` on, or the rest of a file that grows no more; ``None`` where there are none."""
    with path.open("rb") as file:
        file.seek(position)
        block = file.read(BLOCK_BYTES)
    end = block.rfind(b"\n") + 1
    if not end and (is_last or len(block) == BLOCK_BYTES):
        end = len(block)
    return block[:end] or None


def _end_of_lines(path: Path) -> int:
    """Where the last whole line ends: what follows it may still be written on."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = file.seek(max(0, size - _DETECT_BYTES))
        return start + file.read().rfind(b"\n") + 1


def _first_lines(path: Path) -> list[str]:
    with path.open("rb") as file:
        text = file.read(_DETECT_BYTES).decode("utf-8", "replace")
    return text.split("\n")[:LOOK_AHEAD]


def _beside(path: Path) -> Iterator[Path]:
    """Where log rotation puts the older file: ``queue_log.1``, ``queue_log-20261122``; newest first."""
    names = [each for each in path.parent.iterdir() if each.name.startswith(path.name) and each != path]
    files = [(each.stat().st_mtime, each) for each in names if each.is_file()]
    yield from (each for _, each in sorted(files, reverse=True))


def _digest(head: bytes) -> bytes:
    return blake2b(head, digest_size=16).digest()

"""What the requirements add to the lower bound: the rows of a filled home made and written again by hand.

Personal data sealed and found by blind indexes, payloads kept, digests that tell what changed, all tables
with all their indexes: a loader without them would not be this product. Bare sqlite3 writes the very rows that
the hub has written, in transactions as large; seals, indexes and digests are made as many and as long.
Mapping, cases, paging, checks and look-ups stay free. ``python -m bench.required HOME``, SQLite alone.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from hub.store.box import Box, load_box
from hub.store.database import SQLITE_PRAGMAS
from hub.store.sealed import pack
from hub.store.tables import metadata

T = TypeVar("T")

_AT_ONCE = 1_000


class Required(Struct, frozen=True, kw_only=True):
    """CPU seconds of each part; ``rows`` of all tables."""

    rows: int
    writing: float
    sealing: float
    indexing: float
    digesting: float

    @property
    def seconds(self) -> float:
        return self.writing + self.sealing + self.indexing + self.digesting


def measure(home: Path) -> Required:
    box = load_box(home / "keys.json")
    spent = dict.fromkeys(("writing", "sealing", "indexing", "digesting"), 0.0)
    rows = 0
    with tempfile.TemporaryDirectory(dir=home) as folder:
        stored = sqlite3.connect(f"file:{home / 'hub.db'}?mode=ro", uri=True)
        target = sqlite3.connect(Path(folder, "required.db"), isolation_level=None)
        try:
            for pragma in SQLITE_PRAGMAS:
                target.execute(f"PRAGMA {pragma}")
            _make_schema(stored, target)
            # Parents first.
            for table in (table.name for table in metadata.sorted_tables):
                names, insert = _columns(stored, table)
                for some in _parts(stored, table):
                    rows += len(some)
                    spent["writing"] += _timed(lambda: _write(target, insert, some))  # noqa: B023  called at once
                    _make(box, names, some, spent)
        finally:
            stored.close()
            target.close()
    return Required(rows=rows, **spent)


def _make_schema(stored: sqlite3.Connection, target: sqlite3.Connection) -> None:
    query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'"
    for (sql,) in stored.execute(query).fetchall():
        target.execute(sql)


def _columns(stored: sqlite3.Connection, table: str) -> tuple[list[str], str]:
    names = [row[1] for row in stored.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(names))
    return names, f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608  a table of the schema


def _parts(stored: sqlite3.Connection, table: str) -> Iterator[list[tuple[object, ...]]]:
    cursor = stored.execute(f"SELECT * FROM {table}")  # noqa: S608  a table of the schema
    while some := cursor.fetchmany(_AT_ONCE):
        yield some


def _write(target: sqlite3.Connection, insert: str, rows: list[tuple[object, ...]]) -> None:
    target.execute("BEGIN IMMEDIATE")
    target.executemany(insert, rows)
    target.execute("COMMIT")


def _make(box: Box, names: list[str], rows: list[tuple[object, ...]], spent: dict[str, float]) -> None:
    """What stands in the sealed, blindly indexed and hashed columns, made of as many bytes."""

    def of(*endings: str) -> list[bytes]:
        places = [place for place, name in enumerate(names) if name.endswith(endings)]
        return [row[place] for row in rows for place in places if isinstance(row[place], bytes)]  # type: ignore[misc]

    sealed = of("sealed")
    indexes = [value.hex() for value in of("_idx")]
    digested = [*of("payload_sealed"), *(pack(row) for row in rows if "content_hash" in names)]
    spent["sealing"] += _timed(lambda: _each(lambda plain: box.seal(plain, b"required"), sealed))
    spent["indexing"] += _timed(lambda: _each(lambda value: box.blind("required", value), indexes))
    spent["digesting"] += _timed(lambda: _each(lambda plain: blake2b(plain, digest_size=16).digest(), digested))


def _each(make: Callable[[T], object], values: Iterable[T]) -> None:
    for value in values:
        make(value)


def _timed(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    found = measure(Path(sys.argv[1]))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")

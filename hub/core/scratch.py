"""What a run remembers of all that a mall has: on disk, with a little of it in memory."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Self

_CACHE_KIB = 1_000


def scratch_database() -> sqlite3.Connection:
    """SQLite's own temporary file: it has no name, nobody else sees it, and it ends with the connection."""
    opened = sqlite3.connect("")
    # All of it is one transaction that nobody will read again.
    for pragma in ("journal_mode=OFF", f"cache_size=-{_CACHE_KIB}"):
        opened.execute(f"PRAGMA {pragma}").close()
    return opened


class Marks:
    """A set of 64-bit numbers (``hash`` of what is meant) that takes no more memory as it grows.

    Two of a million different things share a hash once in some thirty million runs. It ends with its block.
    """

    def __init__(self) -> None:
        self._scratch: sqlite3.Connection | None = None

    def lacks(self, marks: Iterable[int]) -> set[int]:
        """Those of ``marks`` that are not in it."""
        asked = set(marks)
        query = "SELECT mark FROM met WHERE mark IN (SELECT value FROM json_each(?))"
        return asked - {mark for (mark,) in self._opened().execute(query, (json.dumps(list(asked)),))}

    def add(self, marks: Iterable[int]) -> set[int]:
        """Returns those that were not in it."""
        fresh = self.lacks(marks)
        self._opened().executemany("INSERT INTO met VALUES (?)", [(mark,) for mark in sorted(fresh)])
        return fresh

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def _opened(self) -> sqlite3.Connection:
        if self._scratch is None:
            self._scratch = scratch_database()
            self._scratch.execute("CREATE TABLE met (mark INTEGER PRIMARY KEY)")
        return self._scratch

"""What the PostgreSQL server has worked so far."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg

# Places in /proc/PID/stat after the name: parent, then user and system ticks, own and of ended children.
_PARENT = 1
_OWN = slice(11, 13)
_ENDED = slice(13, 15)


def server_seconds(url: str) -> float | None:
    """CPU time of the server that holds ``url``, all its processes; ``None`` when it runs elsewhere.

    Works where there is a /proc.
    """
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    try:
        postmaster = int(Path(row[0], "postmaster.pid").read_text().splitlines()[0]) if row else 0
        own = _stat(Path(f"/proc/{postmaster}"))
    except (OSError, ValueError, IndexError):
        return None
    # Backends that have ended are counted with the parent that waited for them.
    ticks = [*own[_OWN], *own[_ENDED]]
    for child in _children(postmaster):
        ticks += child[_OWN]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _children(parent: int) -> Iterator[list[str]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = _stat(process)
        except OSError:
            continue
        if int(stat[_PARENT]) == parent:
            yield stat


def _stat(process: Path) -> list[str]:
    # The name may hold blanks and brackets of its own.
    return (process / "stat").read_text().rpartition(")")[2].split()

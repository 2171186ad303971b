"""Windows of time and the cursor that continues an interrupted run."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

C = TypeVar("C", bound=Struct)


class Window(Struct, frozen=True, kw_only=True):
    """Half-open: ``since`` belongs to it, ``until`` does not."""

    since: datetime
    until: datetime

    def halves(self) -> tuple["Window", "Window"]:
        """Two windows that join without gap or overlap, for a window that holds too much.

        Raises: ValueError when it is too short to be cut at the whole second malls filter by.
        """
        middle = self.since + (self.until - self.since) / 2
        middle = middle.replace(microsecond=0)
        if middle <= self.since:
            message = f"window too short to cut: {self.since.isoformat()} to {self.until.isoformat()}"
            raise ValueError(message)
        return Window(since=self.since, until=middle), Window(since=middle, until=self.until)


def windows(since: datetime, until: datetime, *, longest: timedelta) -> Iterator[Window]:
    """Cut [since, until) into joining windows of at most ``longest``, oldest first; none when empty."""
    if longest <= timedelta(0):
        message = "a window must be longer than zero"
        raise ValueError(message)
    start = since
    while start < until:
        end = min(start + longest, until)
        yield Window(since=start, until=end)
        start = end


def encode_cursor(cursor: Struct) -> str:
    """A connector's own cursor Struct as opaque text."""
    return msgspec.json.encode(cursor).decode()


def decode_cursor(text: str | None, kind: type[C]) -> C | None:
    """Back from text; ``None`` when absent or written by another version (the run then starts anew)."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError:
        return None

"""Primary keys made by the writer: time-ordered, so that rows of one page land side by side."""

import secrets
import threading
import time

# 2026-01-01T00:00:00Z: 53 bits of microseconds from here last 285 years
_EPOCH_MICROSECONDS = 1_767_225_600_000_000
_WRITER_BITS = 10
_writer = secrets.randbits(_WRITER_BITS)
_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """A positive 63-bit key: microseconds, then the writing process.

    Two writers share a number once in a thousand pairs and then clash only within the same
    microsecond; the primary key refuses the second row and its page is written again.
    """
    global _last  # noqa: PLW0603  the counter of this process
    with _lock:
        _last = max(_last + 1, time.time_ns() // 1000 - _EPOCH_MICROSECONDS)
        return _last << _WRITER_BITS | _writer


def id_of_age(seconds: float) -> int:
    """A key that was made ``seconds`` ago, or would have been: rows with a smaller key are older."""
    return max(0, time.time_ns() // 1000 - _EPOCH_MICROSECONDS - round(seconds * 1_000_000)) << _WRITER_BITS

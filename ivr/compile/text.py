"""What may stand in a generated file: names of a checked spec, and nothing that a PBX would read as a command."""

import re
from typing import Final

_SAFE: Final = re.compile(r"[A-Za-z0-9_./@+:-]+", re.ASCII)


class UnsafeTextError(ValueError):
    """``text`` holds characters that the target would read as commands; a checked spec has none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:60]!r} cannot be written into a configuration")


def safe(text: str) -> str:
    """The text itself. Raises: UnsafeTextError."""
    if not _SAFE.fullmatch(text):
        raise UnsafeTextError(text)
    return text


def comment(text: str) -> str:
    """Any text as it may stand behind a comment sign: one line of printable characters."""
    flat = "".join(char if char.isprintable() else " " for char in text)
    return flat[:120]

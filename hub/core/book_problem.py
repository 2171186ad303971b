"""What is wrong in a book that a supervisor writes: the place, the reason and what to do, in both languages."""

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True):
    """One mistake at entry: a book with any is refused whole.

    ``section`` is the field of the book's Struct, ``row`` the index in it from 0 (``None``: the section as a
    whole), ``column`` the field of the row. ``key`` is stable and says the kind of mistake ("overlap",
    "unknown_mall", …). ``reason`` and ``fix`` are sentences for people, ``…_ko`` the same in Korean.
    """

    section: str
    row: int | None
    column: str | None
    key: str
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str

    def told(self, locale: str) -> tuple[str, str]:
        """Reason and fix in ``locale``; Korean for "ko", else English."""
        return (self.reason_ko, self.fix_ko) if locale == "ko" else (self.reason, self.fix)

"""What the answer guard finds in a text: the place, the reason and what to do, in both languages."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class FindingKind(StrEnum):
    PERSONAL_DATA = "personal_data"
    OTHERS_DATA = "others_data"
    UNLAWFUL_REFUSAL = "unlawful_refusal"
    PENALTY = "penalty"
    EXACT_DATE = "exact_date"
    BARE_HASTE = "bare_haste"
    LANGUAGE = "language"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    BANNED_WORD = "banned_word"
    UNFILLED = "unfilled"
    OUTSIDE_LINK = "outside_link"
    OUTSIDE_CONTACT = "outside_contact"


class Level(StrEnum):
    """``BLOCKING`` is not sent, ``WARNING`` is sent by somebody who has read it, ``OFF`` is not looked for."""

    BLOCKING = "blocking"
    WARNING = "warning"
    OFF = "off"


#: what a shop may do without; the others protect people, or the mall would refuse the text anyway
MAY_BE_OFF: Final = frozenset(
    {
        FindingKind.EXACT_DATE,
        FindingKind.BARE_HASTE,
        FindingKind.LANGUAGE,
        FindingKind.OUTSIDE_LINK,
        FindingKind.OUTSIDE_CONTACT,
    }
)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing in ``text[start:end]``. ``key`` says more closely what it is ("phone", "sale", …).

    ``reason`` and ``fix`` are sentences for people, ``…_ko`` the same in Korean. None of them holds a
    part of the text. ``source`` is what the rule rests on.
    """

    kind: FindingKind
    level: Level
    start: int
    end: int
    key: str
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str
    source: str = ""

    @property
    def is_blocking(self) -> bool:
        return self.level is Level.BLOCKING

    def told(self, locale: str) -> tuple[str, str]:
        """Reason and fix in ``locale``; Korean for "ko", else English."""
        return (self.reason_ko, self.fix_ko) if locale == "ko" else (self.reason, self.fix)

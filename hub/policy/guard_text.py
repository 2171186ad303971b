"""A text as the guard reads it: full width, zero width and spaced-out spellings made plain, places kept.

Every view knows where its characters stand in the original text, so that what is found can be marked there.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

# Nobody sees these: format characters, fillers of Hangul, variation selectors, tags.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
#: a character with what belongs to it: marks, the vowels and finals of Hangul, half-width voicing marks
_CLUSTER: Final = re.compile(r"(?s).[\u0300-\u036f\u1161-\u11ff\u3099\u309a\uff9e\uff9f]{0,8}")
_PLAIN_ASCII: Final = re.compile(r"[\x00-\x40\x5b-\x7f]*\Z")
_BLANKS: Final = re.compile(r"\s+")
#: decoration that is put between letters to hide a word; full stops end sentences and stay
_BETWEEN: Final = re.compile(r"[\s·・*_~^'\"`|\-]+|(?<=[가-힣])[.,/](?=[가-힣])")


class View:
    """``text`` and, for each of its characters, where it stands in the original.

    ``places`` is asked for only when something was found: most texts are clean.
    """

    def __init__(self, text: str, places: Callable[[], Sequence[int]], length: int) -> None:
        self.text: Final = text
        self._length = length
        self._find_places = places

    @cached_property
    def _places(self) -> Sequence[int]:
        return self._find_places()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that ``text[start:end]`` came from; never empty where that is not."""
        first = self._places[start] if start < len(self._places) else self._length
        if end <= start:
            return first, first
        return first, max(first + 1, self._places[end - 1] + 1)

    def without(self, pattern: re.Pattern[str], put: str = "") -> "View":
        """The view with every match of ``pattern`` left out, or ``put`` in its place."""
        text, count = pattern.subn(put, self.text)
        if not count:
            return self

        def places() -> Sequence[int]:
            kept: list[int] = []
            at = 0
            for found in pattern.finditer(self.text):
                kept += self._places[at : found.start()]
                if put:
                    kept.append(self._places[found.start()])
                at = found.end()
            kept += self._places[at:]
            return kept

        return View(text, places, self._length)


def plain_view(text: str) -> View:
    """Small letters, NFKC, digits of every script as 0-9, nothing unseen."""
    if _PLAIN_ASCII.match(text):
        return View(text, lambda: range(len(text)), len(text))
    if unicodedata.is_normalized("NFKC", text) and not _UNSEEN.search(text):
        lower = text.lower()
        if len(lower) == len(text) and not _has_foreign_digit(lower):
            return View(lower, lambda: range(len(text)), len(text))
    out: list[str] = []
    places: list[int] = []
    for found in _CLUSTER.finditer(text):
        cluster = _UNSEEN.sub("", found.group())
        if not cluster:
            continue
        plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", cluster)).lower()
        for char in plain:
            out.append(_ascii_digit(char))
            places.append(found.start())
    return View("".join(out), lambda: places, len(text))


def tight_view(plain: View) -> View:
    """Without any blank or decoration: how Korean and Japanese words are compared."""
    return plain.without(_BETWEEN)


def spaced_view(plain: View) -> View:
    """With single blanks: how English words are compared."""
    return plain.without(_BLANKS, " ")


_FOREIGN_DIGIT: Final = re.compile(r"(?![0-9])\d")


def _has_foreign_digit(text: str) -> bool:
    return _FOREIGN_DIGIT.search(text) is not None


def _ascii_digit(char: str) -> str:
    if char.isascii() or not char.isdecimal():
        return char
    return str(unicodedata.decimal(char))

"""What an entry of the access log is about, in the reader's language.

The log keeps one short English sentence, whoever wrote it and whenever. The English messages are those sentences, so
a stored one is found among them and told again with what filled its gaps.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from string import Formatter
from typing import Final

from hub.web.words import Words, table

_PREFIX: Final = "logged."
#: gaps that hold a word of the program
_CODES: Final = {"kind": "logged_kind", "role": "role", "book": "book.kind", "section": "book.section.{book}"}


def told_entry(words: Words, text: str) -> str:
    """``text`` as ``words`` say it; as it was written where no message is like it."""
    if words.locale == "en":
        return text
    for key, sentence in _sentences():
        if found := sentence.fullmatch(text):
            gaps = found.groupdict()
            return words(key, **{gap: _named(words, gap, gaps) for gap in gaps})
    return text


def _named(words: Words, gap: str, gaps: Mapping[str, str]) -> str:
    return words(f"{_CODES[gap].format_map(gaps)}.{gaps[gap]}") if gap in _CODES else gaps[gap]


@cache
def _sentences() -> Sequence[tuple[str, re.Pattern[str]]]:
    """In the order of the file: the longer sentence stands before the one that it contains."""
    return [(key, _pattern(text)) for key, text in table("en").items() if key.startswith(_PREFIX)]


def _pattern(message: str) -> re.Pattern[str]:
    pieces = (re.escape(text) + (f"(?P<{gap}>.+?)" if gap else "") for text, gap, _, _ in Formatter().parse(message))
    return re.compile("".join(pieces))

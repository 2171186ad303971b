"""How text is folded and cut for the search: the same for what is stored and for what is typed.

NFKC, casefolded, katakana as hiragana, nothing but letters and digits. What is stored is joined over its
blanks, because Korean is written with and without them; what is typed is parted into words, each of which
must occur as it stands.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

#: characters of one text that are looked at: whoever pastes a book does not fill the index
LONGEST: Final = 4_000
_NOT_WORDS: Final = re.compile(r"[\W_]+")
_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
#: a syllable that is still being typed
_OPEN_JAMO: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\ud7b0-\ud7ff]+$")
_MASKS: Final = ("*", "•")


def folded_text(text: str | None) -> str:
    """``text`` as one run of letters and digits; empty when it is masked from its first characters."""
    return _NOT_WORDS.sub("", _folded((text or "")[:LONGEST]))


def folded_name(name: str | None) -> str:
    """As :func:`folded_text`; a masked name ("홍*동") is nobody's and gives nothing."""
    return "" if not name or any(mask in name for mask in _MASKS) else folded_text(name)


def words_of(typed: str) -> tuple[str, ...]:
    """The words of what somebody typed, each once; a syllable half typed at its end is left out."""
    words = (word for word in _NOT_WORDS.split(_OPEN_JAMO.sub("", _folded(typed))) if word)
    return tuple(dict.fromkeys(words))


def pairs_of(texts: Iterable[str]) -> set[str]:
    """Every two characters that stand side by side in one of the folded ``texts``."""
    return {text[at : at + 2] for text in texts for at in range(len(text) - 1)}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_HIRAGANA)

"""What a rule or a deadline rests on, in the words of whoever reads it. The English text is what is stored."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

import msgspec

_FILE: Final = "sources.toml"
_SURENESS: Final = re.compile(r"; confidence: (\w+)$| \(confidence: (\w+)\)$")
_SURENESS_WORDS: Final = {
    "ko": {"sure": "확실", "likely": "대체로 확실", "guess": "추정", "unknown": "알 수 없음"},
}


def told_source(source: str, *, language: str) -> str:
    """``source`` in ``language`` ("ko", else English). What no table knows stays as it was written."""
    known = _tables().get(language)
    if known is None:
        return source
    found = _SURENESS.search(source)
    if found is None:
        return known.get(source, source)
    bare, sureness = source[: found.start()], found[1] or found[2]
    return f"{known.get(bare, bare)} · {_SURENESS_WORDS[language].get(sureness, sureness)}"


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("hub.policy").joinpath(_FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, str]])

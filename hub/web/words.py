"""The message tables: Korean first, English by switch. A code that no table names is shown as it is."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from hub.core.contract import Manifest
from hub.policy.sources import told_source
from routing.hours import plain_week

LOCALES: Final = ("ko", "en")
_FOLDER: Final = Path(__file__).parent / "locales"


@cache
def table(locale: str) -> Mapping[str, str]:
    """All messages of ``locale`` by dotted key."""
    return dict(_flat(tomllib.loads((_FOLDER / f"{locale}.toml").read_text(encoding="utf-8"))))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", str(value)))
    return found


class Words:
    """The messages of one locale; called with a key and the words that fill its gaps."""

    def __init__(self, locale: str, *, malls: Mapping[str, Manifest] | None = None) -> None:
        """``malls``: those that :meth:`mall` knows the names of."""
        self.locale = locale if locale in LOCALES else LOCALES[0]
        self._table = table(self.locale)
        self._malls = malls or {}

    def __call__(self, key: str, **words: object) -> str:
        text = self._table.get(key)
        if text is None:
            # A new code of a mall or a newer rule: its own word is better than none.
            return key.rpartition(".")[2]
        return text.format_map(words) if words else text

    def has(self, key: str) -> bool:
        return key in self._table

    def mall(self, code: str) -> str:
        manifest = self._malls.get(code)
        if manifest is None:
            return code
        return manifest.title_ko if self.locale == "ko" else manifest.title

    def source(self, text: str) -> str:
        """What a rule or a deadline rests on."""
        return told_source(text, language=self.locale)

    def zone(self, key: str) -> str:
        """A time zone as people call it; its own key where no table names it."""
        return self._table.get(f"zone.{key}", key)

    def country(self, code: str) -> str:
        return self._table.get(f"country.{code}", code)

    def hours(self, text: str) -> str:
        """Opening hours with the names of the days; what cannot be read is shown as it was written."""
        return plain_week(text, days=[self(f"stats.weekday.{day}") for day in range(7)])

    def filled(self, key: str, words: tuple[tuple[str, str], ...]) -> str:
        """As a call, with words that may be message keys themselves (``@kind.cancel``)."""
        return self(key, **{name: self(word[1:]) if word.startswith("@") else word for name, word in words})

"""The sentences of routing, in Korean and English: steps of a decision and mistakes of a book."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from msgspec import Struct

from hub.core.book_problem import Problem

LOCALES: Final = ("ko", "en")
_SHOWN: Final = 60


class Step(Struct, frozen=True):
    """One sentence before it is said: a key of the table of sentences and the words that fill its gaps.

    A word "@mode.consignment" is itself a key. ``own`` is a sentence that a supervisor wrote, in both languages.
    """

    key: str
    words: tuple[tuple[str, str], ...] = ()

    def text(self, locale: str) -> str:
        """The sentence in ``locale``; Korean for any other than "en"."""
        return say(f"step.{self.key}", locale, **dict(self.words))


def step(key: str, **words: str) -> Step:
    return Step(key, tuple(words.items()))


def say(key: str, locale: str, **words: str) -> str:
    """The sentence ``key`` with its gaps filled, in one line."""
    template = _table()["en" if locale == "en" else "ko"][key]
    if not words:
        return template
    # A word that only looks like a key, as a product named "@home", is said as it stands.
    return template.format_map({name: _word(value, locale) for name, value in words.items()})


def _word(value: str, locale: str) -> str:
    if value.startswith("@"):
        known = _table()["en" if locale == "en" else "ko"].get(value[1:])
        if known is not None:
            return known
    return value


@cache
def _table() -> dict[str, dict[str, str]]:
    """Locale -> dotted key -> sentence."""
    tree = tomllib.loads(resources.files("routing").joinpath("words.toml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {locale: {} for locale in LOCALES}
    _gather(tree, "", found)
    return found


def _gather(tree: dict[str, Any], prefix: str, found: dict[str, dict[str, str]]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _gather(value, f"{prefix}{key}.", found)
        elif key in LOCALES:
            found[key][prefix.rstrip(".")] = value


def problem(section: str, row: int | None, column: str | None, key: str, **words: str) -> Problem:
    """A mistake of a book with its sentences; ``words`` come from the book and are cut and made one line."""
    said = {name: shown(value) for name, value in words.items()}
    return Problem(
        section=section,
        row=row,
        column=column,
        key=key,
        reason=say(f"problem.{key}.reason", "en", **said),
        reason_ko=say(f"problem.{key}.reason", "ko", **said),
        fix=say(f"problem.{key}.fix", "en", **said),
        fix_ko=say(f"problem.{key}.fix", "ko", **said),
    )


def shown(value: str, *, longest: int = _SHOWN) -> str:
    """A mall's or a file's value as it may stand in a sentence: one line, cut when long."""
    flat = value if value.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in value)
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"

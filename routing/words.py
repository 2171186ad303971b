"""The sentences of routing, in Korean and English: steps of a decision and mistakes of a book."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from msgspec import Struct

from hub.core.book_problem import Problem

LOCALES: Final = ("ko", "en")
_SHOWN: Final = 60
#: Words of a mistake that list what there is, and may be longer.
_LISTS: Final = frozenset({"known", "chain"})
_LONGEST_LIST: Final = 300


class Step(Struct, frozen=True):
    """One sentence before it is said: a key of the table of sentences and the words that fill its gaps.

    A word may be a sentence itself. A text "@mode.consignment" is a key, "@role.md|role.partner" are keys in
    order. The step ``own`` is a sentence that a supervisor wrote, in both languages.
    """

    key: str
    words: tuple[tuple[str, "str | Step"], ...] = ()

    def text(self, locale: str) -> str:
        """The sentence in ``locale``; Korean for any other than "en"."""
        return say(f"step.{self.key}", locale, **dict(self.words))


def step(key: str, **words: str | Step) -> Step:
    return Step(key, tuple(words.items()))


def say(key: str, locale: str, **words: str | Step) -> str:
    """The sentence ``key`` with its gaps filled, in one line."""
    template = _table()["en" if locale == "en" else "ko"][key]
    if not words:
        return template
    return template.format_map({name: _word(value, locale) for name, value in words.items()})


def has_word(key: str) -> bool:
    return key in _table()["en"]


def _word(value: str | Step, locale: str) -> str:
    if isinstance(value, Step):
        return value.text(locale)
    if value.startswith("@"):
        table = _table()["en" if locale == "en" else "ko"]
        keys = value[1:].split("|")
        # What only looks like a key, as a product named "@home", is said as it stands.
        if all(key in table for key in keys):
            return table["then"].join(table[key] for key in keys)
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
    said = {name: shown(value, longest=_LONGEST_LIST if name in _LISTS else _SHOWN) for name, value in words.items()}
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


def tell_file_problem(key: str, locale: str, **words: str) -> tuple[str, str]:
    """What is wrong with a file of rows, or with one row of it, and what to do."""
    return say(f"file.{key}.reason", locale, **words), say(f"file.{key}.fix", locale, **words)


def shown(value: str, *, longest: int = _SHOWN) -> str:
    """A mall's or a file's value as it may stand in a sentence: one line, cut when long."""
    flat = value if value.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in value)
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"

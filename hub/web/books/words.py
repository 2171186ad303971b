"""How the sections, fields and codes of the books are called: message keys, and words read back from files."""

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from hub.desk.books.fields import Field, cell_text, fields_of
from hub.store.books import BookKind
from hub.web.words import LOCALES, Words
from routing.hours import WORKS_THROUGH
from routing.sheet import fold_word
from routing.words import has_word, say

#: codes that the desk has words for already; others stand under ``book.choice.<type>``
_PREFIX: Final = {
    "inventory_mode": "mode",
    "matter": "matter",
    "role": "contact_role",
    "case_kind": "kind",
}
#: fields whose values are codes that no type lists
_TOLD: Final[Mapping[str, Callable[[Words, str], str]]] = {
    "mall": Words.mall,
    "malls": Words.mall,
    "hours": Words.hours,
    "timezone": Words.zone,
    "country": Words.country,
    "holidays": lambda words, value: words("book.works_through") if value == WORKS_THROUGH else words.country(value),
}
_SHOWN: Final = 200
_SECRET: Final = frozenset({"webhook_url"})


def field_key(words: Words, kind: BookKind, section: str, field: str) -> str:
    """The label of its own, else the one that fields of this name have everywhere."""
    own = f"book.{kind}.{section}.{field}"
    return own if words.has(own) else f"book.field.{field}"


def hint_key(words: Words, kind: BookKind, section: str, field: str) -> str | None:
    for key in (f"book.hint.{kind}.{section}.{field}", f"book.hint.field.{field}"):
        if words.has(key):
            return key
    return None


def choice_key(field: Field, code: str) -> str:
    return f"{_PREFIX.get(field.words, f'book.choice.{field.words}')}.{code}"


def choice_word(words: Words, field: Field, code: str) -> str:
    key = choice_key(field, code)
    return words(key) if words.has(key) else code


def value_words(words: Words, field: Field, value: Any) -> str:
    """A value as people read it in a table: codes in words, yes and no, days; empty where nothing is said."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return words("book.yes" if value else "book.no")
    if isinstance(value, Enum):
        return choice_word(words, field, str(value.value))
    if isinstance(value, int) and field.name.endswith(("_minor", "points")):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(
            f"{_fact_word(words, str(name))}={value_words(words, field, each)}" for name, each in value.items()
        )
    if isinstance(value, tuple | list | frozenset | set):
        return ", ".join(value_words(words, field, each) for each in value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and (told := _TOLD.get(field.name)) is not None:
        return told(words, value)
    return cell_text(value)


def _fact_word(words: Words, name: str) -> str:
    """What a mall tells of a line's stock, as the rules call it."""
    return say(f"fact.{name}", words.locale) if has_word(f"fact.{name}") else name


def seen_value(words: Words, field: Field, value: Any, *, may_see: bool) -> str:
    """As :func:`value_words`, short, and with nothing that only those may see who edit it."""
    if value is not None and field.name in _SECRET and not may_see:
        return words("book.hidden")
    text = value_words(words, field, value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def headings_of(kind: BookKind, section: str, row: type[Struct]) -> Mapping[str, str]:
    """Heading -> field, in every language of the screens: a file may be written in either."""
    found: dict[str, str] = {}
    for words in map(Words, LOCALES):
        for field in fields_of(row):
            found.setdefault(words(field_key(words, kind, section, field.name)), field.name)
    return found


def meanings_of(row: type[Struct]) -> Mapping[str, Mapping[str, str]]:
    """By field: folded word -> code, in every language of the screens."""
    return {
        field.name: {
            fold_word(choice_word(words, field, code)): code for words in map(Words, LOCALES) for code in field.choices
        }
        for field in fields_of(row)
        if field.choices
    }

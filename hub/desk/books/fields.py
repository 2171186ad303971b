"""The fields of a book's rows: what a person types into one, and what a cell of a file says.

A section of a book is a tuple of flat Structs. Their types are all that is told about them; forms,
tables and files are made from it.
"""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Struct, inspect

from routing.hours import plain_week
from routing.sheet import fold_word

LONGEST: Final = 500
LONGEST_TEXT: Final = 10_000
_MOST_ITEMS: Final = 200
#: fields in which people write more than one line
_LONG: Final = frozenset({"body", "text", "note", "draft", "sentence"})
_DATE: Final = re.compile(r"(\d{4})\s*[-/.년]?\s*(\d{1,2})\s*[-/.월]?\s*(\d{1,2})\s*[일.]?(?:[ T]00:00(?::00)?)?")
_YES: Final = frozenset({"true", "yes", "y", "1", "예", "네", "はい"})
_NO: Final = frozenset({"false", "no", "n", "0", "아니오", "아니요", "いいえ"})
#: characters that turn the direction of what follows: they hide what a text says
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Shape(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DECIMAL = "decimal"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"
    LIST = "list"
    PAIRS = "pairs"


class Field(Struct, frozen=True, kw_only=True):
    """One field of a row. ``choices`` are the codes a CHOICE (or the items of a LIST) may be; ``words`` names them.

    ``item`` is the shape of the things in a LIST, the values of PAIRS. ``is_optional``: nothing may stand there.
    """

    name: str
    shape: Shape
    type: Any
    item: Shape | None = None
    choices: tuple[str, ...] = ()
    words: str = ""
    is_optional: bool = False
    default: Any = NODEFAULT

    @property
    def is_required(self) -> bool:
        return not self.is_optional and self.default is NODEFAULT and self.shape not in {Shape.LIST, Shape.PAIRS}


class FieldError(Exception):
    """What was typed cannot be read. ``key`` is a message ``book.wrong.<key>`` with ``words``."""

    def __init__(self, key: str, **words: object) -> None:
        super().__init__(key)
        self.key = key
        self.words = words


@cache
def sections_of(tables: type[Struct]) -> Mapping[str, type[Struct]]:
    """The sections of a book, in order, with the type of their rows; other fields of it are settings."""
    found: dict[str, type[Struct]] = {}
    for field in msgspec.structs.fields(tables):
        node = inspect.type_info(field.type)
        if isinstance(node, inspect.VarTupleType) and isinstance(node.item_type, inspect.StructType):
            found[field.name] = node.item_type.cls
    return found


@cache
def settings_of(tables: type[Struct]) -> tuple[str, ...]:
    """The fields of a book that are no sections."""
    return tuple(name for name in tables.__struct_fields__ if name not in sections_of(tables))


@cache
def fields_of(row: type[Struct]) -> tuple[Field, ...]:
    """Raises: TypeError for a field that is not flat."""
    return tuple(_field(field) for field in msgspec.structs.fields(row))


def _field(field: msgspec.structs.FieldInfo) -> Field:
    node = inspect.type_info(field.type)
    is_optional = False
    if isinstance(node, inspect.UnionType):
        kinds = [kind for kind in node.types if not isinstance(kind, inspect.NoneType)]
        is_optional = len(kinds) < len(node.types)
        if len(kinds) == 1:
            (node,) = kinds
    default = field.default
    if default is NODEFAULT and field.default_factory is not NODEFAULT:
        default = field.default_factory()
    item: inspect.Type | None = None
    if isinstance(node, inspect.VarTupleType | inspect.ListType | inspect.SetType | inspect.FrozenSetType):
        shape, item = Shape.LIST, node.item_type
    elif isinstance(node, inspect.DictType):
        shape, item = Shape.PAIRS, node.value_type
    else:
        shape = _shape(node, field.name)
    choices, words = _choices(item if item is not None else node)
    return Field(
        name=field.name,
        shape=shape,
        type=field.type,
        item=None if item is None else _shape(item, ""),
        choices=choices,
        words=words,
        is_optional=is_optional,
        default=default,
    )


def _shape(node: inspect.Type, name: str) -> Shape:
    match node:
        case inspect.StrType():
            return Shape.LONG_TEXT if name in _LONG else Shape.TEXT
        case inspect.BoolType():
            return Shape.YES_NO
        case inspect.IntType():
            return Shape.NUMBER
        case inspect.FloatType() | inspect.DecimalType():
            return Shape.DECIMAL
        case inspect.DateType():
            return Shape.DATE
        case inspect.EnumType() | inspect.LiteralType():
            return Shape.CHOICE
    message = f"the field {name or 'of a list'} is not flat: {type(node).__name__}"
    raise TypeError(message)


def _choices(node: inspect.Type) -> tuple[tuple[str, ...], str]:
    if isinstance(node, inspect.EnumType):
        return tuple(str(each.value) for each in node.cls), _WORD.sub("_", node.cls.__name__).lower()
    if isinstance(node, inspect.LiteralType):
        return tuple(str(value) for value in node.values), ""
    return (), ""


def row_code(row: Any) -> bytes:
    """Equal rows have equal codes, whether a default is written in them or not."""
    return msgspec.json.encode(msgspec.structs.astuple(row))


def cell_text(value: Any) -> str:
    """A value as it stands in a form or a file; :func:`read_cell` reads it back."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case date():
            return value.isoformat()
        case dict():
            return _joined([f"{name}={cell_text(each)}" for name, each in value.items()])
        case set() | frozenset():
            return _joined(sorted(cell_text(each) for each in value))
        case list() | tuple():
            return _joined([cell_text(each) for each in value])
    return str(value)


def _joined(items: list[str]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(items)
    return file.getvalue().replace(",", ", ") if not any("," in item for item in items) else file.getvalue()


def read_cell(field: Field, text: str, *, meanings: Mapping[str, str] | None = None) -> Any:
    """The value that ``text`` means. ``meanings`` are folded words of people for codes ("위탁" -> "consignment").

    Raises: FieldError.
    """
    typed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    is_long = field.shape in {Shape.LONG_TEXT, Shape.LIST, Shape.PAIRS}
    _refuse_unseen(typed, is_long=is_long)
    most = LONGEST_TEXT if is_long else LONGEST
    if len(typed) > most:
        raise FieldError("too_long", count=f"{len(typed):,}", most=f"{most:,}")
    if not typed:
        return _nothing(field)
    plain: Any
    if field.shape is Shape.LIST:
        plain = [_read(field.item or Shape.TEXT, item, field.choices, meanings or {}) for item in _items(typed)]
    elif field.shape is Shape.PAIRS:
        plain = dict(_pair(item, field.item or Shape.TEXT) for item in _items(typed))
    else:
        plain = _read(field.shape, typed, field.choices, meanings or {})
        if field.name == "hours" and field.shape is Shape.TEXT:
            # Each language writes the days in its own words; the book has one.
            plain = plain_week(plain)
    try:
        value = msgspec.convert(plain, field.type, strict=False)
    except msgspec.ValidationError as error:
        raise FieldError("value", what=str(error)) from error
    # The default itself, not another object that equals it: only so it is left out of a book's JSON.
    return field.default if value == field.default and type(value) is type(field.default) else value


def _refuse_unseen(text: str, *, is_long: bool) -> None:
    for char in text:
        if char in "\n\t" and is_long:
            continue
        if char in _TURNING or unicodedata.category(char) in {"Cc", "Cs"}:
            raise FieldError("unseen", code=f"U+{ord(char):04X}")


def _nothing(field: Field) -> Any:
    if field.is_optional:
        return None
    if field.shape in {Shape.LIST, Shape.PAIRS}:
        return msgspec.convert({} if field.shape is Shape.PAIRS else [], field.type)
    if field.default is NODEFAULT:
        raise FieldError("missing")
    return field.default


def _items(text: str) -> list[str]:
    """Things apart by commas or lines; one with a comma in it stands in quotation marks."""
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    items = [item.strip() for row in rows for item in row if item.strip()]
    if len(items) > _MOST_ITEMS:
        raise FieldError("too_many", count=len(items), most=_MOST_ITEMS)
    return items


def _pair(item: str, shape: Shape) -> tuple[str, Any]:
    name, sign, value = item.partition("=")
    if not sign or not name.strip():
        raise FieldError("pair", value=item[:40])
    return name.strip(), _read(shape, value.strip(), (), {})


def _read(shape: Shape, text: str, choices: tuple[str, ...], meanings: Mapping[str, str]) -> Any:
    word = fold_word(unicodedata.normalize("NFKC", text))
    match shape:
        case Shape.NUMBER:
            return _whole(text)
        case Shape.DECIMAL:
            return _decimal(text)
        case Shape.DATE:
            return _day(text)
        case Shape.YES_NO:
            if word in _YES | _NO:
                return word in _YES
            raise FieldError("yes_no", value=text[:40])
        case Shape.CHOICE:
            code = next((code for code in choices if text == code or fold_word(code) == word), meanings.get(word))
            if code in choices:
                return code
            raise FieldError("choice", value=text[:40], choices=", ".join(choices))
    return text


def _whole(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text).replace(",", "")
    if not re.fullmatch(r"[+-]?\d{1,15}", plain):
        raise FieldError("number", value=text[:40])
    return int(plain)


def _decimal(text: str) -> float:
    try:
        number = float(Decimal(unicodedata.normalize("NFKC", text).replace(",", "")))
    except (InvalidOperation, OverflowError):
        raise FieldError("number", value=text[:40]) from None
    if not math.isfinite(number):
        raise FieldError("number", value=text[:40])
    return number


def _day(text: str) -> date:
    parts = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if parts is not None:
        try:
            return date(int(parts[1]), int(parts[2]), int(parts[3]))
        except ValueError:
            parts = None
    raise FieldError("date", value=text[:40])

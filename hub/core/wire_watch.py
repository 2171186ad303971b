"""Fields that a mall sends and nobody here has heard of: counted, so that a new API shows itself.

A wire ``Struct`` skips what it does not declare. That is right for reading, and silent. A connector
therefore lets a :class:`WireWatch` look at its raw records as well::

    watch = WireWatch(unknown_codes)
    watch.look(raw, shape=OrderWire, where="order", known=frozenset({"buyer.fax", "*.created_date"}))

A field that neither the shape nor ``known`` (documented fields that the hub has no use for) names is
counted as ``"new_field:order.buyer.nickname"`` beside the unknown codes, and ``hub status`` shows it.
Nothing but the field's name is kept: no value, and no digits of a name that may be a key of a person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct, inspect

PREFIX = "new_field:"
#: where names beyond MOST_NAMES are counted together
MORE = f"{PREFIX}…more"
#: distinct names that one watch keeps: a hostile record must not fill the table of codes
MOST_NAMES = 50
_NAME_LENGTH = 40
_PATH_LENGTH = 160
# Long numbers in a field's name are somebody's number; anything unprintable is no name at all.
_NOT_A_NAME = re.compile(r"\d{4,}|[^\w\-$@]+")


@dataclass(slots=True)
class _Shape:
    """What a wire type says of a JSON value: the fields of an object, the element of a list.

    ``fields`` is ``None`` for a type that declares none (text, Any, Raw): nothing in it is looked at.
    """

    fields: dict[str, "_Shape"] | None = None
    element: "_Shape | None" = None
    value: "_Shape | None" = None


@dataclass(slots=True)
class WireWatch:
    """Looks at the first record of each ``where``, then at one in ``every``; always the same ones.

    ``counts`` is the connector's own table of unknown codes; a field counts once per record looked at.
    """

    counts: dict[str, int]
    every: int = 50
    _seen: dict[str, int] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def look(self, raw: bytes | Raw, *, shape: type[Struct], where: str, known: frozenset[str] = frozenset()) -> None:
        """Count the fields of one raw JSON record that ``shape`` does not declare.

        ``known`` holds dotted paths inside the record, list elements without an index, or ``*.name``
        for a name at any depth. A record that is no JSON object is left to the reader, who quarantines it.
        """
        seen = self._seen.get(where, 0)
        self._seen[where] = seen + 1
        if seen % self.every:
            return
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        for path in set(_new_fields(value, _shape_of(shape), "", known)):
            self._count(f"{PREFIX}{where}.{path}"[:_PATH_LENGTH])

    def _count(self, name: str) -> None:
        if name not in self._names:
            if len(self._names) >= MOST_NAMES:
                name = MORE
            self._names.add(name)
        self.counts[name] = self.counts.get(name, 0) + 1


def _new_fields(value: Any, shape: _Shape, path: str, known: frozenset[str]) -> Iterator[str]:
    if isinstance(value, list):
        if shape.element is not None:
            for element in value:
                yield from _new_fields(element, shape.element, path, known)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        declared = None if shape.fields is None else shape.fields.get(name)
        if declared is not None:
            yield from _new_fields(inner, declared, f"{path}{name}.", known)
        elif shape.value is not None:
            yield from _new_fields(inner, shape.value, path, known)
        elif shape.fields is not None and f"{path}{name}" not in known and f"*.{name}" not in known:
            yield path + _NOT_A_NAME.sub("#", name[:_NAME_LENGTH])


@lru_cache(maxsize=256)
def _shape_of(struct: type[Struct]) -> _Shape:
    return _shape(inspect.type_info(struct), {})


def _shape(info: inspect.Type, structs: dict[type, _Shape]) -> _Shape:
    """The shape of one type; ``structs`` holds those already met, since a wire type may hold itself."""
    if isinstance(info, inspect.StructType):
        return _struct_shape(info, structs)
    if isinstance(info, inspect.UnionType):
        return _union_shape(info, structs)
    if isinstance(info, inspect.Metadata):
        return _shape(info.type, structs)
    if isinstance(info, inspect.CollectionType):
        return _Shape(element=_shape(info.item_type, structs))
    if isinstance(info, inspect.DictType):
        return _Shape(value=_shape(info.value_type, structs))
    return _Shape()


def _struct_shape(info: inspect.StructType, structs: dict[type, _Shape]) -> _Shape:
    if info.cls in structs:
        return structs[info.cls]
    shape = structs[info.cls] = _Shape()
    if not info.array_like:
        shape.fields = {}
        shape.fields.update((each.encode_name, _shape(each.type, structs)) for each in info.fields)
        if info.tag_field is not None:
            shape.fields[info.tag_field] = _Shape()
    return shape


def _union_shape(info: inspect.UnionType, structs: dict[type, _Shape]) -> _Shape:
    """An object may be any of the structs of the union: a field is new when none of them has it."""
    if any(isinstance(each, inspect.AnyType | inspect.RawType) for each in info.types):
        return _Shape()
    shapes = [_shape(each, structs) for each in info.types]
    objects = [each for each in shapes if each.fields is not None]
    if len(objects) == 1 and all(each.element is None and each.value is None for each in shapes):
        # The usual Optional: the same shape, which may still be in the making.
        return objects[0]
    fields: dict[str, _Shape] | None = None
    for each in objects:
        fields = (fields or {}) | (each.fields or {})
    return _Shape(
        fields=fields,
        element=next((each.element for each in shapes if each.element is not None), None),
        value=next((each.value for each in shapes if each.value is not None), None),
    )

"""The desk's views as JSON: the same keys, ids as strings, because JavaScript rounds whole numbers of 63 bits."""

import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields


def to_json(view: object) -> bytes:
    """One JSON document, or one line of a file."""
    return msgspec.json.encode(_text_ids(msgspec.to_builtins(view)))


def _is_id(name: str) -> bool:
    return name.endswith("_id")


def _text_ids(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {
            name: str(value) if _is_id(name) and isinstance(value, int) else _text_ids(value)
            for name, value in tree.items()
        }
    if isinstance(tree, Sequence) and not isinstance(tree, str):
        return [_text_ids(item) for item in tree]
    return tree


@cache
def shape_of(view: type[Struct]) -> type[Struct]:
    """``view`` as :func:`to_json` writes it, for the API's description."""
    hints = get_type_hints(view)
    shaped: list[tuple[str, Any, Any]] = []
    for field in fields(view):
        kind = _shape(hints[field.name], is_id=_is_id(field.name))
        default = None if field.default is not NODEFAULT and field.default is None else NODEFAULT
        shaped.append((field.name, kind, default))
    return msgspec.defstruct(
        view.__name__, shaped, kw_only=True, frozen=True, module=view.__module__, namespace={"__doc__": view.__doc__}
    )


def _shape(kind: Any, *, is_id: bool) -> Any:
    if kind is int and is_id:
        return str
    if isinstance(kind, type) and issubclass(kind, Struct):
        return shape_of(kind)
    arguments = get_args(kind)
    if not arguments:
        return kind
    inner = tuple(item if item is Ellipsis else _shape(item, is_id=is_id) for item in arguments)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return Union[inner]  # noqa: UP007  built from a tuple
    if origin is tuple and inner[-1] is Ellipsis:
        return list[inner[0]]  # type: ignore[valid-type]  # an array, as JSON has it
    return origin[inner] if origin is not None else kind

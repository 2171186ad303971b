"""A YAML text as plain data with the line of every node, and typed structs built from it.

Scalars stay as they are written: the target type decides (``on`` is a word and ``09:00`` no number, which YAML 1.1
would have them be). Anchors and aliases are refused, so that a small file cannot grow into a large one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

LARGEST_TEXT = 1_000_000  # characters
DEEPEST = 12
Path = tuple[str | int, ...]
T = TypeVar("T", bound=msgspec.Struct)
_BROKEN = object()


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """``line`` counts from 1; ``fix`` says what to write instead."""

    severity: Severity
    code: str
    message: str
    fix: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message} [{self.code}] Fix: {self.fix}"


@dataclass(slots=True)
class Document:
    """``lines``: path of a node -> its line. ``add`` notes a problem at the nearest known node."""

    source: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, severity: Severity, code: str, path: Path, message: str, fix: str) -> None:
        self.add_at(severity, code, self.line_of(path), message, fix)

    def add_at(self, severity: Severity, code: str, line: int, message: str, fix: str) -> None:
        problem = Problem(severity=severity, code=code, message=message, fix=fix, file=self.source, line=line)
        if problem not in self.problems:
            self.problems.append(problem)

    def error(self, code: str, path: Path, message: str, fix: str) -> None:
        self.add(Severity.ERROR, code, path, message, fix)

    def warn(self, code: str, path: Path, message: str, fix: str) -> None:
        self.add(Severity.WARNING, code, path, message, fix)


def read_document(text: str, *, source: str) -> Document:
    """Read the text; what is wrong with its form stands in ``problems``, and ``data`` is then what could be read."""
    document = Document(source)
    if len(text) > LARGEST_TEXT:
        document.error("too-large", (), "the file is larger than a spec can be", "split it or remove what is no spec")
        return document
    try:
        if _is_tame(text, document):
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            if isinstance(node, yaml.MappingNode):
                document.data = _plain(node, (), document)
            else:
                document.error("not-a-mapping", (), "the file holds no spec", "begin with spec_version: 1")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"the YAML cannot be read: {error.problem or error.context}"
        document.add_at(Severity.ERROR, "yaml", line, message, "correct the indentation or the quotes on this line")
    except yaml.YAMLError:
        document.error("yaml", (), "the file holds characters that YAML does not allow", "save the file as UTF-8 text")
    return document


def _is_tame(text: str, document: Document) -> bool:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        mark = event.start_mark
        line = mark.line + 1 if mark else 1
        if isinstance(event, yaml.AliasEvent):
            message, fix = "aliases (*name) are not allowed", "write the value out"
            document.add_at(Severity.ERROR, "alias", line, message, fix)
            return False
        if depth > DEEPEST:
            message, fix = "the nesting is deeper than any spec", "write the spec flat, as in the example"
            document.add_at(Severity.ERROR, "too-deep", line, message, fix)
            return False
    return True


def _plain(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), document) for index, item in enumerate(node.value)]
    is_bare = isinstance(node, yaml.ScalarNode) and node.style is None
    return None if is_bare and node.value in ("", "~", "null") else node.value


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            message, fix = "a key must be a plain word", "write a word or a quoted digit"
            document.add_at(Severity.ERROR, "bad-key", line, message, fix)
            continue
        name = key.value
        if name in found:
            message = f"{name!r} stands twice here"
            document.add_at(Severity.ERROR, "duplicate-key", line, message, "keep one of them")
            continue
        document.lines[(*path, name)] = line
        found[name] = _plain(value, (*path, name), document)
    return found


# ---------------------------------------------------------------- typed


def build(cls: type[T], data: Any, path: Path, document: Document) -> T | None:
    """Build a struct field by field, noting every problem instead of the first.

    A broken optional field falls back to its default, so that the rest can still be checked; ``None`` when a
    required one is missing or broken.
    """
    if not isinstance(data, dict):
        names = ", ".join(cls.__struct_fields__)
        document.error("bad-value", path, f"{_dotted(path)} must hold named values", f"write {names} below it")
        return None
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    is_whole = True
    for name in data.keys() - set(cls.__struct_fields__):
        known = ", ".join(cls.__struct_fields__)
        message = f"{_dotted((*path, name))} is not known"
        document.error("unknown-field", (*path, name), message, f"remove it, or use one of: {known}")
    for info in msgspec.structs.fields(cls):
        if data.get(info.name) is None:
            if info.required:
                message = f"{_dotted((*path, info.name))} is missing"
                document.error("missing-field", path, message, f"write {info.name}: …")
                is_whole = False
            continue
        value = _value(hints[info.name], data[info.name], (*path, info.name), document)
        if value is not _BROKEN:
            values[info.name] = value
        elif info.required:
            is_whole = False
    return cls(**values) if is_whole else None


def _value(wanted: Any, value: Any, path: Path, document: Document) -> Any:
    struct = _struct_in(wanted)
    if struct is None:
        try:
            return msgspec.convert(value, wanted, strict=False)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at")[0]
            document.error("bad-value", path, f"{_dotted(path)}: {reason}", "write a value of that kind")
            return _BROKEN
    origin = get_origin(wanted)
    if origin is dict:
        if isinstance(value, dict):
            built = {name: build(struct, item, (*path, name), document) for name, item in value.items()}
            return {name: item for name, item in built.items() if item is not None}
        document.error("bad-value", path, f"{_dotted(path)} must hold named entries", "write name: … below it")
        return _BROKEN
    if origin is tuple:
        if isinstance(value, list):
            items = (build(struct, item, (*path, index), document) for index, item in enumerate(value))
            return tuple(item for item in items if item is not None)
        document.error("bad-value", path, f"{_dotted(path)} must be a list", "write the entries with - before each")
        return _BROKEN
    single = build(struct, value, path, document)
    return _BROKEN if single is None else single


def _struct_in(wanted: Any) -> type[msgspec.Struct] | None:
    return next((kind for kind in _kinds(wanted) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)


def _kinds(wanted: Any) -> Iterator[Any]:
    if get_origin(wanted) in (dict, tuple, Union, UnionType):
        for part in get_args(wanted):
            yield from _kinds(part)
    else:
        yield wanted


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path) or "the file"

"""A YAML text as plain data with the line of every node, and typed structs built from it.

Scalars stay as they are written: the target type decides (``on`` is a word and ``09:00`` no number, which YAML 1.1
would have them be). Anchors and aliases are refused, so that a small file cannot grow into a large one.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

LARGEST_TEXT = 1_000_000  # characters
DEEPEST = 12
LONGEST_SHOWN = 300  # characters
Path = tuple[str | int, ...]
T = TypeVar("T", bound=msgspec.Struct)
_BROKEN = object()


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """``line`` counts from 1; ``fix`` says what to write instead. ``…_ko``: the same in Korean."""

    severity: Severity
    code: str
    message: str
    fix: str
    message_ko: str
    fix_ko: str
    file: str
    line: int

    def told(self, locale: str) -> tuple[str, str]:
        """Message and fix in ``locale``; Korean for "ko", else English."""
        return (self.message_ko, self.fix_ko) if locale == "ko" else (self.message, self.fix)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message} [{self.code}] Fix: {self.fix}"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of problem says; names in braces are filled in."""

    en: str
    fix_en: str
    ko: str
    fix_ko: str
    severity: Severity = Severity.ERROR


@cache
def problem_words() -> dict[str, Words]:
    """Code -> words, for every problem that a spec can have."""
    table = tomllib.loads(files("ivr").joinpath("problems.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table, dict[str, Words])


@dataclass(slots=True)
class Document:
    """``lines``: path of a node -> its line. ``report`` notes a problem at the nearest known node."""

    source: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def report(self, code: str, path: Path, /, *, severity: Severity | None = None, **values: object) -> None:
        """``severity``: where it is not the one that the code has by itself. ``values`` fill the words."""
        self.report_at(code, self.line_of(path), severity=severity, **values)

    def report_at(self, code: str, line: int, /, *, severity: Severity | None = None, **values: object) -> None:
        words = problem_words()[code]
        filled = {name: _shown(value) for name, value in values.items()}
        problem = Problem(
            severity=severity or words.severity,
            code=code,
            message=words.en.format_map(filled),
            fix=words.fix_en.format_map(filled),
            message_ko=words.ko.format_map(filled),
            fix_ko=words.fix_ko.format_map(filled),
            file=self.source,
            line=line,
        )
        if problem not in self.problems:
            self.problems.append(problem)


def _shown(value: object) -> str:
    """A value as one short line: what stands in the file may be long, or steer a terminal."""
    text = "".join(sign if sign.isprintable() else "�" for sign in str(value))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def read_document(text: str, *, source: str) -> Document:
    """Read the text; what is wrong with its form stands in ``problems``, and ``data`` is then what could be read."""
    document = Document(source)
    if len(text) > LARGEST_TEXT:
        document.report("too-large", ())
        return document
    try:
        if _is_tame(text, document):
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            if isinstance(node, yaml.MappingNode):
                document.data = _plain(node, (), document)
            else:
                document.report("not-a-mapping", ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.report_at("yaml", line, reason=error.problem or error.context)
    except yaml.YAMLError:
        document.report("yaml", (), reason="it holds characters that YAML does not allow")
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
            document.report_at("alias", line)
            return False
        if depth > DEEPEST:
            document.report_at("too-deep", line)
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
            document.report_at("complex-key", line)
            continue
        name = key.value
        if name in found:
            document.report_at("duplicate-key", line, name=name)
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
        document.report("wants-mapping", path, name=_dotted(path), fields=", ".join(cls.__struct_fields__))
        return None
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    is_whole = True
    for name in data.keys() - set(cls.__struct_fields__):
        place = (*path, name)
        document.report("unknown-field", place, name=_dotted(place), known=", ".join(cls.__struct_fields__))
    for info in msgspec.structs.fields(cls):
        if data.get(info.name) is None:
            if info.required:
                document.report("missing-field", path, name=_dotted((*path, info.name)), field=info.name)
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
        return _plain_value(wanted, value, path, document)
    origin = get_origin(wanted)
    if origin is dict:
        if isinstance(value, dict):
            built = {name: build(struct, item, (*path, name), document) for name, item in value.items()}
            return {name: item for name, item in built.items() if item is not None}
        document.report("wants-mapping", path, name=_dotted(path), fields="name: …")
        return _BROKEN
    if origin is tuple:
        if isinstance(value, list):
            items = (build(struct, item, (*path, index), document) for index, item in enumerate(value))
            return tuple(item for item in items if item is not None)
        document.report("wants-list", path, name=_dotted(path))
        return _BROKEN
    single = build(struct, value, path, document)
    return _BROKEN if single is None else single


def _plain_value(wanted: Any, value: Any, path: Path, document: Document) -> Any:
    """Texts, numbers, and lists and mappings of them, of which one broken entry does not take the others with it."""
    parts = get_args(wanted)
    if get_origin(wanted) is dict and isinstance(value, dict):
        found = {name: _plain_value(parts[1], item, (*path, name), document) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not _BROKEN}
    if get_origin(wanted) is tuple and isinstance(value, list):
        items = [_plain_value(parts[0], item, (*path, index), document) for index, item in enumerate(value)]
        return tuple(item for item in items if item is not _BROKEN)
    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error).partition(" - at")[0]
        document.report("bad-value", path, name=_dotted(path), reason=reason)
        return _BROKEN


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

"""Reads the Prometheus text format back, strictly: what is not of the format is an error."""

import re
from dataclasses import dataclass, field

_SAMPLE = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_PARTS = ("_bucket", "_sum", "_count")


@dataclass
class Read:
    kinds: dict[str, str] = field(default_factory=dict)
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    def labels(self, name: str) -> list[dict[str, str]]:
        return [dict(labels) for of, labels in self.samples if of == name]


def read_exposition(text: str) -> Read:
    read = Read()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in read.kinds, "a family stands twice"
            read.kinds[name] = kind
            continue
        found = _SAMPLE.fullmatch(line)
        assert found is not None, line
        name, labels, value = found.groups()
        family = next((name.removesuffix(part) for part in _PARTS if name.removesuffix(part) in read.kinds), name)
        assert family in read.kinds, f"{name} has no type"
        key = (name, frozenset((label, _plain(text)) for label, text in _LABEL.findall(labels or "")))
        assert key not in read.samples, "a sample stands twice"
        read.samples[key] = float(value)
    return read


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)

"""Figures as text for a monitoring system: the Prometheus text format 0.0.4, and times of answers kept for it.

Source: Prometheus documentation, "Exposition formats", text-based format; confidence: sure.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import accumulate
from typing import Final

from msgspec import Struct

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: seconds; an answer slower than the last is in +Inf alone
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Sample(Struct, frozen=True, kw_only=True):
    """``suffix`` is for the parts of a histogram."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


class Family(Struct, frozen=True, kw_only=True):
    name: str
    kind: Kind
    text: str
    samples: tuple[Sample, ...]


def exposed(families: Iterable[Family]) -> str:
    """The whole document. Raises: ValueError for a name that the format does not know."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: Family) -> Iterable[str]:
    if not _NAME.fullmatch(family.name):
        message = f"no name of a figure: {family.name!r}"
        raise ValueError(message)
    text = family.text.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {family.name} {text}\n# TYPE {family.name} {family.kind.value}\n"
    for sample in family.samples:
        labels = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in sample.labels.items())
        yield f"{family.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


class Times:
    """How long answers took, by the labels they were noted under; of this process since its start."""

    def __init__(self, *, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._counts: dict[tuple[tuple[str, str], ...], list[int]] = {}
        self._sums: dict[tuple[tuple[str, str], ...], float] = {}

    def note(self, seconds: float, **labels: str) -> None:
        key = tuple(labels.items())
        counts = self._counts.setdefault(key, [0] * (len(BUCKETS) + 1))
        counts[bisect_left(BUCKETS, seconds)] += 1
        self._sums[key] = self._sums.get(key, 0.0) + seconds

    def family(self) -> Family:
        bounds = [*(_number(bound) for bound in BUCKETS), "+Inf"]
        samples: list[Sample] = []
        for key, counts in sorted(self._counts.items()):
            labels = dict(key)
            for bound, count in zip(bounds, accumulate(counts), strict=True):
                samples.append(Sample(labels=labels | {"le": bound}, value=count, suffix="_bucket"))
            samples.append(Sample(labels=labels, value=self._sums[key], suffix="_sum"))
            samples.append(Sample(labels=labels, value=sum(counts), suffix="_count"))
        return Family(name=self._name, kind=Kind.HISTOGRAM, text=self._text, samples=tuple(samples))

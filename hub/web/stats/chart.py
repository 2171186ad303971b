"""Stacked bars as plain numbers for an SVG that the template draws: no script, no style, no outside host."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from html import escape
from typing import Final

from markupsafe import Markup
from msgspec import Struct

_LEFT: Final = 40
_TOP: Final = 10
_BOTTOM: Final = 24
_LABEL_WIDTH: Final = 38
_WIDEST_BAR: Final = 44
_STEPS: Final = (1, 2, 5)


class Part(Struct, frozen=True, kw_only=True, gc=False):
    """One series' share of a column. ``title`` says in words what it is, for the tooltip and for ears."""

    series: str
    value: int
    href: str | None = None
    title: str = ""


class Column(Struct, frozen=True, kw_only=True, gc=False):
    """``parts`` from the bottom up. With ``href`` the whole column has one address, and ``title`` says what it is."""

    label: str
    parts: tuple[Part, ...]
    href: str | None = None
    title: str = ""


class Bar(Struct, frozen=True, kw_only=True, gc=False):
    x: float
    y: float
    width: float
    height: float
    series: str
    href: str | None
    title: str

    @property
    def html(self) -> str:
        return (
            f'<a href="{escape(self.href or "")}" tabindex="-1"><title>{escape(self.title)}</title><rect class="bar" '
            f'x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" '
            f'fill="url(#fill-{self.series})"/></a>\n'
        )

    @property
    def outline(self) -> str:
        """As a piece of an SVG path."""
        return f"M{self.x} {self.y}h{self.width}v{self.height}h-{self.width}z"


class Field(Struct, frozen=True, kw_only=True, gc=False):
    """The ground of a column that has one address as a whole."""

    x: float
    width: float
    height: float
    href: str
    title: str

    @property
    def html(self) -> str:
        return (
            f'<a href="{escape(self.href)}" tabindex="-1"><title>{escape(self.title)}</title><rect class="field" '
            f'x="{self.x}" y="{_TOP}" width="{self.width}" height="{self.height}"/></a>\n'
        )


class Mark(Struct, frozen=True, kw_only=True, gc=False):
    """A text on an axis and where it stands."""

    at: float
    text: str


class Chart(Struct, frozen=True, kw_only=True, dict=True):
    """Lengths in units of the view box. ``levels`` are grid lines, ``labels`` stand under the columns."""

    width: int
    height: int
    left: int
    base: float
    bars: tuple[Bar, ...]
    levels: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    fields: tuple[Field, ...] = ()

    @cached_property
    def html(self) -> Markup:
        """All bars at once; those without an address as one path for each series, their columns' fields above."""
        outlines: defaultdict[str, list[str]] = defaultdict(list)
        for bar in self.bars:
            if bar.href is None:
                outlines[bar.series].append(bar.outline)
        drawn = [bar.html for bar in self.bars if bar.href is not None]
        drawn += [
            f'<path class="bar" fill="url(#fill-{series})" d="{"".join(outline)}"/>\n'
            for series, outline in outlines.items()
        ]
        drawn += [field.html for field in self.fields]
        return Markup("".join(drawn))  # noqa: S704  each has escaped its own


def stacked_bars(columns: Sequence[Column], *, width: int = 560, height: int = 220) -> Chart:
    """Place the bars; a part without a value has none. Labels that would overlap are left out."""
    base = float(height - _BOTTOM)
    top = _ceiling(max((sum(part.value for part in column.parts) for column in columns), default=0))
    scale = (base - _TOP) / top
    step = (width - _LEFT) / max(len(columns), 1)
    bar_width = min(step * 0.72, _WIDEST_BAR)
    every = max(1, -(-_LABEL_WIDTH // max(int(step), 1)))
    bar_wide = round(bar_width, 1)
    bars: list[Bar] = []
    labels: list[Mark] = []
    fields: list[Field] = []
    for number, column in enumerate(columns):
        middle = _LEFT + step * (number + 0.5)
        left = round(middle - bar_width / 2, 1)
        if number % every == 0:
            labels.append(Mark(at=round(middle, 1), text=column.label))
        level = base
        if column.href is not None:
            fields.append(
                Field(
                    x=round(middle - step / 2, 1),
                    width=round(step, 1),
                    height=base - _TOP,
                    href=column.href,
                    title=column.title,
                )
            )
        for part in column.parts:
            if part.value <= 0:
                continue
            tall = part.value * scale
            level -= tall
            bars.append(
                Bar(
                    x=left,
                    y=round(level, 1),
                    width=bar_wide,
                    height=round(tall, 1),
                    series=part.series,
                    href=part.href,
                    title=part.title,
                )
            )
    return Chart(
        width=width,
        height=height,
        left=_LEFT,
        base=base,
        bars=tuple(bars),
        levels=tuple(Mark(at=round(base - level * scale, 1), text=f"{level:,}") for level in _levels(top)),
        labels=tuple(labels),
        fields=tuple(fields),
    )


def _ceiling(most: int) -> int:
    """The lowest round number of four equal steps at or above ``most``; 4 at least."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size * 4 >= most:
                return step * size * 4
        size *= 10


def _levels(top: int) -> range:
    return range(0, top + 1, top // 4)

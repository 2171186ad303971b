"""Heat map, trend and pareto as plain numbers for SVGs that the template draws; see :mod:`hub.web.stats.chart`."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from hub.web.stats.chart import Mark

#: steps of a heat map: nothing, then four of equal height
LEVELS: Final = 5
_CELL_WIDTH, _CELL_HEIGHT, _GUTTER = 30, 24, 36
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 240, 44, 10, 24
_ROW, _LABEL, _BAR = 24, 190, 380
_MOST_BARS: Final = 15


class HeatCell(Struct, frozen=True, kw_only=True):
    x: int
    y: int
    level: int
    value: int
    href: str | None
    title: str


class HeatMap(Struct, frozen=True, kw_only=True):
    """``columns`` and ``rows`` are named at their middles."""

    width: int
    height: int
    cell_width: int
    cell_height: int
    cells: tuple[HeatCell, ...]
    columns: tuple[Mark, ...]
    rows: tuple[Mark, ...]


class Point(Struct, frozen=True, kw_only=True):
    x: float
    y: float
    href: str | None
    title: str


class Curve(Struct, frozen=True, kw_only=True):
    """``path`` is that of an SVG polyline; a missing day breaks nothing, it counts as none."""

    series: str
    path: str
    points: tuple[Point, ...]


class Trend(Struct, frozen=True, kw_only=True):
    width: int
    height: int
    left: int
    base: float
    curves: tuple[Curve, ...]
    levels: tuple[Mark, ...]
    labels: tuple[Mark, ...]


class ParetoBar(Struct, frozen=True, kw_only=True):
    """``share``: this bar and those above it, in percent of all."""

    y: int
    width: float
    label: str
    value: str
    share: str
    href: str | None


class Pareto(Struct, frozen=True, kw_only=True):
    """``more``: how many bars are not drawn."""

    width: int
    height: int
    row: int
    label_width: int
    bars: tuple[ParetoBar, ...]
    more: int


def heat_map(
    values: Mapping[tuple[int, int], int],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    titles: Mapping[tuple[int, int], str],
    hrefs: Mapping[tuple[int, int], str],
) -> HeatMap:
    """``values`` by (row, column)."""
    most = max(values.values(), default=0)
    cells = tuple(
        HeatCell(
            x=_GUTTER + column * _CELL_WIDTH,
            y=_BOTTOM + row * _CELL_HEIGHT,
            level=-(-value * (LEVELS - 1) // most) if value else 0,
            value=value,
            href=hrefs.get((row, column)) if value else None,
            title=titles[row, column],
        )
        for row in range(len(rows))
        for column in range(len(columns))
        for value in [values.get((row, column), 0)]
    )
    return HeatMap(
        width=_GUTTER + len(columns) * _CELL_WIDTH,
        height=_BOTTOM + len(rows) * _CELL_HEIGHT,
        cell_width=_CELL_WIDTH,
        cell_height=_CELL_HEIGHT,
        cells=cells,
        columns=tuple(
            Mark(at=_GUTTER + number * _CELL_WIDTH + _CELL_WIDTH / 2, text=text) for number, text in enumerate(columns)
        ),
        rows=tuple(
            Mark(at=_BOTTOM + number * _CELL_HEIGHT + _CELL_HEIGHT / 2 + 4, text=text)
            for number, text in enumerate(rows)
        ),
    )


def trend(
    curves: Mapping[str, Sequence[int]],
    *,
    labels: Sequence[str],
    titles: Mapping[str, Sequence[str]],
    hrefs: Mapping[str, Sequence[str]],
) -> Trend:
    """One value a label for each series; all on one scale that begins at nothing."""
    base = float(_HEIGHT - _BOTTOM)
    most = max((max(values, default=0) for values in curves.values()), default=0)
    top = max(4, -(-most // 4) * 4)
    step = (_WIDTH - _LEFT) / max(len(labels), 1)
    every = max(1, -(-len(labels) // 16))

    def place(number: int, value: int) -> tuple[float, float]:
        return round(_LEFT + step * (number + 0.5), 1), round(base - value * (base - _TOP) / top, 1)

    return Trend(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        base=base,
        curves=tuple(
            Curve(
                series=series,
                path=" ".join(f"{x},{y}" for x, y in (place(*each) for each in enumerate(values))),
                points=tuple(
                    Point(x=x, y=y, href=hrefs[series][number] if value else None, title=titles[series][number])
                    for number, value in enumerate(values)
                    for x, y in [place(number, value)]
                ),
            )
            for series, values in curves.items()
        ),
        levels=tuple(
            Mark(at=round(base - level * (base - _TOP) / top, 1), text=f"{level:,}")
            for level in range(0, top + 1, top // 4)
        ),
        labels=tuple(
            Mark(at=round(_LEFT + step * (number + 0.5), 1), text=text)
            for number, text in enumerate(labels)
            if number % every == 0
        ),
    )


def pareto(bars: Sequence[tuple[str, int, str | None]]) -> Pareto:
    """``bars``: label, value, address of its rows; drawn from the longest down."""
    ranked = sorted(bars, key=lambda bar: -bar[1])
    shown = [bar for bar in ranked if bar[1] > 0][:_MOST_BARS]
    total, most = sum(value for _, value, _ in ranked), max((value for _, value, _ in shown), default=1)
    drawn, so_far = [], 0
    for number, (label, value, href) in enumerate(shown):
        so_far += value
        drawn.append(
            ParetoBar(
                y=number * _ROW,
                width=round(value * _BAR / most, 1),
                label=label,
                value=f"{value:,}",
                share=f"{so_far / total:.0%}",
                href=href,
            )
        )
    return Pareto(
        width=_LABEL + _BAR + 130,
        height=max(len(shown), 1) * _ROW,
        row=_ROW,
        label_width=_LABEL,
        bars=tuple(drawn),
        more=sum(1 for _, value, _ in ranked if value > 0) - len(shown),
    )

"""The days or weeks of a panel: the cells of each, and the picture of all.

A page of ninety days has hundreds of them, and from one look to the next all but today are the same: what was made of
some figures is kept while they are asked for.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from markupsafe import Markup
from msgspec import Struct

from hub.stats.calls import OTHER_LINES
from hub.stats.inquiries import Channel
from hub.web.render import query_string
from hub.web.stats.chart import Chart, Column, Part, stacked_bars
from hub.web.stats.parts import cell_of, cells_html

WRITTEN: Final = tuple(channel.value for channel in Channel if not channel.is_call)
OTHER_CALLS: Final = Channel.CALL_OTHER.value
LINE_OF: Final = {Channel.CALL_ORDER.value: "order", Channel.CALL_INQUIRY.value: "inquiry", OTHER_CALLS: OTHER_LINES}
#: some pages of ninety days, of a kilobyte a row and a hundred a picture
_KEPT_ROWS: Final = 2_048
_KEPT_CHARTS: Final = 32


class Step(Struct, frozen=True, kw_only=True, gc=False):
    """A row: a day, or the days of a week.

    ``begin``, ``end``: their places in the span; ``span``: as an address has it; ``mark``: its short name on an axis.
    """

    first: date
    last: date
    span: str
    begin: int
    end: int
    mark: str
    label: str
    title: str
    href: str

    def holds(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last


class Series(Struct, frozen=True, kw_only=True, gc=False):
    """One channel of a picture; ``numbers`` of each step."""

    channel: str
    name: str
    numbers: tuple[int, ...]


def between(first: date, last: date) -> str:
    """Whole days as an address has them."""
    return f"from={first}&to={last + timedelta(days=1)}"


def rows_of(channel: str) -> tuple[str, dict[str, str]]:
    """The page of a channel's rows, and what that is asked for."""
    return ("calls", {"line": LINE_OF[channel]}) if channel in LINE_OF else ("inquiries", {"channel": channel})


@lru_cache(maxsize=1_024)
def more(**where: str | None) -> str:
    """How an address goes on: ``&mall=…``."""
    return query_string(where).replace("?", "&", 1)


def _address(page: str, mall: str | None, channel: str | None) -> tuple[str, str]:
    """What stands before the span in the address of rows, and what behind it."""
    return f"/stats/{page}?", more(mall=mall, **({} if channel is None else rows_of(channel)[1]))


@lru_cache(maxsize=_KEPT_ROWS)
def step_cells(span: str, mall: str | None, channels: tuple[str, ...], numbers: tuple[int, ...]) -> Markup:
    """One for each channel; behind those written, and behind the calls, one of all of these."""
    cells = []
    for page in ("inquiries", "calls"):
        own = [pair for pair in zip(channels, numbers, strict=True) if rows_of(pair[0])[0] == page]
        cells += [cell_of(number, span.join(_address(page, mall, channel))) for channel, number in own]
        sum_of_page = sum(number for _, number in own)
        cells.append(cell_of(sum_of_page, span.join(_address(page, mall, None)), is_sum=True))
    return cells_html(cells)


@lru_cache(maxsize=_KEPT_ROWS)
def figure_cells(address: str, figures: tuple[tuple[str, bool], ...], numbers: tuple[int, ...]) -> Markup:
    """One for each figure: how ``address`` goes on for it, and whether it is a sum of others."""
    return cells_html(
        cell_of(number, address + rest, is_sum=is_sum) for (rest, is_sum), number in zip(figures, numbers, strict=True)
    )


@lru_cache(maxsize=_KEPT_CHARTS)
def picture(
    steps: tuple[Step, ...], mall: str | None, series: tuple[Series, ...], *, counted: str, total: str, is_long: bool
) -> Chart:
    """A column a step. ``counted``: a number with its counter, to be filled; ``total``: the word for it."""
    columns = _long_columns(steps, mall, series, counted, total) if is_long else _columns(steps, mall, series, counted)
    return stacked_bars(list(columns))


def _columns(steps: Sequence[Step], mall: str | None, series: Sequence[Series], counted: str) -> Iterable[Column]:
    """Each part with its own address."""
    for place, step in enumerate(steps):
        yield Column(
            label=step.mark,
            parts=tuple(
                Part(
                    series=each.channel,
                    value=number,
                    href=step.span.join(_address(rows_of(each.channel)[0], mall, each.channel)),
                    title=f"{step.title} {each.name} {counted.format(f'{number:,}')}",
                )
                for each in series
                if (number := each.numbers[place])
            ),
        )


def _long_columns(
    steps: Sequence[Step], mall: str | None, series: Sequence[Series], counted: str, total: str
) -> Iterable[Column]:
    """Columns too narrow to hit a part of: each opens to all that came in; the table has the parts."""
    for step, *numbers in zip(steps, *[each.numbers for each in series], strict=True):
        told = [f"{each.name} {number:,}" for each, number in zip(series, numbers, strict=True) if number]
        parts = [Part(series=each.channel, value=number) for each, number in zip(series, numbers, strict=True)]
        yield Column(
            label=step.mark,
            parts=tuple(parts),
            href=step.span.join(_address("arrivals", mall, None)) if told else None,
            title=f"{step.title} {', '.join(told)} · {total} {counted.format(f'{sum(numbers):,}')}",
        )

"""The panels of the page of days: inquiries by day and channel, calls by hour and line, and how calls ended.

Ninety days of several malls are thousands of figures, each with an address of its own: what many of them share is
made once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec import Struct

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import ABSENT, KNOWN_LINES, OTHER_LINES, CallCount
from hub.stats.inquiries import Channel
from hub.stats.span import Span, start_of_day
from hub.web.stats.chart import Column, Part, stacked_bars
from hub.web.stats.parts import Heading, MallName, Panel, Table, TableRow, View
from hub.web.stats.steps import (
    LINE_OF,
    OTHER_CALLS,
    WRITTEN,
    Series,
    Step,
    between,
    figure_cells,
    more,
    picture,
    step_cells,
)
from hub.web.words import Words

_CALLS: Final = (Channel.CALL_ORDER.value, Channel.CALL_INQUIRY.value)
_SERIES_OF: Final = {line: channel for channel, line in LINE_OF.items()}
#: of a line's calls in one hour; the last three add up to the first
_HOUR_FIGURES: Final = (Figure.OFFERED, Figure.ANSWERED, Figure.ABANDONED_QUEUE, Figure.OTHER)
_HOUR: Final = timedelta(hours=1)

#: more days than these are too many to show for each mall on one page
LONG_DAYS: Final = 31

#: channel -> how many on each day of the span, or in each of its steps
Days = Mapping[str, Sequence[int]]


class PanelMaker(Struct, frozen=True, kw_only=True, dict=True):
    """Builds the parts of one page; addresses and words are the page's."""

    view: View
    span: Span
    zone: ZoneInfo
    words: Words
    mall_name: MallName

    def title(self, mall: str | None) -> str:
        if mall is None:
            return self.words("stats.all_malls")
        return self.words("stats.no_mall") if mall == ABSENT else self.mall_name(mall)

    def channel(self, channel: str) -> str:
        return self.words(f"stats.channel.{channel}")

    def line(self, line: str | None) -> str:
        return self.words(f"stats.line.{line}" if line else "stats.line.none")

    @property
    def counted(self) -> str:
        """A number with its counter, yet to be filled in."""
        return self.words("stats.count", count="{}")

    # Inquiries: a row a day or a week, a column a channel.

    def inquiry_panels(
        self, cube: Mapping[tuple[Any, ...], int], malls: Sequence[str], *, is_summed: bool
    ) -> tuple[Panel, ...]:
        """One for each mall; before them one of all together where ``is_summed``. ``cube``: by day, mall and channel.

        Beside the days of all malls, those of a long span are single malls' weeks: each mall has a page of its days.
        """
        places = {day: place for place, day in enumerate(self.days)}
        found: dict[str, dict[str, list[int]]] = {mall: {} for mall in malls}
        for (day, mall, channel), count in cube.items():
            days = found.get(mall or ABSENT)
            if days is not None:
                numbers = days.get(channel) or days.setdefault(channel, [0] * len(places))
                numbers[places[day]] += count
        steps = self._days()
        if not is_summed:
            return tuple(self._inquiry_panel(found[mall], mall, steps) for mall in malls)
        channels = {channel for days in found.values() for channel in days}
        every = {
            channel: [
                sum(day) for day in zip(*[days[channel] for days in found.values() if channel in days], strict=True)
            ]
            for channel in channels
        }
        is_weekly = self.is_long
        of_malls = self._weeks() if is_weekly else steps
        return (
            self._inquiry_panel(every, None, steps),
            *(self._inquiry_panel(found[mall], mall, of_malls, is_weekly=is_weekly) for mall in malls),
        )

    @cached_property
    def days(self) -> list[date]:
        return self.span.days

    @property
    def is_long(self) -> bool:
        return len(self.days) > LONG_DAYS

    def _inquiry_panel(
        self, daily: Days, mall: str | None, steps: tuple[Step, ...], *, is_weekly: bool = False
    ) -> Panel:
        calls = (*_CALLS, *([OTHER_CALLS] if OTHER_CALLS in daily else []))
        channels = (*WRITTEN, *calls)
        none = [0] * len(self.days)
        counts = {
            channel: tuple([sum(numbers[step.begin : step.end]) for step in steps])
            for channel in channels
            for numbers in [daily.get(channel, none)]
        }
        names = {channel: self.channel(channel) for channel in channels}
        of_mall = more(mall=mall) if is_weekly else ""
        return Panel(
            title=self.title(mall),
            href=self.view.href(mall=mall) if is_weekly else None,
            series=tuple(Heading(text=names[channel], series=channel) for channel in channels),
            chart=picture(
                steps,
                mall,
                tuple(Series(channel=channel, name=names[channel], numbers=counts[channel]) for channel in channels),
                counted=self.counted,
                total=self.words("stats.total"),
                is_long=self.is_long,
            ),
            table=Table(
                corner=self.words("stats.by.week" if is_weekly else "stats.day"),
                headings=(
                    *(Heading(text=names[channel], define="inquiries") for channel in WRITTEN),
                    Heading(text=self.words("stats.written"), define="inquiries"),
                    *(Heading(text=names[channel], define="offered") for channel in calls),
                    Heading(text=self.words("stats.called"), define="offered"),
                ),
                rows=tuple(
                    TableRow(
                        label=step.label,
                        html=step_cells(step.span, mall, channels, numbers),
                        href=step.href + of_mall,
                        is_current=step.holds(self.view.day),
                    )
                    for step, numbers in zip(steps, zip(*counts.values(), strict=True), strict=True)
                ),
                total=self._total_row(counts, mall),
                opens="stats.show_days" if is_weekly else "stats.show_hours",
            ),
        )

    def _days(self) -> tuple[Step, ...]:
        """Each opens the hours of its day on this page."""
        weekdays = [self.words(f"stats.weekday.{weekday}") for weekday in range(7)]
        opens = self.view.href(day="0").split("day=0")
        return tuple(
            Step(
                first=day,
                last=day,
                span=between(day, day),
                begin=place,
                end=place + 1,
                mark=f"{day:%m-%d}",
                label=f"{day:%m-%d} {weekdays[day.weekday()]}",
                title=day.isoformat(),
                href=f"day={day}".join(opens),
            )
            for place, day in enumerate(self.days)
        )

    def _weeks(self) -> tuple[Step, ...]:
        """From Monday to Sunday within the span; opens the page of its days, the mall yet to add."""
        found, place = [], 0
        for _, days in groupby(self.days, key=lambda day: day.isocalendar()[:2]):
            first, *others = days
            last, number = (others[-1] if others else first), 1 + len(others)
            found.append(
                Step(
                    first=first,
                    last=last,
                    span=between(first, last),
                    begin=place,
                    end=place + number,
                    mark=f"{first:%m-%d}",
                    label=f"{first:%m-%d} – {last:%m-%d}",
                    title=f"{first} – {last}",
                    href=f"/stats?first={first}&last={last}",
                )
            )
            place += number
        return tuple(found)

    def _total_row(self, counts: Mapping[str, Sequence[int]], mall: str | None) -> TableRow:
        span = between(self.view.first, self.view.last)
        cells = step_cells(span, mall, tuple(counts), tuple([sum(numbers) for numbers in counts.values()]))
        return TableRow(label=self.words("stats.total"), html=cells)

    def _calls_href(self, mall: str | None, line: str | None) -> str:
        """Of the whole span."""
        span = between(self.view.first, self.view.last)
        return f"/stats/calls?{span}{more(mall=mall or ABSENT, line=line or ABSENT)}"

    # Calls: a row an hour, the order line beside the inquiry line.

    def call_panel(self, per_hour: Sequence[CallCount], mall: str | None, hours: Sequence[datetime]) -> Panel:
        """``hours`` are the same for every mall, so that the panels compare; ``None``: all malls together."""
        found: dict[tuple[datetime, str], Mapping[Figure, int]] = {}
        for row in per_hour:
            if mall in (None, row.mall or ABSENT) and row.hour is not None:
                line = row.line if row.line in KNOWN_LINES else OTHER_LINES
                found[row.hour, line] = added(found.get((row.hour, line)), row.figures)
        lines = (*KNOWN_LINES, *([OTHER_LINES] if any(line == OTHER_LINES for _, line in found) else []))
        names = {line: self.channel(_SERIES_OF[line]) for line in lines}
        counted = self.counted
        columns = [(line, figure) for line in lines for figure in _HOUR_FIGURES]
        figures = tuple(
            [(more(mall=mall, line=line, figure=_asked(figure)), figure is Figure.OFFERED) for line, figure in columns]
        )

        def address_of(since: datetime, until: datetime) -> str:
            return f"/stats/calls?from={_moment(since)}&to={_moment(until)}"

        def cells(of: Sequence[datetime], address: str) -> Markup:
            numbers = [sum([_figure(found.get((hour, line)), figure) for hour in of]) for line, figure in columns]
            return figure_cells(address, figures, tuple(numbers))

        def part(hour: datetime, line: str) -> Part:
            number = _figure(found.get((hour, line)), Figure.OFFERED)
            return Part(
                series=_SERIES_OF[line],
                value=number,
                href=addresses[hour] + more(mall=mall, line=line),
                title=f"{hour:%H:%M} {names[line]} {counted.format(f'{number:,}')}",
            )

        addresses = {hour: address_of(hour, hour + _HOUR) for hour in hours}
        day = hours[0].date()
        whole = address_of(start_of_day(day, self.zone), start_of_day(day + timedelta(days=1), self.zone))
        return Panel(
            title=self.title(mall),
            series=tuple(Heading(text=names[line], series=_SERIES_OF[line]) for line in lines),
            chart=stacked_bars(
                [Column(label=f"{hour:%H}", parts=tuple(part(hour, line) for line in lines)) for hour in hours]
            ),
            table=Table(
                corner=self.words("stats.hour"),
                groups=tuple(
                    Heading(text=names[line], series=_SERIES_OF[line], span=len(_HOUR_FIGURES)) for line in lines
                ),
                headings=tuple(
                    Heading(text=self.words(f"stats.figure.{figure.value}"), define=figure.value)
                    for _ in lines
                    for figure in _HOUR_FIGURES
                ),
                rows=tuple(TableRow(label=f"{hour:%H:%M}", html=cells([hour], addresses[hour])) for hour in hours),
                total=TableRow(label=self.words("stats.total"), html=cells(hours, whole)),
            ),
        )

    # How the calls of the whole span ended, and who took them.

    def ends(self, per_line: Sequence[CallCount]) -> Table:
        asked = tuple([(more(figure=_asked(figure)), figure is Figure.OFFERED) for figure in COLUMNS])
        rows = [
            TableRow(
                label=f"{self.title(count.mall or ABSENT)} · {self.line(count.line)}",
                html=figure_cells(
                    self._calls_href(count.mall, count.line), asked, tuple([count.figures[each] for each in COLUMNS])
                ),
            )
            for count in per_line
        ]
        return Table(
            corner=self.words("stats.mall_and_line"),
            headings=tuple(Heading(text=self.words(f"stats.figure.{f.value}"), define=f.value) for f in COLUMNS),
            rows=tuple(rows),
        )

    def handled(self, counts: Sequence[CallCount]) -> Table:
        """The line that was dialled against the line whose agent spoke last, of answered calls."""
        answered: dict[tuple[str | None, str | None], dict[str | None, int]] = {}
        for count in counts:
            if number := count.figures[Figure.ANSWERED]:
                answered.setdefault((count.mall, count.line), {})[count.handling_line] = number
        handling = [*KNOWN_LINES, *sorted({line or "" for row in answered.values() for line in row} - {*KNOWN_LINES})]
        rows = []
        for (mall, line), numbers in answered.items():
            asked = [
                (more(handling_line=taker or ABSENT, figure=Figure.ANSWERED.value), taker == line) for taker in handling
            ]
            told = tuple([numbers.get(taker or None, 0) for taker in handling])
            rows.append(
                TableRow(
                    label=f"{self.title(mall or ABSENT)} · {self.line(line)}",
                    html=figure_cells(self._calls_href(mall, line), tuple(asked), told),
                )
            )
        return Table(
            corner=self.words("stats.mall_and_line"),
            headings=tuple(Heading(text=self.line(taker or None), define="handled") for taker in handling),
            rows=tuple(rows),
        )


def _moment(at: datetime) -> str:
    """As an address has it: a day's hours are written hundreds of times."""
    return at.isoformat(timespec="minutes").replace("+", "%2B")


def _asked(figure: Figure) -> str | None:
    """As an address names it; all calls are what is meant where none is named."""
    return None if figure is Figure.OFFERED else figure.value


def _figure(figures: Mapping[Figure, int] | None, figure: Figure) -> int:
    if figures is None:
        return 0
    if figure is Figure.OTHER:
        return figures[Figure.OFFERED] - figures[Figure.ANSWERED] - figures[Figure.ABANDONED_QUEUE]
    return figures[figure]


def added(known: Mapping[Figure, int] | None, more: Mapping[Figure, int]) -> Mapping[Figure, int]:
    return more if known is None else {figure: known[figure] + number for figure, number in more.items()}


def hours_between(found: Iterable[datetime]) -> list[datetime]:
    """Every hour from the first to the last with calls, quiet ones too; each keeps its own offset."""
    known = {hour.timestamp(): hour for hour in found}
    if not known:
        return []
    first, last = min(known.values()), max(known.values())
    steps = int((last - first) / _HOUR) + 1
    return [known.get((hour := first + _HOUR * n).timestamp(), hour) for n in range(steps)]

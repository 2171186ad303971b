"""The panels of the page of days: inquiries by day and channel, calls by hour and line, and how calls ended.

Ninety days of several malls are thousands of figures, each with an address of its own: what many of them share is
made once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import ABSENT, KNOWN_LINES, OTHER_LINES, CallCount
from hub.stats.inquiries import Channel, InquiryCount
from hub.stats.span import Span, start_of_day
from hub.web.chart import Column, Part, stacked_bars
from hub.web.render import query_string
from hub.web.stats_parts import Cell, Heading, MallName, Panel, Table, TableRow, View
from hub.web.words import Words

_WRITTEN: Final = tuple(channel.value for channel in Channel if not channel.is_call)
_CALLS: Final = (Channel.CALL_ORDER.value, Channel.CALL_INQUIRY.value)
_OTHER: Final = Channel.CALL_OTHER.value
_LINE_OF: Final = {Channel.CALL_ORDER.value: "order", Channel.CALL_INQUIRY.value: "inquiry", _OTHER: OTHER_LINES}
_SERIES_OF: Final = {line: channel for channel, line in _LINE_OF.items()}
#: of a line's calls in one hour; the last three add up to the first
_HOUR_FIGURES: Final = (Figure.OFFERED, Figure.ANSWERED, Figure.ABANDONED_QUEUE, Figure.OTHER)
_HOUR: Final = timedelta(hours=1)

#: channel -> how many on each day of the span
Days = Mapping[str, Sequence[int]]


class PanelMaker(Struct, frozen=True, kw_only=True):
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
    def counted(self) -> Callable[[str], str]:
        """A number with its counter."""
        return self.words("stats.count", count="{}").format

    # Inquiries: a row a day, a column a channel.

    def inquiry_panels(
        self, cube: Iterable[InquiryCount], malls: Sequence[str], *, is_summed: bool
    ) -> tuple[Panel, ...]:
        """One for each mall; before them one of all together where ``is_summed``."""
        places = {day: place for place, day in enumerate(self.span.days)}
        found: dict[str | None, defaultdict[str, list[int]]] = {}
        for row in cube:
            for mall in (row.mall or ABSENT, None):
                days = found.setdefault(mall, defaultdict(lambda: [0] * len(places)))
                if row.day is not None and row.channel is not None:
                    days[row.channel][places[row.day]] += row.count
        spans = self._day_spans()
        return tuple(self._inquiry_panel(found[mall], mall, spans) for mall in ([None] if is_summed else []) + [*malls])

    def _inquiry_panel(self, counts: defaultdict[str, list[int]], mall: str | None, spans: Sequence[str]) -> Panel:
        calls = (*_CALLS, *([_OTHER] if _OTHER in counts else []))
        channels = (*_WRITTEN, *calls)
        days = self.span.days
        labels, counted = [f"{day:%m-%d}" for day in days], self.counted
        names = {channel: self.channel(channel) for channel in channels}
        hrefs = {channel: _hrefs(spans, *self._rows_of(channel), mall=mall) for channel in channels}
        sums = {page: _hrefs(spans, page, {}, mall=mall) for page in ("inquiries", "calls")}
        columns = [
            Column(
                label=labels[place],
                parts=tuple(
                    Part(
                        series=channel,
                        value=number,
                        href=hrefs[channel][place],
                        title=f"{day} {names[channel]} {counted(f'{number:,}')}",
                    )
                    for channel in channels
                    if (number := counts[channel][place])
                ),
            )
            for place, day in enumerate(days)
        ]
        return Panel(
            title=self.title(mall),
            series=tuple(Heading(text=names[channel], series=channel) for channel in channels),
            chart=stacked_bars(columns),
            table=Table(
                corner=self.words("stats.day"),
                headings=(
                    *(Heading(text=names[channel], define="inquiries") for channel in _WRITTEN),
                    Heading(text=self.words("stats.written"), define="inquiries"),
                    *(Heading(text=names[channel], define="offered") for channel in calls),
                    Heading(text=self.words("stats.called"), define="offered"),
                ),
                rows=self._day_rows(counts, calls, {**hrefs, **sums}, labels),
                total=self._total_row(counts, calls, mall),
            ),
        )

    def _day_rows(
        self,
        counts: Days,
        calls: Sequence[str],
        hrefs: Mapping[str, Sequence[str]],
        labels: Sequence[str],
    ) -> tuple[TableRow, ...]:
        """``hrefs``: of each channel, and of both pages of rows, by day."""
        weekdays = [self.words(f"stats.weekday.{weekday}") for weekday in range(7)]
        opens = self.view.href(day="0").split("day=0")
        groups = [
            (channels, [hrefs[channel] for channel in channels], hrefs[page])
            for channels, page in ((_WRITTEN, "inquiries"), (calls, "calls"))
        ]
        rows = []
        for place, day in enumerate(self.span.days):
            cells: list[Cell] = []
            for channels, own, of_sum in groups:
                numbers = [counts[channel][place] for channel in channels]
                cells += [_cell(number, href[place]) for number, href in zip(numbers, own, strict=True)]
                cells.append(_cell(sum(numbers), of_sum[place], is_sum=True))
            rows.append(
                TableRow(
                    label=f"{labels[place]} {weekdays[day.weekday()]}",
                    href=f"day={day}".join(opens),
                    is_current=day == self.view.day,
                    cells=tuple(cells),
                )
            )
        return tuple(rows)

    def _total_row(self, counts: Days, calls: Sequence[str], mall: str | None) -> TableRow:
        cells = []
        for channels, page in ((_WRITTEN, "inquiries"), (calls, "calls")):
            numbers = [sum(counts[channel]) for channel in channels]
            for channel, number in zip(channels, numbers, strict=True):
                cells.append(
                    _cell(number, self._rows_href(self._rows_of(channel)[0], mall=mall, **self._rows_of(channel)[1]))
                )
            cells.append(_cell(sum(numbers), self._rows_href(page, mall=mall), is_sum=True))
        return TableRow(label=self.words("stats.total"), cells=tuple(cells))

    @staticmethod
    def _rows_of(channel: str) -> tuple[str, dict[str, str]]:
        """The page of a channel's rows, and what that is asked for."""
        return ("calls", {"line": _LINE_OF[channel]}) if channel in _LINE_OF else ("inquiries", {"channel": channel})

    def _day_spans(self) -> list[str]:
        """Each day as an address has it."""
        days = [day.isoformat() for day in (*self.span.days, self.view.last + timedelta(days=1))]
        return [f"from={day}&to={end}" for day, end in pairwise(days)]

    def _rows_href(self, page: str, **where: object) -> str:
        """Of the whole span."""
        span = {"from": self.view.first, "to": self.view.last + timedelta(days=1)}
        return f"/stats/{page}{query_string(span, **where)}"

    # Calls: a row an hour, the order line beside the inquiry line.

    def call_panel(self, per_hour: Sequence[CallCount], mall: str, hours: Sequence[datetime]) -> Panel:
        """``hours`` are the same for every mall, so that the panels compare."""
        found: dict[tuple[datetime, str], Mapping[Figure, int]] = {}
        for row in per_hour:
            if (row.mall or ABSENT) == mall and row.hour is not None:
                line = row.line if row.line in KNOWN_LINES else OTHER_LINES
                found[row.hour, line] = added(found.get((row.hour, line)), row.figures)
        lines = (*KNOWN_LINES, *([OTHER_LINES] if any(line == OTHER_LINES for _, line in found) else []))
        names = {line: self.channel(_SERIES_OF[line]) for line in lines}
        counted = self.counted
        rest = {
            (line, figure): query_string(
                {"mall": mall, "line": line, "figure": None if figure is Figure.OFFERED else figure.value}
            ).replace("?", "&", 1)
            for line in lines
            for figure in _HOUR_FIGURES
        }

        def between(since: datetime, until: datetime) -> str:
            return f"/stats/calls{query_string({'from': since.isoformat(), 'to': until.isoformat()})}"

        def cells(of: Sequence[datetime], address: str) -> tuple[Cell, ...]:
            return tuple(
                _cell(
                    sum(_figure(found.get((hour, line)), figure) for hour in of),
                    address + rest[line, figure],
                    is_sum=figure is Figure.OFFERED,
                )
                for line in lines
                for figure in _HOUR_FIGURES
            )

        def part(hour: datetime, line: str) -> Part:
            number = _figure(found.get((hour, line)), Figure.OFFERED)
            return Part(
                series=_SERIES_OF[line],
                value=number,
                href=addresses[hour] + rest[line, Figure.OFFERED],
                title=f"{hour:%H:%M} {names[line]} {counted(f'{number:,}')}",
            )

        addresses = {hour: between(hour, hour + _HOUR) for hour in hours}
        day = hours[0].date()
        whole = between(start_of_day(day, self.zone), start_of_day(day + timedelta(days=1), self.zone))
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
                rows=tuple(TableRow(label=f"{hour:%H:%M}", cells=cells([hour], addresses[hour])) for hour in hours),
                total=TableRow(label=self.words("stats.total"), cells=cells(hours, whole)),
            ),
        )

    # How the calls of the whole span ended, and who took them.

    def ends(self, per_line: Sequence[CallCount]) -> Table:
        rows = tuple(
            TableRow(
                label=f"{self.title(count.mall or ABSENT)} · {self.line(count.line)}",
                cells=tuple(
                    _cell(
                        count.figures[figure],
                        self._rows_href(
                            "calls",
                            mall=count.mall or ABSENT,
                            line=count.line or ABSENT,
                            figure=None if figure is Figure.OFFERED else figure.value,
                        ),
                        is_sum=figure is Figure.OFFERED,
                    )
                    for figure in COLUMNS
                ),
            )
            for count in per_line
        )
        return Table(
            corner=self.words("stats.mall_and_line"),
            headings=tuple(Heading(text=self.words(f"stats.figure.{f.value}"), define=f.value) for f in COLUMNS),
            rows=rows,
        )

    def handled(self, counts: Sequence[CallCount]) -> Table:
        """The line that was dialled against the line whose agent spoke last, of answered calls."""
        answered: dict[tuple[str | None, str | None], dict[str | None, int]] = {}
        for count in counts:
            if number := count.figures[Figure.ANSWERED]:
                answered.setdefault((count.mall, count.line), {})[count.handling_line] = number
        handling = [*KNOWN_LINES, *sorted({line or "" for row in answered.values() for line in row} - {*KNOWN_LINES})]
        rows = tuple(
            TableRow(
                label=f"{self.title(mall or ABSENT)} · {self.line(line)}",
                cells=tuple(
                    _cell(
                        numbers.get(taker or None, 0),
                        self._rows_href(
                            "calls",
                            mall=mall or ABSENT,
                            line=line or ABSENT,
                            handling_line=taker or ABSENT,
                            figure=Figure.ANSWERED.value,
                        ),
                        is_sum=taker == line,
                    )
                    for taker in handling
                ),
            )
            for (mall, line), numbers in answered.items()
        )
        return Table(
            corner=self.words("stats.mall_and_line"),
            headings=tuple(Heading(text=self.line(taker or None), define="handled") for taker in handling),
            rows=rows,
        )


def _hrefs(spans: Iterable[str], page: str, where: Mapping[str, object], *, mall: str | None) -> list[str]:
    rest = query_string({"mall": mall, **where}).replace("?", "&", 1)
    return [f"/stats/{page}?{span}{rest}" for span in spans]


def _cell(count: int, href: str, *, is_sum: bool = False) -> Cell:
    return Cell(count=count, href=href if count else None, is_sum=is_sum)


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

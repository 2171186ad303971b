"""The statistics page as plain data: tables and charts whose every figure knows the address of its rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import (
    ABSENT,
    KNOWN_LINES,
    OTHER_LINES,
    CallCount,
    calls_as_of,
)
from hub.stats.dimension import Dimension
from hub.stats.inquiries import Channel, InquiryCount, inquiries_as_of, inquiries_per_channel
from hub.stats.kept import count_calls
from hub.stats.span import Span, day_span, start_of_day
from hub.store.database import Database
from hub.web.chart import Chart, Column, Part, stacked_bars
from hub.web.render import query_string
from hub.web.words import Words

_WRITTEN: Final = tuple(channel for channel in Channel if not channel.is_call)
_CALLS: Final = (Channel.CALL_ORDER, Channel.CALL_INQUIRY)
_LINE_OF: Final = {
    Channel.CALL_ORDER: "order",
    Channel.CALL_INQUIRY: "inquiry",
    Channel.CALL_OTHER: OTHER_LINES,
}
#: of a line's calls in one hour; the last three add up to the first
_HOUR_FIGURES: Final = (Figure.OFFERED, Figure.ANSWERED, Figure.ABANDONED_QUEUE, Figure.OTHER)

MallName = Callable[[str], str]


class Cell(Struct, frozen=True, kw_only=True):
    """One figure; ``href`` opens its rows, and is absent where there are none. ``is_sum`` marks totals."""

    count: int
    href: str | None = None
    is_sum: bool = False


class Heading(Struct, frozen=True, kw_only=True):
    """``define`` is the key of the figure's definition."""

    text: str
    define: str = ""
    series: str = ""
    span: int = 1


class TableRow(Struct, frozen=True, kw_only=True):
    label: str
    cells: tuple[Cell, ...]
    href: str | None = None
    is_current: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """``groups`` stand above ``headings`` where these repeat; ``total`` is the last row."""

    corner: str
    headings: tuple[Heading, ...]
    rows: tuple[TableRow, ...]
    total: TableRow | None = None
    groups: tuple[Heading, ...] = ()


class Panel(Struct, frozen=True, kw_only=True):
    """One mall: the same figures as picture and as table."""

    title: str
    series: tuple[Heading, ...]
    chart: Chart
    table: Table


class StatsPage(Struct, frozen=True, kw_only=True):
    """``day`` is the day whose hours are shown; neighbours are ``None`` at the ends of the span."""

    inquiry_panels: tuple[Panel, ...]
    call_panels: tuple[Panel, ...]
    ends: Table
    handled: Table
    day: date
    previous_day: str | None
    next_day: str | None
    inquiries_as_of: datetime | None
    calls_as_of: datetime | None
    inquiries_export: str
    calls_export: str
    malls: tuple[str, ...]


class View(Struct, frozen=True, kw_only=True):
    """What the address of the page asks for. ``day``: whose hours; absent means the newest day with calls."""

    first: date
    last: date
    day: date | None = None
    mall: str | None = None

    def href(self, **changes: object) -> str:
        values: dict[str, object] = {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "day": self.day.isoformat() if self.day else None,
            "mall": self.mall,
        }
        return f"/stats{query_string(values, **changes)}"


async def read_page(database: Database, *, view: View, span: Span, words: Words, mall_name: MallName) -> StatsPage:
    """Six statements whatever the span; the figures of one page are those of one moment or two apart."""
    zone = span.zone
    bounds: dict[str, Any] = {"since": span.since, "until": span.until, "zone": zone}
    cube = await inquiries_per_channel(database, **bounds, by=(Dimension.DAY, Dimension.MALL, Dimension.CHANNEL))
    malls = tuple(sorted({row.mall or ABSENT for row in cube}, key=lambda mall: (mall == ABSENT, mall)))
    shown = tuple(mall for mall in malls if view.mall in (None, mall))
    day = view.day or max((row.day for row in cube if row.day and _is_call(row)), default=view.last)
    hours = day_span(day, day, zone=zone)
    per_hour = await count_calls(
        database, since=hours.since, until=hours.until, zone=zone, by=(Dimension.MALL, Dimension.LINE, Dimension.HOUR)
    )
    per_line = await count_calls(database, **bounds, by=(Dimension.MALL, Dimension.LINE))
    handled = await count_calls(database, **bounds, by=(Dimension.MALL, Dimension.LINE, Dimension.HANDLING_LINE))
    maker = _Maker(view=view, span=span, zone=zone, words=words, mall_name=mall_name)
    inquiry_panels = [maker.inquiry_panel(cube, mall) for mall in shown]
    if view.mall is None and len(shown) > 1:
        inquiry_panels.insert(0, maker.inquiry_panel(cube, None))
    open_hours = _hours(row.hour for row in per_hour if row.hour is not None)
    call_panels = [
        maker.call_panel(per_hour, mall, open_hours)
        for mall in shown
        if any((row.mall or ABSENT) == mall for row in per_hour)
    ]
    where = {"from": span.since.isoformat(), "to": span.until.isoformat(), "mall": view.mall}
    return StatsPage(
        inquiry_panels=tuple(inquiry_panels),
        call_panels=tuple(call_panels),
        ends=maker.ends(_of_malls(per_line, shown)),
        handled=maker.handled(_of_malls(handled, shown)),
        day=day,
        previous_day=view.href(day=day - timedelta(days=1)) if day > view.first else None,
        next_day=view.href(day=day + timedelta(days=1)) if day < view.last else None,
        inquiries_as_of=await inquiries_as_of(database),
        calls_as_of=await calls_as_of(database),
        inquiries_export=f"/stats/inquiries/export{query_string(where)}",
        calls_export=f"/stats/calls/export{query_string(where)}",
        malls=malls,
    )


def _is_call(row: InquiryCount) -> bool:
    return Channel(row.channel or "").is_call


def _of_malls(counts: Iterable[CallCount], malls: Sequence[str]) -> list[CallCount]:
    """In the order of ``malls``, the order line first."""
    kept = [count for count in counts if (count.mall or ABSENT) in malls]
    lines = {line: place for place, line in enumerate(KNOWN_LINES)}
    return sorted(
        kept, key=lambda count: (malls.index(count.mall or ABSENT), lines.get(count.line or "", 9), count.line or "")
    )


class _Maker(Struct, frozen=True, kw_only=True):
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

    def channel(self, channel: Channel) -> str:
        return self.words(f"stats.channel.{channel.value}")

    def line(self, line: str | None) -> str:
        return self.words(f"stats.line.{line}" if line else "stats.line.none")

    # Inquiries: a row a day, a column a channel.

    def inquiry_panel(self, cube: Sequence[InquiryCount], mall: str | None) -> Panel:
        counts: dict[tuple[date | None, Channel], int] = {}
        for row in cube:
            if mall is None or (row.mall or ABSENT) == mall:
                key = (row.day, Channel(row.channel or ""))
                counts[key] = counts.get(key, 0) + row.count
        calls = (*_CALLS, *([Channel.CALL_OTHER] if any(c is Channel.CALL_OTHER for _, c in counts) else []))
        days = self.span.days
        rows = tuple(self._day_row(counts, calls, mall, day) for day in days)
        channels = (*_WRITTEN, *calls)
        columns = [
            Column(
                label=f"{day:%m-%d}",
                parts=tuple(
                    self._part(channel, counts.get((day, channel), 0), self._channel_href(mall, channel, day, day), day)
                    for channel in channels
                ),
            )
            for day in days
        ]
        return Panel(
            title=self.title(mall),
            series=tuple(Heading(text=self.channel(channel), series=channel.value) for channel in channels),
            chart=stacked_bars(columns),
            table=Table(
                corner=self.words("stats.day"),
                headings=(
                    *(Heading(text=self.channel(channel), define="inquiries") for channel in _WRITTEN),
                    Heading(text=self.words("stats.written"), define="inquiries"),
                    *(Heading(text=self.channel(channel), define="offered") for channel in calls),
                    Heading(text=self.words("stats.called"), define="offered"),
                ),
                rows=rows,
                total=self._day_row(counts, calls, mall, None),
            ),
        )

    def _day_row(
        self,
        counts: Mapping[tuple[date | None, Channel], int],
        calls: Sequence[Channel],
        mall: str | None,
        day: date | None,
    ) -> TableRow:
        """Of one day, or of all of them."""
        first, last = (day, day) if day else (self.view.first, self.view.last)

        def count(channel: Channel) -> int:
            if day is not None:
                return counts.get((day, channel), 0)
            return sum(number for (_, found), number in counts.items() if found is channel)

        def figures(channels: Sequence[Channel], total_href: str) -> list[Cell]:
            numbers = [count(channel) for channel in channels]
            cells = [
                _cell(number, self._channel_href(mall, channel, first, last))
                for channel, number in zip(channels, numbers, strict=True)
            ]
            return [*cells, _cell(sum(numbers), total_href, is_sum=True)]

        return TableRow(
            label=f"{day:%m-%d} {self.words(f'stats.weekday.{day.weekday()}')}" if day else self.words("stats.total"),
            href=self.view.href(day=day) if day else None,
            is_current=day is not None and day == self.view.day,
            cells=(
                *figures(_WRITTEN, self._rows_href("inquiries", first, last, mall=mall)),
                *figures(calls, self._rows_href("calls", first, last, mall=mall)),
            ),
        )

    def _channel_href(self, mall: str | None, channel: Channel, first: date, last: date) -> str:
        if channel.is_call:
            return self._rows_href("calls", first, last, mall=mall, line=_LINE_OF[channel])
        return self._rows_href("inquiries", first, last, mall=mall, channel=channel.value)

    def _part(self, channel: Channel, value: int, href: str, day: date) -> Part:
        title = f"{day.isoformat()} {self.channel(channel)} {self.words('stats.count', count=f'{value:,}')}"
        return Part(series=channel.value, value=value, href=href, title=title)

    def _rows_href(self, page: str, first: date, last: date, **where: object) -> str:
        span = {
            "from": start_of_day(first, self.zone).isoformat(),
            "to": start_of_day(last + timedelta(days=1), self.zone).isoformat(),
        }
        return f"/stats/{page}{query_string(span, **where)}"

    # Calls: a row an hour, the order line beside the inquiry line.

    def call_panel(self, per_hour: Sequence[CallCount], mall: str, hours: Sequence[datetime]) -> Panel:
        """``hours`` are the same for every mall, so that the panels compare."""
        found: dict[tuple[datetime, str], Mapping[Figure, int]] = {}
        for row in per_hour:
            if (row.mall or ABSENT) == mall and row.hour is not None:
                line = row.line if row.line in KNOWN_LINES else OTHER_LINES
                found[row.hour, line] = _added(found.get((row.hour, line)), row.figures)
        lines = (*KNOWN_LINES, *([OTHER_LINES] if any(line == OTHER_LINES for _, line in found) else []))
        series = {"order": Channel.CALL_ORDER, "inquiry": Channel.CALL_INQUIRY, OTHER_LINES: Channel.CALL_OTHER}

        def href(line: str, figure: Figure, since: datetime, until: datetime) -> str:
            where = {"mall": mall, "line": line, "figure": None if figure is Figure.OFFERED else figure.value}
            return f"/stats/calls{query_string({'from': since.isoformat(), 'to': until.isoformat()}, **where)}"

        def cells(since: datetime, until: datetime) -> tuple[Cell, ...]:
            return tuple(
                _cell(
                    sum(_figure(found.get((hour, line)), figure) for hour in hours if since <= hour < until),
                    href(line, figure, since, until),
                    is_sum=figure is Figure.OFFERED,
                )
                for line in lines
                for figure in _HOUR_FIGURES
            )

        hour_long = timedelta(hours=1)
        columns = [
            Column(
                label=f"{hour:%H}",
                parts=tuple(
                    Part(
                        series=series[line].value,
                        value=(number := _figure(found.get((hour, line)), Figure.OFFERED)),
                        href=href(line, Figure.OFFERED, hour, hour + hour_long),
                        title=f"{hour:%H:%M} {self.channel(series[line])} "
                        f"{self.words('stats.count', count=f'{number:,}')}",
                    )
                    for line in lines
                ),
            )
            for hour in hours
        ]
        day = hours[0].date()
        return Panel(
            title=self.title(mall),
            series=tuple(Heading(text=self.channel(series[line]), series=series[line].value) for line in lines),
            chart=stacked_bars(columns),
            table=Table(
                corner=self.words("stats.hour"),
                groups=tuple(
                    Heading(text=self.channel(series[line]), series=series[line].value, span=len(_HOUR_FIGURES))
                    for line in lines
                ),
                headings=tuple(
                    Heading(text=self.words(f"stats.figure.{figure.value}"), define=figure.value)
                    for _ in lines
                    for figure in _HOUR_FIGURES
                ),
                rows=tuple(TableRow(label=f"{hour:%H:%M}", cells=cells(hour, hour + hour_long)) for hour in hours),
                total=TableRow(
                    label=self.words("stats.total"),
                    cells=cells(start_of_day(day, self.zone), start_of_day(day + timedelta(days=1), self.zone)),
                ),
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
                            self.view.first,
                            self.view.last,
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
                            self.view.first,
                            self.view.last,
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


def _cell(count: int, href: str, *, is_sum: bool = False) -> Cell:
    return Cell(count=count, href=href if count else None, is_sum=is_sum)


def _figure(figures: Mapping[Figure, int] | None, figure: Figure) -> int:
    if figures is None:
        return 0
    if figure is Figure.OTHER:
        return figures[Figure.OFFERED] - figures[Figure.ANSWERED] - figures[Figure.ABANDONED_QUEUE]
    return figures[figure]


def _added(known: Mapping[Figure, int] | None, more: Mapping[Figure, int]) -> Mapping[Figure, int]:
    return more if known is None else {figure: known[figure] + number for figure, number in more.items()}


def _hours(found: Iterable[datetime]) -> list[datetime]:
    """Every hour from the first to the last with calls, quiet ones too; each keeps its own offset."""
    known = {hour.timestamp(): hour for hour in found}
    if not known:
        return []
    first, last = min(known.values()), max(known.values())
    steps = int((last - first) / timedelta(hours=1)) + 1
    return [known.get((hour := first + timedelta(hours=n)).timestamp(), hour) for n in range(steps)]


def mall_namer(titles: Mapping[str, Any], locale: str) -> MallName:
    """Names by the malls' manifests; a mall of the telephone that has none keeps its own word."""

    def name(mall: str) -> str:
        manifest = titles.get(mall)
        if manifest is None:
            return mall
        return str(manifest.title_ko if locale == "ko" else manifest.title)

    return name

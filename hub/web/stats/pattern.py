"""When customers come: hours of the week as a heat map, hours of the day by channel, days beside last week and year."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.stats.dimension import Dimension
from hub.stats.inquiries import Channel, InquiryCount, inquiries_as_of, inquiries_per_channel
from hub.stats.report import require_known
from hub.stats.span import Span, SpanError, day_span, start_of_day
from hub.store.database import Database
from hub.store.shops import ShopStore
from hub.web.render import Given, Pages, locale_of, query_string
from hub.web.stats.chart import Chart, Column, Part, stacked_bars
from hub.web.stats.charts import HeatMap, Trend, heat_map, trend
from hub.web.stats.parts import read_days
from hub.web.stats.views import mall_namer
from hub.web.words import Words

MAX_DAYS: Final = 92
_DEFAULT_DAYS: Final = 28
#: the same day of the week, a week and fifty-two weeks before
_BEFORE: Final = {"now": 0, "week": 7, "year": 364}
_LINES: Final = {Channel.CALL_ORDER: "order", Channel.CALL_INQUIRY: "inquiry", Channel.CALL_OTHER: "*"}


class Pattern(Struct, frozen=True, kw_only=True):
    """Each picture beside its numbers. ``curves``: the series of ``trend`` in their order."""

    heat: HeatMap
    hours: Chart
    trend: Trend
    channels: tuple[Channel, ...]
    hour_rows: tuple[tuple[str, tuple[tuple[int, str | None], ...]], ...]
    curves: tuple[str, ...]
    day_rows: tuple[tuple[str, tuple[tuple[int, str | None], ...]], ...]
    total: int


@get("/pattern")
async def pattern_page(
    request: Request[Actor, str, State],
    services: Given,
    pages: Pages,
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
    mall: FromQuery[str] = "",
    channel: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    zone = services.settings.zone
    words = Words(locale_of(request))
    name = mall_namer(services.registry.manifests, words.locale)
    malls = tuple(sorted({shop.mall for shop in await ShopStore(services.database).all()}))
    values: dict[str, Any] = {"malls": [(each, name(each)) for each in malls], "channels": tuple(Channel)}
    given = {"first": first, "last": last, "mall": mall, "channel": channel}
    try:
        days = read_days(first, last, today=services.now().astimezone(zone).date(), default=_DEFAULT_DAYS)
        span = day_span(*days, zone=zone, max_days=MAX_DAYS)
        wanted = _channel(channel)
        await _require_mall(services.database, mall, services.registry.manifests)
    except SpanError as error:
        wrong = f"stats.wrong.{error.key}"
        return pages.page(
            request,
            "pages/stats_pattern.html",
            status=422,
            wrong=wrong,
            found=None,
            given=given,
            days=MAX_DAYS,
            **values,
        )
    maker = _Maker(words=words, span=span, zone=zone, mall=mall or None, channel=wanted)
    given |= {"first": str(days[0]), "last": str(days[1])}
    return pages.page(
        request,
        "pages/stats_pattern.html",
        wrong=None,
        found=await maker.read(services.database),
        given=given,
        days=MAX_DAYS,
        as_of=await inquiries_as_of(services.database),
        **values,
    )


def _channel(text: str) -> Channel | None:
    """Raises: SpanError."""
    try:
        return Channel(text) if text else None
    except ValueError:
        raise SpanError("address", "no such channel") from None


async def _require_mall(database: Database, mall: str, malls: Mapping[str, Any]) -> None:
    """Raises: SpanError."""
    try:
        await require_known(database, mall=mall or None, shop=None, malls=malls)
    except ValueError as error:
        raise SpanError("no_mall", str(error)) from None


class _Maker(Struct, frozen=True, kw_only=True):
    """``channel``: of this alone; ``None``: of all together, whose figures open by channel."""

    words: Words
    span: Span
    zone: ZoneInfo
    mall: str | None
    channel: Channel | None

    async def read(self, database: Database) -> Pattern:
        counted = await self._counts(database, 0, Dimension.HOUR)
        days = {
            series: self._by_day(
                counted if not before else await self._counts(database, before, Dimension.DAY), timedelta(days=before)
            )
            for series, before in _BEFORE.items()
        }
        hours: Counter[tuple[int, str]] = Counter()
        week: Counter[tuple[int, int]] = Counter()
        for count in counted:
            if count.hour is not None:
                hours[count.hour.hour, count.channel or ""] += count.count
                week[count.hour.weekday(), count.hour.hour] += count.count
        channels = tuple(channel for channel in Channel if any(channel == name for _, name in hours))
        return Pattern(
            heat=self._heat(week),
            hours=stacked_bars(self._columns(hours, channels), width=720),
            trend=self._trend(days),
            channels=channels,
            hour_rows=tuple(
                (
                    f"{hour:02}:00",
                    tuple(
                        (hours[hour, channel], self._href(channel, hour=hour) if hours[hour, channel] else None)
                        for channel in channels
                    ),
                )
                for hour in range(24)
            ),
            curves=tuple(_BEFORE),
            day_rows=tuple(
                (
                    self._day_name(day),
                    tuple(
                        (days[series][number], self._day_href(day, before) if days[series][number] else None)
                        for series, before in _BEFORE.items()
                    ),
                )
                for number, day in enumerate(self.span.days)
            ),
            total=sum(count.count for count in counted),
        )

    async def _counts(self, database: Database, before: int, dimension: Dimension) -> list[InquiryCount]:
        """So many days before; of the wanted channel."""
        days = self.span.days
        first, last = (start_of_day(day - timedelta(days=before), self.zone) for day in (days[0], days[-1]))
        found = await inquiries_per_channel(
            database,
            since=first,
            until=start_of_day(last.date() + timedelta(days=1), self.zone),
            by=(dimension, Dimension.CHANNEL),
            zone=self.zone,
            mall=self.mall,
        )
        return [count for count in found if self.channel in (None, count.channel)]

    def _by_day(self, counted: Sequence[InquiryCount], before: timedelta) -> list[int]:
        found: Counter[date] = Counter()
        for count in counted:
            day = count.day or (count.hour.date() if count.hour else None)
            if day is not None:
                found[day + before] += count.count
        return [found[day] for day in self.span.days]

    def _heat(self, week: Mapping[tuple[int, int], int]) -> HeatMap:
        days = [self.words(f"stats.weekday.{weekday}") for weekday in range(7)]
        cells = [(weekday, hour) for weekday in range(7) for hour in range(24)]
        return heat_map(
            week,
            rows=days,
            columns=[f"{hour}" for hour in range(24)],
            titles={
                (weekday, hour): f"{days[weekday]} {hour:02}:00 {self._count(week.get((weekday, hour), 0))}"
                for weekday, hour in cells
            },
            hrefs={(weekday, hour): self._href(self.channel, hour=hour, weekday=weekday) for weekday, hour in cells},
        )

    def _columns(self, hours: Mapping[tuple[int, str], int], channels: Sequence[Channel]) -> list[Column]:
        return [
            Column(
                label=f"{hour}",
                parts=tuple(
                    Part(
                        series=channel.value,
                        value=hours.get((hour, channel), 0),
                        href=self._href(channel, hour=hour),
                        title=f"{hour:02}:00 {self.words(f'stats.channel.{channel.value}')} "
                        f"{self._count(hours.get((hour, channel), 0))}",
                    )
                    for channel in channels
                ),
            )
            for hour in range(24)
        ]

    def _trend(self, days: Mapping[str, Sequence[int]]) -> Trend:
        labels = self.span.days
        return trend(
            days,
            labels=[f"{day:%m-%d}" for day in labels],
            titles={
                series: [
                    f"{day - timedelta(days=before):%Y-%m-%d} {self._count(value)}"
                    for day, value in zip(labels, days[series], strict=True)
                ]
                for series, before in _BEFORE.items()
            },
            hrefs={series: [self._day_href(day, before) or "" for day in labels] for series, before in _BEFORE.items()},
        )

    def _count(self, value: int) -> str:
        return self.words("stats.count", count=f"{value:,}")

    def _day_name(self, day: date) -> str:
        return f"{day:%m-%d} {self.words(f'stats.weekday.{day.weekday()}')}"

    def _day_href(self, day: date, before: int) -> str:
        """One channel opens to its list, all together to the day on the page of days."""
        at = day - timedelta(days=before)
        if self.channel is None:
            return f"/stats{query_string({'first': at, 'last': at, 'mall': self.mall})}"
        return self._href(self.channel, days=(at, at))

    def _href(
        self,
        channel: Channel | None,
        *,
        hour: int | None = None,
        weekday: int | None = None,
        days: tuple[date, date] | None = None,
    ) -> str:
        first, last = days or (self.span.days[0], self.span.days[-1])
        values: dict[str, object] = {
            "from": start_of_day(first, self.zone).isoformat(),
            "to": start_of_day(last + timedelta(days=1), self.zone).isoformat(),
            "mall": self.mall,
            "hour": hour,
            "weekday": weekday,
        }
        if channel is None:
            return f"/stats/arrivals{query_string(values)}"
        if channel.is_call:
            return f"/stats/calls{query_string({**values, 'line': _LINES[channel]})}"
        return f"/stats/inquiries{query_string({**values, 'channel': channel.value})}"

"""The page of days as plain data: tables and charts whose every figure knows the address of its rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from hub.stats.call_figures import Figure
from hub.stats.calls import ABSENT, KNOWN_LINES, CallCount, calls_as_of
from hub.stats.dimension import Dimension
from hub.stats.inquiries import Channel, count_channels, inquiries_as_of
from hub.stats.kept import count_calls
from hub.stats.span import Span, day_span
from hub.store.database import Database
from hub.web.render import query_string
from hub.web.stats.panels import PanelMaker, added, hours_between
from hub.web.stats.parts import MallName, Panel, Table, View
from hub.web.words import Words

_CALLS: Final = frozenset(channel.value for channel in Channel if channel.is_call)


class StatsPage(Struct, frozen=True, kw_only=True):
    """``day`` is the day whose hours are shown; neighbours are ``None`` at the ends of the span.

    ``mall_links``: name and address of each mall's own page, where this one tells malls in less detail.
    """

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
    mall_links: tuple[tuple[str, str], ...] = ()


async def read_page(database: Database, *, view: View, span: Span, words: Words, mall_name: MallName) -> StatsPage:
    """Five statements whatever the span; the figures of one page are those of one moment or two apart."""
    zone = span.zone
    bounds: dict[str, Any] = {"since": span.since, "until": span.until, "zone": zone}
    cube = await count_channels(database, **bounds, by=(Dimension.DAY, Dimension.MALL, Dimension.CHANNEL))
    malls = tuple(sorted({mall or ABSENT for _, mall, _ in cube}, key=lambda mall: (mall == ABSENT, mall)))
    shown = tuple(mall for mall in malls if view.mall in (None, mall))
    day = view.day or max((day for day, _, channel in cube if channel in _CALLS), default=view.last)
    hours = day_span(day, day, zone=zone)
    per_hour = await count_calls(
        database, since=hours.since, until=hours.until, zone=zone, by=(Dimension.MALL, Dimension.LINE, Dimension.HOUR)
    )
    handled = await count_calls(database, **bounds, by=(Dimension.MALL, Dimension.LINE, Dimension.HANDLING_LINE))
    maker = PanelMaker(view=view, span=span, zone=zone, words=words, mall_name=mall_name)
    is_summed = view.mall is None and len(shown) > 1
    is_brief = is_summed and maker.is_long
    inquiry_panels = maker.inquiry_panels(cube, shown, is_summed=is_summed)
    open_hours = hours_between(row.hour for row in per_hour if row.hour is not None)
    called = [mall for mall in shown if any((row.mall or ABSENT) == mall for row in per_hour)]
    panels_of = ([None] if called else []) if is_brief else called
    call_panels = [maker.call_panel(per_hour, mall, open_hours) for mall in panels_of]
    where = {"from": span.since.isoformat(), "to": span.until.isoformat(), "mall": view.mall}
    return StatsPage(
        inquiry_panels=inquiry_panels,
        call_panels=tuple(call_panels),
        ends=maker.ends(_of_malls(_per_line(handled), shown)),
        handled=maker.handled(_of_malls(handled, shown)),
        day=day,
        previous_day=view.href(day=day - timedelta(days=1)) if day > view.first else None,
        next_day=view.href(day=day + timedelta(days=1)) if day < view.last else None,
        inquiries_as_of=await inquiries_as_of(database),
        calls_as_of=await calls_as_of(database),
        inquiries_export=f"/stats/inquiries/export{query_string(where)}",
        calls_export=f"/stats/calls/export{query_string(where)}",
        malls=malls,
        mall_links=tuple((maker.title(mall), view.href(mall=mall)) for mall in shown) if is_brief else (),
    )


def _of_malls(counts: Iterable[CallCount], malls: Sequence[str]) -> list[CallCount]:
    """In the order of ``malls``, the order line first."""
    kept = [count for count in counts if (count.mall or ABSENT) in malls]
    lines = {line: place for place, line in enumerate(KNOWN_LINES)}
    return sorted(
        kept, key=lambda count: (malls.index(count.mall or ABSENT), lines.get(count.line or "", 9), count.line or "")
    )


def _per_line(handled: Iterable[CallCount]) -> list[CallCount]:
    """Whoever took them: the same calls by the line that was dialled."""
    found: dict[tuple[str | None, str | None], Mapping[Figure, int]] = {}
    for count in handled:
        key = (count.mall, count.line)
        found[key] = added(found.get(key), count.figures)
    return [CallCount(mall=mall, line=line, figures=figures) for (mall, line), figures in found.items()]


def mall_namer(titles: Mapping[str, Any], locale: str) -> MallName:
    """Names by the malls' manifests; a mall of the telephone that has none keeps its own word."""

    def name(mall: str) -> str:
        manifest = titles.get(mall)
        if manifest is None:
            return mall
        return str(manifest.title_ko if locale == "ko" else manifest.title)

    return name

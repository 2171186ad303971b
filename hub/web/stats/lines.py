"""The page of the two lines: how they were answered, whether they were the right ones, how many agents they need."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from hub.desk.access import Actor, Permission, require
from hub.stats.call_figures import LINE_COLUMNS, Figure, Terms
from hub.stats.call_lines import RATES, Formula, LineQuality, TopicCount, quality_per_line, topics_per_line
from hub.stats.calls import ABSENT, calls_as_of
from hub.stats.report import Asked, read_report
from hub.stats.span import Span, SpanError, day_span
from hub.stats.staffing import Need, WhatIf, staffing_needs
from hub.web.render import Given, Pages, locale_of, query_string
from hub.web.stats.files import send_workbook
from hub.web.stats.parts import read_days
from hub.web.stats.views import mall_namer
from hub.web.words import Words
from ivr.topics import line_of_topic

PageRequest = Request[Actor, str, State]
MAX_DAYS: Final = 92
_DEFAULT_DAYS: Final = 7
#: shares of 1 among the rates; the others are seconds
_SECONDS: Final = ("asa_seconds", "ata_seconds", "aht_seconds")
_REPORTS: Final = ("lines", "topics", "staffing")


class Wish(Struct, frozen=True, kw_only=True):
    """What the form asks for; empty fields keep what is usual. Shares are percent, as people say them."""

    within: Annotated[float, Meta(ge=0, le=3600)] = 20.0
    repeat: Annotated[float, Meta(gt=0, le=720)] = 24.0
    formula: Formula = Formula.OFFERED
    target: Annotated[float, Meta(gt=0, lt=100)] = 80.0
    shrinkage: Annotated[float, Meta(ge=0, lt=100)] = 0.0
    after_call: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    agents: Annotated[int, Meta(ge=0, le=10_000)] | None = None

    @property
    def asked(self) -> Asked:
        return Asked(
            terms=Terms(within_seconds=self.within, repeat_hours=self.repeat),
            formula=self.formula,
            what_if=WhatIf(
                target=self.target / 100,
                within_seconds=self.within,
                shrinkage=self.shrinkage / 100,
                agents=self.agents,
                after_call_seconds=self.after_call,
            ),
        )


class Value(Struct, frozen=True, kw_only=True):
    """One figure as text; ``href`` opens its calls. ``is_wrong`` marks the other line's topics."""

    text: str
    href: str | None = None
    is_wrong: bool = False


class FigureRow(Struct, frozen=True, kw_only=True):
    label: str
    define: str
    values: tuple[Value, ...]


class LinesPage(Struct, frozen=True, kw_only=True):
    """``lines`` head the columns of ``figures`` and ``rates`` and the rows of ``topics``."""

    lines: tuple[str, ...]
    figures: tuple[FigureRow, ...]
    rates: tuple[FigureRow, ...]
    topic_names: tuple[str, ...]
    topics: tuple[FigureRow, ...]
    needs: tuple[tuple[Need, str | None], ...]


def read_wish(request: PageRequest) -> Wish:
    """Raises: ValueError (msgspec.ValidationError) for numbers out of their range."""
    asked = {name: value for name, value in request.query_params.items() if value != ""}
    return msgspec.convert({name: asked[name] for name in Wish.__struct_fields__ if name in asked}, Wish, strict=False)


@get("/lines")
async def lines_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    values: dict[str, Any] = {"formulas": tuple(Formula), "figures": LINE_COLUMNS, "rates": RATES}
    try:
        span, days = _span(
            first, last, services.now().astimezone(services.settings.zone).date(), services.settings.zone
        )
        wish = read_wish(request)
    except ValueError as error:
        key = f"stats.wrong.{error.key}" if isinstance(error, SpanError) else "stats.wrong.number"
        values |= {"first": first, "last": last, "wish": Wish(), "wrong": key, "found": None, "days": MAX_DAYS}
        return pages.page(request, "pages/stats_lines.html", status=422, **values)
    words = Words(locale_of(request))
    name = mall_namer(services.registry.manifests, words.locale)
    bounds: dict[str, Any] = {"since": span.since, "until": span.until, "zone": span.zone}
    asked = wish.asked
    maker = _Maker(span=span, wish=wish, words=words, mall_name=name)
    found = maker.page(
        await quality_per_line(services.database, **bounds, terms=asked.terms, formula=asked.formula),
        await topics_per_line(services.database, **bounds),
        await staffing_needs(services.database, **bounds, what_if=asked.what_if),
    )
    exports = {
        report: "/stats/lines/export"
        + query_string({**_wished(wish), "first": str(days[0]), "last": str(days[1]), "report": report})
        for report in _REPORTS
    }
    values |= {"first": str(days[0]), "last": str(days[1]), "wish": wish, "wrong": None, "found": found}
    return pages.page(
        request,
        "pages/stats_lines.html",
        exports=exports,
        calls_as_of=await calls_as_of(services.database),
        **values,
    )


@get("/lines/export")
async def lines_export(
    request: PageRequest,
    services: Given,
    pages: Pages,
    report: Annotated[str, QueryParameter(name="report")] = "lines",
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
) -> Response[Any] | Stream:
    require(request.user, Permission.EXPORT)
    zone = services.settings.zone
    try:
        span, _ = _span(first, last, services.now().astimezone(zone).date(), zone)
        asked = read_wish(request).asked
        if report not in _REPORTS:
            raise SpanError("address", "no such report")
    except ValueError as error:
        key = f"stats.wrong.{error.key}" if isinstance(error, SpanError) else "stats.wrong.number"
        wrong = {"key": key, "days": MAX_DAYS}
        return pages.page(request, "pages/stats_wrong.html", status=422, wrong=wrong)
    found = await read_report(
        services.database, name=report, since=span.since, until=span.until, zone=zone, asked=asked
    )
    return await send_workbook(request, services, report, found.columns, found.rows)


def _span(first: str, last: str, today: date, zone: Any) -> tuple[Span, tuple[date, date]]:
    """Raises: SpanError."""
    since, until = read_days(first, last, today=today, default=_DEFAULT_DAYS)
    return day_span(since, until, zone=zone, max_days=MAX_DAYS), (since, until)


def _wished(wish: Wish) -> dict[str, object]:
    """What differs from the usual, for addresses."""
    usual = msgspec.to_builtins(Wish())
    return {name: value for name, value in msgspec.to_builtins(wish).items() if value != usual[name]}


class _Maker(Struct, frozen=True, kw_only=True):
    span: Span
    wish: Wish
    words: Words
    mall_name: Callable[[str], str]

    def page(self, lines: list[LineQuality], topics: list[TopicCount], needs: list[Need]) -> LinesPage:
        names = tuple(dict.fromkeys((line.mall, line.line) for line in lines))
        noted = sorted({count.topic or "" for count in topics}, key=lambda topic: (not topic, topic))
        return LinesPage(
            lines=tuple(self.title(*name) for name in names),
            figures=tuple(self.figure(figure, lines) for figure in LINE_COLUMNS),
            rates=tuple(self.rate(rate, lines) for rate in RATES),
            topic_names=tuple(self.topic(topic) for topic in noted),
            topics=tuple(self.topics_of(mall, line, noted, topics) for mall, line in names),
            needs=tuple((need, self.opens(need)) for need in needs),
        )

    def title(self, mall: str | None, line: str | None) -> str:
        return f"{self.mall_name(mall) if mall else self.words('stats.no_mall')} · {self.line(line)}"

    def line(self, line: str | None) -> str:
        return self.words(f"stats.line.{line}" if line in ("order", "inquiry") else "stats.line.none")

    def topic(self, topic: str) -> str:
        return topic_words(self.words, topic) if topic else self.words("stats.topic_unknown")

    def figure(self, figure: Figure, lines: list[LineQuality]) -> FigureRow:
        return FigureRow(
            label=self.words(f"stats.figure.{figure.value}"),
            define=self.define(figure.value),
            values=tuple(
                Value(
                    text=f"{line.figures[figure]:,}",
                    href=self.href(mall=line.mall or ABSENT, line=line.line or ABSENT, figure=figure.value)
                    if line.figures[figure]
                    else None,
                )
                for line in lines
            ),
        )

    def rate(self, rate: str, lines: list[LineQuality]) -> FigureRow:
        def text(value: float | None) -> str:
            if value is None:
                return "–"
            return self.words("stats.seconds", seconds=f"{value:.1f}") if rate in _SECONDS else f"{value:.1%}"

        return FigureRow(
            label=self.words(f"stats.rate.{rate}"),
            define=self.define(rate),
            values=tuple(Value(text=text(getattr(line, rate))) for line in lines),
        )

    def define(self, name: str) -> str:
        key = f"service_level_{self.wish.formula.value}" if name == "service_level" else name
        return self.words(f"stats.define.{key}", within=f"{self.wish.within:g}", hours=f"{self.wish.repeat:g}")

    def topics_of(self, mall: str | None, line: str | None, noted: list[str], topics: list[TopicCount]) -> FigureRow:
        counts = {count.topic or "": count.answered for count in topics if (count.mall, count.line) == (mall, line)}

        def value(topic: str) -> Value:
            number = counts.get(topic, 0)
            where = {"mall": mall or ABSENT, "line": line or ABSENT, "topic": topic or ABSENT, "figure": "answered"}
            belongs = line_of_topic(topic)
            is_wrong = bool(number) and belongs is not None and line in ("order", "inquiry") and belongs != line
            return Value(text=f"{number:,}", href=self.href(**where) if number else None, is_wrong=is_wrong)

        return FigureRow(label=self.title(mall, line), define="", values=tuple(value(topic) for topic in noted))

    def opens(self, need: Need) -> str | None:
        if not need.calls:
            return None
        return self.href(line=need.line or ABSENT, figure=Figure.OFFERED_QUEUE.value, hour=need.hour)

    def href(self, **where: object) -> str:
        wished = _wished(self.wish)
        terms = {"within": wished.get("within"), "repeat": wished.get("repeat")}
        since, until = self.span.since.astimezone(self.span.zone), self.span.until.astimezone(self.span.zone)
        span = {"from": since.isoformat(), "to": until.isoformat()}
        return f"/stats/calls{query_string(span, **where, **terms)}"


def topic_words(words: Words, topic: str) -> str:
    """A topic in the reader's language; a word that no table knows stays as the agent wrote it."""
    matter, _, reason = topic.partition(".")
    parts = [(f"stats.topic.{matter}", matter), (f"stats.topic_reason.{reason}", reason)]
    return " · ".join(words(key) if words.has(key) else word for key, word in parts if word)

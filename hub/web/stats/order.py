"""The page of the order line: whether ordering by web or app is inconvenient, or the callers are new to it."""

from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery
from litestar.response import Stream
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.stats.call_figures import Figure
from hub.stats.call_order import AGES, NO_AGE, Assisted, Caller, OrderLine, age_span, read_order_line
from hub.stats.calls import ABSENT, calls_as_of
from hub.stats.report import read_report
from hub.stats.span import Span, SpanError, day_span
from hub.web.render import Given, Pages, locale_of, query_string
from hub.web.stats.files import send_workbook
from hub.web.stats.parts import MallName, read_days
from hub.web.stats.views import mall_namer
from hub.web.words import Words

PageRequest = Request[Actor, str, State]
MAX_DAYS: Final = 400
_DEFAULT_DAYS: Final = 28


class Row(Struct, frozen=True, kw_only=True):
    """One kind of caller, or one mall at one age. ``answered``, ``noted`` and ``assist`` open to their calls."""

    label: str
    calls: Assisted
    answered: str
    noted: str
    assist: str


class OrderPage(Struct, frozen=True, kw_only=True):
    """``answer`` and ``grown`` say in a sentence what ``callers`` and ``ages`` show."""

    answer: str
    grown: str
    callers: tuple[Row, ...]
    ages: tuple[Row, ...]


@get("/order-line")
async def order_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    zone = services.settings.zone
    words = Words(locale_of(request))
    given = {"first": first, "last": last, "mall": ""}
    try:
        days = read_days(first, last, today=services.now().astimezone(zone).date(), default=_DEFAULT_DAYS)
        span = day_span(*days, zone=zone, max_days=MAX_DAYS)
    except SpanError as error:
        wrong = f"stats.wrong.{error.key}"
        return pages.page(
            request, "pages/stats_order.html", status=422, wrong=wrong, days=MAX_DAYS, given=given, found=None
        )
    given |= {"first": str(days[0]), "last": str(days[1])}
    maker = _Maker(span=span, words=words, mall_name=mall_namer(services.registry.manifests, words.locale))
    return pages.page(
        request,
        "pages/stats_order.html",
        wrong=None,
        given=given,
        found=maker.page(await read_order_line(services.database, span=span)),
        as_of=await calls_as_of(services.database),
        export=f"/stats/order-line/export{query_string(given)}",
    )


@get("/order-line/export")
async def order_export(
    request: PageRequest, services: Given, pages: Pages, first: FromQuery[str] = "", last: FromQuery[str] = ""
) -> Response[Any] | Stream:
    require(request.user, Permission.EXPORT)
    zone = services.settings.zone
    try:
        days = read_days(first, last, today=services.now().astimezone(zone).date(), default=_DEFAULT_DAYS)
        span = day_span(*days, zone=zone, max_days=MAX_DAYS)
    except SpanError as error:
        wrong = {"key": f"stats.wrong.{error.key}", "days": MAX_DAYS}
        return pages.page(request, "pages/stats_wrong.html", status=422, wrong=wrong)
    found = await read_report(services.database, name="order-line", since=span.since, until=span.until, zone=zone)
    return await send_workbook(request, services, "order-line", found.columns, found.rows)


class _Maker(Struct, frozen=True, kw_only=True):
    span: Span
    words: Words
    mall_name: MallName

    def page(self, found: OrderLine) -> OrderPage:
        return OrderPage(
            answer=self._answer(found),
            grown=self._grown(found),
            callers=tuple(
                self._row(
                    self.words(f"stats.order.caller.{caller.value}"), found.of(caller=caller), caller=caller.value
                )
                for caller in Caller
            ),
            ages=tuple(self._of_age(mall, age, calls, found) for (mall, age), calls in _by_age(found).items()),
        )

    def _answer(self, found: OrderLine) -> str:
        new, known = found.of(caller=Caller.NEW), found.of(caller=Caller.KNOWN)
        return self.words(f"stats.order.answer.{found.verdict.value}", **_told("new", new), **_told("known", known))

    def _grown(self, found: OrderLine) -> str:
        """The youngest age that has calls beside all others; a number that names no mall has no age."""
        counted = {age: found.of(age=age) for age, _ in AGES}
        youngest, *others = [age for age, calls in counted.items() if calls.answered] or [NO_AGE]
        if not others:
            return self.words("stats.order.one_age")
        older = sum((counted[age] for age in others), Assisted())
        told = {**_told("young", counted[youngest]), **_told("older", older)}
        return self.words("stats.order.grown", age=self._age(youngest), **told)

    def _of_age(self, mall: str | None, age: str, calls: Assisted, found: OrderLine) -> Row:
        label = f"{self.mall_name(mall) if mall else self.words('stats.no_mall')} · {self._age(age)}"
        if mall is None:
            return self._row(label, calls, mall=ABSENT)
        within = age_span(age, known_since=found.known_since[mall], span=self.span)
        return self._row(label, calls, mall=mall, within=within)

    def _age(self, age: str) -> str:
        return self.words(f"stats.order.age.{age}")

    def _row(
        self, label: str, calls: Assisted, *, within: tuple[datetime, datetime] | None = None, **where: object
    ) -> Row:
        since, until = within or (self.span.since, self.span.until)
        zone = self.span.zone
        span = {"from": since.astimezone(zone).isoformat(), "to": until.astimezone(zone).isoformat(), "line": "order"}

        def href(figure: Figure) -> str:
            return f"/stats/calls{query_string(span, **where, figure=figure.value)}"

        return Row(
            label=label,
            calls=calls,
            answered=href(Figure.ANSWERED),
            noted=href(Figure.WITH_TOPIC),
            assist=href(Figure.ORDER_ASSIST),
        )


def _by_age(found: OrderLine) -> dict[tuple[str | None, str], Assisted]:
    """By mall and age, in the order of the cells."""
    counted: dict[tuple[str | None, str], Assisted] = {}
    for cell in found.cells:
        key = (cell.mall, cell.age)
        counted[key] = counted.get(key, Assisted()) + cell.calls
    return counted


def _told(name: str, calls: Assisted) -> dict[str, str]:
    """A share as a sentence has it: of how many, how many, in per cent."""
    share = "–" if calls.share is None else f"{calls.share:.1%}"
    return {f"{name}_share": share, f"{name}_assist": f"{calls.assist:,}", f"{name}_answered": f"{calls.answered:,}"}


HANDLERS: Final = [order_page, order_export]

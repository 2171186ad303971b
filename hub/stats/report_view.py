"""A view of the statistics as it can be kept: which page, which filters, its days as seen from a later day. Pure.

What a kept view counts is what its page shows: the same report with the same filters.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from hub.stats.call_figures import Terms
from hub.stats.call_lines import Formula
from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.inquiries import Channel
from hub.stats.report import Asked

_LONGEST: Final = 1_000
_DAY: Final = timedelta(days=1)
_REPORTS: Final = "/stats/reports/"
#: filters of each page beside its days
_FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "/stats": ("mall",),
    "/stats/pattern": ("mall", "channel"),
    "/stats/lines": ("within", "repeat", "formula", "target", "shrinkage", "after_call", "agents"),
}
_FACT_FILTERS: Final = ("mall", "by", "then")
#: dimensions that name a person: they stay in the house
PERSONAL: Final = frozenset({"contact", "agent", "person", "assignee"})


class RelativeSpan(StrEnum):
    """Whole days before the day on which the view is opened; weeks begin on Monday."""

    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    LAST_WEEK = "last_week"
    LAST_28_DAYS = "last_28_days"
    LAST_MONTH = "last_month"
    LAST_90_DAYS = "last_90_days"


_LENGTHS: Final = {
    RelativeSpan.YESTERDAY: 1,
    RelativeSpan.LAST_7_DAYS: 7,
    RelativeSpan.LAST_28_DAYS: 28,
    RelativeSpan.LAST_90_DAYS: 90,
}


class ReportView(Struct, frozen=True, kw_only=True):
    """``filters`` in the order of the page's form, without empty ones."""

    path: str
    filters: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        return f"{self.path}?{urlencode(self.filters)}" if self.filters else self.path

    @property
    def report(self) -> str:
        """Name of the report that the page shows."""
        if self.path.startswith(_REPORTS):
            return self.path.removeprefix(_REPORTS)
        return "lines" if self.path == "/stats/lines" else "inquiries"

    @property
    def by(self) -> str | None:
        if self.path.startswith(_REPORTS):
            return ",".join(self[name] for name in ("by", "then") if self[name]) or None
        return {"/stats": "day,mall,channel", "/stats/pattern": "hour,channel"}.get(self.path)

    @property
    def asked(self) -> Asked:
        """Raises: ValueError."""
        usual = Terms()
        return Asked(
            terms=Terms(
                within_seconds=_number(self["within"], usual.within_seconds, most=3600),
                repeat_hours=_number(self["repeat"], usual.repeat_hours, most=720),
            ),
            formula=Formula(self["formula"] or Formula.OFFERED.value),
        )

    @property
    def names_people(self) -> bool:
        """Whether a line of it is one person's."""
        return self.path.startswith(_REPORTS) and bool(PERSONAL & {*FACT_REPORTS[self.report].read_by(self.by)})

    def __getitem__(self, name: str) -> str:
        """Empty for a filter that is not set."""
        return dict(self.filters).get(name, "")

    def at(self, first: date, last: date) -> str:
        """The address that shows these days."""
        days = [("first", first.isoformat()), ("last", last.isoformat())]
        return f"{self.path}?{urlencode([*days, *self.filters])}"


def read_view(address: str) -> ReportView:
    """The page at an address of the desk; days and what the page does not know are left out.

    Raises: ValueError for what is no page of figures, or asks for what its report has not.
    """
    if len(address) > _LONGEST or "\\" in address:
        raise ValueError("no address of a page of figures")
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    known = _FACT_FILTERS if path.removeprefix(_REPORTS) in FACT_REPORTS else _FILTERS.get(path)
    if known is None or parts.scheme or parts.netloc:
        raise ValueError("no address of a page of figures")
    asked = dict(parse_qsl(parts.query, max_num_fields=40))
    view = ReportView(path=path, filters=tuple((name, asked[name]) for name in known if asked.get(name)))
    if path.startswith(_REPORTS):
        FACT_REPORTS[view.report].read_by(view.by)
    if view["channel"]:
        Channel(view["channel"])
    _ = view.asked
    return view


def days_of(span: RelativeSpan, *, today: date) -> tuple[date, date]:
    """First and last day, both counted."""
    if span is RelativeSpan.LAST_WEEK:
        monday = today - _DAY * (today.weekday() + 7)
        return monday, monday + _DAY * 6
    if span is RelativeSpan.LAST_MONTH:
        last = today.replace(day=1) - _DAY
        return last.replace(day=1), last
    return today - _DAY * _LENGTHS[span], today - _DAY


def _number(text: str, usual: float, *, most: float) -> float:
    number = float(text) if text else usual
    if not 0 <= number <= most:
        message = f"{text!r} is out of range"
        raise ValueError(message)
    return number

"""A report that is counted from its rows, as plain data: every figure knows the address of its rows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct

from hub.stats.facts import ABSENT, TIMES, Fact, FactReport, How, Measure, as_text
from hub.stats.kpi import kpis
from hub.stats.reason_tree import ReasonTree
from hub.web.render import query_string
from hub.web.stats.charts import Pareto, pareto
from hub.web.words import Words

#: lines of a table on the screen; the file has them all
MOST_LINES: Final = 300
#: message keys of a dimension's values, where they are codes
_WORDS: Final = {
    "channel": "stats.channel.",
    "role": "contact_role.",
    "matter": "matter.",
    "to_whom": "promise_to.",
    "mode": "mode.",
    "cause": "cause.",
    "source": "stats.source.",
    "weekday": "stats.weekday.",
}
#: the same dimension means other codes in another report
_WORDS_OF: Final = {
    ("compensation", "reason"): "gift_reason.",
    ("compensation", "kind"): "gift.",
    ("asks", "channel"): "stats.way.",
    ("promises", "channel"): "promise_by.",
    ("first-contact", "outcome"): "stats.resolution.",
    ("refunds", "outcome"): "stats.outcome.",
    ("dispatch", "outcome"): "stats.outcome.",
    ("claim-causes", "group"): "cause_group.",
    ("claim-causes", "what"): "stats.source.",
    ("contact-rate", "what"): "stats.source.",
    ("claim-causes", "reason"): "reason.",
    ("agents", "what"): "stats.work.",
    ("agents", "line"): "stats.line.",
    ("callbacks", "line"): "stats.line.",
}

#: named by the tree of reasons
_OF_TREE: Final = frozenset({("reasons", "group"), ("reasons", "reason"), ("first-contact", "reason")})


class Figure(Struct, frozen=True, kw_only=True):
    text: str
    href: str | None = None


class Line(Struct, frozen=True, kw_only=True):
    labels: tuple[str, ...]
    figures: tuple[Figure, ...]


class Heading(Struct, frozen=True, kw_only=True):
    """``define``: what the figure means; empty for a dimension."""

    text: str
    define: str = ""


class ReportPage(Struct, frozen=True, kw_only=True):
    """``more``: lines that only the file has. ``pareto`` is absent where the first dimension is a time."""

    dimensions: tuple[Heading, ...]
    figures: tuple[Heading, ...]
    lines: tuple[Line, ...]
    total: Line | None
    more: int
    pareto: Pareto | None
    pareto_title: str


class ReportWords(Struct, frozen=True, kw_only=True):
    """Names of dimensions, their values and the figures, in one language."""

    words: Words
    mall_name: Callable[[str], str]
    tree: ReasonTree

    def dimension(self, name: str) -> str:
        return self.words(f"stats.by.{name}")

    def value(self, report: str, name: str, value: Any) -> str:
        if value is None or value == ABSENT:
            return self.words("stats.unknown")
        if name == "mall":
            return self.mall_name(value)
        if (report, name) in _OF_TREE:
            return self.tree.title(value, self.words.locale)
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M}"
        if name == "clock_hour":
            return f"{int(value):02}:00"
        if name == "due_cause":
            return self.words(str(value))
        prefix = _WORDS_OF.get((report, name)) or _WORDS.get(name) or ("kind." if name == "kind" else "")
        return self.words(f"{prefix}{value}") if prefix else str(value)

    def heading(self, report: str, name: str) -> Heading:
        kpi = kpis()[report, name]
        return Heading(text=kpi.title(self.words.locale), define=kpi.definition(self.words.locale))


def is_coded(report: FactReport, name: str) -> bool:
    """Whether a column of the rows holds codes that have words."""
    places = {*_WORDS_OF, *_OF_TREE}
    return name in (*report.dimensions, "mall", "kind") or (report.name, name) in places


def figure_text(measure: Measure, value: float | None) -> str:
    if value is None:
        return "–"
    if measure.how in (How.SHARE, How.RATIO):
        return f"{value:.1%}"
    return f"{value:,.2f}" if measure.how is How.RATE else f"{value:,.10g}" if value < 1e9 else f"{value:,.0f}"


def report_page(
    report: FactReport,
    *,
    by: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    totals: Sequence[Mapping[str, Any]],
    first_by: Sequence[Mapping[str, Any]],
    words: ReportWords,
    asked: Mapping[str, object],
) -> ReportPage:
    """``rows`` by ``by``; ``totals`` by what is never added up over; ``first_by`` by the first dimension alone.

    ``asked``: span and filters of the page, as its address has them.
    """

    def href(measure: Measure, row: Mapping[str, Any], names: Sequence[str]) -> str:
        where = {f"is_{name}": as_text(row[name]) or ABSENT for name in names}
        return f"/stats/reports/{report.name}/rows{query_string({**asked, 'figure': measure.name, **where})}"

    def line(row: Mapping[str, Any], names: Sequence[str], labels: tuple[str, ...]) -> Line:
        figures = []
        for measure in report.measures:
            value = row[measure.name]
            opens = value if measure.how is How.COUNT else value is not None
            figures.append(Figure(text=figure_text(measure, value), href=href(measure, row, names) if opens else None))
        return Line(labels=labels, figures=tuple(figures))

    shown = rows[:MOST_LINES]
    main, first = report.measures[0], by[0] if by else None
    is_ranked = first is not None and first not in TIMES and main.how is How.COUNT
    return ReportPage(
        dimensions=tuple(Heading(text=words.dimension(name)) for name in by),
        figures=tuple(words.heading(report.name, name) for name in report.columns),
        lines=tuple(line(row, by, tuple(words.value(report.name, name, row[name]) for name in by)) for row in shown),
        total=line(totals[0], report.always, (words.words("stats.total"), *[""] * (len(by) - 1)))
        if len(totals) == 1 and by
        else None,
        more=len(rows) - len(shown),
        pareto=pareto(
            [
                (words.value(report.name, first, row[first]), row[main.name], href(main, row, (first,)))
                for row in first_by
            ]
        )
        if is_ranked and first is not None
        else None,
        pareto_title=words.heading(report.name, main.name).text,
    )


def row_columns(report: FactReport) -> tuple[str, ...]:
    """Of the rows of a report, on the screen and in its files."""
    last = ("case_id",) if report.row is not Fact else ()
    return (*(name for name in report.row.__struct_fields__ if name not in last), *last)


def row_text(value: Any, *, zone: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "✓" if value else ""
    return value.isoformat() if isinstance(value, date) else str(value)

"""What pages of figures are made of: the view that their address asks for, tables, and panels of picture and table."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from html import escape

from markupsafe import Markup
from msgspec import Struct

from hub.stats.span import SpanError
from hub.web.render import query_string
from hub.web.stats.chart import Chart

MallName = Callable[[str], str]


class Cell(Struct, frozen=True, kw_only=True, gc=False):
    """One figure; ``href`` opens its rows, and is absent where there are none. ``is_sum`` marks totals."""

    count: int
    href: str | None = None
    is_sum: bool = False

    @property
    def html(self) -> str:
        marks = "num is-sum" if self.is_sum else "num"
        if not self.count:
            return f'<td class="{marks} is-zero">0</td>'
        if self.href is None:
            return f'<td class="{marks}">{self.count:,}</td>'
        return f'<td class="{marks}"><a href="{escape(self.href)}">{self.count:,}</a></td>'


class Heading(Struct, frozen=True, kw_only=True, gc=False):
    """``define`` is the key of the figure's definition."""

    text: str
    define: str = ""
    series: str = ""
    span: int = 1


def cell_of(count: int, href: str, *, is_sum: bool = False) -> Cell:
    return Cell(count=count, href=href if count else None, is_sum=is_sum)


def cells_html(cells: Iterable[Cell]) -> Markup:
    """All cells of a row at once. Ninety days have thousands, and a template takes five times as long for each."""
    return Markup("".join([cell.html for cell in cells]))  # noqa: S704  each has escaped its own


class TableRow(Struct, frozen=True, kw_only=True, gc=False):
    """``html``: of its cells."""

    label: str
    html: Markup
    href: str | None = None
    is_current: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """``groups`` stand above ``headings`` where these repeat; ``total`` is the last row.

    ``opens``: message key of what the rows' own addresses show.
    """

    corner: str
    headings: tuple[Heading, ...]
    rows: tuple[TableRow, ...]
    total: TableRow | None = None
    groups: tuple[Heading, ...] = ()
    opens: str = "stats.show_hours"

    def body(self, opens: str) -> Markup:
        """Its rows. ``opens``: what the message says."""
        found = []
        for row in self.rows:
            label, current = escape(row.label), ' class="is-current"' if row.is_current else ""
            if row.href:
                label = f'<a href="{escape(row.href)}" title="{escape(opens)}">{label}</a>'
            found.append(f'<tr{current}><th scope="row">{label}</th>{row.html}</tr>\n')
        return Markup("".join(found))  # noqa: S704  each has escaped its own


class Panel(Struct, frozen=True, kw_only=True):
    """One mall: the same figures as picture and as table. ``href``: the page of this mall alone."""

    title: str
    href: str | None = None
    series: tuple[Heading, ...]
    chart: Chart
    table: Table


def read_days(first: str, last: str, *, today: date, default: int) -> tuple[date, date]:
    """The first and the last day of an address; without a word the last is today, and ``default`` days are told.

    Raises: SpanError for what is no date.
    """
    try:
        until = date.fromisoformat(last) if last else today
        since = date.fromisoformat(first) if first else until - timedelta(days=default - 1)
    except (ValueError, OverflowError):
        raise SpanError("no_time", "not a date") from None
    return since, until


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

"""Every figure against an example that was counted by hand, and every figure against its rows."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import ABSENT, Counted, How, as_text, dimension_of, facts_behind, rank, tabulate
from hub.stats.kpi import definitions_of, kpis
from hub.stats.report import Around, read_report
from hub.store.database import Database
from tests.stats.worked import COUNTRIES, SEOUL, counted_of, read_worked, store

WORKED = read_worked("worked.toml")


@pytest.fixture
async def worked(database: Database) -> Counted:
    await store(database, WORKED)
    return counted_of(database, WORKED)


async def test_every_figure_is_what_was_counted_by_hand(worked: Counted):
    for name, expected in WORKED["expected"].items():
        report = FACT_REPORTS[name]
        by = report.read_by(expected["by"])

        found = await tabulate(report, worked, by=by)

        shown = [[ABSENT if value is None else value for value in row.values()] for row in found]
        assert [row for row in shown if expected.get("where") in (None, *row)] == expected["rows"], name


async def test_a_figure_opens_to_as_many_rows_as_it_says(worked: Counted):
    for report in FACT_REPORTS.values():
        by = report.read_by(None)
        for row in await tabulate(report, worked, by=by):
            where = {name: as_text(row[name]) or ABSENT for name in by}
            for measure in report.measures:
                facts = [fact async for fact in facts_behind(report, worked, measure=measure, where=where)]
                if measure.how is How.COUNT:
                    assert len(facts) == row[measure.name], (report.name, measure.name, where)
                elif measure.how is How.SUM:
                    assert sum(measure.value(fact) for fact in facts) == row[measure.name]
                assert all(
                    as_text(dimension_of(fact, name, SEOUL)) == where[name]
                    for fact in facts
                    for name in by
                    if where[name] != ABSENT
                )


async def test_the_mode_of_a_product_is_that_of_its_line(worked: Counted):
    found = await tabulate(FACT_REPORTS["reasons"], worked, by=("product", "mode"))

    assert [(row["product"], row["mode"], row["claims"]) for row in found if row["claims"]] == [
        ("찻잔", "consignment", 1)
    ]


async def test_bounds_shops_and_days_choose_the_facts(worked: Counted):
    replies = FACT_REPORTS["replies"]
    of_shop = msgspec.structs.replace(worked, shop="a", since=datetime(2026, 3, 9, tzinfo=SEOUL))
    by_day = await tabulate(replies, of_shop, by=("day",))
    assert [(row["day"], row["asked"]) for row in by_day] == [("2026-03-09", 1), ("2026-03-10", 1)]
    by_hour = await tabulate(replies, of_shop, by=("hour", "week", "month", "clock_hour", "weekday"))
    assert tuple(by_hour[0].values())[:5] == (
        datetime(2026, 3, 9, 10, tzinfo=UTC).replace(tzinfo=by_hour[0]["hour"].tzinfo), "2026-03-09", "2026-03", 10, 0,
    )  # fmt: skip
    assert by_hour[0]["hour"].utcoffset() == timedelta(hours=9)


async def test_wrong_questions_are_answered_by_what_there_is(worked: Counted):
    around = Around(now=WORKED["now"], countries=COUNTRIES)
    early, late = datetime(2016, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    async def ask(name: str = "replies", **given: Any) -> None:
        await read_report(worked.database, name=name, zone=SEOUL, **{"around": around, **given})

    with pytest.raises(ValueError, match="there is no mall 'nowhere'; there are: cafe24, qoo10"):
        await ask(around=Around(now=WORKED["now"], countries=COUNTRIES, mall="nowhere"))
    with pytest.raises(ValueError, match="there is no shop 'b'; there are: a, q"):
        await ask("inquiries", around=Around(now=WORKED["now"], shop="b"))
    with pytest.raises(ValueError, match="ends before it begins"):
        await ask(since=late, until=early)
    with pytest.raises(ValueError, match="longer than ten years"):
        await ask(since=early, until=late)
    with pytest.raises(ValueError, match="'topic' is no dimension of this report; there are: mall, shop, channel"):
        await ask(by="topic")
    with pytest.raises(ValueError, match="'nothing' is no figure"):
        FACT_REPORTS["asks"].measure("nothing")


def test_every_figure_is_defined_in_both_languages():
    figures = {(report.name, name) for report in FACT_REPORTS.values() for name in report.columns}
    assert set(kpis()) == figures
    for report in FACT_REPORTS.values():
        assert all(all(definitions_of(report, locale).values()) for locale in ("ko", "en"))
        titles = [kpis()[report.name, name].title("ko") for name in report.columns]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(("values", "median", "p90"), [([], None, None), ([5], 5, 5), (list(range(10, 0, -1)), 5, 9)])
def test_ranks_are_values_that_occurred(values: list[float], median: float | None, p90: float | None):
    assert (rank(Counter(values), 50), rank(Counter(values), 90)) == (median, p90)


def test_the_document_defines_every_figure_as_the_program_does():
    text = (Path(__file__).parents[2] / "docs/statistics.md").read_text(encoding="utf-8")
    for (report, name), kpi in kpis().items():
        part = text.partition(f"`hub stats {report}`")[2].partition("\n### ")[0]
        assert f"| `{name}` | {kpi.ko} | {kpi.definition('en')} |" in part, (report, name)


def test_every_report_stands_among_the_links_of_the_statistics():
    text = (Path(__file__).parents[2] / "hub/web/templates/partials/stats_nav.html").read_text(encoding="utf-8")
    assert set(FACT_REPORTS) <= set(re.findall(r'"([a-z-]+)"', text))

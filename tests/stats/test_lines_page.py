import io
import re
from datetime import date, timedelta
from html import unescape

import pytest
from python_calamine import CalamineWorkbook

from hub.desk.access import Role
from hub.stats.call_figures import LINE_COLUMNS
from hub.stats.call_lines import RATES, Formula
from hub.stats.staffing import COLUMNS
from hub.web.words import LOCALES, Words
from ivr.topics import NO_LINE_MATTERS, ORDER_MATTERS, ORDER_REASONS
from tests.api.conftest import SignIn

LAST = date(2026, 11, 20)
DAYS = f"first={LAST - timedelta(days=6)}&last={LAST}"
CELL = re.compile(r'<td class="num[^"]*"><a href="([^"]+)"[^>]*>([\d,]+)</a></td>')
TOTAL = re.compile(r'<span class="rows-total">([\d,]+)건</span>')


def number(text: str) -> int:
    return int(text.replace(",", ""))


async def test_every_figure_opens_to_as_many_calls_as_it_says(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    html = (await supervisor.get(f"/stats/lines?{DAYS}&within=35&repeat=5")).text
    figures = sorted({(unescape(href), number(count)) for href, count in CELL.findall(html)})
    assert len(figures) > 60

    kinds = {re.sub(r"(mall|from|to|line)=[^&]*", "", href): (href, count) for href, count in figures}
    for href, count in list(kinds.values())[:45]:
        shown = TOTAL.search((await supervisor.get(href)).text)
        assert shown is not None, href
        assert (href, number(shown.group(1))) == (href, count)


@pytest.mark.parametrize("report", ["lines", "topics", "staffing"])
async def test_a_file_holds_the_figures_of_the_screen(sign_in: SignIn, report: str):
    supervisor = await sign_in(Role.SUPERVISOR)
    html = (await supervisor.get(f"/stats/lines?{DAYS}&formula=with_early&within=35")).text
    (address,) = re.findall(rf'href="(/stats/lines/export[^"]*report={report})"', html)

    answer = await supervisor.get(unescape(address))

    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    heads, cells = rows[0], [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert cells
    shown = {number(count) for _, count in CELL.findall(html)}
    column = {"lines": "offered_queue", "topics": "answered", "staffing": "calls"}[report]
    assert column in heads
    assert {int(row[column]) for row in cells if row[column]} <= shown
    if report == "lines":
        assert {(row["formula"], row["within_seconds"]) for row in cells} == {("with_early", 35)}


@pytest.mark.parametrize(
    "query",
    ["within=-1", "within=x", "formula=best", "target=100", "agents=1.5", "repeat=0", "shrinkage=100", "first=x",
     "first=2026-11-20&last=2026-11-01", "first=2020-01-01&last=2026-01-01", "agents=99999"],
)  # fmt: skip
async def test_wrong_wishes_are_named(sign_in: SignIn, query: str):
    supervisor = await sign_in(Role.SUPERVISOR)
    page = await supervisor.get(f"/stats/lines?{query}")
    file = await supervisor.get(f"/stats/lines/export?{query}")

    assert (page.status_code, file.status_code) == (422, 422)
    assert 'role="alert"' in page.text


@pytest.mark.parametrize("query", ["hour=24", "hour=-1", "hour=x", "figure=no", "within=nan"])
async def test_wrong_addresses_of_calls_are_refused(sign_in: SignIn, query: str):
    supervisor = await sign_in(Role.SUPERVISOR)
    answer = await supervisor.get(f"/stats/calls?from=2026-11-20&to=2026-11-21&{query}")

    assert answer.status_code == 422


async def test_agents_see_no_figures_of_the_centre(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)

    assert (await agent.get("/stats/lines")).status_code == 403
    assert (await agent.get("/stats/lines/export")).status_code == 403


async def test_every_word_of_the_page_is_in_the_tables(sign_in: SignIn):
    html = (await (await sign_in(Role.SUPERVISOR)).get(f"/stats/lines?{DAYS}")).text

    for locale in LOCALES:
        words = Words(locale)
        keys = [
            *(f"stats.figure.{figure.value}" for figure in LINE_COLUMNS),
            *(f"stats.define.{figure.value}" for figure in LINE_COLUMNS),
            *(f"stats.{part}.{rate}" for part in ("rate", "define") for rate in RATES if rate != "service_level"),
            *(f"stats.define.service_level_{formula.value}" for formula in Formula),
            *(f"stats.formula.{formula.value}" for formula in Formula),
            *(f"stats.need.{name}" for name in COLUMNS),
            *(f"stats.topic.{matter}" for matter in (*ORDER_MATTERS, *NO_LINE_MATTERS)),
            *(f"stats.topic_reason.{reason}" for reason in ORDER_REASONS),
        ]
        assert [key for key in keys if not words.has(key)] == []
        if locale == "ko":
            assert all(words(f"stats.figure.{figure.value}") in html for figure in LINE_COLUMNS)
    assert "{within}" not in html

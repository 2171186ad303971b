import io
import re
from datetime import date, timedelta
from html import unescape
from itertools import product

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.desk.access import Role
from hub.stats.call_figures import COLUMNS
from hub.stats.definitions import DEFINITIONS
from hub.stats.inquiries import Channel
from hub.store.tables import access_log, calls, inquiries
from hub.web.stats.chart import Column, Part, stacked_bars
from hub.web.words import LOCALES, Words
from tests.api.conftest import NOW, SignIn

LAST = date(2026, 11, 20)
PAGE = f"/stats?first={LAST - timedelta(days=6)}&last={LAST}"
CELL = re.compile(r'<td class="num[^"]*"><a href="([^"]+)">([\d,]+)</a></td>')
BAR = re.compile(r'<a href="([^"]+)" tabindex="-1"><title>[^<]*? ([\d,]+)건</title>')
TOTAL = re.compile(r'<span class="rows-total">([\d,]+)건</span>')


def number(text: str) -> int:
    return int(text.replace(",", ""))


def rows_of(html: str) -> int:
    return html.partition("<tbody>")[2].count("<tr><td")


async def test_every_cell_and_every_bar_opens_to_as_many_rows_as_it_says(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    html = (await supervisor.get(PAGE)).text
    figures = {(unescape(href), number(count)) for href, count in CELL.findall(html) + BAR.findall(html)}
    assert len(figures) > 100

    # a sample that holds every kind of link; all of them would take minutes
    for href, count in sorted(figures, key=lambda figure: hash_of(figure[0]))[:60]:
        answer = await supervisor.get(href)
        shown = TOTAL.search(answer.text)
        assert shown is not None, href
        assert (href, number(shown.group(1))) == (href, count)
        assert rows_of(answer.text) == min(count, 100), href


async def test_a_long_span_shows_malls_by_week_and_loses_no_figure(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    html = (await supervisor.get(f"/stats?first={LAST - timedelta(days=45)}&last={LAST}")).text
    days, *weeks = html.partition('id="calls-title"')[0].split('<section class="card panel">')[1:]

    # All malls by day, each by week: the same inquiries and calls.
    assert (days.count('scope="row"'), {table.count('scope="row"') for table in weeks}) == (46 + 1, {7 + 1})
    assert len(weeks) > 1
    assert sums(days) == [sum(of_malls) for of_malls in zip(*map(sums, weeks), strict=True)] != [0, 0]
    # The hours are those of all malls together; each mall has a page of its own.
    hours = html.partition('id="calls-title"')[2].partition('id="ends-title"')[0]
    assert hours.count("<h3>") == 1
    assert len(re.findall(r'<a href="/stats\?[^"]+#calls-title">', hours)) == len(weeks)
    for part in (days, weeks[0], weeks[-1], hours):
        for of in (CELL, BAR):
            href, count = max(of.findall(part.partition("<tfoot>")[0]), key=lambda figure: number(figure[1]))
            rows = TOTAL.search((await supervisor.get(unescape(href))).text)
            assert rows is not None
            assert rows.group(1) == count, href
    # A week opens the page of its days.
    last = weeks[0].partition("<tfoot>")[0].rpartition("<tr>")[2]
    week = re.search(r'scope="row"><a href="([^"]+)" title="이 기간을', last)
    assert week is not None
    own = (await supervisor.get(unescape(week.group(1)))).text.partition('id="calls-title"')[0]
    assert (own.count('<section class="card panel">'), sums(own)) == (1, sums("<tfoot>" + last))


def sums(panel: str) -> list[int]:
    """Of a panel's last row: inquiries and calls."""
    cells = re.findall(r'is-sum[^"]*">(?:<a [^>]+>)?([\d,]+)', panel.partition("<tfoot>")[2])
    return [number(cell) for cell in cells]


def hash_of(text: str) -> int:
    return sum(place * ord(char) for place, char in enumerate(text)) % 9973


async def test_the_totals_of_the_page_are_those_of_the_tables(hub: Hub, sign_in: SignIn):
    html = (await (await sign_in(Role.SUPERVISOR)).get(PAGE)).text
    first = html.partition("<tfoot>")[2].partition("</tfoot>")[0]
    totals = [number(count) for count in re.findall(r">([\d,]+)(?:</a>)?</td>", first)]

    since, until = (NOW.timestamp() - 14 * 3600 - 6 * 86400) * 1000, (NOW.timestamp() + 10 * 3600) * 1000
    async with hub.database.reading() as connection:
        asked = (await connection.execute(select(inquiries.c.asked_at))).scalars().all()
        entered = (await connection.execute(select(calls.c.entered_at).where(calls.c.result.is_not(None)))).scalars()
        phoned = [at for at in entered if since <= at < until]
    assert totals[3] == sum(totals[:3]) == sum(since <= at < until for at in asked)
    assert totals[-1] == sum(totals[4:-1]) == len(phoned) > 0


async def test_the_file_holds_the_rows_of_the_screen_and_the_log_knows_who_took_it(hub: Hub, sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    span = "from=2026-11-14T00:00:00%2B09:00&to=2026-11-21T00:00:00%2B09:00"

    for kind in ("calls", "inquiries"):
        page = (await supervisor.get(f"/stats/{kind}?{span}")).text
        file = await supervisor.get(f"/stats/{kind}/export?{span}")

        shown = TOTAL.search(page)
        assert shown is not None
        rows = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
        assert file.headers["content-disposition"] == f'attachment; filename="{kind}.xlsx"'
        assert len(rows) - 1 == number(shown.group(1)) > 0
        assert "01012345678" not in str(rows)
    async with hub.database.reading() as connection:
        logged = (await connection.execute(select(access_log.c.login, access_log.c.action, access_log.c.subject))).all()
    assert {("supervisor", "export", f"export statistics {kind}") for kind in ("calls", "inquiries")} <= {
        tuple(row) for row in logged
    }


@pytest.mark.parametrize(
    "path", ["/stats", "/stats/calls", "/stats/inquiries", "/stats/calls/export", "/stats/inquiries/export"]
)
async def test_an_agent_sees_no_figures(sign_in: SignIn, path: str):
    agent = await sign_in(Role.AGENT)

    assert (await agent.get(path)).status_code == 403
    assert 'href="/stats"' not in (await agent.get("/cases")).text


@pytest.mark.parametrize("path", ["/stats", "/stats/calls", "/stats/calls/export"])
async def test_a_stranger_is_sent_to_sign_in(stranger, path: str):
    answer = await stranger.get(path, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?first=2026-11-21&last=2026-11-20", "시작일이 종료일보다 늦습니다"),
        ("?first=2020-01-01&last=2026-11-20", "92일 이내로"),
        ("?first=0001-01-01&last=9999-12-31", "날짜를 이해하지 못했습니다"),
        ("?first=yesterday", "날짜를 이해하지 못했습니다"),
        ("?last=0001-01-01", "날짜를 이해하지 못했습니다"),
        ("/calls", "날짜를 이해하지 못했습니다"),
        ("/calls?from=2026-11-20&to=2026-11-21&figure=nothing", "주소가 잘못되었습니다"),
        ("/calls?from=2026-11-20&to=2026-11-21&after=nothing", "주소가 잘못되었습니다"),
        ("/inquiries?from=2026-11-21&to=2026-11-20", "시작일이 종료일보다 늦습니다"),
        ("/inquiries?from=2020-01-01&to=2026-11-20", "400일 이내로"),
        ("/calls/export?from=x&to=y", "날짜를 이해하지 못했습니다"),
    ],
)
async def test_what_cannot_be_counted_says_so(sign_in: SignIn, query: str, words: str):
    answer = await (await sign_in(Role.SUPERVISOR)).get(f"/stats{query}")

    assert answer.status_code == 422
    assert words in answer.text


async def test_days_without_anything_say_so(sign_in: SignIn):
    answer = await (await sign_in(Role.SUPERVISOR)).get("/stats?first=2025-01-01&last=2025-01-02")

    assert answer.status_code == 200
    assert "이 기간에 들어온 문의와 전화가 없습니다" in answer.text
    assert "이 날에 끝난 전화가 없습니다" in answer.text


async def test_a_mall_and_a_day_can_be_picked(sign_in: SignIn):
    answer = await (await sign_in(Role.SUPERVISOR)).get(f"{PAGE}&mall=smartstore&day=2026-11-18")

    titles = re.findall(r"panel-head\"><h3>([^<]+)</h3>", answer.text)
    assert titles == ["네이버 스마트스토어", "네이버 스마트스토어"]
    assert "<strong>2026-11-18 수</strong>" in answer.text


async def test_the_page_carries_neither_script_nor_style_and_takes_words_as_words(sign_in: SignIn):
    answer = await (await sign_in(Role.SUPERVISOR)).get(f"{PAGE}&mall=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in answer.text
    assert not re.search(r"\sstyle=|\son\w+=|<style", answer.text)


def test_every_figure_has_a_name_and_a_definition_in_every_language():
    names = [*COLUMNS, "inquiries", "other"]
    for locale, name in product(LOCALES, names):
        words = Words(locale)
        assert words.has(f"stats.figure.{name}"), (locale, name)
        assert words.has(f"stats.define.{name}"), (locale, name)
    for locale, channel in product(LOCALES, Channel):
        assert Words(locale).has(f"stats.channel.{channel.value}")
    assert set(DEFINITIONS) == {*COLUMNS, "inquiries"}


# The chart.


def column(*values: int) -> Column:
    return Column(
        label="x", parts=tuple(Part(series=f"s{n}", value=v, href="#", title="t") for n, v in enumerate(values))
    )


def test_bars_are_as_tall_as_their_values_and_stand_on_each_other():
    chart = stacked_bars([column(10, 30), column(0, 40)], height=224)

    tall = {(bar.x, bar.series): bar for bar in chart.bars}
    assert len(tall) == 3, "a part without a value has no bar"
    left = sorted(chart.bars, key=lambda bar: bar.x)[:2]
    assert [round(bar.height / left[0].height) for bar in left] == [1, 3]
    assert left[0].y + left[0].height == pytest.approx(chart.base, abs=0.2)
    assert left[1].y + left[1].height == pytest.approx(left[0].y, abs=0.2)
    assert chart.levels[-1].text == "40"


@pytest.mark.parametrize(("most", "top"), [(0, "4"), (1, "4"), (5, "8"), (9, "20"), (81, "200"), (1001, "2,000")])
def test_the_scale_ends_at_a_round_number_above_the_tallest_bar(most: int, top: str):
    assert stacked_bars([column(most)]).levels[-1].text == top


def test_many_columns_keep_their_labels_apart():
    chart = stacked_bars([column(1) for _ in range(92)])

    gaps = [b.at - a.at for a, b in zip(chart.labels, chart.labels[1:], strict=False)]
    assert len(chart.bars) == 92
    assert min(gaps) >= 38


def test_a_column_with_one_address_draws_its_parts_without_any():
    parts = (Part(series="a", value=10), Part(series="b", value=30))
    html = stacked_bars([Column(label="x", parts=parts, href="/x?a=1&b=2", title="a < b")]).html

    assert html.count("<path ") == 2
    assert html.count("<a ") == html.count("<rect ") == 1
    assert '<a href="/x?a=1&amp;b=2" tabindex="-1"><title>a &lt; b</title>' in html


def test_a_chart_without_columns_has_no_bars():
    assert stacked_bars([]).bars == ()

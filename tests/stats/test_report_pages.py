"""The pages of the reports: a figure opens to its rows, the files are the screen, wrong addresses say why."""

import io
import re
from html import unescape

import pytest
from python_calamine import CalamineWorkbook

from hub.desk.access import Role
from hub.stats.csv_file import csv_chunks
from hub.stats.fact_reports import FACT_REPORTS
from hub.web.stats.charts import heat_map, pareto, trend
from tests.api.conftest import SignIn

SPAN = "first=2026-10-20&last=2026-11-20"
LINK = re.compile(r'<td class="num[^"]*"><a href="([^"]+)">([\d,.%]+)</a></td>')
TOTAL = re.compile(r'<span class="rows-total">([\d,]+)건</span>')


def number(text: str) -> int:
    return int(text.replace(",", ""))


async def test_every_report_shows_figures_that_open_to_their_rows_and_files_that_hold_them(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    opened = 0
    for name in FACT_REPORTS:
        page = await supervisor.get(f"/stats/reports/{name}?{SPAN}")
        assert page.status_code == 200, name
        counts = [(unescape(href), text) for href, text in LINK.findall(page.text) if re.fullmatch(r"[\d,]+", text)]
        for href, text in [each for each in counts if each[0].endswith(("asked", "matters")) or "is_" in each[0]][:2]:
            rows = await supervisor.get(href)
            shown = TOTAL.search(rows.text)
            assert shown is not None, href
            if not any(word in href for word in ("_median", "_minor", "_minutes", "_p90", "_mean", "days_")):
                assert number(shown.group(1)) == number(text), href
                opened += 1
    assert opened > 5

    rows_of = "/stats/reports/reasons/rows?" + SPAN + "&figure=claims"
    shown = TOTAL.search((await supervisor.get(rows_of)).text)
    file = await supervisor.get(rows_of.replace("/rows?", "/rows/export?"))
    text = await supervisor.get(rows_of.replace("/rows?", "/rows/export?") + "&format=csv")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert shown is not None
    assert len(sheet) - 1 == len(text.text.strip().splitlines()) - 1 == number(shown.group(1)) > 0
    assert text.headers["content-disposition"] == 'attachment; filename="reasons-rows.csv"'


async def test_rows_tell_in_words_what_is_stored_as_codes(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)

    causes = (await supervisor.get(f"/stats/reports/claim-causes/rows?{SPAN}&figure=claims")).text
    late = (await supervisor.get(f"/stats/reports/dispatch/rows?{SPAN}&figure=on_time")).text

    body = causes.partition("<tbody>")[2]
    assert re.search("<td>(?:취소|반품|교환)</td>", body)
    assert not re.search("<td>(?:cancel|return|exchange|product|delivery|expectation|late|unknown)</td>", body)
    assert "기한 내" in late.partition("<tbody>")[2]


async def test_the_table_in_the_file_is_that_of_the_screen(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    page = (await supervisor.get(f"/stats/reports/replies?{SPAN}&by=channel")).text
    file = await supervisor.get(f"/stats/reports/replies/export?{SPAN}&by=channel")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()

    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    asked = [number(re.findall(r">([\d,]+)</a>", row)[0]) for row in body.split("<tr>")[1:]]
    assert [int(row[1]) for row in sheet[1:]] == asked
    assert sum(asked) > 0


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("reports/replies?first=2026-11-02&last=2026-11-01", 422, "시작일이 종료일보다"),
        ("reports/replies?first=2020-01-01&last=2026-11-01", 422, "400일"),
        ("reports/replies?first=today", 422, "2026-11-22"),
        ("reports/replies?mall=nowhere", 422, "그런 쇼핑몰이 없습니다"),
        ("reports/replies?by=topic", 422, "주소가 잘못"),
        ("reports/nothing", 404, ""),
        ("reports/replies/rows?figure=nothing", 422, "주소가 잘못"),
        ("reports/replies/rows?is_nothing=1", 422, "주소가 잘못"),
        ("pattern?channel=letter", 422, "주소가 잘못"),
        ("pattern?first=2026-01-01&last=2026-11-01", 422, "92일"),
        ("inquiries?from=2026-11-01&to=2026-11-02&weekday=7", 422, "주소가 잘못"),
        ("calls?from=2026-11-01&to=2026-11-02&caller=nobody", 422, "주소가 잘못"),
        ("arrivals?from=2026-11-01&to=2026-11-02&after=1~", 422, "주소가 잘못"),
        ("order-line?first=2026-11-02&last=2026-11-01", 422, "시작일이 종료일보다"),
    ],
)
async def test_a_wrong_address_says_why(sign_in: SignIn, address: str, status: int, words: str):
    answer = await (await sign_in(Role.SUPERVISOR)).get(f"/stats/{address}")

    assert answer.status_code == status
    assert words in answer.text


async def test_the_week_opens_hour_by_hour_with_one_channel_or_all(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    for channel in ("&channel=order_inquiry", ""):
        page = (await supervisor.get(f"/stats/pattern?{SPAN}{channel}")).text
        cells = re.findall(r'<a href="([^"]*weekday[^"]*)"[^>]*>\s*<g><title>[^<]* ([\d,]+)건</title>', page)
        assert cells
        for href, count in cells[:2]:
            shown = TOTAL.search((await supervisor.get(unescape(href))).text)
            assert shown is not None
            assert number(shown.group(1)) == number(count)
        whole = TOTAL.search(page)
        assert whole is not None
        assert sum(number(count) for _, count in cells) == number(whole.group(1))


async def test_a_supervisor_counts_anew_and_an_agent_does_not(sign_in: SignIn):
    supervisor, agent = await sign_in(Role.SUPERVISOR), await sign_in(Role.AGENT)

    before = (await supervisor.get("/stats/counts")).text
    token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', before)
    assert token is not None
    answer = await supervisor.post("/stats/counts", data={"_csrf_token": token.group(1)})
    assert answer.status_code == 200
    assert answer.text.count("<td>사람</td>") == before.count("<td>사람</td>") + 1
    refused = await supervisor.post("/stats/counts", data={"_csrf_token": "0" * 64})
    assert refused.status_code == 403
    assert (await agent.get("/stats/counts")).status_code == 403
    assert (await agent.get("/stats/reports/replies")).status_code == 403


async def test_what_looks_like_a_formula_is_text():
    async def rows():
        yield {"a": "=HYPERLINK(1)", "b": -5, "c": None, "d": "-1+2", "e": True}

    text = b"".join([chunk async for chunk in csv_chunks(("a", "b", "c", "d", "e"), rows())]).decode("utf-8-sig")

    assert text.splitlines() == ["a,b,c,d,e", "'=HYPERLINK(1),-5,,'-1+2,true"]


def test_pictures_are_drawn_to_their_numbers():
    ranked = pareto([("a", 1, None), ("b", 3, "/b"), ("c", 0, None)])
    assert [(bar.label, bar.width, bar.share) for bar in ranked.bars] == [("b", 380.0, "75%"), ("a", 126.7, "100%")]

    titles = {(row, column): "" for row in range(2) for column in range(2)}
    heat = heat_map({(0, 0): 4, (1, 1): 1}, rows="ab", columns="xy", titles=titles, hrefs={(0, 0): "/x", (0, 1): "/y"})
    assert [(cell.level, cell.href) for cell in heat.cells] == [(4, "/x"), (0, None), (0, None), (1, None)]

    drawn = trend({"now": [0, 4]}, labels="ab", titles={"now": "ab"}, hrefs={"now": ["/a", "/b"]})
    assert [point.href for point in drawn.curves[0].points] == [None, "/b"]
    assert drawn.curves[0].points[1].y == 10.0
    assert drawn.curves[0].points[0].y == drawn.base

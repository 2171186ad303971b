"""A supervisor reads a figure, opens it to its rows, and takes the same rows away as a file."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from python_calamine import CalamineWorkbook

from tests.journeys.conftest import Window
from tests.journeys.window import Locator, Page, expect

SEOUL = ZoneInfo("Asia/Seoul")


def _number(cell: Locator) -> int:
    return _count(cell.inner_text())


def _count(text: str) -> int:
    return int(text.replace(",", ""))


def _busiest_day(page: Page) -> None:
    """Open the day with the most calls in the table of all malls."""
    days = page.locator("section[aria-labelledby=inquiries-title] .panel").first.locator("tbody tr")
    calls = [int(text.replace(",", "")) for text in days.locator("td:last-child").all_inner_texts()]
    days.nth(calls.index(max(calls))).get_by_role("rowheader").get_by_role("link").click()
    expect(page.locator("section[aria-labelledby=calls-title] .panel")).not_to_have_count(0)
    page.wait_for_load_state()


def _saved(page: Page, folder: Path) -> list[list[object]]:
    with page.expect_download() as download:
        page.locator("a[download]").first.click()
    download.value.save_as(folder / "rows.xlsx")
    return list(CalamineWorkbook.from_path(folder / "rows.xlsx").get_sheet_by_index(0).to_python())


def test_the_order_lines_calls_of_a_day_open_to_as_many_rows_and_as_many_in_the_file(
    supervisor: Window, tmp_path: Path
) -> None:
    page = supervisor.go("/stats")
    _busiest_day(page)
    panel = page.locator("section[aria-labelledby=calls-title] .panel").first
    figure = panel.locator("tfoot td a").first  # offered on the order line, the whole day
    shown = _number(figure)
    assert shown > 0

    figure.click()

    expect(page.locator(".rows-total")).to_have_text(f"{shown:,}건")
    expect(page.locator("main tbody tr")).to_have_count(shown)
    shown_rows = [row.locator("td").all_inner_texts() for row in page.locator("main tbody tr").all()]
    assert {cells[3] for cells in shown_rows} == {"주문 라인"}
    heads, *rows = _saved(page, tmp_path)
    assert len({row[0] for row in rows}) == len(rows) == shown
    # Call by call: when it came, by which number, who took it, from whom.
    for cells, row in zip(shown_rows, rows, strict=True):
        call = dict(zip(heads, row, strict=True))
        entered = datetime.fromisoformat(str(call["entered_at"])).astimezone(SEOUL)
        told = (f"{entered:%m-%d %H:%M:%S}", call["did"], call["agent"] or "–", call["caller"] or "–")
        assert (cells[0], cells[1], cells[10], cells[11]) == told


def test_the_question_of_the_order_line_is_answered_three_clicks_from_the_front_page(supervisor: Window) -> None:
    page = supervisor.go("/")

    page.get_by_role("navigation").get_by_role("link", name="통계", exact=True).click()
    page.get_by_role("link", name="주문 라인", exact=True).click()

    expect(page.get_by_role("heading", name="웹·앱 주문이 불편한가, 고객이 아직 낯선가")).to_be_visible()
    page.wait_for_load_state()
    answer = page.locator(".order-answer").inner_text()
    callers = page.locator("section[aria-labelledby=callers-title] tbody tr")
    new, known, withheld = ([*map(_count, row.locator("td").all_inner_texts()[:3])] for row in callers.all())
    for answered, _, assist in (new, known):
        assert f"{answered:,}건 중 {assist:,}건" in answer
    ages = page.locator("section[aria-labelledby=ages-title] tbody tr").all()
    of_ages = [[*map(_count, row.locator("td").all_inner_texts()[:3])] for row in ages]
    assert [sum(column) for column in zip(*of_ages, strict=True)] == [
        sum(column) for column in zip(new, known, withheld, strict=True)
    ]

    figure = callers.locator("td:nth-child(4) a").first  # could not order by web or app
    shown = _number(figure)
    figure.click()

    expect(page.locator(".rows-total")).to_have_text(f"{shown:,}건")


def test_a_bar_of_the_chart_opens_to_the_same_rows_as_its_cell(supervisor: Window) -> None:
    page = supervisor.go("/stats")
    _busiest_day(page)
    panel = page.locator("section[aria-labelledby=calls-title] .panel").first
    cells = {link.get_attribute("href"): _number(link) for link in panel.locator("tbody td a").all()}
    bars = panel.locator("svg.chart a")

    for bar in bars.all():
        assert f"{cells[bar.get_attribute('href')]:,}건" in bar.locator("title").text_content()
    assert bars.count() > 0


def test_inquiries_of_a_mall_open_to_their_rows_and_each_row_to_its_case(supervisor: Window, tmp_path: Path) -> None:
    page = supervisor.go("/stats?mall=smartstore")
    figure = page.locator("section[aria-labelledby=inquiries-title] tfoot td.is-sum a").first
    shown = _number(figure)

    figure.click()

    expect(page.locator("main tbody tr")).to_have_count(shown)
    assert len(_saved(page, tmp_path)) == 1 + shown
    page.locator("main tbody").get_by_role("link").first.click()
    expect(page.locator(".case-title h1")).to_be_visible()


def test_a_span_that_is_none_says_so(supervisor: Window) -> None:
    supervisor.expect_trouble("422")

    page = supervisor.go("/stats?first=2026-13-45")

    expect(page.get_by_role("alert").filter(visible=True)).to_be_visible()
    expect(page.locator("form.span-form[method=get]")).to_be_visible()

"""A supervisor reads a figure, opens it to its rows, and takes the same rows away as a file."""

from pathlib import Path

from python_calamine import CalamineWorkbook

from tests.journeys.conftest import Window
from tests.journeys.window import Locator, Page, expect


def _number(cell: Locator) -> int:
    return int(cell.inner_text().replace(",", ""))


def _busiest_day(page: Page) -> None:
    """Open the day with the most calls in the table of all malls."""
    days = page.locator("section[aria-labelledby=inquiries-title] .panel").first.locator("tbody tr")
    calls = [int(text.replace(",", "")) for text in days.locator("td:last-child").all_inner_texts()]
    days.nth(calls.index(max(calls))).get_by_role("rowheader").get_by_role("link").click()
    expect(page.locator("section[aria-labelledby=calls-title] .panel")).not_to_have_count(0)


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
    for line in page.locator("main tbody tr td:nth-child(4)").all_inner_texts():
        assert line == "주문 라인"
    rows = _saved(page, tmp_path)
    assert len(rows) == 1 + shown
    assert len({row[0] for row in rows}) == 1 + shown


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
    expect(page.locator(".span-form")).to_be_visible()

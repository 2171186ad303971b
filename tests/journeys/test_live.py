"""What a colleague does appears at once, where it stands, and nothing that is typed is lost."""

from tests.journeys.conftest import Window
from tests.journeys.window import expect


def test_a_colleague_takes_a_case_and_the_list_shows_it(agent: Window, supervisor: Window) -> None:
    page, other = agent.go("/cases?view=unassigned"), supervisor.page
    row = page.locator("[data-row]").first
    href = row.get_attribute("href") or ""
    row.focus()
    other.goto(supervisor.desk.url + href)

    other.locator("[data-key=take]").click()

    expect(page.locator(f"#{row.get_attribute('id')} .owner")).to_be_visible(timeout=1_500)
    expect(page.locator(f"#{row.get_attribute('id')}")).to_be_focused()


def test_a_lost_stream_says_so_and_comes_back(agent: Window) -> None:
    page = agent.page
    page.route("**/live", lambda route: route.abort())
    agent.expect_trouble("/live|ERR_FAILED")
    agent.go("/cases")
    expect(page.locator("#live")).to_be_visible()

    page.unroute("**/live")

    expect(page.locator("#live")).to_be_hidden(timeout=10_000)

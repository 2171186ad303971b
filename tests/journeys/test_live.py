"""What a colleague does appears at once, where it stands, and nothing that is typed is lost."""

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.scene import Scene
from tests.journeys.window import expect


def test_a_colleague_takes_a_case_and_the_list_shows_it(agent: Window, supervisor: Window) -> None:
    page, other = agent.go("/cases?view=unassigned"), supervisor.page
    row = page.locator("[data-row]").first
    href = row.get_attribute("href") or ""
    row.focus()
    other.goto(supervisor.desk.url + href)

    other.locator("[data-key=take]").click()

    expect(page.locator(f"#{row.get_attribute('id')} .owner")).to_be_visible()
    expect(page.locator(f"#{row.get_attribute('id')}")).to_be_focused()


def test_what_another_window_sends_shows_at_once_beside_what_is_being_typed(
    agent: Window, open_window: OpenWindow, scene: Scene
) -> None:
    page, other = agent.go("/cases"), open_window("agent").page
    page.locator("[data-row]", has_text=scene.watched.subject).click()
    expect(page.locator(".message.from-customer")).to_contain_text(scene.watched.text)
    page.locator("#reply").click()
    page.keyboard.type("네, 다시 보내 드")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("body")).to_have_attribute("data-live", "on")
    other.goto(page.url)
    # Two windows of one person: the case is theirs in both.
    other.locator("#reply").fill("네, 다시 발급해 드렸습니다.")

    other.keyboard.press("Control+Enter")
    expect(other.locator("#notice")).to_contain_text("처리했습니다", timeout=15_000)

    expect(page.locator("#timeline .outcome-done")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    expect(page.locator("#reply")).to_be_focused()
    page.keyboard.type("!")
    expect(page.locator("#reply")).to_have_value("네, 다시 보내 !드")


def test_a_lost_stream_says_so_and_comes_back(agent: Window) -> None:
    page = agent.page
    page.route("**/live", lambda route: route.abort())
    agent.expect_trouble("/live|ERR_FAILED")
    agent.go("/cases")
    expect(page.locator("#live")).to_be_visible()

    page.unroute("**/live")

    expect(page.locator("#live")).to_be_hidden(timeout=10_000)


def test_a_colleagues_promise_shows_at_once_and_an_open_form_stays(
    agent: Window, supervisor: Window, scene: Scene
) -> None:
    page, other = agent.go("/cases"), supervisor.page
    page.locator("[data-row]", has_text=scene.promised.subject).click()
    form = page.locator("#case-offers details.offer-open:visible").first
    expect(page.locator("body")).to_have_attribute("data-live", "on")
    expect(page.locator("#case-offers")).to_be_visible()
    folded = page.locator("#case-offers details.offer-group > summary").first
    if folded.is_visible():
        folded.click()
    form.locator("> summary").click()
    expect(form).to_have_attribute("open", "")
    other.goto(page.url)

    other.keyboard.press("p")
    other.keyboard.type("+30m")
    other.keyboard.press("Enter")
    expect(other.locator("#notice")).to_contain_text("약속을 남겼습니다")

    expect(page.locator("#case-promises .promise")).to_contain_text("고객에게")
    expect(form).to_have_attribute("open", "")

"""Two agents reach for one case: one gets it, the other reads, and what is half written survives."""

from tests.journeys.conftest import Window
from tests.journeys.scene import Scene
from tests.journeys.stack import Town
from tests.journeys.window import Locator, Page, expect

#: a busy machine takes its time to open a case
_OPENED_MS = 20_000


def _row(page: Page, scene: Scene) -> Locator:
    return page.locator("[data-row]", has_text=scene.raced.subject)


def _open(page: Page, scene: Scene) -> None:
    _row(page, scene).click()


def test_two_agents_race_for_one_case(agent: Window, supervisor: Window, town: Town, scene: Scene) -> None:
    pages = [agent.go("/cases?kind=inquiry"), supervisor.go("/cases?kind=inquiry")]
    for page in pages:
        expect(page.locator("body")).to_have_attribute("data-live", "on")

    page, other = pages
    _open(page, scene)
    expect(page.locator("#case-lock")).to_have_attribute("data-lock", "mine", timeout=_OPENED_MS)
    _open(other, scene)
    expect(other.locator("#case-lock")).to_have_attribute("data-lock", "others", timeout=_OPENED_MS)
    expect(other.locator("#case-lock")).to_contain_text("김상담 님이 처리 중")
    expect(other.locator("#reply")).to_have_count(0)
    expect(_row(other, scene).locator(".lock-mark")).to_have_text("김상담")

    # A second after typing stops it is on the server; the browser falls over and nothing is lost.
    page.locator("#reply").fill("네, 오늘 보내 드")
    expect(page.locator("#draft-state [data-saved]")).to_be_visible()
    page.goto("about:blank")
    page.goto(f"{agent.desk.url}/cases?kind=inquiry")
    _open(page, scene)
    expect(page.locator("#reply")).to_have_value("네, 오늘 보내 드", timeout=_OPENED_MS)
    expect(page.locator("#draft-state")).to_contain_text("저장됨")

    # The other asks for the case; its holder keeps it and goes on typing.
    other.get_by_role("button", name="넘겨 달라고 하기").click()
    expect(page.locator("#case-lock [role=alert]")).to_contain_text("박슈퍼 님이 이 건을 넘겨 달라고 합니다")
    page.locator("#reply").press("Alt+k")
    expect(other.locator("#case-lock")).to_contain_text("김상담 님이 계속 처리하겠다고 했습니다")
    expect(page.locator("#reply")).to_have_value("네, 오늘 보내 드")

    page.locator("#reply").fill("네, 오늘 보내 드립니다.")
    page.locator("#reply").press("Control+Enter")

    expect(page.locator("#notice")).to_contain_text("처리했습니다", timeout=_OPENED_MS)
    expect(other.locator("#timeline .outcome-done")).to_be_visible()
    expect(page.locator("#reply")).to_have_value("")
    assert [said.text for said in scene.raced.answers] == ["네, 오늘 보내 드립니다."]
    assert len(town.heard("smartstore", "네, 오늘 보내 드립니다.")) == 1

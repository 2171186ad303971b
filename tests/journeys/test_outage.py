"""A mall falls silent in the middle of an answer: it stays pending, and is sent once when the mall is back."""

from tests.journeys.conftest import Window
from tests.journeys.scene import Scene
from tests.journeys.stack import Town
from tests.journeys.window import expect

_PATIENCE_SECONDS = 20


def test_an_answer_waits_for_its_mall_and_its_outcome_comes_by_itself(agent: Window, town: Town, scene: Scene) -> None:
    answer = "네, 보증서를 함께 넣어 드렸습니다."
    mall = town.ears["smartstore"]
    page = agent.go("/cases?kind=inquiry&shop=main-smartstore")
    page.locator("[data-row]", has_text=scene.delayed.subject).click()
    page.locator("#reply").fill(answer)

    with mall.silent():
        page.keyboard.press("Control+Enter")
        assert mall.is_asked.wait(_PATIENCE_SECONDS)
        # The impatient leave the page, and come back to see.
        page.goto(page.url)
        sending = page.locator("#timeline .action")
        expect(sending).to_have_class("event action outcome-pending")
        expect(sending).to_contain_text(answer)
        expect(page.locator("body")).to_have_attribute("data-live", "on")
        assert town.heard("smartstore", answer) == []

    expect(sending).to_have_class("event action outcome-done", timeout=_PATIENCE_SECONDS * 1000)
    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    assert [said.text for said in scene.delayed.answers] == [answer]
    assert len(town.heard("smartstore", answer)) == 1

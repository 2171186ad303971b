"""The keys that work takes: the most urgent question, and that the table is of the tasks which are counted."""

import re

from tests.journeys.conftest import Window
from tests.journeys.keystrokes import Keys, Task, told
from tests.journeys.scene import Scene
from tests.journeys.stack import Town
from tests.journeys.window import expect


def test_the_most_urgent_question_is_answered_with_a_template(agent: Window, town: Town, scene: Scene) -> None:
    keys = Keys(agent.page)
    page = agent.go("/cases?kind=inquiry")
    expect(page.locator("[data-row]").first).to_contain_text(scene.urgent.subject)
    page.wait_for_load_state()
    keys.start()

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".message-text").first).to_have_text(scene.urgent.text)
    page.keyboard.press("t")
    expect(page.locator("[data-template]").first).to_contain_text("반품 안내 - 불량·파손")
    page.keyboard.press("Enter")
    expect(page.locator("#reply")).to_have_value(re.compile("확인"))
    page.keyboard.press("Control+Enter")

    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    keys.assert_told(Task.ANSWER)
    (answer,) = scene.urgent.answers
    assert len(town.heard("smartstore", answer.text.splitlines()[1])) == 1


def test_the_table_tells_of_every_task_that_is_counted() -> None:
    assert list(told()) == list(Task)

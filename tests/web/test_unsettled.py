"""The desk holds a second answer back, says why, and sends it when a person has read that."""

import html
from typing import Any

from hub.core.contract import Outcome
from hub.core.errors import OutcomeUnknownError
from tests.desk.invented import inquiry
from tests.web.conftest import Browser

WHY = "먼저 보낸 답변의 처리 결과가 아직 확인되지 않았습니다"


def test_a_second_answer_is_asked_for_twice(agent: Browser) -> None:
    connector = agent.rig.connectors["alpha-main"]
    agent.client.blocking_portal.call(lambda: agent.rig.write("alpha-main", inquiry("Q", "언제 오나요?")))
    case_id = agent.case_id("alpha-main", thread_no="Q")

    def answer(token: str, **more: Any) -> str:
        data = {"action": "answer-inquiry", "inquiry_no": "Q", "text": "곧 갑니다", "token": token, **more}
        reply = agent.client.post(
            f"/cases/{case_id}/act",
            data={**data, "_csrf_token": agent.token()},
            headers={"HX-Request": "true"},
            follow_redirects=False,
        )
        return html.unescape(reply.text)

    connector.outcome = OutcomeUnknownError("no answer in time")
    assert WHY not in answer("one")
    connector.outcome = Outcome.DONE
    before = len(connector.sent)

    held_back = answer("two")

    assert WHY in held_back
    assert 'name="is_sure" value="1"' in held_back
    assert len(connector.sent) == before
    answer("two", is_sure="1")
    assert len(connector.sent) == before + 1

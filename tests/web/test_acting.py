"""The forms that act: asked twice where it counts, errors by the field's name, each line's outcome; and the matrix."""

import html
import re
from typing import Any

import pytest

from hub.core.errors import RejectedByMallError
from hub.core.model import LineStatus
from tests.desk.invented import inquiry, line, order
from tests.web.conftest import Browser


def write(agent: Browser, *records: Any) -> None:
    agent.client.blocking_portal.call(lambda: agent.rig.write("alpha-main", *records))


def text_of(agent: Browser, case_id: int) -> str:
    return html.unescape(agent.get(f"/cases/{case_id}").text)


@pytest.fixture
def parcel(agent: Browser) -> int:
    """The case of a question about an order of two lines that wait to be sent."""
    lines = (line("P-1", quantity=3, name="찻잔"), line("P-2", name="접시"))
    write(agent, order("P", *lines), inquiry("PQ", "언제 보내세요?", order_no="P"))
    return agent.case_id("alpha-main", thread_no="PQ")


def post(agent: Browser, case_id: int, action: str, **fields: Any) -> Any:
    """As a browser sends it: a field may stand several times."""
    data = {"action": action, "token": f"t-{action}-{len(agent.rig.connectors['alpha-main'].sent)}", **fields}
    return agent.client.post(
        f"/cases/{case_id}/act",
        data={**data, "_csrf_token": agent.token()},
        headers={"HX-Request": "true"},
        follow_redirects=False,
    )


def test_a_form_asks_for_what_the_action_needs_with_carriers_by_name(agent: Browser, parcel: int) -> None:
    text = text_of(agent, parcel)

    form = next(form for form in re.findall(r"<form.*?</form>", text, re.DOTALL) if 'value="dispatch"' in form)
    assert '<option value="0006">CJ대한통운</option>' in form
    assert re.findall(r'type="checkbox" name="line_no" value="([^"]+)"', form) == ["P-1", "P-2"]
    assert " checked" not in form
    assert "송장번호" in form
    agent.get(f"/cases/{parcel}")
    assert agent.rig.connectors["alpha-main"].listed == 1


def test_a_mall_that_does_not_tell_its_carriers_gets_a_text_field(agent: Browser, parcel: int) -> None:
    agent.rig.connectors["alpha-main"].outcome = RejectedByMallError("no")

    assert '<input name="carrier"' in text_of(agent, parcel)


def test_lines_are_sent_after_a_second_look_and_each_tells_its_outcome(agent: Browser, parcel: int) -> None:
    connector = agent.rig.connectors["alpha-main"]
    connector.outcomes = {"P-2": RejectedByMallError("no", mall_message="이미 <발송>")}
    fields = {"line_no": ["P-1", "P-2"], "carrier": "0006", "tracking_no": "600"}

    asked = html.unescape(post(agent, parcel, "dispatch", **fields).text)

    assert connector.sent == []
    for shown in ("발송 처리 — 보내기 전 확인", "찻잔", "접시", "CJ대한통운", "600", "되돌릴 수 없습니다"):
        assert shown in asked
    done = post(agent, parcel, "dispatch", **fields, is_sure="1").text
    assert "일부만 처리되었습니다" in done
    outcomes = re.findall(r'<li class="outcome-(\w+)"><span class="mono">([\w-]+)</span>', done)
    # In the notice, and in the timeline where it stays.
    assert outcomes == [("done", "P-1"), ("refused", "P-2")] * 2
    assert "이미 &lt;발송&gt;" in done
    assert len(connector.sent) == 2


@pytest.mark.parametrize(
    ("action", "fields", "says"),
    [
        ("dispatch", {"line_no": "P-1", "tracking_no": "1"}, "택배사: 입력이 필요합니다"),
        ("dispatch", {"carrier": "CJ", "tracking_no": "1"}, "주문상품: 입력이 필요합니다"),
        ("delay", {"line_no": "P-1", "ship_on": "2026-02-30"}, "발송 예정일: 값을 확인하세요"),
        ("seller-cancel", {"line_no": "P-1", "reason": "why"}, "사유: 값을 확인하세요"),
        ("seller-cancel", {"line_no": "P-1", "reason": "defect", "quantity": "4"}, "수량: 값을 확인하세요"),
        ("seller-cancel", {"line_no": "P-1", "reason": "defect", "quantity": "두 개"}, "수량: 값을 확인하세요"),
        ("give-points", {"line_no": "P-1", "text": "사과", "points": "-5"}, "적립금: 값을 확인하세요"),
        ("memo", {"line_no": "P-1", "text": " "}, "내용을 입력하세요"),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(
    agent: Browser, parcel: int, action: str, fields: dict[str, str], says: str
) -> None:
    answer = post(agent, parcel, action, **fields)

    assert answer.status_code == 422
    assert says in answer.text
    assert agent.rig.connectors["alpha-main"].sent == []
    assert re.search(
        rf'<details class="offer-open" name="offer" open>\s*<summary class="button" data-key="{action}"', answer.text
    )
    if fields.get("tracking_no"):
        assert 'name="tracking_no" value="1"' in answer.text


def test_an_answer_is_changed_by_its_own_form(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-2")

    assert "답변 수정" in text_of(agent, case_id)
    answer = post(agent, case_id, "change-answer", inquiry_no="Q-2", text="110이 아니라 112입니다.")

    assert "처리했습니다" in answer.text
    (sent,) = agent.rig.connectors["alpha-main"].sent
    assert sent.text == "110이 아니라 112입니다."


def test_the_admins_work_is_ticked_off_with_name_and_taken_back(agent: Browser) -> None:
    case_id = agent.case_id("japan-main", order_no="J-1")
    path = f"/cases/{case_id}/admin-steps"

    ticked = agent.post(path, action="refuse-cancel", line_no="J-1-1", swap=True).text

    assert "어드민에서 처리한 것으로 기록했습니다" in ticked
    assert re.search(r'class="ticked">✓ 취소 거부</span> <span class="quiet-text">kim &lt;b&gt;', ticked)
    assert "취소 거부: 몰 어드민에서 처리함 J-1-1 · kim &lt;b&gt;" in ticked
    step_id = re.search(r'name="step_id" value="(\d+)"', ticked)
    assert step_id is not None
    undone = agent.post(f"{path}/undo", step_id=step_id[1])
    assert undone.headers["location"] == f"/cases/{case_id}?notice=unticked"
    assert 'class="ticked"' not in agent.get(f"/cases/{case_id}").text
    assert agent.post(f"{path}/undo", step_id=step_id[1]).status_code == 404
    assert "이해하지 못했습니다" in agent.post(path, action="drop", line_no="J-1-1", swap=True).text


def test_what_cannot_be_now_is_folded_with_its_reason(agent: Browser) -> None:
    write(agent, order("D", line("D-1", status=LineStatus.DELIVERED)), inquiry("DQ", "고장났어요", order_no="D"))

    text = text_of(agent, agent.case_id("alpha-main", thread_no="DQ"))

    later = re.search(r'<details class="offer-group offers-later">.*?</details>', text, re.DOTALL)
    assert later is not None
    assert "발송 전 주문만 발송할 수 있습니다." in later[0]
    assert "disabled" in later[0]


# the matrix


def test_the_matrix_shows_every_mall_and_the_way_that_exists(agent: Browser) -> None:
    text = html.unescape(agent.get("/connectors").text)

    assert "A몰" in text
    assert "J몰" in text
    assert "관리자 화면 > 취소 관리" in text
    assert len(re.findall(r'<tr><th scope="row">', text)) > 30


@pytest.mark.parametrize(
    ("query", "rows", "malls"),
    [
        ("group=cancel", ["취소 승인", "취소 거부"], 2),
        ("can=no", ["답변에 파일 첨부", "취소 거부"], 2),
        ("can=planned", [], 0),
        ("mall=japan&group=inquiry", ["답변 등록", "답변 수정", "답변에 파일 첨부"], 1),
        ("mall=alpha&can=no", ["답변에 파일 첨부"], 1),
        ("mall=alpha&can=planned", [], 0),
    ],
)
def test_the_matrix_is_filtered(agent: Browser, query: str, rows: list[str], malls: int) -> None:
    text = agent.get(f"/connectors?{query}").text

    assert re.findall(r'<tr><th scope="row">([^<]+)</th>', text) == rows
    assert text.count('<th scope="col"><span class="mark') == malls


@pytest.mark.parametrize("query", ["mall=%00&group=x&can=y", "group=<script>"])
def test_a_strange_filter_is_none(agent: Browser, query: str) -> None:
    answer = agent.get(f"/connectors?{query}")

    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace('<script src="', "")

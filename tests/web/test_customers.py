"""The customer beside a case, and the customer's own page, without script and in parts."""

import re

from hub.core.model import Party
from tests.desk.invented import NOW, order
from tests.web.conftest import Browser


def _case(browser: Browser) -> tuple[int, str]:
    case_id = browser.case_id("alpha-main", order_no="A-1")
    found = re.search(r'href="/customers/(order-\d+)"', browser.get(f"/cases/{case_id}").text)
    assert found is not None
    return case_id, found[1]


def test_a_mark_beside_a_case_is_on_the_case_the_list_and_the_page(agent: Browser):
    case_id, ref = _case(agent)
    fields = {"ref": ref, "kind": "abuse", "reason": "<b>욕설</b>", "days": "30"}

    wrong = agent.post(f"/cases/{case_id}/customer/mark", swap=True, **{**fields, "days": "1e3"})
    answer = agent.post(f"/cases/{case_id}/customer/mark", **fields)

    assert "기한은 1일에서 365일까지입니다" in wrong.text
    assert answer.headers["location"] == f"/cases/{case_id}?notice=mark_set"
    page = agent.get(f"/cases/{case_id}?notice=mark_set").text
    assert "&lt;b&gt;욕설&lt;/b&gt;" in page
    assert "고객에 표시를 남겼습니다." in page
    assert 'class="state customer-abuse"' in agent.get("/cases").text
    own = agent.get(f"/customers/{ref}").text
    assert "&lt;b&gt;욕설&lt;/b&gt;" in own
    mark_id = re.search(r'name="mark_id" value="(\d+)"', own)
    assert mark_id is not None
    cleared = agent.post(f"/customers/{ref}/clear", mark_id=mark_id[1], reason="오해")
    assert cleared.headers["location"] == f"/customers/{ref}?notice=mark_cleared"
    assert "오해" in agent.get("/customers").text


def test_two_are_confirmed_and_taken_back_on_the_page(agent: Browser):
    _, ref = _case(agent)
    wife = Party(name="이수연", phone="010-1234-5678")
    agent.client.blocking_portal.call(
        lambda: agent.rig.write("alpha-outlet", order("B-9", buyer=wife, receiver=wife, ordered_at=NOW))
    )
    page = agent.get(f"/customers/{ref}").text
    others = [name for name in re.findall(r'name="other" value="([a-z]+-\d+)"', page) if name != ref]
    assert others

    answer = agent.post(f"/customers/{ref}/decide", other=others[0], verdict="same")

    assert answer.headers["location"] == f"/customers/{ref}?notice=customer_same"
    page = agent.get(answer.headers["location"]).text
    assert "확인된 같은 고객" in page
    link = re.search(r'name="link_id" value="(\d+)"', page)
    assert link is not None
    again = agent.post(f"/customers/{ref}/decide", other=others[0], verdict="different")
    assert again.status_code == 422
    assert "먼저 취소하세요" in again.text
    agent.post(f"/customers/{ref}/undo", link_id=link[1])
    assert "취소함" in agent.get(f"/customers/{ref}").text


def test_names_are_masked_until_a_reason_is_given(agent: Browser):
    _, ref = _case(agent)

    assert "010-1234-5678" not in agent.get(f"/customers/{ref}").text
    assert agent.post(f"/customers/{ref}/unmask", reason=" ").status_code == 422
    shown = agent.post(f"/customers/{ref}/unmask", reason="본인 확인")

    assert "010-1234-5678" in shown.text


def test_what_names_nobody_is_not_found(agent: Browser):
    for path in ("/customers/order-1", "/customers/x", "/customers/order-1%00"):
        assert agent.get(path).status_code == 404
    _, ref = _case(agent)
    assert agent.get(f"/customers/{ref}?after=1.order").status_code == 400
    assert agent.post(f"/customers/{ref}/decide", other=ref, verdict="perhaps").status_code == 422

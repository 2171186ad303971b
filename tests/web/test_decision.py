"""The decision card on the page of a case: every form works without a script, and nothing is decided twice over."""

import html
import re

import pytest

from hub.desk.books.policy import put_in_force
from hub.desk.decisions.decision import TEXT_LIMIT
from hub.policy.book import PolicyTables
from hub.policy.book_rows import DefectProof, SwitchRow
from tests.desk.invented import NOW
from tests.statements import sent_to
from tests.web.conftest import Browser

_REFUSAL = {"evidence": "송장 1234 <b>", "message_sent": "이미 발송했습니다", "alternative_offered": "반품 안내"}


@pytest.fixture
def returned(agent: Browser) -> str:
    return f"/cases/{agent.case_id('alpha-main', order_no='A-2')}"


@pytest.fixture
def japan(agent: Browser) -> str:
    return f"/cases/{agent.case_id('japan-main', order_no='J-1')}"


def panel(page: str) -> str:
    found = re.search(r'<section class="card verdict-card".*?\n</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def steps(page: str) -> dict[str, str]:
    """Key and words of the steps that are not ticked."""
    found = re.findall(r'name="step" value="([^"]+)".*?</span> (.*?)</button>', panel(page))
    return {key: html.unescape(text) for key, text in found}


def test_the_card_stands_before_the_timeline_with_its_rule_and_costs(agent: Browser, returned: str) -> None:
    page = agent.get(returned).text

    shown = panel(page)
    assert page.index('id="decision"') < page.index('class="timeline"')
    assert "가능" in shown
    assert "판매자 귀책" in shown
    assert "반품 배송비" in shown
    assert re.search(r"근거 규칙 [1-9]\d*개 · 기본 정책", shown)
    assert "법정" in shown


def test_a_case_without_a_line_has_no_card(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-2")

    assert 'id="decision"' not in agent.get(f"/cases/{case_id}").text


def test_other_facts_give_another_card_and_leave_no_trace_in_the_address(agent: Browser, returned: str) -> None:
    answer = agent.post(f"{returned}/decision", swap=True, line_no="A-2-1", request="return", reason="change_of_mind")

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "고객 귀책" in panel(answer.text)
    whole = agent.post(f"{returned}/decision", line_no="A-2-1", request="exchange", reason="change_of_mind")
    assert "<html" in whole.text
    assert '<option value="exchange" selected>' in whole.text


@pytest.mark.parametrize("typed", ["12만원", "-1", "1e3000", "NaN", "0.5", "9" * 40])
def test_an_amount_that_cannot_be_read_is_marked_and_not_used(agent: Browser, returned: str, typed: str) -> None:
    answer = agent.post(f"{returned}/decision", swap=True, request="return", return_cost=typed)

    assert answer.status_code == 200
    assert "표시된 값을 읽을 수 없습니다" in answer.text
    refused = agent.post(f"{returned}/decision/save", swap=True, request="return", return_cost=typed)
    assert refused.status_code == 422


def test_a_forged_form_is_taken_for_what_it_is(agent: Browser, returned: str) -> None:
    answer = agent.post(
        f"{returned}/decision",
        swap=True,
        line_no="' OR 1",
        request="burn",
        reason="<b>",
        ground="x",
        proof="photos:maybe",
    )

    assert answer.status_code == 200
    assert '<option value="return" selected>' in answer.text
    assert agent.post(f"{returned}/decision/tick", step="no-such").status_code == 404
    assert agent.post(f"{returned}/decision/untick", tick_id="9" * 30).status_code == 404


def test_what_is_not_yet_known_cannot_be_kept(agent: Browser, returned: str) -> None:
    facts = {"line_no": "A-2-1", "request": "partial_refund"}

    answer = agent.post(f"{returned}/decision/save", swap=True, **facts)

    assert answer.status_code == 422
    assert "아직 판단할 수 없습니다" in answer.text


def _refusable(agent: Browser, japan: str) -> dict[str, str]:
    """What refuses a Japanese cancel: made to order, with the page that said so."""
    facts = {"request": "cancel", "made_to_order": "yes", "notice": "yes", "reason": "change_of_mind"}
    assert "거절" in panel(agent.post(f"{japan}/decision", swap=True, **facts).text)
    return facts


@pytest.mark.parametrize("missing", list(_REFUSAL))
def test_a_refusal_needs_its_whole_record_and_keeps_what_was_typed(agent: Browser, japan: str, missing: str) -> None:
    facts = _refusable(agent, japan) | _REFUSAL | {missing: " "}

    answer = agent.post(f"{japan}/decision/save", swap=True, **facts)

    assert answer.status_code == 422
    kept = next(text for name, text in _REFUSAL.items() if name != missing)
    assert html.escape(kept) in answer.text
    assert 'id="decision-' not in agent.get(japan).text.replace('id="decision-form"', "")


def test_a_refusal_is_kept_with_its_record_and_holds_the_admin_back(agent: Browser, japan: str) -> None:
    facts = _refusable(agent, japan)
    saved = agent.post(f"{japan}/decision/save", **facts, **_REFUSAL)
    assert saved.headers["location"].endswith("#decision")

    held = agent.post(f"{japan}/admin-steps", swap=True, action="refuse-cancel")
    assert "저장된 판단에 먼저 할 일이 있습니다" in held.text
    for key in steps(agent.post(f"{japan}/decision", swap=True, **facts).text):
        agent.post(f"{japan}/decision/tick", step=key, **facts)
    done = agent.post(f"{japan}/admin-steps", swap=True, action="refuse-cancel")

    assert "어드민에서 처리한 것으로 기록했습니다" in done.text
    page = agent.get(japan).text
    assert "송장 1234 &lt;b&gt;" in page
    assert "kim &lt;b&gt;" in panel(page)


def test_a_tick_stays_and_is_taken_back(agent: Browser, returned: str) -> None:
    key = next(iter(steps(agent.get(returned).text)))
    ticked = agent.post(f"{returned}/decision/tick", swap=True, step=key)
    tick_id = re.search(r'name="tick_id" value="(\d+)"', ticked.text)
    assert tick_id is not None
    assert key not in steps(agent.get(returned).text)

    agent.post(f"{returned}/decision/untick", tick_id=tick_id[1])

    assert key in steps(agent.get(returned).text)


def test_an_old_decision_stays_as_it_was_when_the_policy_changes(agent: Browser, returned: str) -> None:
    agent.post(f"{returned}/decision/save", request="return", reason="change_of_mind")
    assert "기본 정책" in agent.get(returned).text
    rig = agent.rig
    tables = PolicyTables(switches=(SwitchRow(defect_proof=DefectProof.INSPECT_ALWAYS),))

    async def put() -> None:
        await put_in_force(rig.database, tables, malls=rig.registry, shops=tuple(rig.shops), now=NOW)

    agent.client.blocking_portal.call(put)

    page = panel(agent.get(returned).text)
    now, old = page.split('class="verdict-saved"')
    assert "정책 1판" in now
    assert "기본 정책" in old
    assert "정책 1판" not in old


def test_only_a_supervisor_approves(browser: Browser) -> None:
    path = f"/cases/{browser.case_id('alpha-main', order_no='A-2')}/decision"
    facts = {"request": "partial_refund", "amount": "20000", "consent": "yes", "approved": "yes"}

    agents = browser.sign_in("kim").post(path, swap=True, **facts).text
    supervisors = browser.sign_in("lee").post(path, swap=True, **facts).text

    assert 'name="approved"' not in agents
    assert '<option value="yes" selected>승인함' in supervisors


def test_the_draft_comes_into_the_reply_box_without_a_script(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-1")
    page = agent.get(f"/cases/{case_id}").text
    assert "이 답변 쓰기" in panel(page)

    filled = agent.post(f"/cases/{case_id}/decision/reply", request="cancel").text

    box = re.search(r'<textarea id="reply".*?>(.*?)</textarea>', filled, re.DOTALL)
    assert box is not None
    assert len(box[1]) > 10


def test_the_longest_record_is_the_limit(agent: Browser, japan: str) -> None:
    facts = _refusable(agent, japan) | _REFUSAL | {"evidence": "가" * (TEXT_LIMIT + 500)}

    assert agent.post(f"{japan}/decision/save", **facts).status_code == 303


def test_the_page_takes_a_fixed_number_of_queries(agent: Browser, returned: str) -> None:
    def count() -> int:
        with sent_to(agent.rig.database) as statements:
            agent.get(f"{returned}/decision", swap=True)
        return len(statements)

    # Whose the session is stands in memory after the first look.
    count()
    before = count()
    for _ in range(3):
        agent.post(f"{returned}/decision/save", request="return", reason="change_of_mind")

    assert count() == before


def test_a_kept_decision_stands_in_the_timeline(agent: Browser, returned: str) -> None:
    def timeline() -> str:
        return agent.get(returned).text.partition('id="timeline"')[2].partition("</section>")[0]

    assert "판단:" not in timeline()
    agent.post(f"{returned}/decision/save", request="return", reason="change_of_mind")

    assert "판단: 반품 → 가능 · 기본 정책 · A-2-1" in timeline()


def test_deadlines_stand_once_where_there_is_a_card(agent: Browser, returned: str) -> None:
    page = agent.get(returned).text

    assert 'class="card dues"' not in page
    shown = panel(page).partition('class="verdict-saved"')[0]
    labels = re.findall(r'<li><span class="due .*?</span>\s*<span title="[^"]*">(.*?)</span>', shown, re.DOTALL)
    assert labels
    assert len(labels) == len(set(labels))


def test_the_step_of_points_fills_the_form_of_compensations_and_gives_nothing(agent: Browser) -> None:
    rig = agent.rig
    tables = PolicyTables(switches=(SwitchRow(delay_points=2_000),))

    async def into_force() -> None:
        await put_in_force(rig.database, tables, malls=rig.registry, shops=tuple(rig.shops), now=NOW)

    desk = f"/cases/{agent.case_id('alpha-main', order_no='A-1')}"
    asked = {"line_no": "A-1-1", "request": "cancel", "reason": "out_of_stock"}
    assert "지금 판단에는 줄 포인트가 없습니다" in agent.post(f"{desk}/decision/gift", **asked).text
    agent.client.blocking_portal.call(into_force)
    assert f'formaction="{desk}/decision/gift"' in agent.post(f"{desk}/decision", swap=True, **asked).text

    for swap in (True, False):
        answer = agent.post(f"{desk}/decision/gift", swap=swap, **asked)
        assert answer.status_code == 200
        assert (
            'name="amount" class="care-amount" inputmode="numeric" maxlength="15" required autocomplete="off" value="2000"'
            in answer.text
        )
        assert '<option value="out_of_stock" selected>' in answer.text
        assert '<option value="A-1-1" selected>' in answer.text
        assert "우리 부담 2,000" in answer.text
        assert ("<html" in answer.text) is not swap
    assert answer.headers["HX-Retarget"] == "#compensation"
    assert 'class="gift-list"' not in agent.get(desk).text

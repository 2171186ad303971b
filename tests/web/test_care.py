"""The pages of promises, complaints and compensations, without script and in parts."""

import csv
import io
import re

import pytest

from tests.web.conftest import Browser


def _promise(browser: Browser, case_id: int, *, swap: bool = False, **more: str) -> object:
    fields = {"due": "+2h", "what": "<b>입고</b>", "to_whom": "customer", "channel": "call", "token": "one"} | more
    return browser.post(f"/cases/{case_id}/promises", swap=swap, **fields)


def _gift(browser: Browser, case_id: int, **more: str) -> object:
    fields = {"kind": "points", "amount": "3,000", "reason": "late", "line_no": "A-1-1", "token": "g"} | more
    return browser.post(f"/cases/{case_id}/compensations", **fields)


def test_a_promise_is_made_without_script_and_its_text_is_no_markup(agent: Browser):
    case_id = agent.case_id("alpha-main", order_no="A-1")

    answer = _promise(agent, case_id)

    assert answer.headers["location"] == f"/cases/{case_id}?notice=promised"  # type: ignore[attr-defined]
    page = agent.get(f"/cases/{case_id}?notice=promised").text
    assert "약속을 남겼습니다" in page
    assert "&lt;b&gt;입고&lt;/b&gt;" in page
    assert "<b>입고</b>" not in page
    assert "고객과의 약속" in page


@pytest.mark.parametrize("swap", [False, True], ids=["page", "part"])
def test_what_was_typed_wrong_stands_there_again_with_the_reason(agent: Browser, swap: bool):
    case_id = agent.case_id("alpha-main", order_no="A-1")

    answer = _promise(agent, case_id, swap=swap, due='13:00"><script>')

    assert answer.status_code == 422  # type: ignore[attr-defined]
    text = answer.text  # type: ignore[attr-defined]
    assert "시각을 알 수 없습니다" in text
    assert 'value="13:00&#34;&gt;&lt;script&gt;"' in text
    assert answer.headers["HX-Retarget"] == "#promises"  # type: ignore[attr-defined]
    assert ("<html" in text) is not swap


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("promises", {"due": "+1h", "to_whom": "king", "channel": "call"}),
        ("promises", {"due": "+1h", "owner_id": "x"}),
        ("promises", {}),
        ("complaint", {"step": "revenge", "text": "x"}),
        ("complaint", {"step": "hard_case", "text": "x"}),
        ("complaint", {"step": "prevention", "text": "x", "due": "곧"}),
        ("complaint/hard", {"text": " "}),
        ("compensations", {"kind": "gold", "amount": "1", "reason": "late", "token": "t"}),
        ("compensations", {"kind": "points", "amount": "1.5", "reason": "late", "token": "t"}),
        ("compensations", {"kind": "points", "amount": "100", "reason": "late", "token": "t"}),
    ],
)
def test_wrong_forms_are_refused_and_store_nothing(agent: Browser, path: str, fields: dict[str, str]):
    case_id = agent.case_id("alpha-main", order_no="A-1")
    before = agent.get(f"/cases/{case_id}").text.count('class="event"')

    answer = agent.post(f"/cases/{case_id}/{path}", **fields)

    assert answer.status_code == 422
    assert agent.get(f"/cases/{case_id}").text.count('class="event"') == before


@pytest.mark.parametrize("path", ["promises/1/kept", "promises/1/change", "promises/1/broken", "compensations/1/send"])
def test_what_is_not_there_is_not_found(agent: Browser, path: str):
    case_id = agent.case_id("alpha-main", order_no="A-1")
    fields = {"due": "+1h", "agreed": "1", "who": "x", "reason": "other", "text": "x"}

    assert agent.post(f"/cases/{case_id}/{path}", **fields).status_code == 404
    assert agent.post("/cases/1/promises", due="+1h").status_code == 404


def test_a_japanese_shops_promise_shows_its_own_clock_on_hover(agent: Browser):
    case_id = agent.case_id("japan-main", order_no="J-1")

    _promise(agent, case_id)

    assert re.search(r'title="[^"]+\(한국 시각\) · [^"]+\(일본 시각\)"', agent.get(f"/cases/{case_id}").text)


@pytest.mark.parametrize("view", ["mine", "today", "team", "broken", "nonsense"])
def test_the_lists_of_promises(agent: Browser, view: str):
    _promise(agent, agent.case_id("alpha-main", order_no="A-1"))

    page = agent.get(f"/promises?view={view}")

    assert page.status_code == 200
    assert ("어긴 약속이 없습니다" in page.text) is (view == "broken")
    assert ("고객에게 전화" in page.text.partition("<main")[2].partition("</main>")[0]) is (view != "broken")


def test_an_agent_hands_over_own_promises_only(agent: Browser):
    _promise(agent, agent.case_id("alpha-main", order_no="A-1"))
    page = agent.get("/promises").text
    people = dict(re.findall(r'<option value="(\d+)">(\w+)', page))
    mine = re.search(r'name="promise_id" value="(\d+)"', page)
    assert mine is not None
    lee = next(key for key, name in people.items() if name == "lee")

    assert agent.post("/promises/hand-over", to_id="7").status_code == 422
    # In the team's list nothing ticked gives nothing away.
    assert "표시하세요" in agent.post("/promises/hand-over", to_id=lee, view="team").text
    assert agent.post("/promises/hand-over", to_id=lee).headers["location"] == "/promises?view=mine&notice=handed"
    assert agent.post("/promises/hand-over", to_id=lee, promise_id=mine[1]).status_code == 303
    assert "열린 약속이 없습니다" in agent.get("/promises").text


def test_the_strip_is_empty_until_something_is_due(agent: Browser):
    assert agent.get("/promises/strip", swap=True).text.strip() == ""
    _promise(agent, agent.case_id("alpha-main", order_no="A-1"), due="+10m")

    assert "곧 약속" in agent.get("/promises/strip", swap=True).text


def test_an_agents_gift_waits_and_only_a_supervisor_decides(agent: Browser):
    answer = _gift(agent, agent.case_id("alpha-main", order_no="A-1"))
    assert answer.headers["location"].endswith("notice=gift_asked")  # type: ignore[attr-defined]
    assert "승인 대기" in agent.get("/compensations").text
    assert 'name="approve"' not in agent.get("/compensations").text

    supervisor = agent.sign_in("lee")
    page = supervisor.get("/compensations").text
    decide = re.search(r"/compensations/\d+/decide", page)
    assert decide is not None
    agent.sign_in("kim")
    assert agent.post(decide[0], approve="1").status_code == 403
    agent.sign_in("lee")
    assert agent.post(decide[0], approve="1").status_code == 303

    page = agent.get("/compensations").text
    assert "3,000원" in page
    assert "승인 lee" in page


def test_the_settlement_file_holds_the_rows_of_the_page(supervisor: Browser):
    _gift(supervisor, supervisor.case_id("alpha-main", order_no="A-1"))

    found = supervisor.get("/compensations/export?form=csv")
    book = supervisor.get("/compensations/export")

    (row,) = csv.DictReader(io.StringIO(found.text.removeprefix("\ufeff")))
    assert (row["amount_minor"], row["order_no"], row["kind"]) == ("3000", "A-1", "points")
    assert int(row["partner_minor"]) + int(row["our_minor"]) == 3000
    assert book.content[:2] == b"PK"
    assert "보상 내보내기" in supervisor.get("/access-log").text


def test_an_agent_takes_no_file(agent: Browser):
    assert agent.get("/compensations/export").status_code == 403


@pytest.mark.parametrize(
    "address", ["?month=2026-13", "?month=<script>", "?partner=' OR 1=1", "?after=1", "?partner=-"]
)
def test_an_odd_address_of_the_ledger_is_this_month(agent: Browser, address: str):
    page = agent.get(f"/compensations{address}")

    assert page.status_code == 200
    assert "<script>" not in page.text.replace("<script src", "")


def test_english_pages_have_every_word(agent: Browser):
    case_id = agent.case_id("alpha-main", order_no="A-1")
    _promise(agent, case_id)
    _gift(agent, case_id)
    agent.post(f"/cases/{case_id}/complaint", step="intake", text="x")
    agent.post("/locale", locale="en", next="/cases")

    for path in (f"/cases/{case_id}", "/promises", "/compensations"):
        page = agent.get(path).text
        assert not re.search(r">(promise|gift|complaint)_?\w*\.\w+<", page)
    assert "Call to the customer" in agent.get("/promises").text

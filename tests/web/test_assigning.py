"""Lists for many at once, snoozes, notes, teams, own views and the board, as forms without a script."""

import re
from pathlib import Path

from hub.web import keys
from tests.web.conftest import Browser

WEB = Path(keys.__file__).parent


def _ids(text: str) -> list[str]:
    return re.findall(r'id="row-(\d+)"', text)


def test_many_are_taken_snoozed_and_seen_and_the_list_says_what_became_of_them(agent: Browser) -> None:
    first, second, *_ = ids = _ids(agent.get("/cases").text)
    assert len(re.findall('class="new-dot"', agent.get("/cases").text)) == len(ids)

    answer = agent.client.post(
        "/cases/bulk?view=open", data={"case_id": [first, second], "do": "take", "_csrf_token": agent.token()}
    )
    assert "2건을 맡았습니다." in answer.text
    assert set(_ids(agent.get("/cases?view=mine").text)) == {first, second}

    seen = agent.post("/cases/bulk", swap=True, case_id=first, do="seen")
    assert "1건을 읽음으로 표시했습니다." in seen.text
    assert "<html" not in seen.text
    assert seen.text.count('class="new-dot"') == len(ids) - 1

    for until, says in (("어제", "시각을 알 수 없습니다"), ("13:00", "이미 지난 시각")):
        assert says in agent.post("/cases/bulk", swap=True, case_id=first, do="snooze", until=until).text
    assert "고른 건이 없거나" in agent.post("/cases/bulk", swap=True, do="take").text
    assert "그런 상담사나 팀이" in agent.post("/cases/bulk", swap=True, case_id=first, do="give", to="user:x").text
    slept = agent.post("/cases/bulk", case_id=second, do="snooze", until="+30m")
    assert slept.headers["location"] == "/cases?told=snoozed.1.0.0.0"
    assert second not in _ids(agent.get(slept.headers["location"]).text)
    assert second in _ids(agent.get("/cases?view=snoozed").text)
    assert "다시 꺼냈습니다" in agent.post(f"/cases/{second}/wake", swap=True).text
    assert _ids(agent.get("/cases").text) == ids


def test_nothing_that_answers_or_decides_is_done_for_many(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    for what in ("approve-cancel", "answer-inquiry", "act", ""):
        agent.post("/cases/bulk", case_id=str(case_id), do=what)

    assert agent.rig.connectors["alpha-main"].sent == []


def test_a_note_calls_a_colleague_and_hostile_text_stays_text(browser: Browser) -> None:
    case_id = browser.sign_in("kim").case_id("alpha-main", order_no="A-1")
    noted = browser.post(f"/cases/{case_id}/notes", swap=True, text="@lee <script>x</script> @nobody", token="t")
    assert "없는 아이디가 있습니다: nobody" in noted.text
    assert "&lt;script&gt;x" in noted.text
    assert "메모 내용을" in browser.post(f"/cases/{case_id}/notes", swap=True, text=" ").text

    page = browser.sign_in("lee").get("/cases?view=mentioned").text
    assert _ids(page) == [str(case_id)]
    assert "@나" in page
    assert "내부 메모" in browser.get(f"/cases/{case_id}").text
    assert _ids(browser.get("/cases?view=mentioned").text) == []


def test_a_supervisor_makes_teams_and_shares_views_and_an_agent_may_not(browser: Browser) -> None:
    kim = browser.sign_in("kim")
    assert [kim.get(path).status_code for path in ("/board", "/teams")] == [403, 403]
    assert kim.post("/teams", name="x").status_code == 403
    assert kim.post("/views", name="x", query="", is_shared="1").status_code == 403
    lee = browser.sign_in("lee")

    assert "팀 이름은 1~40자" in lee.post("/teams", name="").text
    assert lee.post("/teams", name="일본 <b>", language="ja", matter="stock").status_code == 303
    team = re.search(r'action="/teams/(\d+)"', page := lee.get("/teams").text)
    assert re.findall(r'name="matter" value="(\w+)" checked', page) == ["stock"]
    assert team is not None
    case_id = lee.case_id("japan-main", order_no="J-1")
    assert "팀 대기로 옮겼습니다" in lee.post(f"/cases/{case_id}/team", swap=True, team_id=team[1]).text
    saved = lee.post("/views", name="일본 취소", query="mall=japan&kind=cancel&x=1", is_shared="1")
    assert saved.headers["location"] == "/cases?mall=japan&kind=cancel"
    board = lee.get("/board").text
    assert "일본 &lt;b&gt;" in board
    assert f"/cases?team={team[1]}" in board

    text = browser.sign_in("kim").get("/cases").text
    shown = re.search(r'<li class="saved"><a href="([^"]+)".*?class="count">(\d+)<', text, re.DOTALL)
    assert shown is not None
    assert (shown[1], shown[2]) == ("/cases?mall=japan&amp;kind=cancel", "1")
    assert _ids(kim.get(f"/cases?team={team[1]}").text) == [str(case_id)]
    counts = kim.get("/cases/views?view=today", swap=True).text
    assert "<html" not in counts
    assert 'aria-current="true">오늘 마감' in counts


def test_a_shift_is_handed_over_by_a_form_and_who_is_away_says_so(browser: Browser) -> None:
    kim = browser.sign_in("kim")
    case_id = str(kim.case_id("alpha-main", order_no="A-1"))
    kim.post(f"/cases/{case_id}/take")
    page = kim.get("/hand-over").text
    assert "미처리 1건" in page
    lee = re.search(r'<option value="(\d+)">lee', page)
    assert lee is not None

    assert "그런 상담사나 팀이" in kim.post("/hand-over", to_id="7").text
    handed = kim.post("/hand-over", to_id=lee[1], note="내일 오전에 전화", promises="1")
    assert "1건을 넘겼습니다" in kim.get(handed.headers["location"]).text
    assert "내일 오전에 전화" in kim.get(f"/cases/{case_id}").text

    kim.post("/presence", is_away="1")
    assert "자리로 돌아오기" in kim.get("/cases").text


def test_every_shortcut_is_bound_once_and_to_something_that_the_script_does() -> None:
    script = (WEB / "static/keys.js").read_text(encoding="utf-8")
    table = re.search(r"const RUN = \{(.*?)\n\};", script, re.DOTALL)
    assert table is not None
    runs = set(re.findall(r"^  (\w+)[:,]", table[1], re.MULTILINE))
    bound = [shortcut for group in keys.SHORTCUTS for shortcut in group.shortcuts if shortcut.code]

    assert {shortcut.run for shortcut in bound} == runs
    codes = [shortcut.code for shortcut in bound]
    assert len(codes) == len(set(codes))
    assert not {code for code in codes if " " not in code} & {code.split(" ")[0] for code in codes if " " in code}
    assert all(shortcut.run for shortcut in bound)


def test_the_script_of_a_page_is_light_enough() -> None:
    own = sum(path.stat().st_size for path in (WEB / "static").glob("*.js"))

    assert own < 60_000

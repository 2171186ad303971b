from hypothesis import given
from hypothesis import strategies as st

from hub.desk.cases.notes import read_calls
from hub.desk.worklist.dealing import Seat, TeamRule, deal, team_for

LOADS = st.lists(st.integers(0, 12), min_size=1, max_size=6)


@given(LOADS, st.integers(0, 40), st.integers(1, 12))
def test_dealing_levels_the_loads_and_fills_nobody_over(loads: list[int], count: int, full: int) -> None:
    seats = [Seat(user_id=number, load=load) for number, load in enumerate(loads)]

    dealt = deal(list(range(count)), seats, full=full)

    after = list(loads)
    for _, user_id in dealt:
        after[user_id] += 1
    assert [case_id for case_id, _ in dealt] == list(range(len(dealt))), "in their order, each once"
    assert len(dealt) == min(count, sum(max(0, full - load) for load in loads))
    given_to = [after[number] for number, load in enumerate(loads) if after[number] > load]
    others = [load for load in after if load < full]
    assert max(given_to, default=0) - min(others, default=full) <= 1
    assert all(load <= full for number, load in enumerate(after) if load > loads[number])


def test_of_equals_who_waited_longest_is_next() -> None:
    seats = [Seat(user_id=1, load=2, dealt_at=50), Seat(user_id=2, load=2, dealt_at=10), Seat(user_id=3, load=9)]

    assert deal([7, 8, 9], seats) == ((7, 2), (8, 1), (9, 2))
    assert deal([7], []) == ()


def test_the_narrowest_team_has_a_case_and_a_team_without_a_rule_none() -> None:
    by_hand = TeamRule(team_id=1)
    returns = TeamRule(team_id=2, kinds=frozenset({"return"}))
    japan = TeamRule(team_id=3, languages=frozenset({"ja"}))
    japan_returns = TeamRule(team_id=4, languages=frozenset({"ja"}), kinds=frozenset({"return", "exchange"}))
    rules = [japan_returns, by_hand, japan, returns]

    assert team_for(rules, mall="japan", kind="return", language="ja") == 4
    assert team_for(rules, mall="japan", kind="cancel", language="ja") == 3
    assert team_for(rules, mall="alpha", kind="return", language="ko") == 2
    assert team_for(rules, mall="alpha", kind="cancel", language="ko") is None
    defects = TeamRule(team_id=5, kinds=frozenset({"return"}), matters=frozenset({"defect"}))
    assert team_for([*rules, defects], mall="alpha", kind="return", language="ko", about={5}) == 5
    assert team_for([*rules, defects], mall="alpha", kind="return", language="ko") == 2, "about something else"
    assert team_for([japan, returns], mall="japan", kind="return", language="ja") == 2, "of equals the oldest"


def test_colleagues_are_called_by_their_logins_and_mail_addresses_are_no_calls() -> None:
    logins = {"kim": 1, "lee.j": 2, "park@home": 3}

    called, unknown = read_calls(
        "@Kim. 확인 부탁, cc @lee.j, @park@home! mail a@kim.example 로 @nobody @kim", logins=logins
    )

    assert called == ("kim", "lee.j", "park@home")
    assert unknown == ("nobody",)

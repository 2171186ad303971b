"""`hub route`: sentences in two languages, what else was considered, and files that are wrong."""

import sqlite3
from contextlib import closing

import pytest

from routing import demo_rules_text
from tests.cli.terminal import Terminal

QUESTION = ("route", "explain", "--shop", "main-cafe24", "--matter", "hard_case")
WRONG = demo_rules_text().replace('phone = "02-000-0101"\nchat = "md-minseo"\nemail = "md1@example.com"\n', "")


def line_of(terminal: Terminal, mode: str) -> str:
    rows = terminal.hub("export", "lines", "--shop", "main-cafe24").rows
    return str(next(row["line_no"] for row in rows if row["inventory_mode"] == mode))


def test_the_steps_are_told_in_korean_when_asked(read_only: Terminal) -> None:
    question = (*QUESTION, "--line", line_of(read_only, "consignment"), "--at", "2026-11-23T12:30", "--json")

    english, korean = read_only.hub(*question), read_only.hub(*question, "--lang", "ko")

    assert (english.code, korean.code) == (0, 0)
    assert english.document["steps"][0] == "Version 1 of the routing book is in force (the file routing.toml)."
    assert korean.document["steps"][0] == "적용된 라우팅 규칙은 1번째 판입니다(routing.toml 파일)."
    assert "핫라인: MD → 협력사에 함께 연락합니다." in korean.document["steps"]
    assert len(english.document["steps"]) == len(korean.document["steps"])
    first, deputy = korean.document["chain"][:2]
    assert (first["name"], first["open_now"], deputy["name"], deputy["deputy_for"]) == (
        "김민서",
        False,
        "이준호",
        "김민서",
    )
    assert deputy["why"] == "김민서 담당자가 지금 연락되지 않아 대신합니다."
    assert {each["kind"] for each in korean.document["considered"]} <= {"table", "rule", "partner_default", "default"}
    assert korean.document["considered"]


def test_no_number_and_no_address_of_a_person_is_printed(read_only: Terminal) -> None:
    ran = read_only.hub(*QUESTION, "--line", line_of(read_only, "consignment"), "--json")

    assert "02-000" not in ran.out
    assert "@example.com" not in ran.out
    assert ran.document["chain"][0]["reachable_by"] == ["phone", "chat", "email"]


def test_a_product_that_nobody_knows_is_flagged_and_goes_to_the_md(read_only: Terminal) -> None:
    ran = read_only.hub(*QUESTION, "--product", "no-such-product", "--json")

    assert (ran.code, ran.document["mode"], ran.document["flags"]) == (0, "unknown", ["mode_unknown"])
    assert {link["role"] for link in ran.document["chain"]} == {"md"}


def test_a_line_number_that_several_orders_have_is_asked_back(synced: Terminal) -> None:
    lines = [row for row in synced.hub("export", "lines", "--shop", "main-cafe24").rows if row["seller_sku"]]
    first = lines[0]
    other = next(row for row in lines if row["seller_sku"] != first["seller_sku"])
    with closing(sqlite3.connect(synced.home / "hub.db")) as connection, connection:
        for row in (first, other):
            connection.execute("UPDATE order_lines SET line_no = '1' WHERE line_no = ?", (row["line_no"],))
    question = (*QUESTION, "--line", "1", "--json")

    asked = synced.hub(*question)
    answered = synced.hub(*question, "--order", other["order_no"])
    unknown = synced.hub(*question, "--order", "no-such-order")

    assert (asked.code, asked.out) == (2, "")
    assert "several orders" in asked.err
    assert first["order_no"] in asked.err
    assert (answered.code, answered.document["mode_rule"]) == (0, f"table:seller_sku={other['seller_sku']}")
    assert (unknown.code, "hub resync --shop main-cafe24" in unknown.err) == (2, True)


def test_a_person_reads_a_table_with_what_else_was_considered(read_only: Terminal) -> None:
    ran = read_only.hub(*QUESTION, "--line", line_of(read_only, "consignment"), "--lang", "ko")

    assert ran.code == 0
    assert "also considered" in ran.out
    assert "핫라인: MD → 협력사에 함께 연락합니다." in ran.err


def test_a_file_gone_wrong_is_told_and_the_last_good_version_answers(synced: Terminal) -> None:
    question = (*QUESTION, "--line", line_of(synced, "consignment"), "--json")
    before = synced.hub(*question)
    (synced.home / "routing.toml").write_text(WRONG, encoding="utf-8")

    after = synced.hub(*question)

    assert (before.code, after.code) == (0, 1)
    assert after.document["book"]["version"] == before.document["book"]["version"] == 1
    assert "contact 1, phone: a contact with no way to reach it" in after.document["book"]["problem"]
    assert "contact 1, phone" in after.err
    assert [link["name"] for link in after.document["chain"]] == [link["name"] for link in before.document["chain"]]
    status = synced.hub("status", "--json")
    assert status.document["routing"]["version"] == 1
    assert "contact 1, phone" in status.document["routing"]["problem"]
    assert "contact 1, phone" in synced.hub("status").err


def test_a_file_that_was_never_right_is_wrong_configuration_for_routing_alone(terminal: Terminal) -> None:
    terminal.home.mkdir()
    (terminal.home / "routing.toml").write_text(WRONG, encoding="utf-8")
    shop = terminal.home / "shops.toml"
    shop.write_text('[[shop]]\nname="main-cafe24"\nmall="qoo10"\n[shop.credentials]\nseller_key="k"\n')
    assert terminal.hub("shop", "import", shop).code == 0

    ran = terminal.hub(*QUESTION, "--product", "P1", "--json")

    assert (ran.code, ran.out) == (2, "")
    assert "routing.toml: contact 1, phone" in ran.err


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        (demo_rules_text(), 0, "right (9 contacts"),
        (WRONG, 2, "contact 1, phone: 연락할 방법이 없는 담당자입니다"),
        (demo_rules_text() + '[[rule]]\nname = "x"\nmode = "위탁"\nmall = "nomall"\n', 2, "nomall"),
        ("[[rule]", 2, "line 1"),
    ],
    ids=["right", "no way", "unknown mall", "no TOML"],
)
def test_a_file_is_checked_before_it_is_used(terminal: Terminal, text: str, code: int, named: str) -> None:
    file = terminal.home.parent / "new.toml"
    file.write_text(text, encoding="utf-8")

    ran = terminal.hub("route", "check", file, "--lang", "ko")

    assert (ran.code, ran.out) == (code, "")
    assert named in ran.err


def test_a_file_to_check_that_is_not_there_is_named(terminal: Terminal) -> None:
    ran = terminal.hub("route", "check", "nothing.toml")

    assert (ran.code, "nothing.toml" in ran.err) == (2, True)

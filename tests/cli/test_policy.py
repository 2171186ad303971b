"""`hub policy` as scripts see it: the card of a line of an emulated mall, the book put in force."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

_KEYS = {
    "decision", "ground", "evidence", "fault_party", "stage", "due", "due_at", "costs", "mall_can", "steps", "draft",
    "warnings", "rules", "policy_version",
}  # fmt: skip


def _lines(terminal: Terminal) -> list[dict[str, str]]:
    return terminal.hub("export", "lines", "--format", "jsonl").rows


def _line(terminal: Terminal, mall: str, *statuses: str) -> dict[str, str]:
    return next(row for row in _lines(terminal) if row["mall"] == mall and row["status"] in statuses)


def _explain(terminal: Terminal, row: dict[str, str], *more: str) -> dict[str, object]:
    ran = terminal.hub("policy", "explain", "--shop", row["shop"], "--line", row["line_no"], *more, "--json")
    assert ran.code == 0, ran.err
    document: dict[str, object] = ran.document
    return document


@pytest.mark.parametrize("mall", ["cafe24", "smartstore", "qoo10"])
@pytest.mark.parametrize(
    "request_name",
    [
        "cancel", "return", "exchange", "partial_refund", "withdraw_return", "delivery_status",
        "defect", "wrong_item", "delay", "out_of_stock",
    ],
)  # fmt: skip
def test_every_request_gets_a_card_at_every_mall(read_only: Terminal, mall: str, request_name: str) -> None:
    row = next(row for row in _lines(read_only) if row["mall"] == mall)

    card = _explain(read_only, row, "--request", request_name)

    assert set(card) >= _KEYS
    assert card["decision"] in {"allow", "refuse", "ask"}
    assert card["rules"]
    assert card["policy_version"] == 0


def test_a_cancel_of_what_qoo10_has_delivered_is_refused_in_its_admin(read_only: Terminal) -> None:
    row = _line(read_only, "qoo10", "delivered")

    card = _explain(read_only, row, "--request", "cancel", "--reason", "change_of_mind")

    steps = card["steps"]
    assert isinstance(steps, list)
    assert (card["decision"], card["ground"], card["mall_can"]) == ("refuse", "delivered", "admin")
    keys = [step["key"] for step in steps if step["required"]]
    assert keys == [
        "contact_customer", "state_reason", "offer_alternative", "keep_evidence", "mall_admin", "follow_up",
    ]  # fmt: skip
    assert "QSM" in next(step["text"] for step in steps if step["key"] == "mall_admin")
    assert "qoo10.refusal-grounds" in card["rules"]  # type: ignore[operator]
    assert card["draft_language"] == "ja"


def test_the_languages_of_card_and_draft_can_be_chosen(read_only: Terminal) -> None:
    row = _line(read_only, "cafe24", "paid", "preparing")

    english = _explain(read_only, row, "--request", "cancel", "--lang", "en")
    korean = _explain(read_only, row, "--request", "cancel")

    assert str(english["draft"]).isascii()
    assert "취소" in str(korean["draft"])
    assert english["decision"] == korean["decision"]


def test_what_is_not_known_is_named_with_what_to_do(read_only: Terminal) -> None:
    row = _lines(read_only)[0]
    shop = ("policy", "explain", "--request", "cancel", "--json", "--shop")

    no_shop = read_only.hub(*shop, "nowhere", "--line", "1")
    no_line = read_only.hub(*shop, row["shop"], "--line", "no-such-line")
    no_request = read_only.hub("policy", "explain", "--shop", row["shop"], "--line", "1", "--request", "gift")
    no_amount = read_only.hub(*shop, row["shop"], "--line", row["line_no"], "--return-cost", "cheap")

    assert [ran.code for ran in (no_shop, no_line, no_request, no_amount)] == [2, 2, 2, 2]
    assert row["shop"] in no_shop.err
    assert "no-such-line" in no_line.err
    assert "resync" in no_line.err
    assert "3000KRW" in no_amount.err
    assert no_line.out == ""


def test_a_book_is_put_in_force_whole_or_not_at_all(synced: Terminal, tmp_path: Path) -> None:
    good, bad = tmp_path / "policy.toml", tmp_path / "wrong.json"
    good.write_text('[[switches]]\nmall = "cafe24"\nexchange_offered = false\n', encoding="utf-8")
    bad.write_text(json.dumps({"switches": [{"mall": "nowhere", "late_interest_percent": 101}]}), encoding="utf-8")
    row = _line(synced, "cafe24", "dispatched", "delivered")

    refused = synced.hub("policy", "import", bad)
    put = synced.hub("policy", "import", good, "--note", "no exchange")
    again = synced.hub("policy", "import", good)
    card = _explain(synced, row, "--request", "exchange", "--reason", "change_of_mind")

    assert refused.code == 2
    assert "switches row 1, mall" in refused.err
    assert "late_interest_percent" in refused.err
    assert (put.code, again.code) == (0, 0)
    assert synced.hub("policy", "show", "--json").document["version"] == 1
    assert (card["decision"], card["ground"], card["policy_version"]) == ("refuse", "exchange_not_offered", 1)
    assert synced.hub("policy", "show", "--version", "9").code == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.toml", "[[switches"), ("a.json", "{"), ("a.json", '{"switch": []}'), ("a.toml", '[[fees]]\nitem="bribe"\n')],
    ids=["no TOML", "no JSON", "unknown section", "unknown value"],
)
def test_an_unreadable_book_is_named(terminal: Terminal, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")

    ran = terminal.hub("policy", "import", file)

    assert ran.code == 2
    assert "docs/policy.md" in ran.err


def test_there_are_words_for_people_too(read_only: Terminal) -> None:
    row = _lines(read_only)[0]

    ran = read_only.hub("policy", "explain", "--shop", row["shop"], "--line", row["line_no"], "--request", "cancel")

    assert ran.code == 0
    assert "§" in ran.err

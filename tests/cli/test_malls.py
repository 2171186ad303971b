"""Commands that talk to malls: exit codes, JSON, and nothing sent where nothing may be."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.street import Street
from tests.cli.terminal import Ran, Terminal

SHOPS = ("main-cafe24", "main-qoo10", "main-smartstore")
FEEDS = ["orders", "claims", "inquiries"]
SYNC_FEED = {
    "feed", "read", "new", "changed", "unchanged", "quarantined", "vanished", "calls", "throttled", "seconds",
    "complete", "data_as_of",
}  # fmt: skip
STATUS_FEED = {"feed", "data_as_of", "complete", "known", "missing", "quarantined", "breaker", "next_run"}


def by_shop(document: Any) -> dict[str, Any]:
    return {shop["shop"]: shop for shop in document["shops"]}


def changes(ran: Ran) -> set[tuple[int, int, int, int]]:
    feeds = [feed for shop in ran.document["shops"] for feed in shop["feeds"]]
    return {(feed["new"], feed["changed"], feed["vanished"], feed["quarantined"]) for feed in feeds}


# sync and status


def test_a_complete_run_says_so_in_one_document(fresh_street: Street, terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.hub("shop", "import", fresh_street.write_shops(tmp_path / "shops.toml")).code == 0

    ran = terminal.hub("sync", "--json")

    assert (ran.code, set(ran.document)) == (0, {"started_at", "finished_at", "complete", "shops"})
    assert ran.document["complete"] is True
    assert set(by_shop(ran.document)) == set(SHOPS)
    for name, shop in by_shop(ran.document).items():
        assert set(shop) == {"run_id", "shop", "mall", "complete", "error", "feeds"}
        assert (shop["mall"], shop["complete"], shop["error"]) == (name.removeprefix("main-"), True, None)
        assert [feed["feed"] for feed in shop["feeds"]] == FEEDS
        for feed in shop["feeds"]:
            assert set(feed) == SYNC_FEED
            assert feed["read"] >= feed["new"] >= (feed["feed"] == "orders")
            assert feed["read"] == feed["new"] + feed["changed"] + feed["unchanged"] + feed["quarantined"]
            assert ran.document["started_at"] <= feed["data_as_of"] <= ran.document["finished_at"]


@pytest.mark.parametrize("how", [(), ("--full",)], ids=["changes", "full"])
def test_the_same_data_again_writes_nothing(synced: Terminal, how: tuple[str, ...]) -> None:
    assert synced.hub("sync", *how).code == 0
    before = synced.hub("export", "lines").out

    again = synced.hub("sync", *how, "--json")

    assert (again.code, changes(again)) == (0, {(0, 0, 0, 0)})
    assert synced.hub("export", "lines").out == before


@pytest.mark.usefixtures("hurried")
def test_one_mall_down_is_part_done_and_named(fresh_street: Street, terminal: Terminal, tmp_path: Path) -> None:
    shops = fresh_street.write_shops(tmp_path / "shops.toml", down=("smartstore",))
    assert terminal.hub("shop", "import", shops).code == 0

    ran = terminal.hub("sync", "--json")

    assert (ran.code, ran.document["complete"]) == (1, False)
    found = by_shop(ran.document)
    assert {name: shop["complete"] for name, shop in found.items()} == {
        "main-cafe24": True,
        "main-qoo10": True,
        "main-smartstore": False,
    }
    error = found["main-smartstore"]["error"]
    assert set(error) == {"kind", "message"}
    assert (error["kind"], bool(error["message"])) == ("unavailable", True)
    status = terminal.hub("status", "--json")
    assert (status.code, status.document["complete"]) == (1, False)
    breakers = {name: {feed["breaker"] for feed in shop["feeds"]} for name, shop in by_shop(status.document).items()}
    assert breakers == {"main-cafe24": {"closed"}, "main-qoo10": {"closed"}, "main-smartstore": {"open"}}
    assert "main-smartstore" in terminal.hub("sync").err


@pytest.mark.usefixtures("hurried")
def test_every_mall_down_is_nothing_done(fresh_street: Street, terminal: Terminal, tmp_path: Path) -> None:
    shops = fresh_street.write_shops(tmp_path / "shops.toml", down=("cafe24", "qoo10", "smartstore"))
    assert terminal.hub("shop", "import", shops).code == 0

    ran = terminal.hub("sync", "--json")

    assert (ran.code, ran.document["complete"]) == (3, False)
    assert all(shop["error"]["message"] for shop in ran.document["shops"])
    assert terminal.hub("export", "lines").out == ""


def test_status_names_every_shop_and_feed(read_only: Terminal) -> None:
    ran = read_only.hub("status", "--json")

    assert (ran.code, ran.document["complete"]) == (0, True)
    known = {}
    for name, shop in by_shop(ran.document).items():
        assert set(shop) >= {"shop", "mall", "complete", "feeds"}
        for feed in shop["feeds"]:
            assert set(feed) >= STATUS_FEED
            assert (feed["complete"], feed["missing"], feed["quarantined"]) == (True, [], 0)
            assert (feed["breaker"], feed["next_run"]) == ("closed", None)
            known[name, feed["feed"]] = feed["known"]
    lines = read_only.hub("export", "lines").rows
    assert {name: known[name, "orders"] for name in SHOPS} == {
        name: sum(row["shop"] == name for row in lines) for name in SHOPS
    }


def test_logs_stay_off_standard_output(fresh_street: Street, terminal: Terminal, tmp_path: Path) -> None:
    """In a process of its own: its streams are those of the operating system."""
    shops = fresh_street.write_shops(tmp_path / "shops.toml")
    shops.write_text(shops.read_text().replace("sandbox-secret", "a-wrong-secret"))
    assert terminal.hub("shop", "import", shops).code == 0

    done = subprocess.run(
        [sys.executable, "-m", "hub", "sync", "--json", "--shop", "main-cafe24"],
        env=os.environ | {"HUB_HOME": str(terminal.home)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )

    assert (done.returncode, json.loads(done.stdout)["complete"]) == (3, False), done.stderr
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert {(line["event"], line["shop"]) for line in logged} == {("sync.feed.incomplete", "main-cafe24")}
    for secret in ("a-wrong-secret", "rT0.sandbox"):
        assert secret not in done.stdout + done.stderr


def test_shop_check_tells_each_permission(read_only: Terminal) -> None:
    ran = read_only.hub("shop", "check", "main-cafe24", "--json")

    assert (ran.code, ran.document["shop"], ran.document["ok"]) == (0, "main-cafe24", True)
    assert len(ran.document["checks"]) > 1


# act


def unanswered(terminal: Terminal) -> dict[str, Any]:
    return next(row for row in terminal.hub("export", "inquiries").rows if row["state"] == "unanswered")


def to_cancel(terminal: Terminal) -> dict[str, Any]:
    rows = terminal.hub("export", "claims", "--shop", "main-cafe24").rows
    return next(row for row in rows if (row["kind"], row["state"]) == ("cancel", "requested"))


def test_what_a_mall_cannot_do_names_the_way_that_exists(street: Street, synced: Terminal) -> None:
    line = synced.hub("export", "lines", "--shop", "main-qoo10").rows[0]
    before = street.calls("qoo10")

    ran = synced.hub(
        "act", "approve-cancel", "--shop", "main-qoo10", "--order", line["order_no"], "--line", line["line_no"],
        "--yes", "--json",
    )  # fmt: skip

    assert (ran.code, ran.document["outcome"], ran.document["action_id"]) == (3, "refused", None)
    assert ran.document["lines"] == [{"line_no": line["line_no"], "outcome": "refused", "mall_message": None}]
    assert "approve cancel" in ran.err
    assert "Approve in QSM" in ran.err
    assert street.calls("qoo10") == before


def test_a_dry_run_checks_and_sends_nothing(street: Street, synced: Terminal) -> None:
    claim, before = to_cancel(synced), street.calls("cafe24")
    place = ("--shop", claim["shop"], "--order", claim["order_no"], "--line")

    ran = synced.hub("act", "approve-cancel", *place, claim["line_no"], "--dry-run", "--json")
    wrong = synced.hub("act", "approve-cancel", *place, "no-such-line", "--dry-run", "--json")
    lacking = synced.hub("act", "refuse-cancel", *place, claim["line_no"], "--dry-run", "--json")

    assert (ran.code, ran.document["outcome"], ran.document["lines"]) == (0, "pending", [])
    assert ran.document["action_id"] is None
    assert (wrong.code, wrong.document["outcome"], "no-such-line" in wrong.err) == (3, "refused", True)
    assert (lacking.code, lacking.out, "text" in lacking.err) == (2, "", True)
    assert street.calls("cafe24") == before
    assert to_cancel(synced) == claim


def test_an_action_is_done_once_and_read_back(street: Street, synced: Terminal) -> None:
    claim = to_cancel(synced)
    command = ("act", "approve-cancel", "--shop", claim["shop"], "--order", claim["order_no"], "--line",
               claim["line_no"], "--yes", "--json")  # fmt: skip

    done, again = synced.hub(*command), synced.hub(*command)

    assert (done.code, done.document["outcome"]) == (0, "done"), done.err
    assert set(done.document) >= {"outcome", "lines", "action_id"}
    assert done.document["action_id"]
    assert [(line["line_no"], line["outcome"]) for line in done.document["lines"]] == [(claim["line_no"], "done")]
    assert all(set(line) == {"line_no", "outcome", "mall_message"} for line in done.document["lines"])
    (now,) = (
        row for row in synced.hub("export", "claims").rows
        if (row["line_no"], row["kind"], row["requested_at"]) == (claim["line_no"], "cancel", claim["requested_at"])
    )  # fmt: skip
    assert now["state"] not in {"requested", "rejected", "withdrawn", "unknown"}
    assert (again.code, again.document["outcome"]) == (3, "refused")
    assert again.document["lines"][0]["mall_message"]


def test_several_lines_of_an_order_are_told_apart(street: Street, synced: Terminal) -> None:
    rows = synced.hub("export", "lines", "--shop", "main-cafe24").rows
    by_order: dict[str, list[str]] = {}
    for row in rows:
        by_order.setdefault(row["order_no"], []).append(row["line_no"])
    order_no, line_nos = next((number, lines) for number, lines in by_order.items() if len(lines) > 1)
    lines = [part for line_no in line_nos for part in ("--line", line_no)]

    ran = synced.hub("act", "memo", "--shop", "main-cafe24", "--order", order_no, *lines, "--text", "확인함", "--json")

    assert ran.code in {0, 1, 3}, ran.err
    assert [line["line_no"] for line in ran.document["lines"]] == line_nos
    outcomes = {line["outcome"] for line in ran.document["lines"]}
    assert ran.document["outcome"] in outcomes
    assert (ran.code == 0) == (outcomes == {"done"})


def test_what_an_action_lacks_is_named_before_anything_is_sent(street: Street, synced: Terminal) -> None:
    line, before = synced.hub("export", "lines", "--shop", "main-smartstore").rows[0], street.calls("smartstore")
    place = ("--shop", "main-smartstore", "--order", line["order_no"], "--line", line["line_no"])

    refuse = synced.hub("act", "refuse-cancel", *place, "--yes", "--json")
    unsure = synced.hub("act", "refuse-cancel", *place, "--carrier", "CJGLS", "--tracking", "1", "--json")
    twice = synced.hub(
        "act", "seller-cancel", *place, "--line", "other", "--reason", "defect", "--quantity", "1", "--yes"
    )

    assert (refuse.code, "carrier and --tracking" in refuse.err) == (2, True)
    assert (unsure.code, "--yes" in unsure.err) == (2, True)
    assert (twice.code, "quantity" in twice.err) == (2, True)
    assert street.calls("smartstore") == before


def test_an_answer_reaches_the_customer(street: Street, synced: Terminal) -> None:
    inquiry = unanswered(synced)

    ran = synced.hub(
        "act", "answer-inquiry", "--shop", inquiry["shop"], "--inquiry", inquiry["inquiry_no"], "--text",
        "오늘 출고합니다.", "--json",
    )  # fmt: skip

    assert (ran.code, ran.document["outcome"]) == (0, "done"), ran.err
    truth = street.town.malls[inquiry["mall"]].truth().inquiries
    assert [row["answer"] for row in truth if row["inquiry_no"] == inquiry["inquiry_no"]] == ["오늘 출고합니다."]
    (stored,) = (row for row in synced.hub("export", "inquiries").rows if row["inquiry_no"] == inquiry["inquiry_no"])
    assert (stored["state"], stored["answer"]) == ("answered", "오늘 출고합니다.")

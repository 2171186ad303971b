"""The commands that mend what is stored: resync, replay, quarantine."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.cafe24 import mapping, order_feed, payload
from hub.core.errors import MalformedResponseError
from hub.core.model import LineStatus
from tests.cli.street import Street
from tests.cli.terminal import Terminal
from tests.cli.test_malls import SHOPS, SYNC_FEED

SHOP = "main-cafe24"


@pytest.fixture
def mended(street: Street, synced: Terminal, monkeypatch: pytest.MonkeyPatch) -> int:
    """The mapping reads one word of the mall otherwise now. Returns how many lines that is about."""
    exported = synced.hub("export", "lines", "--shop", SHOP).rows
    table = {
        code: LineStatus.PAID if found is LineStatus.PREPARING else found
        for code, found in mapping.PLAIN_STATUS.items()
    }
    monkeypatch.setattr(mapping, "PLAIN_STATUS", table)
    return sum(line["status"] == "preparing" for line in exported)


def test_replay_shows_then_writes_then_has_nothing_left(street: Street, synced: Terminal, mended: int) -> None:
    before, calls = synced.hub("export", "lines").out, street.calls("cafe24")
    assert mended

    shown = synced.hub("replay", "--shop", SHOP, "--json")

    assert (shown.code, shown.document["written"], shown.document["complete"]) == (0, False, True)
    assert (shown.document["changed"], shown.document["columns"]) == (mended, {"line.status": mended})
    assert set(shown.document["examples"][0]) == {"record", "key", "column", "before", "after"}
    assert synced.hub("export", "lines").out == before

    written = synced.hub("replay", "--shop", SHOP, "--write", "--json")

    assert (written.code, written.document["written"], written.document["changed"]) == (0, True, mended)
    after = synced.hub("export", "lines").rows
    assert [line["status"] for line in after if line["shop"] == SHOP].count("preparing") == 0
    assert [line | {"status": ""} for line in after] == [
        json.loads(line) | {"status": ""} for line in before.split("\n")[:-1]
    ]
    assert synced.hub("replay", "--shop", SHOP, "--write", "--json").document["changed"] == 0
    assert street.calls("cafe24") == calls


def test_replay_keeps_to_a_feed_and_a_time(synced: Terminal) -> None:
    one = synced.hub("replay", "--shop", SHOP, "--feed", "inquiries", "--json").document
    none = synced.hub("replay", "--shop", SHOP, "--since", "2100-01-01", "--json").document

    assert [feed["feed"] for feed in one["feeds"]] == ["inquiries"]
    assert one["feeds"][0]["payloads"] == one["feeds"][0]["same"] > 0
    assert none["feeds"] == []


def test_replay_tells_people_what_it_would_do(synced: Terminal, mended: int) -> None:
    ran = synced.hub("replay", "--shop", SHOP)

    assert ran.code == 0
    assert "line.status" in ran.out
    assert f"{mended} changed" in ran.err
    assert "--write" in ran.err


@pytest.mark.parametrize("name", SHOPS)
def test_resync_of_a_stretch_has_the_shape_of_a_run(synced: Terminal, name: str) -> None:
    # Other commands write to these malls as well.
    assert synced.hub("sync", "--full").code == 0
    before = synced.hub("status", "--json").document

    ran = synced.hub("resync", "--shop", name, "--from", "2020-01-01", "--json")

    assert (ran.code, ran.document["complete"]) == (0, True)
    assert set(ran.document) == {"started_at", "finished_at", "complete", "shops"}
    (shop,) = ran.document["shops"]
    assert (shop["shop"], shop["error"]) == (name, None)
    assert [set(feed) for feed in shop["feeds"]] == [SYNC_FEED] * 3
    assert {(feed["new"], feed["changed"], feed["vanished"]) for feed in shop["feeds"]} == {(0, 0, 0)}
    after = synced.hub("status", "--json").document
    assert [freshness(shop) for shop in after["shops"]] == [freshness(shop) for shop in before["shops"]]


def freshness(shop: Any) -> list[Any]:
    return [(feed["feed"], feed["data_as_of"], feed["complete"]) for feed in shop["feeds"]]


@pytest.mark.parametrize("name", SHOPS)
def test_resync_of_an_order(synced: Terminal, name: str) -> None:
    order_no = synced.hub("export", "lines", "--shop", name).rows[0]["order_no"]

    ran = synced.hub("resync", "--shop", name, "--order", order_no, "--json")

    assert (ran.code, ran.document["complete"]) == (0, True)
    assert [feed["feed"] for feed in ran.document["shops"][0]["feeds"]] == ["orders", "claims"]
    assert ran.document["shops"][0]["feeds"][0]["read"] > 0


def test_an_order_that_is_not_there_is_nothing_done(synced: Terminal) -> None:
    ran = synced.hub("resync", "--shop", SHOP, "--order", "20200101-0000001", "--json")

    assert ran.code == 3
    assert ran.document["shops"][0]["error"]["kind"] == "not_found"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shop", SHOP), "--from"),
        (("--shop", SHOP, "--order", "1", "--from", "2026-01-01"), "either"),
        (("--shop", SHOP, "--order", "1", "--to", "2026-01-01"), "either"),
        (("--shop", SHOP, "--from", "2026-01-02", "--to", "2026-01-01"), "--from is not before --to"),
        (("--shop", SHOP, "--from", "yesterday"), "no time"),
        (("--shop", SHOP, "--from", "2026-01-01", "--to", "2100-01-01"), "future"),
        (("--shop", "nobody", "--from", "2026-01-01"), "nobody"),
    ],
)
def test_resync_used_wrongly_says_how(read_only: Terminal, arguments: tuple[str, ...], said: str) -> None:
    ran = read_only.hub("resync", *arguments, "--json")

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize(
    "arguments", [("--shop", "nobody"), ("--shop", SHOP, "--dry-run", "--write"), ("--shop", SHOP, "--since", "soon")]
)
def test_replay_used_wrongly_says_how(read_only: Terminal, arguments: tuple[str, ...]) -> None:
    ran = read_only.hub("replay", *arguments)

    assert (ran.code, ran.out) == (2, "")


def test_quarantine_from_the_first_look_to_the_last_record(
    fresh_street: Street, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = order_feed.map_order

    def stumble(wire: Any, **more: Any) -> Any:
        if int(str(wire.order_id)[-3:]) % 3 == 0:
            raise MalformedResponseError("a new kind of order", path="order_place_id")
        return read(wire, **more)

    assert terminal.hub("shop", "import", fresh_street.write_shops(tmp_path / "shops.toml")).code == 0
    with monkeypatch.context() as patch:
        patch.setattr(order_feed, "map_order", stumble)
        patch.setattr(payload, "map_order", stumble)
        terminal.hub("sync", "--shop", SHOP)
        waiting = terminal.hub("quarantine", "list", "--json").document
        assert waiting
        in_vain = terminal.hub("quarantine", "retry", "--all", "--json")
        assert (in_vain.code, in_vain.document["complete"]) == (3, False)
    first = str(waiting[0]["id"])
    names = [order.buyer.name for order in fresh_street.town.world.orders(SHOP)]

    masked = terminal.hub("quarantine", "show", first)
    assert (masked.code, "order_id" in masked.document) == (0, True)
    assert not [name for name in names if name in masked.out]
    assert terminal.hub("quarantine", "show", first, "--unmask").code == 2
    whole = terminal.hub("quarantine", "show", first, "--unmask", "--reason", "a ticket")
    assert (whole.code, any(name in whole.out for name in names)) == (0, True)

    one = terminal.hub("quarantine", "retry", first, "--json")
    assert (one.code, one.document["shops"][0]["resolved"]) == (0, 1)
    assert terminal.hub("quarantine", "retry", first).code == 2
    rest = terminal.hub("quarantine", "retry", "--shop", SHOP)
    assert rest.code == 0
    assert terminal.hub("quarantine", "list", "--json").document == []
    assert terminal.hub("quarantine", "retry").code == 0
    assert terminal.hub("quarantine", "retry", "1", "--all").code == 2

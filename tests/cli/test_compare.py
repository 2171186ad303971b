"""`hub status --compare`: each day beside what the mall counts, and what lacks is read again."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.street import Street
from tests.cli.terminal import Ran, Terminal

SHOP = "main-cafe24"


def orders_of(ran: Ran, shop: str = SHOP) -> dict[str, Any]:
    (found,) = (each for each in ran.document["shops"] if each["shop"] == shop)
    feed: dict[str, Any] = found["feeds"][0]
    return feed


def lines_of(terminal: Terminal) -> list[dict[str, Any]]:
    """By number; when each was read is left out."""
    rows = terminal.hub("export", "lines", "--shop", SHOP).rows
    return sorted((row | {"fetched_at": None} for row in rows), key=lambda row: row["line_no"])


def forget_an_order(terminal: Terminal) -> str:
    """Take a recent order of the shop that counts out of the store; returns its number."""
    since = (datetime.now(UTC) - timedelta(days=20)).timestamp() * 1000
    with closing(sqlite3.connect(terminal.home / "hub.db")) as store, store:
        store.execute("PRAGMA foreign_keys=ON")
        order_id, number = store.execute(
            "SELECT o.id, o.order_no FROM orders o JOIN shops s ON s.id = o.shop_id"
            " WHERE s.name = ? AND o.ordered_at > ? AND NOT EXISTS"
            " (SELECT 1 FROM claims c WHERE c.shop_id = o.shop_id AND c.order_no = o.order_no)"
            " ORDER BY o.ordered_at DESC LIMIT 1 OFFSET 3",
            (SHOP, since),
        ).fetchone()
        store.execute("DELETE FROM order_lines WHERE order_id = ?", (order_id,))
        store.execute("DELETE FROM orders WHERE id = ?", (order_id,))
    return str(number)


def test_without_it_nothing_is_asked_and_with_it_what_lacks_comes_back(street: Street, synced: Terminal) -> None:
    whole = lines_of(synced)
    lost = forget_an_order(synced)
    assert lost not in {row["order_no"] for row in lines_of(synced)}
    calls = street.calls("cafe24")

    plain = synced.hub("status", "--json")
    assert street.calls("cafe24") == calls
    compared = synced.hub("status", "--compare", "--json")

    assert (plain.code, compared.code, compared.err) == (0, 0, "")
    assert orders_of(plain)["compared_at"] is None
    assert orders_of(compared)["compared_at"] is not None
    assert orders_of(compared)["days"] == []
    assert orders_of(compared)["known"] > orders_of(plain)["known"]
    assert street.calls("cafe24") > calls
    # A mall that does not count is not asked, and nothing is claimed of it.
    assert orders_of(compared, "main-qoo10")["compared_at"] is None
    assert lines_of(synced) == whole


@pytest.mark.usefixtures("hurried")
def test_a_mall_that_cannot_be_asked_is_named_and_the_status_comes_all_the_same(
    street: Street, synced: Terminal, tmp_path: Path
) -> None:
    shops = street.write_shops(tmp_path / "shops.toml", down=("cafe24",))
    assert synced.hub("shop", "import", shops).code == 0

    ran = synced.hub("status", "--compare", "--json")

    assert ran.code == 0
    assert f"{SHOP}: not compared: timeout" in ran.err
    assert orders_of(ran)["compared_at"] is None
    assert len(ran.document["shops"]) == 3

"""The look-ups of each page go through an index: without one a run over many orders takes the square of the time."""

import sqlite3
from pathlib import Path

import pytest

from hub.store import catalogue as stock
from hub.store import stored, twins
from hub.store.database import Database

LOOK_UPS = {
    "heads": stored._HEADS,
    "lines": stored._LINES,
    "claims": stored._CLAIMS,
    "inquiries": stored._INQUIRIES,
    "payloads": stored._PAYLOADS,
    "originals by order": twins._BY_ORDER,
    "originals by line": twins._BY_LINE,
    "copies": twins._COPIES,
    "suppliers": stock._SUPPLIERS,
    "stock by code": stock._ITEMS_BY_CODE,
    "stock by the seller's number": stock._ITEMS_BY_SKU,
}
#: what finds the one row asked for, not all rows of its shop
BY = {
    "heads": "order_no=?",
    "lines": "order_id=?",
    "claims": "line_no=?",
    "inquiries": "inquiry_no=?",
    "payloads": "key=?",
    "originals by order": "order_no=?",
    "originals by line": "line_no=?",
    "copies": "market_order_no>?",
    "suppliers": "code=?",
    "stock by code": "product_code=?",
    "stock by the seller's number": "seller_sku=?",
}


@pytest.mark.parametrize("name", LOOK_UPS)
async def test_a_look_up_searches_by_its_key(sqlite_database: Database, name: str) -> None:
    query = LOOK_UPS[name].compile(dialect=sqlite_database._positional)
    path = sqlite_database.engine.url.database or ""
    lists = {"numbers", "order_ids", "line_nos", "keys"}
    values = ["[]" if key in lists else 1 for key in query.positiontup or ()]

    with sqlite3.connect(Path(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query.string}", values)]
    connection.close()

    assert BY[name] in plan[0], plan

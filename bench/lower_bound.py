"""A process of its own that asks the malls for the same pages and stores their rows: nothing more.

httpx, a typed msgspec decode of each page, executemany into one table. No paging of its own, no
errors, no encryption, no history: less than any useful program must do.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from msgspec import Struct

from bench.calls import Call, read_calls
from bench.measure import Cost, cost
from bench.pages import Row, rows_of

COLUMNS = (
    "mall", "kind", "row_key", "order_no", "status", "quantity", "product", "option_name", "product_code", "sku",
    "amount", "currency", "ordered_at", "paid_at", "buyer", "buyer_phone", "buyer_email", "receiver",
    "receiver_phone", "zip_code", "address", "carrier", "tracking_no", "dispatched_at", "delivered_at", "note",
)  # fmt: skip
_CREATE = f"CREATE TABLE mall_rows ({', '.join(f'{name} text' for name in COLUMNS)}, PRIMARY KEY (mall, kind, row_key))"
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])

_PATIENCE_SECONDS = 120.0

Store = Callable[[list[Row]], Any]


class Bound(Struct, frozen=True, kw_only=True):
    calls: int
    rows: int
    cost: Cost


def sqlite_store(path: Path) -> Store:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _CREATE)
    insert = _insert("?")

    def store(rows: list[Row]) -> None:
        with connection:
            connection.executemany(insert, rows)

    return store


def postgres_store(url: str) -> Store:
    connection = psycopg.connect(url)
    connection.execute(_CREATE.encode())
    insert = _insert("%s").encode()

    def store(rows: list[Row]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        connection.commit()

    return store


def _insert(mark: str) -> str:
    marks = ", ".join([mark] * len(COLUMNS))
    return (
        f"INSERT INTO mall_rows ({', '.join(COLUMNS)}) VALUES ({marks}) "  # noqa: S608  names of this file
        f"ON CONFLICT (mall, kind, row_key) DO UPDATE SET {_SET}"
    )


async def replay(calls: Path, roots: dict[str, str], store: Store) -> Bound:
    """``roots``: shop -> scheme, host and port."""
    made = stored = 0
    # A busy machine may keep the malls from answering for long: that costs no CPU time.
    async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECONDS) as client:
        for call in read_calls(calls):
            response = await _send(client, roots[call.shop], call)
            made += 1
            # The hub's clock runs ahead of the malls' still one by its pacing: a window that ends in their
            # future is refused to it, and so to us.
            rows = rows_of(call.target, response.content) if response.is_success else []
            if rows:
                store(rows)
                stored += len(rows)
    return Bound(calls=made, rows=stored, cost=cost())


async def _send(client: httpx.AsyncClient, root: str, call: Call) -> httpx.Response:
    response = await client.request(call.method, root + call.target, headers=call.headers, content=call.body)
    return response if response.status_code == httpx.codes.BAD_REQUEST else response.raise_for_status()


if __name__ == "__main__":
    noted, target, *shops = sys.argv[1:]
    into = postgres_store(target) if target.startswith("postgresql") else sqlite_store(Path(target))
    found = asyncio.run(replay(Path(noted), dict(shop.split("=", 1) for shop in shops), into))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")

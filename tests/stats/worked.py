"""Worked examples: rows as a data file gives them, stored as they are."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, LargeBinary, Text, insert

from hub.stats.facts import Counted
from hub.store.columns import metadata
from hub.store.database import Database, to_ms
from hub.store.rollups import recount

SEOUL = ZoneInfo("Asia/Seoul")
COUNTRIES = {"cafe24": "KR", "smartstore": "KR", "qoo10": "JP"}
_NOT_TABLES = ("now", "since", "until", "expected")


def read_worked(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data/stats" / name).read_text(encoding="utf-8"))


def a_row(table: str, given: dict[str, Any]) -> dict[str, Any]:
    """What is not given is nothing, where a table wants something."""
    row = {}
    for column in metadata.tables[table].c:
        value = given.get(column.name)
        if isinstance(value, datetime):
            value = to_ms(value)
        if isinstance(value, str) and isinstance(column.type, LargeBinary):
            value = value.encode()
        if value is None and not column.nullable and column.server_default is None:
            empty = {Text: "", LargeBinary: b"-", Boolean: False}
            value = next((nothing for kind, nothing in empty.items() if isinstance(column.type, kind)), 0)
        row[column.name] = value
    return {name: value for name, value in row.items() if value is not None}


async def store(database: Database, tables: dict[str, Any]) -> None:
    async with database.writing() as connection:
        for name, found in tables.items():
            if name not in _NOT_TABLES:
                for given in found:
                    await connection.execute(insert(metadata.tables[name]), a_row(name, given))
    await recount(database, at=0, started_by="hand")


def counted_of(database: Database, example: dict[str, Any], **given: Any) -> Counted:
    """Products of code C1 are a partner's, of all others nobody knows."""
    return Counted(
        database=database,
        zone=SEOUL,
        now=example["now"],
        since=example["since"],
        until=example["until"],
        countries=COUNTRIES,
        mode_of=lambda product, shop, mall, on: "consignment" if product.code == "C1" else "unknown",
        partner_of=lambda product, shop, mall, on: "정원상사" if product.code == "C1" else None,
        **given,
    )

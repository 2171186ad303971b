"""The long table of inventory modes as the database keeps it: its rows, and replacing them by a file."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select

from hub.core.model import InventoryMode
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.tables import product_modes
from routing.entries import ProductEntry
from routing.table_file import ModeTableImport, read_mode_table


def mode_row(stored: Any) -> ProductEntry:
    return ProductEntry(
        mode=InventoryMode(stored.mode),
        seller_sku=stored.seller_sku,
        option_code=stored.option_code,
        product_code=stored.product_code,
        shop=stored.shop,
        partner=stored.partner,
        logistics=stored.logistics,
        valid_from=date.fromisoformat(stored.valid_from) if stored.valid_from else None,
        valid_to=date.fromisoformat(stored.valid_to) if stored.valid_to else None,
    )


def mode_columns(row: ProductEntry, *, now: datetime) -> dict[str, Any]:
    return {
        "shop": row.shop,
        "seller_sku": row.seller_sku,
        "option_code": row.option_code,
        "product_code": row.product_code,
        "mode": row.mode.value,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "partner": row.partner,
        "logistics": row.logistics,
        # Whoever holds the table in memory sees by this that it is no longer the same.
        "imported_at": to_ms(now),
    }


async def read_mode_rows(database: Database) -> list[ProductEntry]:
    """The whole table, as routing reads it."""
    async with database.reading() as connection:
        stored = (await connection.execute(select(product_modes).order_by(product_modes.c.id))).all()
    return [mode_row(row) for row in stored]


async def import_modes(database: Database, data: bytes, *, now: datetime) -> ModeTableImport:
    """Replace the table by a CSV or spreadsheet: whole, or not at all when any row is wrong."""
    read = read_mode_table(data)
    if read.rows:
        await replace_modes(database, read.rows, now=now)
    return read


async def replace_modes(database: Database, rows: Iterable[ProductEntry], *, now: datetime) -> None:
    stored = [{"id": new_id(), **mode_columns(row, now=now)} for row in rows]
    async with database.writing() as connection:
        await connection.execute(delete(product_modes))
        if stored:
            await connection.execute(product_modes.insert(), stored)

"""The routing table of this hub: HUB_HOME/routing.toml and the imported inventory modes, as one book."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import delete, func, select

from hub.core.model import InventoryMode
from hub.store.catalogue import StockFacts
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.tables import product_modes
from routing.contacts import Directory
from routing.facts import CatalogueFacts
from routing.modes import ModeRow, ModeTable
from routing.rules_file import RoutingFile, read_rules, standard_rules
from routing.table_file import ModeTableImport, read_mode_table

FILE_NAME = "routing.toml"


class RoutingBook(Struct, frozen=True, kw_only=True):
    """``stamp`` changes when the file or the imported rows do."""

    table: ModeTable
    directory: Directory
    stamp: tuple[float, int, int]


async def read_stamp(database: Database, home: Path) -> tuple[float, int, int]:
    query = select(func.count(), func.coalesce(func.max(product_modes.c.imported_at), 0))
    async with database.reading() as connection:
        count, newest = (await connection.execute(query)).one()
    path = home / FILE_NAME
    return (path.stat().st_mtime if path.exists() else 0.0, count, newest)


async def read_book(database: Database, home: Path) -> RoutingBook:
    """Raises: ConfigurationError naming file and key when routing.toml is wrong."""
    stamp = await read_stamp(database, home)
    path = home / FILE_NAME
    rules: RoutingFile = read_rules(path.read_bytes(), file=str(path)) if path.exists() else standard_rules()
    async with database.reading() as connection:
        rows = (await connection.execute(select(product_modes).order_by(product_modes.c.id))).all()
    return RoutingBook(table=rules.table(_mode_row(row) for row in rows), directory=rules.directory(), stamp=stamp)


def _mode_row(row: Any) -> ModeRow:
    return ModeRow(
        mode=InventoryMode(row.mode),
        seller_sku=row.seller_sku,
        option_code=row.option_code,
        product_code=row.product_code,
        shop=row.shop,
        valid_from=date.fromisoformat(row.valid_from) if row.valid_from else None,
        valid_to=date.fromisoformat(row.valid_to) if row.valid_to else None,
        partner=row.partner,
        logistics=row.logistics,
    )


def catalogue_facts(stock: StockFacts | None) -> CatalogueFacts | None:
    """What the store knows of a product from the mall's catalogue, for the rules."""
    if stock is None:
        return None
    return CatalogueFacts(
        item=stock.item_hints,
        supplier_code=stock.supplier_code,
        supplier_name=stock.supplier_name,
        supplier=stock.supplier_hints,
    )


async def import_modes(database: Database, data: bytes, *, now: datetime) -> ModeTableImport:
    """Replace the imported table by a CSV or spreadsheet: whole, or not at all when any row is wrong."""
    read = read_mode_table(data)
    if read.rows:
        await replace_modes(database, read.rows, now=now)
    return read


async def replace_modes(database: Database, rows: tuple[ModeRow, ...], *, now: datetime) -> None:
    stored = [
        {
            "id": new_id(),
            "shop": row.shop,
            "seller_sku": row.seller_sku,
            "option_code": row.option_code,
            "product_code": row.product_code,
            "mode": row.mode.value,
            "valid_from": row.valid_from.isoformat() if row.valid_from else None,
            "valid_to": row.valid_to.isoformat() if row.valid_to else None,
            "partner": row.partner,
            "logistics": row.logistics,
            "imported_at": to_ms(now),
        }
        for row in rows
    ]
    async with database.writing() as connection:
        await connection.execute(delete(product_modes))
        if stored:
            await connection.execute(product_modes.insert(), stored)

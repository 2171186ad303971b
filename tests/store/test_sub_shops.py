"""Two sub-shops of one account number an order alike: two orders, whose claims never mix. On both databases."""

from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hub.core.contract import Feed
from hub.core.model import ClaimKind
from hub.store import schema
from hub.store.database import Database
from hub.store.tables import claims, status_changes
from tests.store.shapes import LATER, Shop, a_claim, a_line, an_order, counted, reading, rows


def told(sub_shop: str, *claimed: Any) -> Any:
    """An order O1 with the line L1, as this sub-shop shows it."""
    order = an_order(a_line("L1"), sub_shop=sub_shop, claims=claimed, claims_are_complete=True)
    return reading(order, key=f"{sub_shop}/O1")


async def test_an_order_without_claims_ends_none_of_its_namesake(shop: Shop) -> None:
    await shop.write(told("1", a_claim("1/C")))

    written = await shop.write(told("2"), now=LATER)

    assert written.counts[Feed.CLAIMS] == counted()
    assert written.claimed == set()
    assert [(row["sub_shop"], row["is_open"]) for row in await rows(shop.database, claims)] == [("1", True)]
    assert await rows(shop.database, status_changes) == []


async def test_a_claim_ends_when_its_own_order_no_longer_shows_it(shop: Shop) -> None:
    await shop.write(told("1", a_claim("1/C")), told("2", a_claim("2/C", kind=ClaimKind.CANCEL)))

    await shop.write(told("2"), now=LATER)

    found = {row["claim_key"]: (row["sub_shop"], row["state"]) for row in await rows(shop.database, claims)}
    assert found == {"1/C": ("1", "requested"), "2/C": ("2", "withdrawn")}


async def test_a_store_from_before_keeps_every_claim_and_payload_under_its_shop_number(
    shop: Shop, database: Database
) -> None:
    def down(connection: Connection) -> None:
        config = schema.alembic_config(connection)
        before = ScriptDirectory.from_config(config).get_revision("0026").down_revision
        command.downgrade(config, str(before))

    await shop.write(
        *(
            reading(an_order(a_line(f"{no}-1"), order_no=no, sub_shop=sub_shop), key=f"{front}{no}")
            for no, sub_shop, front in (("O1", "1", ""), ("O2", "2", "shop2:"))
        )
    )
    await shop.write(
        reading(an_order(a_line("O1-1"), sub_shop="1", claims=(a_claim("O1-1:C", line_no="O1-1"),))),
        reading(
            an_order(
                a_line("O2-1"),
                order_no="O2",
                sub_shop="2",
                claims=(a_claim("shop2:O2-1:C", order_no="O2", line_no="O2-1"),),
            ),
            key="shop2:O2",
        ),
    )
    before = [(row["id"], row["claim_key"], row["sub_shop"]) for row in await rows(shop.database, claims)]

    async with database.writing() as connection:
        await connection.run_sync(down)
        keys = list(await connection.scalars(text("SELECT claim_key FROM claims ORDER BY id")))
        await connection.execute(text("UPDATE raw_payloads SET key = 'O2' WHERE key = 'shop2:O2'"))
    await schema.upgrade(database)

    assert keys == ["O1-1:C", "O2-1:C"]
    assert [(row["id"], row["claim_key"], row["sub_shop"]) for row in await rows(shop.database, claims)] == before
    async with database.reading() as connection:
        kept = await connection.scalars(text("SELECT key FROM raw_payloads WHERE feed = 'orders' ORDER BY key"))
        assert list(kept) == ["O1", "shop2:O2"]

"""What the hub itself knows of each item of a new shop's checklist, for all shops in a few statements."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.errors import ConfigurationError
from hub.core.model import InventoryMode
from hub.desk.acting.templates import TemplatesInForce, read_templates
from hub.desk.books.policy import PolicyInForce, read_policy
from hub.desk.phone.flow import current_spec
from hub.desk.services import Services
from hub.policy.book_rows import Language
from hub.policy.switches import switches_at
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.one import product_of
from hub.store.tables import cheat_sheets, lines, orders
from ivr.spec import Spec
from routing.contacts import Role
from routing.modes import resolve_mode

#: sold lines whose inventory mode is looked up
_LOOKED_AT: Final = 100
_LANGUAGE: Final = {"KR": Language.KO, "JP": Language.JA}


class Item(StrEnum):
    """In the order in which a shop is opened."""

    MANUAL = "manual"
    CONTACTS = "contacts"
    MODES = "modes"
    NUMBERS = "numbers"
    POLICY = "policy"
    TEMPLATES = "templates"
    TEST_ORDER = "test_order"


class Found(Struct, frozen=True, kw_only=True):
    """``is_met``: yes, no, or ``None`` where only a person can say. ``key`` is a message key, filled with ``words``."""

    is_met: bool | None
    key: str
    words: tuple[tuple[str, str], ...] = ()


class _Books(Struct, frozen=True, kw_only=True):
    """What is the same for every shop. ``spec`` is ``None`` without a usable file of the telephone."""

    policy: PolicyInForce
    templates: TemplatesInForce
    spec: Spec | None
    on: date


async def read_facts(services: Services, shop_rows: Sequence[Row[Any]]) -> dict[int, dict[Item, Found]]:
    """By shop id. ``shop_rows`` have ``id``, ``name`` and ``mall``."""
    await services.refresh_routing()
    books = _Books(
        policy=await read_policy(services.database),
        templates=await read_templates(services.database),
        spec=_spec(services),
        on=services.now().astimezone(services.settings.zone).date(),
    )
    ids = [row.id for row in shop_rows]
    async with services.database.reading() as connection:
        written = set(await connection.scalars(_WRITTEN.where(cheat_sheets.c.shop_id.in_(ids))))
        found = {}
        for row in shop_rows:
            has_order = await connection.scalar(select(exists().where(orders.c.shop_id == row.id)))
            found[row.id] = {
                Item.MANUAL: Found(is_met=True, key="opening.manual_written")
                if row.id in written
                else Found(is_met=None, key="opening.manual_by_hub"),
                Item.CONTACTS: _contacts(services, row),
                Item.MODES: await _modes(services, connection, row, books.on),
                Item.NUMBERS: _numbers(books.spec, row),
                Item.POLICY: _policy(books, row),
                Item.TEMPLATES: _templates(services, books, row),
                Item.TEST_ORDER: Found(
                    is_met=None if has_order else False, key="opening.order_read" if has_order else "opening.no_order"
                ),
            }
    return found


_WRITTEN: Final = select(cheat_sheets.c.shop_id).where(cheat_sheets.c.body != "").distinct()


def _spec(services: Services) -> Spec | None:
    try:
        return current_spec(services)
    except ConfigurationError:
        # Not there, or wrong: `hub ivr check` says which; a person can still say that the numbers are settled.
        return None


def _contacts(services: Services, row: Row[Any]) -> Found:
    book = services.routing
    people = book.directory.contacts if book is not None else ()
    serving = [
        each
        for each in people
        if (not each.shops or row.name in each.shops) and (not each.malls or row.mall in each.malls)
    ]
    count = Counter(each.role for each in serving)
    has_line = any(each.phone for each in serving)
    is_met = bool(count[Role.MD]) and bool(count[Role.LOGISTICS] or count[Role.PARTNER]) and has_line
    words = tuple((role.value, str(count[role])) for role in Role)
    return Found(is_met=is_met, key="opening.people" if has_line or not serving else "opening.no_line", words=words)


async def _modes(services: Services, connection: AsyncConnection, row: Row[Any], on: date) -> Found:
    query: Select[Any] = select(lines).where(lines.c.shop_id == row.id).limit(_LOOKED_AT)
    sold = (await connection.execute(query)).all()
    if not sold or services.routing is None:
        return Found(is_met=None, key="opening.nothing_sold")
    products = [product_of(line) for line in sold]
    stock = await read_stock_facts(services.database, connection, [(row.id, each) for each in products])
    known = sum(
        resolve_mode(
            product,
            shop=row.name,
            mall=row.mall,
            on=on,
            table=services.routing.table,
            facts=catalogue_facts(facts),
        ).mode
        is not InventoryMode.UNKNOWN
        for product, facts in zip(products, stock, strict=True)
    )
    words = (("known", str(known)), ("of", str(len(sold))))
    return Found(is_met=known == len(sold), key="opening.modes_known", words=words)


def _numbers(spec: Spec | None, row: Row[Any]) -> Found:
    if spec is None:
        return Found(is_met=None, key="opening.no_spec")
    found = [number for number in spec.numbers if number.mall in {row.mall, row.name}]
    if not found:
        return Found(is_met=False, key="opening.no_number")
    of_line = Counter(number.line for number in found)
    words = (("order", str(of_line["order"])), ("inquiry", str(of_line["inquiry"])))
    return Found(is_met=bool(of_line["inquiry"]), key="opening.numbers", words=words)


def _policy(books: _Books, row: Row[Any]) -> Found:
    switches = switches_at(books.policy.tables, shop=row.name, mall=row.mall, on=books.on)
    decided = sum(origin.section == "switches" for origin in switches.origins)
    words = (("count", str(decided)), ("version", str(books.policy.version)))
    return Found(is_met=decided > 0, key="opening.switches" if decided else "opening.no_switches", words=words)


def _templates(services: Services, books: _Books, row: Row[Any]) -> Found:
    manifest = services.registry.manifests.get(row.mall)
    language = _LANGUAGE.get(manifest.country) if manifest is not None else None
    usable = sum(
        each.shop in {None, row.name} and each.mall in {None, row.mall} and language in {None, each.language}
        for each in books.templates.tables.templates
    )
    words = (("count", str(usable)),)
    if books.templates.version == 0:
        return Found(is_met=None, key="opening.standard_templates", words=words)
    return Found(is_met=usable > 0, key="opening.templates", words=words)

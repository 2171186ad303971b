"""What one routing decision costs: mode, chain, people, hours, every step in words, and what else was considered.

The book is a large centre's: 20,000 products in the table, 200 rules, 300 contacts with hours, deputies and
absences. ``python -m bench.routing`` prints the section alone.
"""

import gc
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

from msgspec import Struct

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.book import RoutingTables, find_problems
from routing.chain import explain
from routing.compiled import Routing, compile_book
from routing.contacts import Directory
from routing.entries import AbsenceEntry, ContactEntry, PartnerDefaultEntry, ProductEntry, RuleEntry, ShopDefaultEntry
from routing.matter import Matter, Role
from routing.modes import ModeTable, resolve_mode

AIM_MICROSECONDS = 1_000
_PRODUCTS, _RULES, _PARTNERS, _ASKED = 20_000, 200, 100, 4_000
_MODES = (InventoryMode.CONSIGNMENT, InventoryMode.DIRECT_PURCHASE, InventoryMode.THIRD_PARTY_LOGISTICS)
_FROM = datetime(2026, 11, 1, tzinfo=UTC)


class Decided(Struct, frozen=True, kw_only=True):
    """Microseconds of CPU time a decision: the mode alone, all of it on average, and the slowest hundredth.

    ``bare`` is one look-up of a code in a dictionary.
    """

    decisions: int
    bare: float
    mode: float
    explained: float
    slowest: float


def measure(*, repeat: int = 3) -> Decided:
    """The best of ``repeat`` runs of each."""
    book = compile_book(_book())
    table, directory = book.table(_rows()), book.directory()
    asked = _questions()
    by_sku = {row.seller_sku: row for row in _rows()}
    each = [
        min(_seconds(partial(_explain, question, book, table, directory)) for _ in range(repeat)) for question in asked
    ]
    return Decided(
        decisions=len(asked),
        bare=_best(lambda: [by_sku.get(product.seller_sku) for product, _, _ in asked], len(asked), repeat),
        mode=_best(lambda: [_mode(product, table, at) for product, _, at in asked], len(asked), repeat),
        explained=_best(lambda: [_explain(one, book, table, directory) for one in asked], len(asked), repeat),
        slowest=sorted(each)[len(each) * 99 // 100] * 1e6,
    )


def _best(run: Callable[[], object], count: int, repeat: int) -> float:
    gc.collect()
    return min(_seconds(run) for _ in range(repeat)) / count * 1e6


def _seconds(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def _mode(product: Product, table: ModeTable, at: datetime) -> InventoryMode:
    return resolve_mode(product, shop="shop-1", mall="cafe24", on=at.date(), table=table).mode


def _explain(asked: tuple[Product, Matter, datetime], book: Routing, table: ModeTable, directory: Directory) -> object:
    product, matter, at = asked
    return explain(
        product,
        shop="shop-1",
        mall="cafe24",
        matter=matter,
        at=at,
        table=table,
        directory=directory,
        chain=book.chain,
        locale="ko",
    )


def _book() -> RoutingTables:
    tables = RoutingTables(
        contacts=(
            *_people("md", Role.MD, 100, hours="mon-fri 09:00-12:00 13:00-18:00"),
            *_people("partner", Role.PARTNER, _PARTNERS, hours="mon-fri 09:00-18:00; sat 10:00-14:00"),
            *_people("logistics", Role.LOGISTICS, 100, hours="mon-sat 08:00-18:00"),
        ),
        absences=tuple(
            AbsenceEntry(contact=f"partner-{number}", absent_from=date(2026, 11, 10), absent_to=date(2026, 11, 20))
            for number in range(0, _PARTNERS, 10)
        ),
        rules=tuple(
            RuleEntry(name=f"rule-{number}", mode=_MODES[number % 3], sku_prefix=f"RULE{number:03}-")
            for number in range(_RULES)
        ),
        partner_defaults=tuple(
            PartnerDefaultEntry(partner=f"S{number}", mode=_MODES[number % 3]) for number in range(0, _PARTNERS, 2)
        ),
        shop_defaults=(ShopDefaultEntry(mode=InventoryMode.CONSIGNMENT),),
    )
    if problems := find_problems(tables):
        raise ValueError(problems[0].reason)
    return tables


def _people(name: str, role: Role, count: int, *, hours: str) -> tuple[ContactEntry, ...]:
    """Everybody stands in for the one before; the last has no deputy."""
    return tuple(
        ContactEntry(
            name=f"{name}-{number}",
            role=role,
            phone="02-000-0000",
            hours=hours,
            codes=(f"S{number}",),
            deputy=f"{name}-{number + 1}" if number % 5 < 4 else None,
        )
        for number in range(count)
    )


def _rows() -> list[ProductEntry]:
    return [
        ProductEntry(mode=_MODES[number % 3], seller_sku=f"SKU-{number}", partner=f"S{number % _PARTNERS}")
        for number in range(_PRODUCTS)
    ]


def _questions() -> list[tuple[Product, Matter, datetime]]:
    """Half of the products stand in the table, a quarter is found by a rule, the rest by a default."""
    chance = random.Random(5)  # the same questions in each run
    found = []
    for number in range(_ASKED):
        sku = (f"SKU-{number}", f"SKU-{number}", f"RULE{number % _RULES:03}-{number}", f"NONE-{number}")[number % 4]
        hints = (InventoryHint(name="supplier", value=f"S{number % (2 * _PARTNERS)}"),)
        at = _FROM + timedelta(minutes=chance.randrange(60 * 24 * 60))
        found.append((Product(name="x", seller_sku=sku, code=f"P{number}", hints=hints), chance.choice([*Matter]), at))
    return found


def report() -> list[str]:
    found = measure()
    missed = "" if found.slowest <= AIM_MICROSECONDS else " (missed)"
    return [
        f"routing decisions on one core (aim: {AIM_MICROSECONDS:,} µs each)",
        f"  mode alone: {found.mode:.1f} µs, {found.mode / found.bare:.0f} x one look-up in a dictionary",
        f"  explained in Korean: {found.explained:.0f} µs, 99 of 100 within {found.slowest:.0f} µs{missed}",
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(report()) + "\n")

"""How long one decision takes, beside its aim: over every situation of the tests' table, with a grown policy book."""

import time
from datetime import date
from typing import Final

from hub.policy.book import PolicyTables
from hub.policy.book_rows import FeeItem, FeeRow, SwitchRow
from hub.policy.clock_file import standard_clocks
from hub.policy.decide import decide
from hub.policy.switches import switches_at
from tests.policy.situations import read_rows

AIM_MS: Final = 1.0
_ROUNDS: Final = 20
_SHOPS: Final = 100
_ON: Final = date(2026, 6, 15)


def report() -> list[str]:
    """Lines for people: the median and the slowest decision, switches and card apart."""
    rows, tables = read_rows(), _book()
    switching, deciding = [], []
    for _ in range(_ROUNDS):
        for row in rows:
            begun = time.perf_counter()
            switches_at(tables, shop="shop-7", mall=row.facts.mall, on=_ON)
            between = time.perf_counter()
            decide(row.facts, request=row.request, switches=row.switches, policy_version=1, clocks=standard_clocks())
            deciding.append(time.perf_counter() - between)
            switching.append(between - begun)
    switches, cards = sorted(switching), sorted(deciding)
    whole = _median(switches) + _median(cards)
    return [
        f"policy: {len(rows)} situations, {_SHOPS} shops in the book",
        f"  switches  median {_median(switches) * 1000:.3f} ms, 99 % {_late(switches) * 1000:.3f} ms",
        f"  card      median {_median(cards) * 1000:.3f} ms, 99 % {_late(cards) * 1000:.3f} ms",
        f"  decision  {whole * 1000:.3f} ms (aim {AIM_MS:g} ms)",
    ]


def _book() -> PolicyTables:
    names = [f"shop-{number}" for number in range(_SHOPS)]
    return PolicyTables(
        switches=tuple(SwitchRow(shop=name, return_days=number) for number, name in enumerate(names)),
        fees=tuple(FeeRow(shop=name, item=item, amount_minor=1_000) for name in names for item in FeeItem),
    )


def _median(times: list[float]) -> float:
    return times[len(times) // 2]


def _late(times: list[float]) -> float:
    return times[len(times) * 99 // 100]

"""Lines that are counted alike, by their days and their products, give what reading one after another gives."""

import msgspec
import pytest

from hub.stats.dispatch_facts import DISPATCH
from hub.stats.facts import Counted, first_behind, tabulate
from hub.stats.rules_then import read_rules_then
from hub.store.database import Database
from tests.stats.test_service_recounts import NOW, SEOUL, SINCE, UNTIL, Rows, fill, made_up
from tests.stats.worked import COUNTRIES

PLAIN = msgspec.structs.replace(DISPATCH, read_alike=None)
#: a clock that minds the hour of each payment, so that days are not enough
BY_THE_HOUR = '{"clocks":[{"mall":"cafe24","kinds":["dispatch"],"since":"paid_at","hours":30}]}'


def of_products(*, by_the_hour: bool) -> Rows:
    rows = made_up(811)
    for number, line in enumerate(rows["order_lines"]):
        line["product_code"] = f"C{number % 4}" if number % 5 else None
        if number % 7 == 0:
            line |= {"is_reserved": True, "sendable_from": line["planned_ship_at"] if number % 2 else None}
    if by_the_hour:
        book = {"id": 1, "kind": "policy", "version": 1, "body": BY_THE_HOUR, "created_at": SINCE}
        rows["rule_books"] = [book]
    return rows


@pytest.mark.parametrize("by_the_hour", [False, True], ids=["by day", "by the hour"])
async def test_dispatch_is_counted_alike_by_mode_as_one_by_one(database: Database, by_the_hour: bool):
    await fill(database, of_products(by_the_hour=by_the_hour))
    counted = Counted(
        database=database,
        zone=SEOUL,
        now=NOW,
        since=SINCE,
        until=UNTIL,
        countries=COUNTRIES,
        mode_of=lambda product, shop, mall, on: "consignment" if product.code == "C1" else f"odd {on.day % 2}",
        partner_of=lambda product, shop, mall, on: "정원상사" if product.code == "C1" else None,
    )
    assert ((await read_rules_then(counted)).day_offset(NOW) is None) == by_the_hour

    for by in (("cause", "mode"), ("cause", "partner", "day"), ("mall", "cause", "rule", "hour"), ("shop", "outcome")):
        assert await tabulate(DISPATCH, counted, by=by) == await tabulate(PLAIN, counted, by=by), by
    unbound = msgspec.structs.replace(counted, since=None, until=None, mall="smartstore")
    assert await tabulate(DISPATCH, unbound, by=("mode",)) == await tabulate(PLAIN, unbound, by=("mode",))

    for figure, where in (("late", {"mode": "consignment"}), ("late_days_median", {"mall": "cafe24", "cause": "law"})):
        measure = DISPATCH.measure(figure)
        total, first = await first_behind(DISPATCH, counted, measure=measure, where=where, most=2)
        assert (total, first) == await first_behind(PLAIN, counted, measure=measure, where=where, most=2)
        assert total >= len(first) == 2

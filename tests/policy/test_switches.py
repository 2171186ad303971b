"""Which row decides: the narrowest scope that is valid on the day, column by column."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.core.model import InventoryMode
from hub.policy.book import EMPTY, PolicyTables
from hub.policy.book_rows import (
    BrandRow,
    ClockRow,
    CompensationRow,
    DayKind,
    DayRow,
    FeeItem,
    FeeRow,
    Gift,
    GroundRow,
    Language,
    LimitRow,
    RetentionRow,
    SwitchRow,
    TargetRow,
)
from hub.policy.card import Request
from hub.policy.clock_file import standard_clocks
from hub.policy.due import DEFAULT_TARGETS, CaseKind, Since
from hub.policy.grounds import Ground
from hub.policy.stage import Stage
from hub.policy.switches import Switches, brand_of, clocks_with, switches_at

_ON = date(2026, 6, 15)


def _at(tables: PolicyTables, *, shop: str = "a", mall: str = "cafe24", brand: str | None = None) -> Switches:
    return switches_at(tables, shop=shop, mall=mall, brand=brand, on=_ON)


def test_an_empty_book_leaves_every_default() -> None:
    assert _at(EMPTY) == Switches()


def test_the_narrowest_scope_wins() -> None:
    rows = (
        SwitchRow(return_days=1),
        SwitchRow(mall="cafe24", return_days=2),
        SwitchRow(brand="north", return_days=3),
        SwitchRow(brand="north", mall="cafe24", return_days=4),
        SwitchRow(shop="a", return_days=5),
        SwitchRow(shop="a", brand="north", return_days=6),
    )
    days = [_at(PolicyTables(switches=rows[:count]), brand="north").return_days for count in range(1, len(rows) + 1)]

    assert days == [1, 2, 3, 4, 5, 6]
    assert _at(PolicyTables(switches=rows)).return_days == 5
    assert _at(PolicyTables(switches=rows), shop="b").return_days == 2
    assert _at(PolicyTables(switches=rows), shop="b", mall="qoo10").return_days == 1


def test_a_column_left_empty_is_decided_by_the_next_wider_row() -> None:
    tables = PolicyTables(
        switches=(
            SwitchRow(return_days=10, answer_language=Language.EN),
            SwitchRow(shop="a", return_days=20),
        )
    )

    switches = _at(tables)

    assert (switches.return_days, switches.answer_language) == (20, Language.EN)
    assert {(origin.value, origin.row) for origin in switches.origins} == {("return_days", 1), ("answer_language", 0)}


def test_what_is_switched_off_is_no_gap() -> None:
    tables = PolicyTables(switches=(SwitchRow(exchange_offered=True), SwitchRow(shop="a", exchange_offered=False)))

    assert _at(tables).exchange_offered is False


def test_a_row_counts_on_its_first_and_last_day() -> None:
    tables = PolicyTables(switches=(SwitchRow(return_days=9, valid_from=_ON, valid_to=_ON),))
    day = timedelta(days=1)

    found = [switches_at(tables, shop="a", mall="cafe24", on=on).return_days for on in (_ON - day, _ON, _ON + day)]

    assert found == [0, 9, 0]


def test_fees_are_found_by_item_and_stage() -> None:
    tables = PolicyTables(
        fees=(
            FeeRow(item=FeeItem.FORWARDER_RETURN, amount_minor=1),
            FeeRow(item=FeeItem.FORWARDER_RETURN, stage=Stage.SENT_ABROAD, amount_minor=2),
            FeeRow(item=FeeItem.FORWARDER_RETURN, stage=Stage.SENT_ABROAD, shop="a", amount_minor=3),
        )
    )
    switches = _at(tables)

    stages = (Stage.SENT_ABROAD, Stage.AT_FORWARDER, None)
    fees = [switches.fee(FeeItem.FORWARDER_RETURN, stage=stage) for stage in stages]

    assert [fee and fee.amount_minor for fee in fees] == [3, 1, 1]
    assert switches.fee(FeeItem.RETURN_SHIPPING) is None


def test_shares_limits_offers_and_grounds_are_found() -> None:
    tables = PolicyTables(
        compensation=(
            CompensationRow(partner_percent=10),
            CompensationRow(mode=InventoryMode.CONSIGNMENT, partner_percent=70),
        ),
        limits=(LimitRow(gift=Gift.POINTS, amount_minor=5), LimitRow(gift=Gift.POINTS, amount_minor=9, shop="a")),
        retention=(RetentionRow(request=Request.CANCEL, gift=Gift.COUPON, amount_minor=1, text_ko="쿠폰"),),
        grounds=(GroundRow(ground=Ground.USED, is_used=False), GroundRow(ground=Ground.USED, shop="b")),
    )
    switches = _at(tables)
    consigned, ours = switches.share(InventoryMode.CONSIGNMENT), switches.share(InventoryMode.DIRECT_PURCHASE)
    limit = switches.limit(Gift.POINTS, "KRW")

    assert consigned is not None
    assert ours is not None
    assert limit is not None
    assert (consigned.partner_percent, ours.partner_percent, limit.amount_minor) == (70, 10, 9)
    assert switches.limit(Gift.POINTS, "JPY") is None
    assert len(switches.offers(Request.CANCEL)) == 1
    assert switches.offers(Request.RETURN) == ()
    assert switches.unused_grounds == frozenset({Ground.USED})
    assert _at(tables, shop="b").unused_grounds == frozenset()


def test_own_aims_replace_the_shipped_ones_and_0_sets_none() -> None:
    targets = _at(PolicyTables(targets=(TargetRow(chat_minutes=0, call_minutes=60, opens=0),))).targets

    assert (targets.chat_minutes, targets.call_minutes, targets.opens) == (None, 60, 0)
    assert targets.order_inquiry_minutes == DEFAULT_TARGETS.order_inquiry_minutes


def test_a_clock_of_the_book_replaces_the_shipped_one() -> None:
    row = ClockRow(mall="smartstore", kinds=(CaseKind.RETURN, CaseKind.EXCHANGE), since=Since.COLLECTED, hours=24)
    shipped = [clock for clock in standard_clocks() if clock.mall == "smartstore"]

    none = clocks_with(Switches(), standard_clocks(), mall="smartstore")
    own = clocks_with(Switches(clocks=(row,)), standard_clocks(), mall="smartstore")

    assert list(none) == shipped
    assert own[0].hours == 24
    assert [clock for clock in own[1:] if clock.since is Since.COLLECTED] == []
    assert len(own) == len(shipped)


def test_a_brand_is_found_by_its_most_exact_row() -> None:
    tables = PolicyTables(
        brands=(
            BrandRow(brand="all of the shop", shop="a"),
            BrandRow(brand="north", sku_prefix="N-"),
            BrandRow(brand="north kids", sku_prefix="N-K"),
            BrandRow(brand="second shop", shop="a", sub_shop="2"),
            BrandRow(brand="old", sku_prefix="N-KX", valid_to=date(2026, 1, 1)),
        )
    )

    def brand(sku: str | None, *, sub_shop: str = "1", shop: str = "a") -> str | None:
        return brand_of(tables, shop=shop, mall="cafe24", sub_shop=sub_shop, seller_sku=sku, on=_ON)

    assert brand(None) == "all of the shop"
    assert brand("N-1") == "north"
    assert brand("N-KX1") == "north kids"
    assert brand(None, sub_shop="2") == "second shop"
    assert brand("X", shop="b") is None


_scopes = st.tuples(
    st.none() | st.sampled_from(["a", "b"]),
    st.none() | st.sampled_from(["cafe24", "qoo10"]),
    st.none() | st.just("north"),
)


@given(st.lists(_scopes, unique=True, max_size=8))
def test_the_row_that_wins_is_one_that_fits_and_none_that_fits_is_narrower(
    scopes: list[tuple[str | None, str | None, str | None]],
) -> None:
    rows = tuple(
        SwitchRow(shop=shop, mall=mall, brand=brand, return_days=place + 1)
        for place, (shop, mall, brand) in enumerate(scopes)
    )
    won = _at(PolicyTables(switches=rows), brand="north").return_days

    fitting = [row for row in rows if row.shop in {None, "a"} and row.mall in {None, "cafe24"}]
    if not fitting:
        assert won == 0
        return
    weights = {row.return_days: (row.shop is not None, row.brand is not None, row.mall is not None) for row in fitting}
    assert weights[won] == max(weights.values())


def test_the_days_of_the_book_are_those_of_the_shop_and_its_country():
    day, other, third = date(2027, 5, 4), date(2027, 5, 6), date(2027, 5, 8)
    tables = PolicyTables(
        days=(
            DayRow(kind=DayKind.HOLIDAY, on=day, country="KR"),
            DayRow(kind=DayKind.HOLIDAY, on=other, country="JP"),
            DayRow(kind=DayKind.CLOSED, on=other),
            DayRow(kind=DayKind.OPENED, on=other, shop="a"),
            DayRow(kind=DayKind.OPENED, on=day, shop="a"),
            DayRow(kind=DayKind.OPENED, on=third, shop="b"),
        )
    )

    def days(shop: str, country: str) -> tuple[set[date], set[date], set[date]]:
        found = switches_at(tables, shop=shop, mall="m", on=date(2027, 1, 1)).own_days(country)
        return set(found.holidays), set(found.closed), set(found.opened)

    # The narrower row of one day counts; a shop that works on a holiday leaves it a holiday.
    assert days("a", "KR") == ({day}, set(), {day, other})
    assert days("b", "JP") == ({other}, {other}, {third})

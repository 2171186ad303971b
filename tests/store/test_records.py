"""What the malls show is stored once, compared by content, and never mixed over shops."""

from datetime import timedelta
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.contract import Feed
from hub.core.model import (
    Address,
    Claim,
    ClaimReason,
    ClaimState,
    EndedBy,
    Inquiry,
    InquiryState,
    InventoryHint,
    LineStatus,
    Order,
    Party,
    Product,
    Shipment,
)
from hub.store.database import Database, to_ms
from hub.store.ids import new_id
from hub.store.one import find_claims, find_inquiry, find_line
from hub.store.sealed import ORDER_PLACE, QUARANTINE_PLACE, RAW_PLACE, unpack_order
from hub.store.tables import claims, inquiries, lines, orders, products, quarantine, raw_payloads, status_changes
from tests.store.shapes import (
    LATER,
    NOW,
    Shop,
    a_claim,
    a_line,
    a_shop,
    an_inquiry,
    an_order,
    broken,
    counted,
    number_of,
    reading,
    rows,
    won,
)

#: of a line, what may change and has an index
_TOLD = (
    st.sampled_from([LineStatus.PAID, LineStatus.DISPATCHED]),
    st.sampled_from([None, "P1", "P2"]),
    st.sampled_from([None, "T1", "T2"]),
)


_HONG = Party(name="홍길동", phone="010-1234-5678", address=Address(zip_code="04524", base="서울", detail="101호"))


async def test_a_new_order_is_counted_by_its_lines(shop: Shop):
    counts = await shop.count(reading(an_order(a_line("L1"), a_line("L2"))))

    assert counts == counted(read=2, new=2)
    assert await number_of(shop.database, orders) == 1


async def test_the_same_order_again_writes_nothing(shop: Shop):
    order = reading(an_order(a_line("L1"), a_line("L2"), claims=(a_claim(),)))
    await shop.write(order)
    before = [await rows(shop.database, table) for table in (orders, lines, claims, raw_payloads)]

    written = await shop.write(order, now=LATER)

    assert written.counts[Feed.ORDERS] == counted(read=2, unchanged=2)
    assert written.counts[Feed.CLAIMS] == counted(read=1, unchanged=1)
    assert (written.claimed, written.threads) == (set(), set())
    assert [await rows(shop.database, table) for table in (orders, lines, claims, raw_payloads)] == before


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        (None, _HONG),
        (Party(), _HONG),
        (Party(name="홍길동"), _HONG),
        (Party(name="홍길동", phone="010-1234-5678"), _HONG),
        (Party(name="김철수"), Party(name="김철수")),
        (Party(address=Address(base="부산")), Party(address=Address(base="부산"))),
    ],
    ids=["nobody", "blanked", "name left", "address gone", "another person", "another place"],
)
async def test_people_that_a_mall_blanks_stay_and_are_never_mixed(shop: Shop, told: Party | None, stands: Party):
    await shop.write(reading(an_order(a_line(), receiver=_HONG, buyer=_HONG, delivery_message="문 앞")))
    later = reading(an_order(a_line(), receiver=told, buyer=told, paid_at=LATER))

    counts = [await shop.count(later, now=LATER), await shop.count(later, now=LATER)]

    (row,) = await rows(shop.database, orders)
    private = unpack_order(shop.database.box.open(row["sealed"], ORDER_PLACE))
    assert (private.buyer, private.receiver, private.delivery_message) == (stands, stands, None)
    assert (row["buyer_phone_idx"] is None) is (stands.phone is None)
    assert counts == [counted(read=1, changed=1), counted(read=1, unchanged=1)]


async def test_a_changed_line_keeps_its_row_and_its_first_sight(shop: Shop):
    await shop.write(reading(an_order(a_line("L1"), a_line("L2"))))
    (first, untouched) = await rows(shop.database, lines)

    counts = await shop.count(reading(an_order(a_line("L1", quantity=3), a_line("L2"))), now=LATER)

    assert counts == counted(read=2, changed=1, unchanged=1)
    (after, same) = await rows(shop.database, lines)
    assert (after["id"], after["quantity"], after["first_seen_at"]) == (first["id"], 3, to_ms(NOW))
    assert after["fetched_at"] == to_ms(LATER)
    assert same == untouched


@given(st.lists(st.lists(st.tuples(*_TOLD), min_size=2, max_size=2), min_size=2, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_changes_of_a_line_or_stays_the_newest_stands(shop: Shop, tellings: list):
    """Columns with an index are left out of an update when they stay: on each line they may be others."""
    order_no = f"O{new_id()}"
    line_nos = f"{order_no}-1", f"{order_no}-2"
    for told in tellings:
        made = [
            a_line(line_no, status=status, product=Product(name="컵", code=code), shipment=Shipment(tracking_no=no))
            for line_no, (status, code, no) in zip(line_nos, told, strict=True)
        ]
        await shop.write(reading(an_order(*made, order_no=order_no), key=order_no))

        stored = {row["line_no"]: row for row in await rows(shop.database, lines)}
        found = [(row["status"], row["product_code"], row["tracking_no"]) for row in map(stored.__getitem__, line_nos)]

        assert found == [(status.value, code, no) for status, code, no in told]


async def test_every_field_of_a_line_comes_back(shop: Shop):
    line = a_line(
        "L1",
        status=LineStatus.DELIVERED,
        raw_status="N40",
        held=True,
        quantity=3,
        remaining_quantity=2,
        product=Product(
            name="찻잔 <b>",
            code="P1",
            option="색=청",
            option_code="P1-B",
            seller_sku="SKU-1",
            hints=(InventoryHint(name="supplier", value="S1"),),
        ),
        amount=won(36_000),
        planned_ship_at=NOW - timedelta(days=3),
        purchase_confirmed_at=NOW,
        mall_changed_at=NOW - timedelta(milliseconds=1),
        shipment=Shipment(carrier="CJ", tracking_no="123", dispatched_at=NOW, delivered_at=LATER),
        replaces_line_no="L0",
    )

    await shop.write(reading(an_order(line)))

    assert await find_line(shop.database, shop.id, "O1", "L1") == line


async def test_every_field_of_a_claim_comes_back(shop: Shop):
    claim = a_claim(
        claim_no="C1",
        state=ClaimState.DONE,
        reason=ClaimReason.DEFECT,
        raw_reason="BROKEN",
        reason_text="깨졌어요",
        quantity=2,
        requested_at=NOW,
        ended_at=LATER,
        ended_by=EndedBy.SELLER,
        hold_reason="no deposit",
        collect_carrier="CJ",
        collect_tracking_no="1",
        collected_at=NOW,
        reship_carrier="HANJIN",
        reship_tracking_no="2",
        refund=won(12_000),
    )

    await shop.write(reading(an_order(claims=(claim,))))

    assert await find_claims(shop.database, shop.id, "L1") == [claim]


async def test_every_field_of_an_inquiry_comes_back(shop: Shop):
    inquiry = an_inquiry(
        subject="배송", order_no="O1", line_nos=("L1", "L2"), writer=Party(name="홍길동"), write_ref="b=1"
    )

    await shop.write(reading(inquiry), feed=Feed.INQUIRIES)

    assert await find_inquiry(shop.database, shop.id, "Q1") == inquiry


# status history


async def test_the_first_sight_of_a_status_is_no_change(shop: Shop):
    await shop.write(reading(an_order(claims=(a_claim(),))), reading(an_inquiry(), key="q"))

    assert await number_of(shop.database, status_changes) == 0


async def test_each_move_of_a_status_is_kept_with_the_malls_time(shop: Shop):
    await shop.write(reading(an_order()))
    sent = a_line(status=LineStatus.DISPATCHED, raw_status="N30", shipment=Shipment(dispatched_at=NOW))
    there = a_line(status=LineStatus.DELIVERED, raw_status="N40", shipment=Shipment(delivered_at=LATER))

    await shop.write(reading(an_order(sent)), now=NOW + timedelta(hours=1))
    await shop.write(reading(an_order(there)), now=NOW + timedelta(hours=2))

    history = await rows(shop.database, status_changes)
    assert [(row["from_status"], row["to_status"], row["raw_status"]) for row in history] == [
        ("paid", "dispatched", "N30"),
        ("dispatched", "delivered", "N40"),
    ]
    assert [row["mall_at"] for row in history] == [to_ms(NOW), to_ms(LATER)]
    assert {row["subject"] for row in history} == {"line"}


async def test_a_change_beside_the_status_is_no_history(shop: Shop):
    await shop.write(reading(an_order()))

    await shop.write(reading(an_order(a_line(quantity=9))))

    assert await number_of(shop.database, status_changes) == 0


async def test_an_answered_inquiry_changes_and_wakes_its_thread(shop: Shop):
    await shop.write(reading(an_inquiry(thread_no="T1")), feed=Feed.INQUIRIES)

    answered = an_inquiry(thread_no="T1", state=InquiryState.ANSWERED, answer="내일이요", answered_at=LATER)
    written = await shop.write(reading(answered), feed=Feed.INQUIRIES, now=LATER)

    assert written.counts[Feed.INQUIRIES] == counted(read=1, changed=1)
    assert written.threads == {"T1"}
    (change,) = await rows(shop.database, status_changes)
    assert (change["from_status"], change["to_status"], change["mall_at"]) == ("unanswered", "answered", to_ms(LATER))


# the head of an order that is read in parts


async def test_parts_of_an_order_add_up(shop: Shop):
    await shop.write(reading(an_order(a_line("L1")), key="L1"))

    counts = await shop.count(reading(an_order(a_line("L2")), key="L2"))

    assert counts == counted(read=1, new=1)
    assert await number_of(shop.database, orders) == 1
    assert await number_of(shop.database, lines) == 2


async def test_the_head_comes_from_the_first_line_whatever_the_order_of_reading(shop: Shop):
    to_home = an_order(a_line("L1"), receiver=Party(name="집"))
    to_work = an_order(a_line("L2"), receiver=Party(name="회사"))
    await shop.write(reading(to_work, key="L2"))
    await shop.write(reading(to_home, key="L1"))

    counts = await shop.count(reading(to_work, key="L2"))

    assert counts == counted(read=1, unchanged=1)
    (order,) = await rows(shop.database, orders)
    private = unpack_order(shop.database.box.open(order["sealed"], ORDER_PLACE))
    assert (private.receiver, order["head_line_no"]) == (Party(name="집"), "L1")


async def test_the_first_line_becomes_the_head_of_lines_that_tell_the_same(shop: Shop):
    home, work = Party(name="집"), Party(name="회사")
    for number, receiver in (("L3", home), ("L1", home), ("L2", work)):
        await shop.write(reading(an_order(a_line(number), receiver=receiver), key=number))

    assert await shop.count(reading(an_order(a_line("L1"), receiver=home), key="L1")) == counted(read=1, unchanged=1)
    (order,) = await rows(shop.database, orders)
    assert order["head_line_no"] == "L1"


async def test_parts_in_one_page_give_the_same_head_as_parts_in_two(shop: Shop):
    to_home = reading(an_order(a_line("L1"), receiver=Party(name="집")), key="L1")
    to_work = reading(an_order(a_line("L2"), receiver=Party(name="회사")), key="L2")
    await shop.write(to_work, to_home)

    assert await shop.count(to_home) == counted(read=1, unchanged=1)
    assert await shop.count(to_work) == counted(read=1, unchanged=1)


async def test_a_new_buyer_counts_as_a_change_of_the_lines_read(shop: Shop):
    await shop.write(reading(an_order()))

    counts = await shop.count(reading(an_order(buyer=Party(name="임꺽정"))))

    assert counts == counted(read=1, changed=1)


async def test_a_line_read_twice_in_a_page_is_taken_as_read_last(shop: Shop):
    await shop.write(reading(an_order(a_line(quantity=1))), reading(an_order(a_line(quantity=2))))

    assert [row["quantity"] for row in await rows(shop.database, lines)] == [2]


async def test_sub_shops_may_use_the_same_order_number(shop: Shop):
    await shop.write(
        reading(an_order(a_line("L1"), sub_shop="1"), key="1/O1"),
        reading(an_order(a_line("L9"), sub_shop="2"), key="2/O1"),
    )

    assert [row["sub_shop"] for row in await rows(shop.database, orders)] == ["1", "2"]


# claims


async def test_an_open_claim_ends_when_a_complete_order_no_longer_shows_it(shop: Shop):
    await shop.write(reading(an_order(claims=(a_claim(),), claims_are_complete=True)))

    written = await shop.write(reading(an_order(claims_are_complete=True)), now=LATER)

    assert written.counts[Feed.CLAIMS] == counted(vanished=1)
    assert written.claimed == {("O1", "return")}
    (row,) = await rows(shop.database, claims)
    assert (row["state"], row["is_open"], row["ended_by"]) == ("withdrawn", False, "unknown")
    (change,) = await rows(shop.database, status_changes)
    assert (change["subject"], change["to_status"]) == ("claim", "withdrawn")


async def test_a_claim_that_ended_by_absence_and_shows_again_is_open_again(shop: Shop):
    shown = reading(an_order(claims=(a_claim(),), claims_are_complete=True))
    await shop.write(shown)
    await shop.write(reading(an_order(claims_are_complete=True)))

    counts = await shop.count(shown, of=Feed.CLAIMS, feed=Feed.ORDERS)

    assert counts == counted(read=1, changed=1)
    assert [row["is_open"] for row in await rows(shop.database, claims)] == [True]


async def test_nothing_is_concluded_from_an_order_that_does_not_know_its_claims(shop: Shop):
    await shop.write(reading(an_order(claims=(a_claim(),), claims_are_complete=True)))

    written = await shop.write(reading(an_order()))

    assert written.counts[Feed.CLAIMS] == counted()
    assert [row["is_open"] for row in await rows(shop.database, claims)] == [True]


async def test_a_complete_line_ends_no_claim_of_another_line(shop: Shop):
    both = (a_line("L1"), a_line("L2"))
    await shop.write(reading(an_order(*both, claims=(a_claim("c2", line_no="L2"),), claims_are_complete=True)))

    await shop.write(reading(an_order(a_line("L1"), claims_are_complete=True), key="L1"))

    assert [row["is_open"] for row in await rows(shop.database, claims)] == [True]


async def test_two_claims_on_one_line_stand_apart(shop: Shop):
    done = a_claim("L1/1", state=ClaimState.REJECTED)

    await shop.write(reading(an_order(claims=(done, a_claim("L1/2")))))

    assert [row["is_open"] for row in await rows(shop.database, claims)] == [False, True]


async def test_a_partial_reading_overwrites_only_what_moved(shop: Shop):
    told = a_claim(reason_text="깨졌어요", quantity=2)
    await shop.write(reading(an_order(a_line(amount=won(9_000)), claims=(told,)), raw=b"whole"))
    bare = reading(an_order(buyer=None, claims=(a_claim(),)), raw=b"part", is_partial=True)

    written = await shop.write(bare, now=LATER)

    assert written.counts[Feed.ORDERS] == counted(read=1, unchanged=1)
    assert written.counts[Feed.CLAIMS] == counted(read=1, unchanged=1)
    (raw,) = await rows(shop.database, raw_payloads)
    assert shop.database.box.open(raw["payload_sealed"], RAW_PLACE) == b"whole"
    assert await find_claims(shop.database, shop.id, "L1") == [told]


async def test_a_partial_reading_tells_that_a_status_moved(shop: Shop):
    await shop.write(reading(an_order(a_line(), claims=(a_claim(),))))
    line = a_line(status=LineStatus.DISPATCHED, raw_status="N30")
    moved = an_order(line, claims=(a_claim(state=ClaimState.COLLECTED),))

    written = await shop.write(reading(moved, is_partial=True))

    assert written.counts[Feed.ORDERS] == counted(read=1, changed=1)
    assert written.counts[Feed.CLAIMS] == counted(read=1, changed=1)


async def test_what_a_partial_reading_leaves_out_of_a_moved_line_stays(shop: Shop):
    told = a_line(
        product=Product(name="찻잔", code="P1", option="색상:흰색", option_code="W", seller_sku="SK-1"),
        amount=won(9_000),
        planned_ship_at=NOW,
    )
    await shop.write(reading(an_order(told), raw=b"whole"))
    parcel = Shipment(carrier="佐川急便", tracking_no="500000000001", dispatched_at=LATER)
    product = Product(name="", code="P1")
    bare = a_line(status=LineStatus.DISPATCHED, raw_status="4", product=product, shipment=parcel)

    await shop.write(reading(an_order(bare), raw=b"part", is_partial=True))

    moved = msgspec.structs.replace(told, status=LineStatus.DISPATCHED, raw_status="4", shipment=parcel)
    assert await find_line(shop.database, shop.id, "O1", "L1") == moved


# quarantine


async def test_a_broken_record_is_kept_sealed_and_the_rest_of_the_page_is_stored(shop: Shop):
    counts = await shop.count(broken("O9", b'{"phone": "010-1234-5678"}'), reading(an_order()))

    assert counts == counted(read=2, new=1, quarantined=1)
    (row,) = await rows(shop.database, quarantine)
    assert (row["feed"], row["key"], row["error"], row["resolved_at"]) == ("orders", "O9", "no order number", None)
    assert b"1234" not in row["payload_sealed"]
    assert shop.database.box.open(row["payload_sealed"], QUARANTINE_PLACE) == b'{"phone": "010-1234-5678"}'


async def test_a_record_leaves_quarantine_when_it_can_be_read_and_returns_when_it_cannot(shop: Shop):
    await shop.write(broken("O1"))
    await shop.write(reading(an_order()), now=LATER)
    (resolved,) = await rows(shop.database, quarantine)

    await shop.write(broken("O1"), now=LATER)

    (again,) = await rows(shop.database, quarantine)
    assert (resolved["resolved_at"], again["resolved_at"]) == (to_ms(LATER), None)
    assert again["first_seen_at"] == to_ms(NOW)


async def test_a_record_read_for_one_feed_leaves_the_quarantine_of_another_alone(shop: Shop):
    await shop.write(broken("O1"), feed=Feed.CLAIMS)

    await shop.write(reading(an_order()), feed=Feed.ORDERS)

    assert [row["resolved_at"] for row in await rows(shop.database, quarantine)] == [None]


async def test_the_newest_raw_payload_is_kept_sealed(shop: Shop):
    await shop.write(reading(an_order(), raw=b'{"name": "old"}'))

    await shop.write(reading(an_order(), raw=b'{"name": "new"}'), now=LATER)

    (row,) = await rows(shop.database, raw_payloads)
    assert b"new" not in row["payload_sealed"]
    assert shop.database.box.open(row["payload_sealed"], RAW_PLACE) == b'{"name": "new"}'


# shops, people, hostile input


async def test_two_shops_with_equal_numbers_never_mix(database: Database):
    first, second = await a_shop(database, "a"), await a_shop(database, "b")
    page = [reading(an_order(claims=(a_claim(),), claims_are_complete=True)), reading(an_inquiry(), key="q")]
    await first.write(*page)
    before = [await rows(database, table) for table in (orders, lines, claims, inquiries)]

    written = await second.write(*page)
    await second.write(reading(an_order(a_line(quantity=7), claims_are_complete=True)), broken("O1"))

    assert written.counts[Feed.ORDERS] == counted(read=1, new=1)
    after = [await rows(database, table) for table in (orders, lines, claims, inquiries)]
    assert [[row for row in table if row["shop_id"] == first.id] for table in after] == before


async def test_people_are_found_by_a_keyed_hash_and_stored_nowhere_in_the_clear(shop: Shop):
    await shop.write(
        reading(an_order(), raw=b"010-1234-5678"), reading(an_inquiry(writer=Party(name="홍길동")), key="q")
    )

    (order,) = await rows(shop.database, orders)
    assert order["buyer_phone_idx"] == shop.database.box.blind("phone", "+821012345678")
    assert order["buyer_email_idx"] == shop.database.box.blind("email", "hong@example.com")
    stored = repr([await rows(shop.database, table) for table in (orders, lines, inquiries, raw_payloads)])
    assert "홍길동" not in stored
    assert "5678" not in stored
    assert "hong@" not in stored


async def test_a_masked_phone_is_no_phone(shop: Shop):
    await shop.write(reading(an_order(buyer=Party(name="홍*동", phone="010-****-5678"))))

    (order,) = await rows(shop.database, orders)
    assert (order["buyer_phone_idx"], order["buyer_name_idx"]) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("'; DROP TABLE orders; --", id="sql"),
        pytest.param("<script>alert(1)</script>", id="html"),
        pytest.param("=HYPERLINK(1)", id="formula"),
        pytest.param("%s %(x)s {0} :name $1 ?", id="placeholders"),
        pytest.param("𝓗👨‍👩‍👧‍👦\u202e\u200b", id="unicode"),
        pytest.param("", id="empty"),
        pytest.param("가" * 20_000, id="long"),
        pytest.param("a\x00b", id="nul"),
    ],
)
async def test_hostile_text_is_stored_as_it_is_but_for_nul(shop: Shop, text: str):
    line = a_line(line_no="L1", raw_status=text, product=Product(name=text, option=text))
    claim = a_claim(reason_text=text, raw_reason=text)
    await shop.write(reading(an_order(line, claims=(claim,)), raw=msgspec.json.encode(text)))

    stored = await find_line(shop.database, shop.id, "O1", "L1")

    assert stored is not None
    assert stored.product.name == text.replace("\x00", "")
    (claim,) = await find_claims(shop.database, shop.id, "L1")
    assert (claim.reason_text or "") == text.replace("\x00", "")


async def test_names_of_products_are_kept_once(shop: Shop):
    tea = Product(name="Ｔea  CUP", code="P1")
    await shop.write(reading(an_order(a_line("L1", product=tea), a_line("L2", product=tea))))

    assert [row["name_folded"] for row in await rows(shop.database, products)] == ["tea cup"]


async def test_a_large_page_is_one_transaction_of_many_rows(shop: Shop):
    page = [reading(an_order(a_line(f"{n}-1"), order_no=f"O{n}"), key=f"O{n}") for n in range(2_000)]

    assert await shop.count(*page) == counted(read=2_000, new=2_000)
    assert await shop.count(*page) == counted(read=2_000, unchanged=2_000)


async def test_a_page_that_fails_leaves_nothing(shop: Shop):
    class PowerCutError(Exception): ...

    with pytest.raises(PowerCutError):
        async with shop.database.writing() as connection:
            await shop.writer.write(connection, [reading(an_order())], feed=Feed.ORDERS, now=NOW)
            raise PowerCutError

    assert await number_of(shop.database, orders) == 0


def test_the_records_of_these_tests_use_every_field_of_a_claim():
    """A field added to Claim must be added to the round trip above."""
    told = {"claim_key", "order_no", "line_no", "kind", "state", "raw_state", "claim_no", "reason", "raw_reason"}
    told |= {"reason_text", "fault_party", "quantity", "requested_at", "ended_at", "ended_by", "hold_reason"}
    told |= {"collect_carrier", "collect_tracking_no", "collected_at", "reship_carrier", "reship_tracking_no", "refund"}

    assert {field.name for field in msgspec.structs.fields(Claim)} == told


_ENDLESS = "9" * 20_000


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (an_order(a_line("L9", quantity=2**40)), "quantity"),
        (an_order(a_line("L9", amount=won(2**70))), "amount"),
        (an_order(a_line(_ENDLESS)), "line_no"),
        (an_order(a_line("L9", shipment=Shipment(tracking_no=_ENDLESS))), "tracking_no"),
        (an_order(a_line("L9"), order_no=_ENDLESS), "order_no"),
        (a_claim(refund=won(-(2**70))), "refund"),
        (an_inquiry(_ENDLESS), "inquiry_no"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_no_row_holds_is_set_aside_alone(shop: Shop, record: Order | Claim | Inquiry, field: str):
    written = await shop.write(reading(an_order(a_line("L1"))), reading(record, raw=b'{"odd": 1}'))

    assert [row["line_no"] for row in await rows(shop.database, lines)] == ["L1"]
    (aside,) = await rows(shop.database, quarantine)
    assert aside["error"] == f"{field}: larger than any row holds"
    assert written.counts[Feed.ORDERS].quarantined == 1


async def test_a_product_with_an_endless_name_is_stored(shop: Shop):
    chance = Random(3)
    name = "".join(chr(chance.randrange(0xAC00, 0xD7A3)) for _ in range(5_000))

    counts = await shop.count(reading(an_order(a_line("L1", product=Product(name=name, code="9" * 300)))))

    assert counts == counted(read=1, new=1)
    assert [row["product_name"] for row in await rows(shop.database, lines)] == [name]

"""The page of a customer: everything over all malls, page by page, at the same cost however much there is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.core.model import Money, Party
from hub.desk.access import Actor
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.history import PAGE, read_place
from hub.desk.customers.identity import RecordKind, RecordRef
from hub.desk.customers.links import Verdict, decide
from hub.desk.customers.page import CustomerPage, read_customer_page, unmask_customer
from hub.desk.customers.views import HistoryKind
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import access_log, calls, compensations, inquiries, orders
from tests.desk.invented import NOW, Rig, claim, inquiry, line, open_rig, order
from tests.statements import sent_to

PHONE = "010-1234-5678"
HONG = Party(name="홍길동", phone=PHONE, email="hong@example.com")


async def _ref(rig: Rig, number: str) -> RecordRef:
    async with rig.database.reading() as connection:
        found = await connection.scalar(select(orders.c.id).where(orders.c.order_no == number))
    assert found is not None
    return RecordRef(kind=RecordKind.ORDER, id=found)


async def _give(rig: Rig, shop: str, number: str, minor: int, *, days_ago: int, currency: str = "KRW") -> None:
    values = {
        "id": new_id(),
        "shop_id": rig.shops[shop].id,
        "order_no": number,
        "kind": "points",
        "state": "given",
        "is_at_mall": False,
        "amount_minor": minor,
        "currency": currency,
        "reason": "late",
        "given_at": to_ms(NOW - timedelta(days=days_ago)),
    }
    async with rig.database.writing() as connection:
        await connection.execute(compensations.insert().values(values))


@pytest.fixture
async def people(rig: Rig) -> Rig:
    """Orders of one number on three shops, a claim, a question, a call, and what was given."""
    lee = Party(name="이수연", phone=PHONE)
    await rig.write(
        "alpha-main",
        order("A-1", line("A-1-1"), claims=(claim("A-1", "A-1-1"),), buyer=HONG, receiver=HONG),
        inquiry("Q-1", "언제 오나요?", writer=Party(name="홍길동", phone=PHONE)),
        # The mall tells no number of who asked: it is the buyer's.
        inquiry("Q-2", "색이 달라요", writer=Party(name="홍길동"), order_no="A-1", asked_at=NOW - timedelta(hours=6)),
    )
    ago = {"ordered_at": NOW - timedelta(days=9)}
    await rig.write("alpha-outlet", order("B-1", line("B-1-1", name="양말"), buyer=lee, receiver=lee, **ago))
    ago = {"ordered_at": NOW - timedelta(days=10)}
    japanese = Party(name="洪吉童", phone="090-1111-2222", email="hong@example.com")
    await rig.write("japan-main", order("J-1", line("J-1-1", name="化粧水"), buyer=japanese, receiver=japanese, **ago))
    call = {
        "call_id": "1763600000.7",
        "mall": "alpha",
        "line": "order",
        "result": "answered",
        "entered_at": to_ms(NOW - timedelta(minutes=5)),
        "talk_seconds": 61.0,
        "is_short_abandon": False,
        "is_transferred": False,
        "caller_idx": rig.database.box.blind("phone", "+821012345678"),
        "content_hash": b"-",
    }
    async with rig.database.writing() as connection:
        await connection.execute(calls.insert().values(call))
    await _give(rig, "alpha-main", "A-1", 3_000, days_ago=1)
    await _give(rig, "alpha-outlet", "B-1", 5_000, days_ago=2)
    await _give(rig, "alpha-main", "A-1", 2_000, days_ago=370)
    await _give(rig, "japan-main", "J-1", 500, days_ago=3, currency="JPY")
    return rig


def _entries(page: CustomerPage) -> list[tuple[str, str | None, str]]:
    return [(entry.kind.value, entry.number, standing.value) for entry, standing in page.entries]


def _sums(page: CustomerPage) -> list[tuple[int, Money, Money]]:
    return [(each.years_ago, each.sure, each.total) for each in page.sums]


async def test_everything_under_a_number_and_its_addresses(people: Rig, agent: Actor):
    page = await read_customer_page(people, actor=agent, ref=await _ref(people, "A-1"))

    assert _entries(page) == [
        ("call", None, "perhaps"),
        ("claim", "A-1", "same"),
        ("inquiry", None, "same"),
        ("inquiry", "A-1", "same"),
        ("order", "A-1", "same"),
        ("order", "B-1", "perhaps"),
        ("order", "J-1", "perhaps"),
    ]
    assert [(one.standing, one.orders, one.inquiries) for one in page.identities] == [
        ("same", 1, 1),
        ("perhaps", 1, 0),
        ("perhaps", 1, 0),
    ]
    assert page.identities[0].person == Party(name="홍•동", phone="010-••••-5678", email="h•••@example.com")
    won, yen = (lambda minor: Money(minor=minor, currency="KRW")), (lambda minor: Money(minor=minor, currency="JPY"))
    assert _sums(page) == [(0, yen(0), yen(500)), (0, won(3_000), won(8_000)), (1, won(2_000), won(2_000))]
    assert page.next_place is None


async def test_the_split_are_left_out_and_the_confirmed_are_counted(people: Rig, agent: Actor):
    hong = await _ref(people, "A-1")
    await decide(people, actor=agent, one=hong, other=await _ref(people, "J-1"), verdict=Verdict.SAME)
    await decide(people, actor=agent, one=hong, other=await _ref(people, "B-1"), verdict=Verdict.DIFFERENT)

    page = await read_customer_page(people, actor=agent, ref=hong, kind=HistoryKind.ORDER)

    assert _entries(page) == [("order", "A-1", "same"), ("order", "J-1", "confirmed")]
    assert [(each.verdict, each.by, each.undone_at) for each in page.links] == [
        ("different", None, None),
        ("same", None, None),
    ]
    assert {link.one for link in page.links} | {link.other for link in page.links} == {
        identity.ref for identity in page.identities
    }
    won, yen = (lambda minor: Money(minor=minor, currency="KRW")), (lambda minor: Money(minor=minor, currency="JPY"))
    assert _sums(page) == [(0, yen(500), yen(500)), (0, won(3_000), won(3_000)), (1, won(2_000), won(2_000))]


async def test_a_question_and_a_call_lead_to_the_same_page(people: Rig, agent: Actor):
    async with people.database.reading() as connection:
        asked = await connection.scalar(select(inquiries.c.id).where(inquiries.c.inquiry_no == "Q-1"))
    assert asked is not None

    page = await read_customer_page(people, actor=agent, ref=RecordRef(kind=RecordKind.INQUIRY, id=asked))

    own = page.identities[0]
    assert (own.standing, own.orders, own.inquiries) == ("same", 1, 1)
    with pytest.raises(NotFoundError):
        await read_customer_page(people, actor=agent, ref=RecordRef(kind=RecordKind.CALL, id=1))


async def test_unmasked_only_with_a_reason_that_is_logged(people: Rig, agent: Actor):
    ref = await _ref(people, "A-1")
    with pytest.raises(ValueError, match="reason"):
        await unmask_customer(people, actor=agent, ref=ref, reason=" ")

    page = await unmask_customer(people, actor=agent, ref=ref, reason="본인 확인")

    assert page.identities[0].person.phone == PHONE
    async with people.database.reading() as connection:
        (logged,) = (await connection.execute(select(access_log))).all()
    assert (logged.action, logged.subject, logged.reason) == ("unmask", f"customer {ref}", "본인 확인")


@pytest.mark.parametrize(
    "text", ["", "1", "1.order", "1.order.", "x.order.1", "1.shop.1", "1.order.x", f"{2**63}.call.1"]
)
def test_what_was_not_made_here_is_no_place(text: str):
    with pytest.raises(ValueError, match="place"):
        read_place(text)


@pytest.fixture
async def wholesaler(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Callable[[int], Awaitable[Rig]]]:
    """A rig in which one number has as many orders as asked for, ten to a moment."""
    rig = await open_rig(tmp_path, sqlite_url)

    async def fill(many: int) -> Rig:
        await rig.write("alpha-main", order("A-1", buyer=HONG, receiver=HONG))
        async with rig.database.writing() as connection:
            first = dict((await connection.execute(select(orders))).mappings().one())
            row = {**first, "content_hash": b"x"}
            at = to_ms(NOW) or 0
            rows = [
                {**row, "id": first["id"] + number, "order_no": f"W-{number}", "ordered_at": at - number // 10}
                for number in range(1, many)
            ]
            await connection.execute(orders.insert(), rows)
        return rig

    yield fill
    await rig.database.aclose()


async def _walk(rig: Rig, actor: Actor, ref: RecordRef, *, most: int) -> tuple[list[str | None], list[int]]:
    """The order numbers of the first pages, and the statements that each page took."""
    numbers: list[str | None] = []
    costs: list[int] = []
    place = None
    for _ in range(most):
        with sent_to(rig.database) as statements:
            page = await read_customer_page(rig, actor=actor, ref=ref, after=place)
        costs.append(len(statements))
        numbers += [entry.number for entry, _ in page.entries]
        if page.next_place is None:
            break
        place = read_place(page.next_place)
    return numbers, costs


async def test_each_record_is_on_one_page(wholesaler: Callable[[int], Awaitable[Rig]], agent: Actor):
    rig = await wholesaler(3 * PAGE)

    numbers, costs = await _walk(rig, agent, await _ref(rig, "A-1"), most=9)

    assert len(numbers) == len(set(numbers)) == 3 * PAGE
    assert len(costs) == 3


async def test_ten_thousand_orders_cost_the_statements_of_a_few(
    wholesaler: Callable[[int], Awaitable[Rig]], agent: Actor
):
    rig = await wholesaler(10_000)

    numbers, costs = await _walk(rig, agent, await _ref(rig, "A-1"), most=2)

    assert len(set(numbers)) == 2 * PAGE
    assert max(costs) <= 20
    page = await read_customer_page(rig, actor=agent, ref=await _ref(rig, "A-1"))
    assert page.identities[0].orders == 10_000

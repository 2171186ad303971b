import pytest

from hub.core.model import Party, Shipment
from hub.desk.access import Actor
from hub.desk.search import LIMIT, SearchedBy, search
from tests.desk.invented import Rig, inquiry, line, order


async def _found(rig: Rig, actor: Actor, text: str) -> set[str]:
    result = await search(rig, actor=actor, text=text)
    return {each.order_no for each in result.orders} | {row.excerpt or "" for row in result.cases}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-2", {"A-2"}),
        ("A-2-1", {"A-2"}),
        ("688012345678", {"A-2"}),
        ("6880-1234-5678", {"A-2"}),
        ("  A-2  ", {"A-2"}),
        ("01022223333", {"A-2"}),
        ("010 2222 3333", {"A-2"}),
        ("+82-10-2222-3333", {"A-2"}),
        ("０１０－２２２２－３３３３", {"A-2"}),
        ("090-1234-5678", {"J-1"}),
        ("김민지", {"A-2"}),
        ("김 민지", {"A-2"}),
        ("山田花子", {"J-1"}),
        ("hong@example.com", {"A-1", "O-1"}),
        ("린넨 셔츠", {"O-1"}),
        ("보 없음", set()),
        ("化粧水", {"J-1"}),
        ("Q-1", {"배송 문의"}),
        ("2222", set()),
        ("010-****-3333", set()),
        ("%", set()),
        ("_", set()),
        ("' OR 1=1 --", set()),
        ("", set()),
        ("   ", set()),
    ],
)
async def test_one_box_finds_in_every_sense(sample: Rig, agent: Actor, text: str, expected: set[str]) -> None:
    assert await _found(sample, agent, text) == expected


async def test_a_writer_is_found_by_phone_and_name(rig: Rig, agent: Actor) -> None:
    await rig.write(
        "alpha-main", inquiry("N-1", "문의", subject="제목", writer=Party(name="이수연", phone="010-9999-0000"))
    )

    assert await _found(rig, agent, "01099990000") == {"제목"}
    assert await _found(rig, agent, "이수연") == {"제목"}


async def test_it_says_how_it_searched(sample: Rig, agent: Actor) -> None:
    by_phone = await search(sample, actor=agent, text="010-2222-3333")
    by_name = await search(sample, actor=agent, text="김민지")

    assert by_phone.searched == (SearchedBy.NUMBER, SearchedBy.PHONE, SearchedBy.NAME, SearchedBy.PRODUCT)
    assert by_name.searched == (SearchedBy.NUMBER, SearchedBy.NAME, SearchedBy.PRODUCT)


async def test_a_common_product_says_that_there_is_more(rig: Rig, agent: Actor) -> None:
    await rig.write(
        "alpha-main", *(order(f"P-{number}", line(f"P-{number}-1", name="흔한 상품")) for number in range(LIMIT + 5))
    )

    result = await search(rig, actor=agent, text="흔한")

    assert len(result.orders) == LIMIT
    assert result.is_cut


async def test_a_result_shows_no_personal_data(sample: Rig, agent: Actor) -> None:
    result = await search(sample, actor=agent, text="홍길동")

    assert {each.order_no for each in result.orders} == {"A-1", "O-1"}
    assert "홍길동" not in repr((result.orders, result.cases))
    assert "1234-5678" not in repr(result)


async def test_a_tracking_number_finds_every_order_in_the_parcel(rig: Rig, agent: Actor) -> None:
    parcel = Shipment(carrier="CJ", tracking_no="123456789012")
    await rig.write(
        "alpha-main", order("X-1", line("X-1-1", shipment=parcel)), order("X-2", line("X-2-1", shipment=parcel))
    )

    assert await _found(rig, agent, "1234-5678-9012") == {"X-1", "X-2"}

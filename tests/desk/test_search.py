from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.core.model import Message, MessageAuthor, Party, Shipment
from hub.desk.access import Actor
from hub.desk.care.complaints import mark_hard
from hub.desk.search.box import PAGE, QUICK, SearchedBy, search
from hub.desk.search.tending import take_all_in
from hub.desk.search.words import read_words
from hub.store import search_blocks as search_blocks_module
from hub.store.box import Box
from hub.store.sealed import INQUIRY_PLACE, ORDER_PLACE
from hub.store.search_blocks import BLOCK
from hub.store.search_index import SearchIndex
from hub.store.shops import ShopStore
from hub.store.tables import search_blocks, search_dead, search_documents
from tests.desk.invented import NOW, Rig, claim, inquiry, line, open_rig, order
from tests.statements import sent_to


async def _found(rig: Rig, actor: Actor, text: str) -> set[str]:
    result = await search(rig, actor=actor, text=text)
    return {each.order_no for each in result.orders} | {row.excerpt or "" for row in result.cases}


@pytest.fixture
async def sqlite_rig(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Rig]:
    """Shops without a record, where the kind of database makes no difference."""
    rig = await open_rig(tmp_path, sqlite_url)
    yield rig
    await rig.database.aclose()


@pytest.fixture
async def searchable(sample: Rig) -> Rig:
    await take_all_in(sample)
    return sample


#: what is typed -> the orders it finds, and the cases by their first words
FINDS: dict[str, set[str]] = {
    "A-2": {"A-2"},
    "#A-2": {"A-2"},
    "A2": {"A-2"},
    "A-2-1": {"A-2"},
    "688012345678": {"A-2"},
    "6880-1234-5678": {"A-2"},
    "  A-2  ": {"A-2"},
    "01022223333": {"A-2"},
    "010 2222 3333": {"A-2"},
    "+82-10-2222-3333": {"A-2"},
    "０１０－２２２２－３３３３": {"A-2"},
    "090-1234-5678": {"J-1"},
    "+81 90 1234 5678": {"J-1"},
    "김민지": {"A-2"},
    "김 민지": {"A-2"},
    "민지": {"A-2"},
    "김민지 3333": {"A-2"},
    "김민지 4444": set(),
    "김민지 지갑": {"A-2"},
    "김민지 셔츠": set(),
    "山田花子": {"J-1"},
    "山田": {"J-1"},
    "やまだ": {"J-1"},
    "ﾔﾏﾀﾞ": {"J-1"},
    "hong@example.com": {"A-1", "O-1"},
    "린넨 아울렛": {"O-1"},
    "보 없음": set(),
    "化粧水": {"J-1"},
    "化粧": {"J-1"},
    "ｾｯﾄ": {"J-1"},
    "Q-1": {"배송 문의"},
    "배송문의": {"배송 문의"},
    "배송문ㅇ": {"배송 문의"},
    "급해요": {"배송 문의"},
    "2222": set(),
    "1111 2222": set(),
    "지": set(),
    "010-****-3333": set(),
    "%": set(),
    "_": set(),
    "' OR 1=1 --": set(),
    "\u202e\u200b\0": set(),
    "99999999999999999999999": set(),
    "": set(),
    "   ": set(),
}


async def test_one_box_finds_in_every_sense(searchable: Rig, agent: Actor) -> None:
    assert {text: await _found(searchable, agent, text) for text in FINDS} == FINDS


async def test_numbers_and_whole_names_are_found_before_the_index_knows_them(sample: Rig, agent: Actor) -> None:
    assert await _found(sample, agent, "김민지") == {"A-2"}
    assert await _found(sample, agent, "01022223333") == {"A-2"}
    assert await _found(sample, agent, "민지") == set()
    assert (await search(sample, actor=agent, text="민지")).waiting > 0

    await take_all_in(sample)

    assert (await search(sample, actor=agent, text="민지")).waiting == 0


async def test_a_writer_is_found_by_phone_and_name(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    await rig.write(
        "alpha-main", inquiry("N-1", "문의", subject="제목", writer=Party(name="이수연", phone="010-9999-0000"))
    )

    assert await _found(rig, agent, "01099990000") == {"제목"}
    assert await _found(rig, agent, "이수연") == {"제목"}


async def test_it_says_how_it_searched(sqlite_rig: Rig, agent: Actor) -> None:
    by_phone = await search(sqlite_rig, actor=agent, text="010-2222-3333")
    by_letter = await search(sqlite_rig, actor=agent, text="김")

    words = (SearchedBy.NAME, SearchedBy.PRODUCT, SearchedBy.TEXT)
    assert by_phone.searched == (SearchedBy.NUMBER, SearchedBy.PHONE, *words)
    assert by_letter.searched == (SearchedBy.NUMBER, SearchedBy.NAME)


async def test_a_common_word_says_that_there_are_more(sqlite_rig: Rig, agent: Actor) -> None:
    rig, count = sqlite_rig, PAGE.counted + 5
    days = [NOW - timedelta(hours=number) for number in range(count)]
    some = [order(f"P-{n}", line(f"P-{n}-1", name="흔한 상품"), ordered_at=at) for n, at in enumerate(days)]
    await rig.write("alpha-main", *reversed(some))
    await take_all_in(rig)

    page = await search(rig, actor=agent, text="흔한")
    quick = await search(rig, actor=agent, text="흔한", extent=QUICK)

    newest = [f"P-{number}" for number in range(count)]
    assert [each.order_no for each in page.orders] == newest[: PAGE.shown]
    assert [each.order_no for each in quick.orders] == newest[: QUICK.shown]
    assert (page.order_count, page.many_orders, page.is_cut) == (PAGE.counted, True, True)
    assert (quick.order_count, quick.many_orders) == (QUICK.counted, True)


async def test_a_result_shows_no_personal_data(sqlite_rig: Rig, agent: Actor) -> None:
    await sqlite_rig.write("alpha-main", order("A-1", line("A-1-1")), order("A-9", line("A-9-1")))
    await take_all_in(sqlite_rig)

    result = await search(sqlite_rig, actor=agent, text="홍길동")

    assert {each.order_no for each in result.orders} == {"A-1", "A-9"}
    assert "홍길동" not in repr((result.orders, result.cases))
    assert "1234-5678" not in repr(result)


async def test_a_tracking_number_finds_every_order_in_the_parcel(sqlite_rig: Rig, agent: Actor) -> None:
    parcel = Shipment(carrier="CJ", tracking_no="123456789012")
    await sqlite_rig.write(
        "alpha-main", order("X-1", line("X-1-1", shipment=parcel)), order("X-2", line("X-2-1", shipment=parcel))
    )

    result = await search(sqlite_rig, actor=agent, text="1234-5678-9012")

    assert {each.order_no for each in result.orders} == {"X-1", "X-2"}
    assert result.opens is None


async def test_a_number_is_found_with_and_without_the_dashes_of_its_shop(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    claimed = claim("20261120-0000017", "20261120-0000017-01", claim_no="C20261119-0000004")
    await rig.write("alpha-main", order("20261120-0000017", line("20261120-0000017-01", code="P7"), claims=(claimed,)))
    await rig.write("alpha-outlet", order("2026112055550011", line("2026112055550012")))
    written = {
        "202611200000017": "20261120-0000017",
        "20261120 0000017": "20261120-0000017",
        "20261120000001701": "20261120-0000017",
        "2026-1120-5555-0011": "2026112055550011",
        "2026112055550012": "2026112055550011",
        "C202611190000004": "20261120-0000017",
        "c20261119 0000004": "20261120-0000017",
    }

    found = {text: await search(rig, actor=agent, text=text) for text in written}

    assert {text: [each.order_no for each in result.orders] for text, result in found.items()} == {
        text: [order_no] for text, order_no in written.items()
    }
    assert all(result.opens == result.orders[0].order_id for result in found.values())


async def test_a_number_opens_its_order_only_where_nothing_else_has_it(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    await rig.write(
        "alpha-main",
        order("B-1", line("B-1-1"), claims=(claim("B-1", "B-1-1"),)),
        order("B-2", line("B-2-1")),
        inquiry("B-2", "배송 문의"),
    )

    alone = await search(rig, actor=agent, text="B-1")
    beside = await search(rig, actor=agent, text="B-2")

    assert alone.opens == alone.orders[0].order_id
    assert [each.order_no for each in beside.orders] == ["B-2"]
    assert beside.opens is None


async def test_a_case_is_found_by_its_number(sqlite_rig: Rig, agent: Actor) -> None:
    await sqlite_rig.write("alpha-main", inquiry("N-1", "문의"))
    case_id = await sqlite_rig.case_id("alpha-main", thread_no="N-1")

    result = await search(sqlite_rig, actor=agent, text=f"#{case_id}")

    assert [row.case_id for row in result.cases] == [case_id]


async def test_what_customers_and_colleagues_wrote_finds_the_case(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    asked = Message(message_no="1", author=MessageAuthor.CUSTOMER, text="지퍼가 고장났어요", sent_at=NOW)
    answered = Message(message_no="2", author=MessageAuthor.SELLER, text="죄송합니다 고객님", sent_at=NOW)
    await rig.write(
        "alpha-main",
        order("C-1", line("C-1-1"), claims=(claim("C-1", "C-1-1", reason_text="색이 화면과 달라요"),)),
        inquiry("N-1", "지퍼가 고장났어요", messages=(asked, answered)),
    )
    ours = await rig.case_id("alpha-main", order_no="C-1")
    theirs = await rig.case_id("alpha-main", thread_no="N-1")
    await mark_hard(rig, actor=agent, case_id=ours, text="변호사를 언급함")
    await take_all_in(rig)

    async def cases_of(text: str) -> list[int]:
        return [row.case_id for row in (await search(rig, actor=agent, text=text)).cases]

    assert await cases_of("화면과") == [ours]
    assert await cases_of("변호사") == [ours]
    assert await cases_of("고장 지퍼") == [theirs]
    # Most answers are templates: whoever looks for a customer's words is not led to them.
    assert await cases_of("죄송합니다") == []


async def test_what_was_renamed_is_found_by_its_new_name_alone(rig: Rig, agent: Actor) -> None:
    await rig.write("alpha-main", order("R-1", line("R-1-1", name="파란 모자")))
    await take_all_in(rig)
    await rig.write("alpha-main", order("R-1", line("R-1-1", name="하얀 장갑")))

    for text in ("파란", "파란 모자", "파란모자"):
        assert await _found(rig, agent, text) == set(), "not shown, though the index does not know it yet"

    await take_all_in(rig)

    assert await _found(rig, agent, "파란") == set()
    assert await _found(rig, agent, "하얀") == {"R-1"}

    assert await SearchIndex(rig.database).sweep(now=NOW + timedelta(hours=2))

    assert await _found(rig, agent, "하얀") == {"R-1"}
    assert await _found(rig, agent, "홍길동") == {"R-1"}


async def test_removed_people_leave_no_trace_in_the_index(rig: Rig) -> None:
    await rig.write("alpha-main", order("R-1", line("R-1-1")), inquiry("N-1", "지퍼가 고장났어요"))
    await rig.write("alpha-outlet", order("R-2", line("R-2-1")))
    await take_all_in(rig)
    await ShopStore(rig.database).remove("alpha-main")

    # At once, not in an hour like what has only changed.
    assert await SearchIndex(rig.database).sweep(now=NOW)

    async with rig.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(search_documents)) == 1
        assert await connection.scalar(select(func.count()).select_from(search_dead)) == 0
        members = list(await connection.scalars(select(search_blocks.c.members)))
    # The other shop's order was taken in last: its place is 2, and no other is left.
    assert set(members) == {b"\2\0"}
    assert not await SearchIndex(rig.database).sweep(now=NOW)


async def test_starting_again_finds_the_same(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    await rig.write("alpha-main", order("R-1", line("R-1-1")), inquiry("N-1", "지퍼가 고장났어요"))
    await take_all_in(rig)

    await SearchIndex(rig.database).start_again(at=0)
    assert await _found(rig, agent, "지퍼") == set()
    assert await take_all_in(rig) == 2

    assert await _found(rig, agent, "지퍼") == {"지퍼가 고장났어요"}
    assert await _found(rig, agent, "길동") == {"R-1"}


async def test_many_small_steps_find_as_much_as_one(sqlite_rig: Rig, agent: Actor) -> None:
    rig = sqlite_rig
    some = [order(f"S-{n}", line(f"S-{n}-1", name=f"{'청색' if n % 2 else '홍색'} 모자")) for n in range(9)]
    await rig.write("alpha-main", *some)
    index = SearchIndex(rig.database)

    while not (await index.take_in(limit=2, now=NOW)).is_last:
        pass

    assert await _found(rig, agent, "청색 모자") == {"S-1", "S-3", "S-5", "S-7"}
    assert await _found(rig, agent, "홍색") == {"S-0", "S-2", "S-4", "S-6", "S-8"}


async def test_what_stands_open_is_compared_before_anything_is_unsealed(
    sqlite_rig: Rig, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, unsealed = sqlite_rig, []
    await rig.write("alpha-main", order("R-1", line("R-1-1", name="파란 모자")), inquiry("N-1", "지퍼가 고장났어요"))
    await take_all_in(rig)
    unseal = Box.open

    def noted(box: Box, sealed: bytes, place: bytes) -> bytes:
        unsealed.append(place)
        return unseal(box, sealed, place)

    monkeypatch.setattr(Box, "open", noted)

    assert await _found(rig, agent, "파란 모자") == {"R-1"}
    assert unsealed == []
    assert await _found(rig, agent, "길동 모자") == {"R-1"}
    assert unsealed == [ORDER_PLACE]
    assert await _found(rig, agent, "지퍼가") == {"지퍼가 고장났어요"}
    assert unsealed == [ORDER_PLACE, INQUIRY_PLACE]


async def test_what_many_hold_is_kept_as_bits_and_found_and_forgotten_like_the_rest(
    rig: Rig, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_blocks_module, "_MOST_LISTED", 3)
    await rig.write("alpha-main", *[order(f"S-{n}", line(f"S-{n}-1", name="청색 모자")) for n in range(9)])
    index = SearchIndex(rig.database)
    while not (await index.take_in(limit=2, now=NOW)).is_last:
        pass
    await rig.write("alpha-main", *[order(f"S-{n}", line(f"S-{n}-1", name="청색 장갑")) for n in range(4)])
    await take_all_in(rig)

    assert await _found(rig, agent, "청색 모자") == {"S-4", "S-5", "S-6", "S-7", "S-8"}
    assert await _found(rig, agent, "모자") == {"S-4", "S-5", "S-6", "S-7", "S-8"}

    assert await index.sweep(now=NOW + timedelta(hours=2))

    assert await _found(rig, agent, "청색") == {f"S-{n}" for n in range(9)}
    assert await _found(rig, agent, "장갑 청색") == {"S-0", "S-1", "S-2", "S-3"}
    async with rig.database.reading() as connection:
        sizes = {len(each) for each in await connection.scalars(select(search_blocks.c.members))}
    assert max(sizes) == BLOCK // 8 + 1


@pytest.mark.parametrize("words", ["모자", "파란 모자 장갑"])
async def test_four_digits_are_text_or_the_end_of_a_phone(
    sqlite_rig: Rig, agent: Actor, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Text alone, which needs no row opened, where it is more than is wanted; else whose phone ends so as well."""
    rig, unsealed = sqlite_rig, []
    named = [order(f"T-{n}", line(f"T-{n}-1", name="파란 모자 장갑 3333")) for n in range(3)]
    theirs = order("P-1", line("P-1-1", name="파란 모자 장갑"), buyer=Party(name="김민지", phone="010-2222-3333"))
    await rig.write("alpha-main", *named, theirs, order("N-1", line("N-1-1", name="파란 모자 장갑")))
    await take_all_in(rig)

    assert await _found(rig, agent, f"{words} 3333") == {"T-0", "T-1", "T-2", "P-1"}

    many = [order(f"T-{n}", line(f"T-{n}-1", name="파란 모자 장갑 3333")) for n in range(3, 2 * QUICK.counted)]
    await rig.write("alpha-main", *many)
    await take_all_in(rig)
    unseal = Box.open

    def noted(box: Box, sealed: bytes, place: bytes) -> bytes:
        unsealed.append(place)
        return unseal(box, sealed, place)

    monkeypatch.setattr(Box, "open", noted)
    quick = await search(rig, actor=agent, text=f"{words} 3333", extent=QUICK)

    assert quick.many_orders
    assert {each.order_no[0] for each in quick.orders} == {"T"}
    assert unsealed == []


async def test_a_search_for_nothing_takes_four_statements(searchable: Rig, agent: Actor) -> None:
    with sent_to(searchable.database) as sent:
        assert await _found(searchable, agent, "없는뷁 낱말") == set()

    # the shops' numbers with the state of the index, its blocks, the orders, the cases
    assert len(sent) == 4


async def test_a_long_text_is_found_by_some_of_its_pairs(sqlite_rig: Rig, agent: Actor) -> None:
    said = "지난주에 받은 가방의 지퍼가 하루 만에 고장났는데 새것으로 바꿀 수 있을까요"
    await sqlite_rig.write("alpha-main", inquiry("N-1", said), inquiry("N-2", said.replace("하루", "이틀")))
    await take_all_in(sqlite_rig)

    assert len(read_words(said).pairs) == 8
    assert await _found(sqlite_rig, agent, said) == {said}


async def test_a_name_stands_nowhere_in_the_file(sqlite_rig: Rig, tmp_path: Path) -> None:
    await sqlite_rig.write("alpha-main", order("R-1", line("R-1-1")))
    await take_all_in(sqlite_rig)

    stored = b"".join((tmp_path / name).read_bytes() for name in ("hub.db", "hub.db-wal"))

    assert "린넨".encode() in stored
    assert "길동".encode() not in stored
    assert "홍길".encode() not in stored

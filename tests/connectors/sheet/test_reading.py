"""Reading from files: what holds when files come one after the other, and when one is bad."""

from datetime import timedelta

import pytest

from connectors.sheet import connector as module
from hub.core.errors import ConfigurationError
from hub.core.files import FileKind, Level, Upload
from hub.core.model import Claim, ClaimKind, ClaimState, Inquiry, InquiryState, LineStatus, Order
from tests.connectors.sheet.shop import HEADINGS, ROW, START, Shop, layout, text_file, workbook


def _row(order_no: str = "A-1001", line_no: str = "1", status: str = "배송중", **more: str) -> tuple[str, ...]:
    values = dict(zip(HEADINGS, ROW, strict=True)) | {"주문번호": order_no, "순번": line_no, "주문상태": status} | more
    return tuple(values.values())


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await shop.keep(layout())
    return shop


async def test_the_newest_file_wins(shop: Shop):
    await shop.hand_in(text_file([_row(status="결제완료"), _row("A-1002")]))
    await shop.hand_in(text_file([_row(status="배송완료")]))

    records = [reading.record for reading in await shop.readings()]

    assert [record.lines[0].status for record in records if isinstance(record, Order)] == [
        LineStatus.DELIVERED,
        LineStatus.DISPATCHED,
    ]
    assert [record.order_no for record in records if isinstance(record, Order)] == ["A-1001", "A-1002"]


async def test_a_change_run_reads_what_came_since(shop: Shop):
    await shop.hand_in(text_file([_row("A-1")]))
    since = shop.now + timedelta(minutes=1)
    await shop.hand_in(text_file([_row("A-2")]))

    assert [reading.key for reading in await shop.readings(since=since)] == ["A-2/A-2-1"]


async def test_a_file_stored_while_the_last_run_began_is_read_by_the_next(shop: Shop):
    await shop.hand_in(text_file([_row()]))

    assert len(await shop.readings(since=shop.now + timedelta(seconds=5))) == 1
    assert await shop.readings(since=shop.now + timedelta(minutes=5)) == []


async def test_the_same_file_twice_is_kept_once(shop: Shop):
    first = await shop.connector().receive_file(text_file([_row()]), at=START, by="kim")
    second = await shop.connector().receive_file(text_file([_row()]), at=START + timedelta(hours=1), by="lee")

    assert (first[0], first[1], second[1]) == (second[0], True, False)
    assert [file.by for file in await shop.connector().files()] == ["kim"]


async def test_a_new_layout_reads_the_files_again(shop: Shop):
    await shop.hand_in(text_file([_row(status="S30")]))
    (before,) = await shop.readings()
    shop.now += timedelta(days=1)
    await shop.keep(layout(words={"status": {"S30": "dispatched"}}))

    (after,) = await shop.readings(since=shop.now - timedelta(minutes=1))

    assert isinstance(before.record, Order)
    assert isinstance(after.record, Order)
    assert before.record.lines[0].status is LineStatus.UNKNOWN
    assert after.record.lines[0].status is LineStatus.DISPATCHED


async def test_unknown_words_are_counted_without_somebodys_number(shop: Shop):
    await shop.hand_in(text_file([_row(status="이상한 말"), _row("A-2", status="010-1234-5678")]))

    await shop.readings()

    assert shop.codes == {"status:이상한 말": 1, "status:…-…-…": 1}


async def test_a_run_resumes_at_every_page(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PAGE", 3)
    await shop.hand_in(text_file([_row(f"A-{number}") for number in range(10)]))
    await shop.hand_in(text_file([_row(f"A-{number}", status="배송완료") for number in range(5, 12)]))
    pages = await shop.pages()
    whole = {reading.key: reading for page in pages for reading in page.readings}

    for index, page in enumerate(pages):
        rest = [reading for after in await shop.pages(cursor=page.cursor) for reading in after.readings]
        told = {reading.key: reading for before in pages[: index + 1] for reading in before.readings}
        assert told | {reading.key: reading for reading in rest} == whole
        assert not told.keys() & {reading.key for reading in rest}
    assert len(whole) == 12


async def test_a_bad_row_is_one_error_that_names_its_place_and_not_its_content(shop: Shop):
    await shop.hand_in(text_file([_row(), _row("A-2", 수량="홍길동"), _row("A-3")], name="11월 주문.csv"))

    first, bad, last = await shop.readings()

    assert (first.error, last.error) == (None, None)
    assert bad.key == "A-2/A-2-1"
    assert bad.error is not None
    assert bad.error.startswith("11월 주문.csv 3행, '수량' 열 (quantity):")
    assert "홍길동" not in bad.error


async def test_a_row_that_contradicts_another_is_an_error_and_one_that_repeats_it_is_nothing(shop: Shop):
    await shop.hand_in(text_file([_row(), _row(), _row(status="배송완료")]))

    good, bad = await shop.readings()

    assert (good.error, bad.key) == (None, "A-1001/A-1001-1#4")


async def test_a_bad_row_of_a_newer_file_does_not_bring_the_older_back(shop: Shop):
    await shop.hand_in(text_file([_row(status="결제완료")]))
    await shop.hand_in(text_file([_row(수량="x")]))

    (only,) = await shop.readings()

    assert only.error is not None


async def test_a_file_that_no_longer_can_be_read_is_one_error(shop: Shop):
    await shop.hand_in(text_file([_row()]))
    await shop.keep(layout(sheet=None, headings=HEADINGS | {"상태코드": "status", "주문상태": "claim_state"}))

    (bad,) = await shop.readings()

    assert bad.key.startswith("file-")
    assert bad.error is not None
    assert "필수 열" in bad.error


async def test_lines_without_a_number_are_named_by_what_was_bought(shop: Shop):
    headings = {name: field for name, field in HEADINGS.items() if field != "line_no"}
    await shop.keep(layout(headings=headings))
    rows = [
        tuple(cell for name, cell in zip(HEADINGS, _row(상품명=name), strict=True) if name != "순번")
        for name in "가나가"
    ]
    await shop.hand_in(text_file(rows, headings=tuple(headings)))

    keys = [reading.key for reading in await shop.readings()]

    assert len(set(keys)) == 3
    assert keys[2] == f"{keys[0]}.2"
    await shop.hand_in(text_file(rows[::-1], headings=tuple(headings)))
    assert {reading.key for reading in await shop.readings()} == set(keys)


@pytest.mark.parametrize(
    ("word", "status", "claim"),
    [
        ("반품요청", LineStatus.DELIVERED, (ClaimKind.RETURN, ClaimState.REQUESTED)),
        ("취소 완료", LineStatus.CANCELLED, (ClaimKind.CANCEL, ClaimState.DONE)),
        ("配送完了", LineStatus.DELIVERED, None),
        ("ＳＨＩＰＰＥＤ", LineStatus.DISPATCHED, None),
    ],
)
async def test_a_word_may_tell_a_line_and_its_claim(
    shop: Shop, word: str, status: LineStatus, claim: tuple[ClaimKind, ClaimState] | None
):
    await shop.hand_in(text_file([_row(status=word)]))

    (reading,) = await shop.readings()

    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].status is status
    assert [(each.kind, each.state) for each in reading.record.claims] == ([claim] if claim else [])
    assert reading.record.claims_are_complete


async def test_claims_of_a_file_of_their_own_are_not_ended_by_order_rows(shop: Shop):
    claims = {"주문번호": "order_no", "순번": "line_no", "구분": "claim_kind", "상태": "claim_state"}
    await shop.keep(layout(FileKind.CLAIMS, claims))
    await shop.hand_in(text_file([_row()]))
    row = ("A-1001", "1", "반품", "수거중")
    await shop.hand_in(text_file([row], headings=tuple(claims), kind=FileKind.CLAIMS, name="claims.csv"))

    order, claim = (reading.record for reading in await shop.readings())

    assert isinstance(order, Order)
    assert not order.claims_are_complete
    assert isinstance(claim, Claim)
    assert (claim.line_no, claim.kind, claim.state) == ("A-1001-1", ClaimKind.RETURN, ClaimState.COLLECTING)


async def test_inquiries(shop: Shop):
    columns = {"번호": "inquiry_no", "작성일": "asked_at", "내용": "text", "답변": "answer"}
    await shop.keep(layout(FileKind.INQUIRIES, columns))
    rows = [("1", "2026-11-21", "언제 와요?", ""), ("2", "2026-11-21", "감사합니다", "네")]
    await shop.hand_in(text_file(rows, headings=tuple(columns), kind=FileKind.INQUIRIES, name="q.csv"))

    records = [reading.record for reading in await shop.readings(inquiries=True)]

    assert [(record.inquiry_no, record.state) for record in records if isinstance(record, Inquiry)] == [
        ("1", InquiryState.UNANSWERED),
        ("2", InquiryState.ANSWERED),
    ]


async def test_a_workbook_and_a_text_of_the_same_rows_tell_the_same(shop: Shop):
    await shop.hand_in(text_file([_row()]))
    (of_text,) = await shop.readings()
    other = Shop()
    await other.keep(layout())
    await other.hand_in(
        Upload(kind=FileKind.ORDERS, name="a.xlsx", body=workbook([("목록",), tuple(HEADINGS), _row()]))
    )

    (of_workbook,) = await other.readings()

    assert of_workbook.record == of_text.record


@pytest.mark.parametrize(("level", "kinds"), [(Level.ORDERS_ONLY, ("orders",)), (Level.ADMIN_ONLY, ())])
async def test_a_level_takes_no_more_than_it_says(level: Level, kinds: tuple[str, ...]):
    shop = Shop(level=level.value)
    connector = shop.connector()

    assert tuple(kind.value for kind in connector.file_kinds) == kinds
    with pytest.raises(ConfigurationError, match=level.value):
        await connector.keep_layout(layout(FileKind.INQUIRIES, {"a": "text", "b": "asked_at"}), at=START, by="x")
    if level is Level.ORDERS_ONLY:
        await shop.keep(layout())
        await shop.hand_in(text_file([_row(status="반품요청")]))
        (reading,) = await shop.readings()
        assert isinstance(reading.record, Order)
        assert reading.record.claims == ()
        assert not reading.record.claims_are_complete


async def test_a_file_without_a_layout_is_not_taken():
    with pytest.raises(ConfigurationError, match="no layout"):
        await Shop().connector().receive_file(text_file([ROW]), at=START, by="kim")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (layout(headings=HEADINGS | {"x": "shoe_size"}), "shoe_size"),
        (layout(headings=HEADINGS | {"x": "status"}), "two columns fill status"),
        (layout(headings={"a": "order_no"}), "status"),
        (layout(words={"status": {"a": "flying"}}), "flying"),
        (layout(words={"status": {"a": "paid+cancel:flying"}}), "flying"),
        (layout(encoding="latin-1"), "latin-1"),
    ],
)
async def test_a_wrong_layout_is_refused_by_name(wrong: object, named: str):
    with pytest.raises(ConfigurationError, match=named):
        await Shop().keep(wrong)


async def test_check_says_what_a_person_has_to_do():
    shop = Shop()
    (before,) = await shop.connector().check()
    await shop.keep(layout())
    await shop.hand_in(text_file([_row()]))
    (after,) = await shop.connector().check()

    assert (before.is_ok, after.is_ok) == (False, True)
    assert before.fix
    assert after.detail == "2026-11-22 13:00"

import pytest
from msgspec.structs import replace

from connectors.sheet.headings import guess_fields
from hub.core.files import FileKind, Upload
from tests.connectors.sheet.shop import HEADINGS, ROW, Shop, layout, text_file, workbook

DOWNLOADS = {
    "smartstore": (
        FileKind.ORDERS,
        {
            "상품주문번호": "line_no", "주문번호": "order_no", "주문상태": "status", "구매자명": "buyer_name",
            "구매자연락처": "buyer_phone", "수취인명": "receiver_name", "수취인연락처1": "receiver_phone",
            "수취인연락처2": "receiver_phone_second", "상품명": "product_name", "옵션정보": "option", "수량": "quantity",
            "상품별 총 주문금액": "amount", "통합배송지": "address", "우편번호": "zip_code", "배송메세지": "delivery_message",
            "주문일시": "ordered_at", "결제일": "paid_at", "택배사": "carrier", "송장번호": "tracking_no",
            "발송처리일": "dispatched_at", "판매자 상품코드": "seller_sku",
        },
    ),
    "cafe24": (
        FileKind.ORDERS,
        {
            "주문번호": "order_no", "품목별 주문번호": "line_no", "주문상태": "status", "주문상품명": "product_name",
            "상품옵션": "option", "수량": "quantity", "주문일시": "ordered_at", "주문자명": "buyer_name",
            "주문자 휴대전화": "buyer_phone", "수령인": "receiver_name", "수령인 휴대전화": "receiver_phone",
            "수령인 우편번호": "zip_code", "수령인 주소": "address", "공급사명": "supplier",
        },
    ),
    "qoo10": (
        FileKind.ORDERS,
        {
            "カート番号": "order_no", "注文番号": None, "配送状態": "status", "商品名": "product_name", "数量": "quantity",
            "受取人名": "receiver_name", "受取人電話番号": "receiver_phone", "送り状番号": "tracking_no",
        },
    ),
    "english": (
        FileKind.ORDERS,
        {"Order ID": "order_no", "Status": "status", "Product Name": "product_name", "Qty": "quantity",
         "Ship To Name": "receiver_name", "Tracking Number": "tracking_no", "Shoe size": None},
    ),
    "board": (
        FileKind.INQUIRIES,
        {"번호": "inquiry_no", "제목": "subject", "내용": "text", "작성자": "writer_name", "작성일": "asked_at",
         "답변여부": "inquiry_state", "답변내용": "answer"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOWNLOADS)
def test_headings_let_guess(name: str):
    kind, wanted = DOWNLOADS[name]
    guessed = guess_fields(kind, tuple(wanted))
    if name == "qoo10":
        # Two numbers of an order: the more usual heading is taken, the other is left to a person.
        assert (guessed.pop("注文番号"), guessed.get("カート番号")) == ("order_no", None)
        wanted = {heading: field for heading, field in wanted.items() if heading != "カート番号"}

    assert guessed == {heading: field for heading, field in wanted.items() if field}


def test_a_look_shows_samples_guesses_words_and_what_is_missing():
    rows = [(*ROW[:2], word, *ROW[3:]) for word in ("배송중", "S77", "배송중")]
    upload = text_file(rows)

    look = Shop().connector().look(upload)

    status = look.columns[2]
    assert (look.header_row, look.rows, look.encoding, look.missing) == (1, 3, "utf-8-sig", ())
    assert (status.field, status.is_guessed, status.samples) == ("status", True, ("배송중", "S77"))
    assert status.words == (("배송중", "dispatched"), ("S77", None))
    assert look.layout.words == {"status": {"배송중": "dispatched"}}
    bare = text_file([("A", "B")], headings=("주문번호", "수취인"))
    assert Shop().connector().look(bare).missing == ("status", "product_name", "quantity")


def test_a_constant_fills_what_no_column_does():
    headings = {"주문번호": "order_no", "상품명": "product_name", "수량": "quantity"}
    kept = layout(headings=headings, constants={"status": "상품준비중"})
    upload = text_file([("A-1", "컵", "1")], headings=tuple(headings))

    (row,) = Shop().connector().file_rows(upload, layout=kept)

    assert row.record is not None
    assert row.record.lines[0].status == "preparing"


def test_numbers_that_may_have_lost_digits_are_warned_of():
    headings = ("주문번호", "상품명", "수량", "주문상태", "연락처", "우편번호")
    rows = [(2026112200001230 + 10 * number, "컵", 1, "배송중", 1012345678, 4524) for number in range(3)]
    upload = Upload(kind=FileKind.ORDERS, name="a.xlsx", body=workbook([headings, *rows]))

    look = Shop().connector().look(upload)

    assert set(look.warnings) == {
        ("digits_rounded", "주문번호"),
        ("leading_zero_lost", "연락처"),
        ("leading_zero_lost", "우편번호"),
    }


def test_a_new_column_of_a_known_file_is_told_with_its_letter_and_suggested_where_it_looks_like_a_field():
    kept = layout(headings={heading: field for heading, field in HEADINGS.items() if field != "receiver_name"})
    headings = ("송장번호", "비고", *(heading for heading in HEADINGS if heading != "주문일시"))
    upload = text_file([("600000000001", "급함", *ROW[:5], "홍길동")], headings=headings)

    unnoted = Shop().connector().look(upload, layout=kept)
    noted = Shop().connector().look(upload, layout=replace(kept, unused=("수취인",)))

    gone = ("gone", "주문일시")
    assert unnoted.warnings == (("new_known", "송장번호 (A)"), ("new_known", "수취인 (H)"), gone)
    assert noted.warnings == (("new_known", "송장번호 (A)"), ("new", "비고 (B)"), gone)
    told = {column.heading: (column.field, column.suggested) for column in unnoted.columns}
    assert (told["송장번호"], told["비고"], told["수량"]) == ((None, "tracking_no"), (None, None), ("quantity", None))


def test_a_column_that_looks_like_one_that_is_read_already_is_no_news_unless_the_old_one_is_gone():
    kept = layout()
    beside = text_file([(*ROW, "김철수")], headings=(*HEADINGS, "받는분"))
    instead = text_file([(*ROW[:-1], "김철수")], headings=(*tuple(HEADINGS)[:-1], "받는분"))

    assert Shop().connector().column_warnings(beside, layout=kept) == ()
    assert Shop().connector().column_warnings(instead, layout=kept) == (
        ("new_known", "받는분 (G)"),
        ("gone", "수취인"),
    )


async def test_a_run_counts_new_columns_beside_the_unknown_words():
    shop = Shop()
    await shop.keep(layout(unused=()))
    await shop.hand_in(text_file([(*ROW, "급함", "600000000001")], headings=(*HEADINGS, "비고", "송장번호")))

    (reading,) = await shop.readings()

    assert reading.record is not None
    assert shop.codes == {"new_field:비고": 1, "new_field:송장번호": 1}


def test_a_guessed_layout_notes_what_it_leaves_out():
    look = Shop().connector().look(text_file([(*ROW, "급함")], headings=(*HEADINGS, "비고")))

    assert look.layout.unused == ("비고",)

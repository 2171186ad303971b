import pytest

from connectors.sheet.headings import guess_fields
from hub.core.files import FileKind, Upload
from tests.connectors.sheet.shop import ROW, Shop, layout, text_file, workbook

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

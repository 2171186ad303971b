"""The malls' pages as typed rows, for the lower bound: shapes and columns, and no meaning."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct

Row = tuple[str | None, ...]
Value = str | int | float | bool | None


class CafePerson(Struct):
    name: Value = None
    cellphone: Value = None
    phone: Value = None
    email: Value = None
    zipcode: Value = None
    address1: Value = None
    address2: Value = None
    shipping_message: Value = None


class CafeItem(Struct):
    order_item_code: Value = None
    order_status: Value = None
    quantity: Value = None
    product_name: Value = None
    option_value: Value = None
    product_code: Value = None
    custom_product_code: Value = None
    product_price: Value = None
    shipping_company_code: Value = None
    tracking_no: Value = None
    shipped_date: Value = None
    delivered_date: Value = None
    claim_code: Value = None
    claim_reason: Value = None


class CafeClaim(Struct):
    claim_code: Value = None
    order_id: Value = None
    claim_reason_type: Value = None
    claim_reason: Value = None


Claims = list[CafeClaim] | CafeClaim | None
People = list[CafePerson] | CafePerson | None


class CafeOrder(Struct):
    order_id: str
    currency: Value = None
    order_date: Value = None
    payment_date: Value = None
    items: list[CafeItem] = []
    buyer: People = None
    receivers: People = None
    cancellation: Claims = None
    return_: Claims = msgspec.field(name="return", default=None)
    exchange: Claims = None


class CafeOrders(Struct):
    orders: list[CafeOrder]


class CafeArticle(Struct):
    article_no: Value
    board_no: Value = None
    created_date: Value = None
    writer: Value = None
    title: Value = None
    content: Value = None
    product_no: Value = None
    order_id: Value = None
    reply_status: Value = None


class CafeArticles(Struct):
    articles: list[CafeArticle]


class NaverOrder(Struct, rename="camel"):
    order_id: Value = None
    order_date: Value = None
    payment_date: Value = None
    orderer_name: Value = None
    orderer_tel: Value = None


class NaverAddress(Struct, rename="camel"):
    name: Value = None
    tel1: Value = None
    zip_code: Value = None
    base_address: Value = None
    detailed_address: Value = None


class NaverLine(Struct, rename="camel"):
    product_order_id: Value = None
    product_order_status: Value = None
    quantity: Value = None
    product_name: Value = None
    product_option: Value = None
    product_id: Value = None
    seller_product_code: Value = None
    total_payment_amount: Value = None
    shipping_memo: Value = None
    shipping_address: NaverAddress | None = None
    claim_status: Value = None


class NaverDelivery(Struct, rename="camel"):
    delivery_company: Value = None
    tracking_number: Value = None
    send_date: Value = None
    delivered_date: Value = None


class NaverDetail(Struct, rename="camel"):
    order: NaverOrder
    product_order: NaverLine
    delivery: NaverDelivery | None = None


class NaverDetails(Struct):
    data: list[NaverDetail]


class NaverChange(Struct, rename="camel"):
    product_order_id: Value = None


class NaverChanges(Struct, rename="camel"):
    last_change_statuses: list[NaverChange] = []


class NaverFeed(Struct):
    data: NaverChanges | None = None


class NaverInquiry(Struct, rename="camel"):
    inquiry_no: Value = None
    title: Value = None
    inquiry_content: Value = None
    inquiry_registration_date_time: Value = None
    answered: Value = None
    answer_content: Value = None
    order_id: Value = None
    product_no: Value = None
    product_name: Value = None
    customer_name: Value = None


class NaverInquiries(Struct):
    content: list[NaverInquiry] = []


class NaverQuestion(Struct, rename="camel"):
    question_id: Value = None
    create_date: Value = None
    question: Value = None
    answer: Value = None
    answered: Value = None
    product_id: Value = None
    product_name: Value = None
    masked_writer_id: Value = None


class NaverQuestions(Struct):
    contents: list[NaverQuestion] = []


class QooLine(Struct, rename="pascal"):
    """One row; some rows of a page begin each name with a small letter."""

    order_no: Value = None
    pack_no: Value = None
    shipping_status: Value = None
    order_qty: Value = None
    item_title: Value = None
    option: Value = None
    item_no: Value = None
    item_code: Value = None
    seller_item_code: Value = None
    total: Value = None
    currency: Value = None
    order_date: Value = None
    payment_date: Value = None
    buyer: Value = None
    buyer_mobile: Value = None
    buyer_email: Value = None
    receiver: Value = None
    receiver_mobile: Value = None
    zip_code: Value = None
    shipping_address: Value = None
    shipping_addr: Value = None
    delivery_company: Value = None
    tracking_no: Value = None
    shipping_date: Value = None
    delivered_date: Value = None
    shipping_message: Value = None
    claim_status: Value = None
    request_date: Value = None
    reason: Value = None


class QooSmallLine(QooLine, rename="camel"):
    pass


class QooLines(Struct, rename="pascal"):
    result_object: list[QooLine] | None = None


class QooSmallLines(Struct, rename="pascal"):
    result_object: list[QooSmallLine] | None = None


class QooMessage(Struct, rename=str.upper):
    inq_type: Value = None
    seq_no: Value = None
    question_no: Value = None
    inq_dt: Value = None
    cust_nm: Value = None
    title: Value = None
    contents: Value = None
    gd_no: Value = None
    gd_nm: Value = None
    contr_no: Value = None
    status: Value = None


class QooMessages(Struct, rename="pascal"):
    result_object: list[QooMessage] | None = None


_cafe_orders = msgspec.json.Decoder(CafeOrders).decode
_cafe_articles = msgspec.json.Decoder(CafeArticles).decode
_naver_details = msgspec.json.Decoder(NaverDetails).decode
_naver_feed = msgspec.json.Decoder(NaverFeed).decode
_naver_inquiries = msgspec.json.Decoder(NaverInquiries).decode
_naver_questions = msgspec.json.Decoder(NaverQuestions).decode
_qoo_lines = msgspec.json.Decoder(QooLines).decode
_qoo_small_lines = msgspec.json.Decoder(QooSmallLines).decode
_qoo_messages = msgspec.json.Decoder(QooMessages).decode
_json = msgspec.json.decode


def rows_of(target: str, content: bytes) -> list[Row]:
    """The rows to store of one page; none of a page that only leads to others."""
    for word, read in _READERS.items():
        if word in target:
            return list(read(content))
    _json(content)
    return []


def _row(*values: Value) -> Row:
    filled = values + (None,) * (26 - len(values))
    return tuple([value if value is None or type(value) is str else str(value) for value in filled])


def _first(people: People) -> CafePerson:
    if isinstance(people, list):
        return people[0] if people else CafePerson()
    return people or CafePerson()


def _claims(*found: Claims) -> Iterator[CafeClaim]:
    for claims in found:
        if isinstance(claims, list):
            yield from claims
        elif claims is not None:
            yield claims


def _read_cafe_orders(content: bytes) -> Iterator[Row]:
    for order in _cafe_orders(content).orders:
        buyer, receiver = _first(order.buyer), _first(order.receivers)
        for item in order.items:
            yield _row(
                "cafe24", "line", item.order_item_code, order.order_id, item.order_status, item.quantity,
                item.product_name, item.option_value, item.product_code, item.custom_product_code,
                item.product_price, order.currency, order.order_date, order.payment_date,
                buyer.name, buyer.cellphone, buyer.email,
                receiver.name, receiver.cellphone, receiver.zipcode, receiver.address1,
                item.shipping_company_code, item.tracking_no, item.shipped_date, item.delivered_date,
                receiver.shipping_message,
            )  # fmt: skip
        for claim in _claims(order.cancellation, order.return_, order.exchange):
            yield _row("cafe24", "claim", claim.claim_code, order.order_id, claim.claim_reason_type, claim.claim_reason)


def _read_cafe_articles(content: bytes) -> Iterator[Row]:
    for article in _cafe_articles(content).articles:
        yield _row(
            "cafe24", "inquiry", f"{article.board_no}:{article.article_no}", article.order_id, article.reply_status,
            None, article.title, article.content, article.product_no, article.writer, article.created_date,
        )  # fmt: skip


def _read_naver_details(content: bytes) -> Iterator[Row]:
    for detail in _naver_details(content).data:
        order, line = detail.order, detail.product_order
        delivery, address = detail.delivery or NaverDelivery(), line.shipping_address or NaverAddress()
        yield _row(
            "smartstore", "line", line.product_order_id, order.order_id, line.product_order_status, line.quantity,
            line.product_name, line.product_option, line.product_id, line.seller_product_code,
            line.total_payment_amount, "KRW", order.order_date, order.payment_date,
            order.orderer_name, order.orderer_tel, None,
            address.name, address.tel1, address.zip_code, address.base_address,
            delivery.delivery_company, delivery.tracking_number, delivery.send_date, delivery.delivered_date,
            line.shipping_memo,
        )  # fmt: skip
        if line.claim_status is not None:
            yield _row("smartstore", "claim", line.product_order_id, order.order_id, line.claim_status)


def _read_naver_feed(content: bytes) -> Iterable[Row]:
    _naver_feed(content)
    return ()


def _read_naver_inquiries(content: bytes) -> Iterator[Row]:
    for inquiry in _naver_inquiries(content).content:
        yield _row(
            "smartstore", "inquiry", inquiry.inquiry_no, inquiry.order_id, inquiry.answered, None,
            inquiry.title, inquiry.inquiry_content, inquiry.product_no, inquiry.answer_content,
            inquiry.product_name, inquiry.customer_name, inquiry.inquiry_registration_date_time,
        )  # fmt: skip


def _read_naver_questions(content: bytes) -> Iterator[Row]:
    for question in _naver_questions(content).contents:
        yield _row(
            "smartstore", "question", question.question_id, None, question.answered, None,
            question.question, question.answer, question.product_id, question.product_name,
            question.masked_writer_id, question.create_date,
        )  # fmt: skip


def _lines(content: bytes) -> Iterator[QooLine]:
    rows = _qoo_lines(content).result_object or ()
    if any(row.order_no is None for row in rows):
        yield from (row for row in _qoo_small_lines(content).result_object or () if row.order_no is not None)
    yield from (row for row in rows if row.order_no is not None)


def _read_qoo_lines(content: bytes) -> Iterator[Row]:
    for row in _lines(content):
        yield _row(
            "qoo10", "line", row.order_no, row.pack_no, row.shipping_status, row.order_qty,
            row.item_title, row.option, row.item_no, row.seller_item_code,
            row.total, row.currency, row.order_date, row.payment_date,
            row.buyer, row.buyer_mobile, row.buyer_email,
            row.receiver, row.receiver_mobile, row.zip_code, row.shipping_address,
            row.delivery_company, row.tracking_no, row.shipping_date, row.delivered_date, row.shipping_message,
        )  # fmt: skip


def _read_qoo_claims(content: bytes) -> Iterator[Row]:
    for row in _lines(content):
        yield _row(
            "qoo10", "claim", f"{row.order_no}:{row.request_date}", row.pack_no, row.claim_status, row.order_qty,
            row.item_title, row.reason, row.item_code, row.seller_item_code,
        )  # fmt: skip


def _read_qoo_messages(content: bytes) -> Iterator[Row]:
    for message in _qoo_messages(content).result_object or ():
        yield _row(
            "qoo10", "inquiry", f"{message.inq_type}:{message.question_no}:{message.seq_no}", message.contr_no,
            message.status, None, message.title, message.contents, message.gd_no, message.gd_nm,
            message.cust_nm, message.inq_dt,
        )  # fmt: skip


#: a word of the address -> how its page is read; the first that fits
_READERS: dict[str, Callable[[bytes], Iterable[Row]]] = {
    "admin/orders?": _read_cafe_orders,
    "/articles?": _read_cafe_articles,
    "product-orders/query": _read_naver_details,
    "last-changed-statuses": _read_naver_feed,
    "pay-user/inquiries": _read_naver_inquiries,
    "contents/qnas": _read_naver_questions,
    "GetShippingInfo": _read_qoo_lines,
    "GetShippingAndClaimInfoByOrderNo": _read_qoo_lines,
    "GetClaimInfo": _read_qoo_claims,
    "GetInquiryMessage": _read_qoo_messages,
}

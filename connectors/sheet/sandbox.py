"""An emulated welfare mall: no API, an admin from which a person downloads order and inquiry lists.

Written from how such downloads look (one row a line, the newest claim in columns of its own, the
mall's own codes for states), not from the mapper. Its one way out is :meth:`WelfareMall.hand_in`.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from hub.core.files import ColumnRule, FileKind, ImportsFiles, Layout, Upload
from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind, LineStatus
from hub.sandbox.asgi import Request, Response, app_of
from hub.sandbox.facts import ClaimFact, InquiryFact, LineFact, OrderFact
from hub.sandbox.kit import Row, SandboxOptions, Truth, claim_row, inquiry_row, line_row
from hub.sandbox.world import World

#: what happens to the rows between the mall and the hub
Change = Callable[[str, list[Row]], list[Any]]

_ZONE: Final = ZoneInfo("Asia/Seoul")
_STATUS: Final[dict[LineStatus, str]] = {
    LineStatus.PENDING_PAYMENT: "S05",
    LineStatus.PAID: "S10",
    LineStatus.PREPARING: "S20",
    LineStatus.DISPATCHED: "S30",
    LineStatus.DELIVERED: "S40",
    LineStatus.PURCHASE_CONFIRMED: "S50",
    LineStatus.CANCELLED: "S90",
    LineStatus.RETURNED: "S91",
    LineStatus.EXCHANGED: "S92",
}
_CLAIM_KIND: Final[dict[ClaimKind, str]] = {
    kind: f"K{place}" for place, kind in enumerate(ClaimKind) if kind is not ClaimKind.UNKNOWN
}
_CLAIM_STATE: Final[dict[ClaimState, str]] = {
    state: f"T{place}" for place, state in enumerate(ClaimState) if state is not ClaimState.UNKNOWN
}
_REASON: Final[dict[ClaimReason, str]] = {
    reason: f"R{place}" for place, reason in enumerate(ClaimReason) if reason is not ClaimReason.UNKNOWN
}
_KIND: Final[dict[InquiryKind, str]] = {
    InquiryKind.PRODUCT_INQUIRY: "GOODS",
    InquiryKind.ORDER_INQUIRY: "ORDER",
    InquiryKind.CHAT: "CHAT",
}
_OPEN, _DONE = "WAIT", "DONE"

_ORDER_COLUMNS: Final = {
    "주문번호": "order_no",
    "주문상품번호": "line_no",
    "상태코드": "status",
    "상품명": "product_name",
    "상품코드": "product_code",
    "옵션": "option",
    "자체상품코드": "seller_sku",
    "수량": "quantity",
    "판매금액": "amount",
    "주문일시": "ordered_at",
    "결제일시": "paid_at",
    "주문자": "buyer_name",
    "주문자휴대폰": "buyer_phone",
    "받는분": "receiver_name",
    "받는분휴대폰": "receiver_phone",
    "우편번호": "zip_code",
    "주소": "address",
    "상세주소": "address_detail",
    "배송요청사항": "delivery_message",
    "택배사": "carrier",
    "송장번호": "tracking_no",
    "발송일시": "dispatched_at",
    "배송완료일시": "delivered_at",
    "클레임구분": "claim_kind",
    "클레임상태": "claim_state",
    "클레임사유": "claim_reason",
    "클레임내용": "claim_text",
    "클레임수량": "claim_quantity",
    "클레임신청일시": "claim_requested_at",
}
_INQUIRY_COLUMNS: Final = {
    "문의번호": "inquiry_no",
    "문의구분": "inquiry_kind",
    "답변상태": "inquiry_state",
    "문의일시": "asked_at",
    "제목": "subject",
    "문의내용": "text",
    "답변내용": "answer",
    "답변일시": "answered_at",
    "주문번호": "order_no",
    "상품코드": "product_code",
    "작성자": "writer_name",
}


def build(world: World, *, shop: str, options: SandboxOptions) -> "WelfareMall":
    return WelfareMall(world, shop=shop, options=options)


class WelfareMall:
    mall = "sheet"

    def __init__(self, world: World, *, shop: str, options: SandboxOptions) -> None:
        self.shop = shop
        self.app = app_of(_nothing_here)
        self._world = world
        self._rows = options.rows

    def shop_table(self, base_url_root: str) -> Row:
        del base_url_root  # nothing is ever called
        credentials = {"title": "복지몰", "currency": "KRW", "admin_url": "https://admin.welfare.example/"}
        return {"name": self.shop, "mall": self.mall, "base_url": None, "credentials": credentials}

    async def hand_in(self, desk: ImportsFiles, *, at: datetime, change: Change | None = None) -> None:
        """Download both lists and give them to the hub, as a person does; the layouts before the first of them."""
        for upload, layout in self.downloads(change):
            if await desk.layout(upload.kind) is None:
                await desk.keep_layout(layout, at=at, by="welfare")
            await desk.receive_file(upload, at=at, by="welfare")

    def downloads(self, change: Change | None = None) -> tuple[tuple[Upload, Layout], ...]:
        """Both lists of now, each with how it is to be read."""
        return (self._orders_file(change), _ORDER_LAYOUT), (self._inquiries_file(change), _INQUIRY_LAYOUT)

    def _orders_file(self, change: Change | None) -> Upload:
        """A workbook with a title above the headings, as the admin prints it."""
        facts = [(order, line) for order in self._world.orders(self.shop) for line in order.lines]
        rows = self._spoilt("orders", [self._order_row(order, line) for order, line in facts], change)
        out = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(out, options) as book:
            book.set_properties({"created": self._world.now().replace(tzinfo=None)})
            page = book.add_worksheet("주문목록")
            page.write_string(0, 0, "복지몰 주문목록")
            for number, cells in enumerate(_cells(rows, tuple(_ORDER_COLUMNS)), start=2):
                for place, cell in enumerate(cells):
                    if isinstance(cell, int):
                        page.write_number(number, place, cell)
                    elif cell:
                        page.write_string(number, place, cell)
        return Upload(kind=FileKind.ORDERS, name="주문목록.xlsx", body=out.getvalue())

    def _inquiries_file(self, change: Change | None) -> Upload:
        facts = self._world.inquiries(self.shop)
        rows = self._spoilt("inquiries", [self._inquiry_row(fact) for fact in facts], change)
        out = io.StringIO()
        csv.writer(out).writerows(_cells(rows, tuple(_INQUIRY_COLUMNS)))
        return Upload(kind=FileKind.INQUIRIES, name="문의목록.csv", body=out.getvalue().encode("utf-8-sig"))

    def _spoilt(self, name: str, rows: list[Row], change: Change | None) -> list[Any]:
        spoilt: list[Any] = self._rows.spoil(rows, path=name)
        return change(name, spoilt) if change else spoilt

    def _order_row(self, order: OrderFact, line: LineFact) -> Row:
        now = self._world.now()
        claim = self._shown_claim(line)
        step = claim.step_at(now) if claim else None
        dispatched_at = line.at_of(LineStatus.DISPATCHED, now)
        return {
            "주문번호": _order_no(order),
            "주문상품번호": _line_no(line),
            "상태코드": _STATUS[line.status(now)],
            "상품명": line.item.name,
            "상품코드": _goods_no(line.item.number),
            "옵션": line.item.option,
            "자체상품코드": line.item.sku,
            "수량": line.quantity,
            "판매금액": f"{line.amount:,}원",
            "주문일시": _local(order.ordered_at),
            "결제일시": _local(order.paid_at) if self._world.was_paid(order) else "",
            "주문자": order.buyer.name,
            "주문자휴대폰": order.buyer.phone,
            "받는분": order.receiver.name,
            "받는분휴대폰": order.receiver.phone,
            "우편번호": order.receiver.zip_code,
            "주소": order.receiver.address_base,
            "상세주소": order.receiver.address_detail,
            "배송요청사항": order.message,
            "택배사": line.carrier if dispatched_at else "",
            "송장번호": line.tracking_no if dispatched_at else "",
            "발송일시": _local(dispatched_at),
            "배송완료일시": _local(line.at_of(LineStatus.DELIVERED, now)),
            "클레임구분": _CLAIM_KIND[claim.kind] if claim else "",
            "클레임상태": _CLAIM_STATE[step.state] if step else "",
            "클레임사유": _REASON.get(claim.reason, "") if claim else "",
            "클레임내용": claim.text if claim else "",
            "클레임수량": claim.quantity if claim else "",
            "클레임신청일시": _local(claim.requested_at) if claim else "",
        }

    def _shown_claim(self, line: LineFact) -> ClaimFact | None:
        """The list has room for one claim a line: the newest."""
        claims = self._world.claims_of(line)
        return claims[-1] if claims else None

    def _inquiry_row(self, fact: InquiryFact) -> Row:
        answers = self._world.said(fact.answers)
        return {
            "문의번호": _inquiry_no(fact),
            "문의구분": _KIND[fact.kind],
            "답변상태": _DONE if answers else _OPEN,
            "문의일시": _local(fact.asked_at),
            "제목": fact.subject,
            "문의내용": fact.text,
            "답변내용": answers[-1].text if answers else "",
            "답변일시": _local(answers[-1].at) if answers else "",
            "주문번호": _order_no(fact.order) if fact.order else "",
            "상품코드": _goods_no(fact.item.number) if fact.item else "",
            "작성자": fact.writer.name,
        }

    # truth

    def truth(self) -> Truth:
        pairs = [(order, line) for order in self._world.orders(self.shop) for line in order.lines]
        return Truth(
            lines=tuple(self._line_truth(order, line) for order, line in pairs),
            claims=tuple(
                self._claim_truth(order, line, claim) for order, line in pairs if (claim := self._shown_claim(line))
            ),
            inquiries=tuple(self._inquiry_truth(fact) for fact in self._world.inquiries(self.shop)),
        )

    def _line_truth(self, order: OrderFact, line: LineFact) -> Row:
        now = self._world.now()
        status, dispatched_at = line.status(now), line.at_of(LineStatus.DISPATCHED, now)
        return line_row(
            shop=self.shop, mall=self.mall, order_no=_order_no(order), line_no=_line_no(line), status=status.value,
            raw_status=_STATUS[status], held=False, quantity=line.quantity, product_name=line.item.name,
            option=line.item.option, product_code=_goods_no(line.item.number), seller_sku=line.item.sku,
            amount_minor=line.amount, currency="KRW", ordered_at=order.ordered_at,
            paid_at=order.paid_at if self._world.was_paid(order) else None, dispatched_at=dispatched_at,
            delivered_at=line.at_of(LineStatus.DELIVERED, now), carrier=line.carrier if dispatched_at else None,
            tracking_no=line.tracking_no if dispatched_at else None,
        )  # fmt: skip

    def _claim_truth(self, order: OrderFact, line: LineFact, claim: ClaimFact) -> Row:
        step = claim.step_at(self._world.now())
        state = step.state if step else ClaimState.REQUESTED
        return claim_row(
            shop=self.shop, mall=self.mall, order_no=_order_no(order), line_no=_line_no(line), kind=claim.kind.value,
            state=state.value, raw_state=_CLAIM_STATE[state], reason=claim.reason.value,
            raw_reason=_REASON.get(claim.reason), fault_party="unknown", quantity=claim.quantity,
            requested_at=claim.requested_at,
        )  # fmt: skip

    def _inquiry_truth(self, fact: InquiryFact) -> Row:
        answers = self._world.said(fact.answers)
        return inquiry_row(
            shop=self.shop, mall=self.mall, inquiry_no=_inquiry_no(fact), thread_no=_inquiry_no(fact),
            kind=fact.kind.value, state="answered" if answers else "unanswered",
            order_no=_order_no(fact.order) if fact.order else None,
            product_code=_goods_no(fact.item.number) if fact.item else None, asked_at=fact.asked_at,
            answered_at=answers[-1].at if answers else None, subject=fact.subject, text=fact.text,
            answer=answers[-1].text if answers else None,
        )  # fmt: skip


def _nothing_here(_request: Request) -> Response:
    return Response(status=404, content={"error": "this mall has no API"})


def _cells(rows: Sequence[Any], columns: tuple[str, ...]) -> Iterable[list[Any]]:
    """The headings, then what stands in each row; what is no row of columns is one cell."""
    yield list(columns)
    for row in rows:
        cells = [row.get(column, "") for column in columns] if isinstance(row, dict) else [row]
        yield [cell if isinstance(cell, int | str) and not isinstance(cell, bool) else str(cell) for cell in cells]


def _order_no(order: OrderFact) -> str:
    return f"W{order.ordered_at.astimezone(_ZONE):%Y%m%d}{order.number:06d}"


def _line_no(line: LineFact) -> str:
    return f"WL{line.number:08d}"


def _goods_no(number: int) -> str:
    return f"G{number:06d}"


def _inquiry_no(fact: InquiryFact) -> str:
    return f"Q{fact.number:07d}"


def _local(at: datetime | None) -> str:
    return at.astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _rules(columns: dict[str, str]) -> tuple[ColumnRule, ...]:
    return tuple(ColumnRule(heading=heading, field=field) for heading, field in columns.items())


#: what the shop's supervisor has told the hub about the two lists
_ORDER_LAYOUT: Final = Layout(
    kind=FileKind.ORDERS,
    columns=_rules(_ORDER_COLUMNS),
    words={
        "status": {code: status.value for status, code in _STATUS.items()},
        "claim_kind": {code: kind.value for kind, code in _CLAIM_KIND.items()},
        "claim_state": {code: state.value for state, code in _CLAIM_STATE.items()},
        "claim_reason": {code: reason.value for reason, code in _REASON.items()},
    },
)
_INQUIRY_LAYOUT: Final = Layout(
    kind=FileKind.INQUIRIES,
    columns=_rules(_INQUIRY_COLUMNS),
    words={
        "inquiry_kind": {code: kind.value for kind, code in _KIND.items()},
        "inquiry_state": {_OPEN: "unanswered", _DONE: "answered"},
    },
)

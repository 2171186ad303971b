"""An invented hub for the desk's tests: three shops on two malls, read through the real writers."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hub.core.contract import (
    Answer,
    Capability,
    CapabilityState,
    Carrier,
    Feed,
    LineAction,
    LineOutcome,
    Manifest,
    Outcome,
    Reading,
    ShopContext,
    Support,
    WriteResult,
)
from hub.core.errors import ConfigurationError, MallError
from hub.core.model import (
    Address,
    Claim,
    ClaimKind,
    ClaimReason,
    ClaimState,
    EndedBy,
    Inquiry,
    InquiryKind,
    InquiryState,
    Line,
    LineStatus,
    Message,
    MessageAuthor,
    Money,
    Order,
    Party,
    Product,
    Shipment,
    ShopRef,
)
from hub.desk.acting.carriers import CarrierBook
from hub.desk.worklist.case_counts import KeptGroups
from hub.registry import Registry
from hub.settings import Settings
from hub.store.box import Box
from hub.store.database import Database, open_database, to_ms
from hub.store.ids import new_id
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import cases, feed_states, inquiries, metadata
from hub.sync.ingest import Ingest

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # Friday 14:00 in Seoul
_YES = CapabilityState(state=Support.YES)
CARRIERS = (Carrier(code="0006", name="CJ대한통운"), Carrier(code="0012", name="우체국택배"))


@dataclass
class InventedConnector:
    """Answers and decides as told by ``outcome``; remembers what it was asked to send."""

    shop: ShopRef
    manifest: Manifest
    outcome: Outcome | MallError = Outcome.DONE
    #: of single lines, where another one than ``outcome``
    outcomes: dict[str, Outcome | MallError] = field(default_factory=dict)
    mall_message: str | None = None
    listed: int = 0
    sent: list[Answer | LineAction] = field(default_factory=list)
    calls: Any = None
    unknown_codes: Any = field(default_factory=dict)

    def admin_link(
        self, *, order_no: str | None = None, line_no: str | None = None, inquiry: Inquiry | None = None
    ) -> str | None:
        what = inquiry.inquiry_no if inquiry else line_no or order_no or ""
        return f"https://admin.example/{self.shop.mall}/{what}"

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        return self._result(answer, None)

    change_answer = answer_inquiry

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        return self._result(action, action.line.line_no)

    refuse_cancel = seller_cancel = confirm = dispatch = delay = approve_cancel
    accept_return = collect_return = hold_return = release_return = refuse_return = complete_return = approve_cancel
    accept_exchange = collect_exchange = hold_exchange = release_exchange = refuse_exchange = approve_cancel
    redeliver_exchange = complete_exchange = file_return = file_exchange = memo = give_points = approve_cancel

    async def list_carriers(self) -> tuple[Carrier, ...]:
        if isinstance(self.outcome, MallError):
            raise self.outcome
        self.listed += 1
        return CARRIERS

    def _result(self, sent: Answer | LineAction, line_no: str | None) -> WriteResult:
        self.sent.append(sent)
        outcome = self.outcomes.get(line_no or "", self.outcome)
        if isinstance(outcome, MallError):
            raise outcome
        line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=self.mall_message)
        return WriteResult(outcome=outcome, lines=(line,))

    async def aclose(self) -> None: ...


def manifest(mall: str, letter: str, *, country: str = "KR", without: Iterable[Capability] = ()) -> Manifest:
    capabilities = dict.fromkeys(Capability, _YES)
    for capability in without:
        capabilities[capability] = CapabilityState(state=Support.NO, instead="관리자 화면 > 취소 관리")

    def no_network(_: ShopContext) -> Any:
        raise AssertionError

    return Manifest(
        mall=mall,
        title=f"{mall.title()} Mall",
        title_ko=f"{letter}몰",
        letter=letter,
        colour={"A": "#1a66d0", "J": "#c43d3d"}[letter],
        timezone="Asia/Seoul" if country == "KR" else "Asia/Tokyo",
        default_base_url=None,
        capabilities=capabilities,
        feeds={
            Feed.ORDERS: Capability.READ_ORDERS,
            Feed.CLAIMS: Capability.READ_ORDERS,
            Feed.INQUIRIES: Capability.READ_INQUIRIES,
        },
        credentials=dict,
        open=no_network,
        country=country,
        answer_limit=1000,
    )


MANIFESTS = {
    "alpha": manifest("alpha", "A", without=(Capability.SEND_ATTACHMENT,)),
    "japan": manifest("japan", "J", country="JP", without=(Capability.REFUSE_CANCEL,)),
}
SHOPS = {"alpha-main": "alpha", "alpha-outlet": "alpha", "japan-main": "japan"}


class Rig:
    """The Services of the desk over an empty database of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = Settings()
        self.registry = Registry(MANIFESTS)
        self.routing: Any = None
        self.carriers = CarrierBook()
        #: by a clock that runs so fast that nothing is kept: tests write past the news
        self.case_groups = KeptGroups(clock=itertools.count(step=2).__next__)
        self.at = NOW
        self.shops: dict[str, ShopRow] = {}
        self.connectors: dict[str, InventedConnector] = {}

    def now(self) -> datetime:
        return self.at

    async def refresh_routing(self) -> None: ...

    async def connector(self, shop_name: str) -> InventedConnector:
        try:
            return self.connectors[shop_name]
        except KeyError:
            what = f"no shop named {shop_name!r}"
            raise ConfigurationError(what) from None

    async def write(self, shop: str, *records: Order | Inquiry) -> None:
        """Store records as a sync would, cases included."""
        row = self.shops[shop]
        ingest = Ingest(self.database, shop=row, manifest=self.registry.manifest(row.mall), clocks=())
        readings = [Reading(key=_key(record), raw=b"{}", record=record) for record in records]
        async with self.database.writing() as connection:
            await ingest.page(connection, readings, feed=Feed.ORDERS, now=self.at)

    async def vanish(self, shop: str, *inquiry_nos: str) -> None:
        """As a run does that finds these questions gone."""
        row, at = self.shops[shop], to_ms(self.at)
        ingest = Ingest(self.database, shop=row, manifest=self.registry.manifest(row.mall), clocks=())
        gone = {"sought_at": at, "missing_since": at, "vanished_at": at}
        async with self.database.writing() as connection:
            found = inquiries.update().where(inquiries.c.shop_id == row.id, inquiries.c.inquiry_no.in_(inquiry_nos))
            threads = await connection.scalars(found.values(gone).returning(inquiries.c.thread_no))
            await ingest.refresh_cases(connection, threads=threads.all(), now=self.at)

    async def case_id(self, shop: str, *, order_no: str | None = None, thread_no: str | None = None) -> int:
        query = select(cases.c.id).where(cases.c.shop_id == self.shops[shop].id)
        by_claim = (cases.c.order_no == order_no) & cases.c.thread_no.is_(None)
        query = query.where(by_claim if order_no else cases.c.thread_no == thread_no)
        async with self.database.reading() as connection:
            return (await connection.execute(query)).scalar_one()

    async def set_feed(self, shop: str, feed: str, *, as_of: datetime | None, error_kind: str | None = None) -> None:
        async with self.database.writing() as connection:
            await connection.execute(
                feed_states.insert().values(
                    shop_id=self.shops[shop].id,
                    feed=feed,
                    data_as_of=to_ms(as_of),
                    error_kind=error_kind,
                    failing_since=to_ms(as_of) if error_kind else None,
                )
            )


def _key(record: Order | Inquiry) -> str:
    return record.order_no if isinstance(record, Order) else record.inquiry_no


async def open_rig(folder: Path, url: str | None = None) -> Rig:
    """``url`` names a migrated database; without it a new file in ``folder`` is made."""
    box = Box(keys={1: b"k" * 32}, index_key=b"i" * 32)
    database = open_database(url or f"sqlite:///{folder / 'hub.db'}", box)
    if url is None:
        async with database.writing() as connection:
            await connection.run_sync(metadata.create_all)
    rig = Rig(database)
    store = ShopStore(database)
    for name, mall in SHOPS.items():
        await store.put(name=name, mall=mall, base_url=None, credentials={}, now=NOW)
        rig.shops[name] = await store.named(name)
        rig.connectors[name] = InventedConnector(shop=ShopRef(name=name, mall=mall), manifest=MANIFESTS[mall])
    return rig


BUYER = Party(
    name="홍길동",
    phone="010-1234-5678",
    email="hong@example.com",
    member_id="hong1234",
    address=Address(zip_code="06236", base="서울특별시 강남구 테헤란로 152", detail="강남파이낸스센터 12층"),
)


def line(line_no: str, *, name: str = "린넨 셔츠", status: LineStatus = LineStatus.PREPARING, **more: Any) -> Line:
    more.setdefault("amount", Money(minor=39_000, currency="KRW"))
    more.setdefault("quantity", 1)
    return Line(
        line_no=line_no,
        status=status,
        raw_status=more.pop("raw_status", "N20"),
        product=Product(name=name, code=more.pop("code", "P1"), option=more.pop("option", None), seller_sku="SKU-1"),
        **more,
    )


def claim(
    order_no: str,
    line_no: str,
    *,
    kind: ClaimKind = ClaimKind.CANCEL,
    state: ClaimState = ClaimState.REQUESTED,
    **more: Any,
) -> Claim:
    more.setdefault("requested_at", NOW - timedelta(hours=3))
    return Claim(
        claim_key=f"{line_no}:{kind}:{more.pop('round', 1)}",
        order_no=order_no,
        line_no=line_no,
        kind=kind,
        state=state,
        raw_state=state.value.upper(),
        reason=more.pop("reason", ClaimReason.CHANGE_OF_MIND),
        **more,
    )


def order(order_no: str, *lines: Line, claims: tuple[Claim, ...] = (), **more: Any) -> Order:
    more.setdefault("ordered_at", NOW - timedelta(days=2))
    more.setdefault("paid_at", NOW - timedelta(days=2) + timedelta(minutes=3))
    more.setdefault("buyer", BUYER)
    more.setdefault("receiver", BUYER)
    return Order(
        order_no=order_no,
        lines=lines or (line(f"{order_no}-1"),),
        claims=claims,
        claims_are_complete=True,
        currency="KRW",
        **more,
    )


def inquiry(inquiry_no: str, text: str, **more: Any) -> Inquiry:
    more.setdefault("asked_at", NOW - timedelta(hours=5))
    more.setdefault("writer", Party(name="이수연", phone="010-9999-0000"))
    answer = more.get("answer")
    return Inquiry(
        inquiry_no=inquiry_no,
        thread_no=more.pop("thread_no", inquiry_no),
        kind=more.pop("kind", InquiryKind.ORDER_INQUIRY),
        state=more.pop("state", InquiryState.ANSWERED if answer else InquiryState.UNANSWERED),
        raw_state="N",
        text=text,
        **more,
    )


async def fill_sample(rig: Rig) -> None:
    """A small, varied day of work."""
    await rig.write(
        "alpha-main",
        order(
            "A-1",
            line("A-1-1", name="린넨 오버핏 셔츠 [무료배송] 블루/화이트", option="블루 / L", quantity=2),
            line("A-1-2", name="양말 5켤레 세트", amount=Money(minor=9_900, currency="KRW"), code="P2"),
            claims=(
                claim(
                    "A-1",
                    "A-1-1",
                    quantity=2,
                    reason_text="색상을 잘못 골랐어요. 010-1234-5678 로 연락 주세요",
                ),
            ),
            amount=Money(minor=87_900, currency="KRW"),
            payment_method="카드",
            delivery_message="문 앞에 놓아 주세요",
        ),
        order(
            "A-2",
            line(
                "A-2-1",
                name="가죽 지갑",
                status=LineStatus.DELIVERED,
                code="P3",
                shipment=Shipment(
                    carrier="CJ대한통운",
                    tracking_no="688012345678",
                    dispatched_at=NOW - timedelta(days=4),
                    delivered_at=NOW - timedelta(days=2),
                ),
            ),
            claims=(
                claim(
                    "A-2",
                    "A-2-1",
                    kind=ClaimKind.RETURN,
                    state=ClaimState.COLLECTED,
                    reason=ClaimReason.DEFECT,
                    requested_at=NOW - timedelta(days=6),
                    collected_at=NOW - timedelta(days=5),
                    claim_no="R20261118",
                ),
            ),
            ordered_at=NOW - timedelta(days=9),
            buyer=Party(name="김민지", phone="010-2222-3333"),
            receiver=Party(name="김민지", phone="010-2222-3333"),
        ),
    )
    await rig.write(
        "alpha-outlet",
        order(
            "O-1",
            line("O-1-1", name="린넨 셔츠 아울렛", status=LineStatus.PURCHASE_CONFIRMED),
            ordered_at=NOW - timedelta(days=30),
        ),
        order(
            "O-2",
            line("O-2-1", name="여름 모자", status=LineStatus.CANCELLED, code="P4"),
            claims=(
                claim("O-2", "O-2-1", state=ClaimState.DONE, ended_at=NOW - timedelta(days=1), ended_by=EndedBy.SELLER),
            ),
            buyer=Party(name="박서준", phone="010-4444-5555"),
            receiver=None,
        ),
    )
    await rig.write(
        "japan-main",
        order(
            "J-1",
            line(
                "J-1-1",
                name="韓国コスメ 保湿化粧水 200ml まとめ買いセット",
                amount=Money(minor=1_980, currency="JPY"),
                code="J1",
            ),
            claims=(claim("J-1", "J-1-1", reason=ClaimReason.WRONG_ORDER, requested_at=NOW - timedelta(minutes=50)),),
            buyer=Party(name="山田 花子", name_kana="ヤマダ ハナコ", phone="090-1234-5678"),
            receiver=Party(name="山田 花子", phone="090-1234-5678"),
        ),
    )
    await rig.write(
        "alpha-main",
        inquiry("Q-1", "배송이 언제 되나요? <b>급해요</b>", subject="배송 문의", order_no="A-1", writer=BUYER),
        inquiry(
            "Q-2",
            "사이즈가 어떻게 되나요?",
            kind=InquiryKind.PRODUCT_INQUIRY,
            product_name="린넨 셔츠",
            product_code="P1",
            is_public=True,
            asked_at=NOW - timedelta(days=1),
            answer="가슴둘레 110cm입니다.",
            answered_at=NOW - timedelta(hours=20),
            messages=(
                Message(
                    message_no="1",
                    author=MessageAuthor.CUSTOMER,
                    text="사이즈가 어떻게 되나요?",
                    sent_at=NOW - timedelta(days=1),
                ),
                Message(
                    message_no="2",
                    author=MessageAuthor.SELLER,
                    text="가슴둘레 110cm입니다.",
                    sent_at=NOW - timedelta(hours=20),
                ),
            ),
        ),
    )
    for shop in SHOPS:
        for feed in Feed:
            await rig.set_feed(shop, feed.value, as_of=rig.at - timedelta(minutes=2))


def new_case_row(rig: Rig, shop: str, number: int, *, due_at: int) -> dict[str, Any]:
    """A case row as the keeper writes it, for lists of any length."""
    return {
        "id": new_id(),
        "shop_id": rig.shops[shop].id,
        "case_key": f"claim:X{number}:cancel",
        "kind": "cancel",
        "order_no": f"X{number}",
        "thread_no": None,
        "is_open": True,
        "state": "requested",
        "product_name": f"상품 {number}",
        "quantity": 1,
        "customer_masked": "홍•동",
        "excerpt_masked": None,
        "opened_at": to_ms(NOW),
        "closed_at": None,
        "due_at": due_at,
        "due_cause": "due.law.refund",
        "due_all": "[]",
        "assignee_id": None,
        "updated_at": to_ms(NOW),
    }

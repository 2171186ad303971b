"""How one write on one line is done: read the fresh state, send once, read back, say what it shows.

Nothing is sent twice. When the answer to a write is lost, only what the mall shows afterwards decides.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from connectors.cafe24.claim_mapping import embedded, kind_now, origins
from connectors.cafe24.claims_elsewhere import has_open_cancel
from connectors.cafe24.client import Sent
from connectors.cafe24.order_feed import OrderFeed
from connectors.cafe24.values import code, whole
from connectors.cafe24.vocabulary import CANCEL, EXCHANGE, KAKAO_WORDS, NAVER_PAY_PLACE, OWN_MARKET, RETURN
from connectors.cafe24.wire import ClaimWire, ItemWire, OrderWire, Texts
from hub.core.contract import LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import ClaimKind

#: a look found that a write sent before had no effect
NOT_DONE = "not done (처리되지 않았습니다)"
#: a market or Naver Pay keeps the customer's request; this mall's API only tells of it
KEPT_ELSEWHERE = (
    "Naver Pay or the market keeps this cancel request: decide it there (네이버페이·마켓 관리자에서 처리하세요)"
)
_IN_SEVERAL_SHOPS = "several shop numbers have this order number: act in the mall's admin (관리자 화면에서 처리하세요)"
ACCEPTED = 202
CONFLICT = 409


class Scene(Struct, frozen=True, kw_only=True):
    """One line as the mall shows it at one moment, with its order."""

    reading: Reading
    order: OrderWire
    item: ItemWire

    @property
    def status(self) -> str:
        return code(self.item.order_status) or ""

    @property
    def line_no(self) -> str:
        return self.item.order_item_code

    @property
    def quantity(self) -> int:
        return whole(self.item.quantity, path="items.quantity") or 0

    @property
    def asked_quantity(self) -> int:
        """What the customer's request covers; all of the line when the mall does not say."""
        return whole(self.item.claim_quantity, path="items.claim_quantity") or self.quantity

    @property
    def shop_no(self) -> int:
        return whole(self.order.shop_no, path="shop_no") or 1

    def at(self, item: ItemWire) -> "Scene":
        """Another line of the same order at the same moment."""
        return Scene(reading=self.reading, order=self.order, item=item)

    def claim_code(self, kind: ClaimKind) -> str | None:
        """The number of the accepted claim of ``kind`` that stands on the line."""
        own = code(self.item.claim_code)
        if own is not None and kind_now(self.item) is kind:
            return own
        return next(
            (
                found
                for claim in reversed(embedded(_EMBED[kind](self.order)))
                if claim.undone != "T" and self.line_no in _lines(claim) and (found := code(claim.claim_code))
            ),
            None,
        )

    def has_market_cancel_request(self) -> bool:
        """Whether a market or Naver Pay, which keep claims of their own, shows an undecided cancel request."""
        return has_open_cancel(self.item)

    def is_naver_order(self) -> bool:
        return code(self.order.order_place_id) == NAVER_PAY_PLACE

    def is_paid_elsewhere(self) -> bool:
        """Open market, Naver Pay or Kakao Pay: these forbid many fields of a claim.

        How a Kakao Pay order shows itself is not documented: any name of a payment that says Kakao counts
        (confidence: guess).
        """
        order = self.order
        names = (order.easypay_name, order.payment_method, order.payment_method_name, order.payment_gateway_names)
        return (
            code(order.market_id) not in (None, OWN_MARKET)
            or self.is_naver_order()
            or code(self.item.naver_pay_order_id) is not None
            or order.naverpay_payment_information not in (None, "")
            or any(word in name for name in map(_joined, names) for word in KAKAO_WORDS)
        )

    def reached(self, after: "Scene", statuses: frozenset[str]) -> bool:
        """Whether the line is in one of ``statuses`` only ``after``, or a part that was split off it meanwhile.

        A write on a part splits the line (confidence: guess): the part is a new item that names the
        old one as its origin, or that sells the same variant where the mall names none.
        """
        if after.status in statuses and self.status not in statuses:
            return True
        known = {item.order_item_code for item in self.order.items or ()}
        return any(
            code(item.order_status) in statuses and self._is_origin_of(item)
            for item in after.order.items or ()
            if item.order_item_code not in known
        )

    def _is_origin_of(self, item: ItemWire) -> bool:
        if named := origins(item):
            return code(self.item.item_no) in named
        return item.variant_code == self.item.variant_code


_EMBED = {
    CANCEL: lambda order: order.cancellation,
    RETURN: lambda order: order.return_,
    EXCHANGE: lambda order: order.exchange,
}


def _lines(claim: ClaimWire) -> list[str]:
    """Lines of a claim: its own items, else those that the address of a return lists."""
    if claim.items:
        return [item if isinstance(item, str) else item.order_item_code for item in claim.items]
    listed = claim.return_address.get("items") if isinstance(claim.return_address, dict) else None
    return [line for line in listed if isinstance(line, str)] if isinstance(listed, list) else []


def _joined(values: Texts) -> str:
    return " ".join(map(str, values if isinstance(values, list) else [values or ""])).lower()


Judge = Callable[[Scene], str | None]
Send = Callable[[Scene], Awaitable[Sent]]
Shows = Callable[[Scene, Scene], Outcome]


class LineWriter:
    def __init__(self, orders: OrderFeed) -> None:
        self._orders = orders

    async def write(
        self,
        action: LineAction,
        *,
        judge: Judge,
        send: Send,
        shows: Shows,
        stands: Callable[[Scene], bool] = lambda _: False,
    ) -> WriteResult:
        """One write on the line of ``action``.

        ``stands``: the very effect is there already, nothing is sent. ``judge`` says why nothing may be
        sent in this state. ``shows`` compares before and after: DONE, PENDING when the mall is on the
        way, UNKNOWN when the effect is not to be seen.
        Raises: NotFoundAtMallError, MalformedResponseError and what else prevents the first reading.
        """
        before = await self.read(action)
        if stands(before):
            return result(Outcome.DONE, before)
        if action.is_only_look:
            return _looked(action, before, judge=judge, shows=shows)
        if (said := judge(before)) is not None:
            return result(Outcome.REFUSED, before, message=said)
        outcome, message = await send_once(lambda: send(before))
        try:
            after = await self.read(action)
        except MallError:
            return result(outcome, None, line_no=before.line_no, message=message)  # what was sent was sent
        if outcome is Outcome.REFUSED:
            return result(outcome, after, message=message)
        shown = shows(before, after)
        if shown is Outcome.DONE:
            return result(shown, after)
        if outcome is not Outcome.UNKNOWN:
            # The mall took it: it may need a moment, or it did something else with the line.
            is_unmoved = shown is Outcome.PENDING or after.status == before.status
            outcome = Outcome.PENDING if is_unmoved else Outcome.UNKNOWN
        return result(outcome, after, message=_and_now(message, after))

    async def read(self, action: LineAction) -> Scene:
        """The line as it is now. Raises: NotFoundAtMallError, MalformedResponseError."""
        scenes: list[Scene] = []
        for reading, order in await self._orders.read_each(action.order_no):
            if order is None:
                raise MalformedResponseError(reading.error or "the order cannot be read")
            item = next((item for item in order.items or () if item.order_item_code == action.line.line_no), None)
            if item is not None:
                scenes.append(Scene(reading=reading, order=order, item=item))
        if not scenes:
            raise NotFoundAtMallError("the order has no such line", operation="orders")
        if len(scenes) > 1:
            # Which of them is meant cannot be told: better none than the wrong one.
            raise RejectedByMallError(_IN_SEVERAL_SHOPS)
        return scenes[0]


def _looked(action: LineAction, now: Scene, *, judge: Judge, shows: Shows) -> WriteResult:
    """What became of a write that was sent before: its effect shows, or the line is where it was.

    The line before the write is the one that the hub knew then. A part that was split off cannot be
    told from one that was there before, so nothing is concluded from the rest of the line.
    """
    known = now.at(replace(now.item, order_status=action.line.raw_status))
    if shows(known, now) is Outcome.DONE:
        return result(Outcome.DONE, now)
    if action.quantity in {None, now.quantity} and judge(now) is None:
        return result(Outcome.REFUSED, now, message=NOT_DONE)
    return result(Outcome.UNKNOWN, now, message=_and_now(None, now))


async def send_once(call: Callable[[], Awaitable[Sent]]) -> tuple[Outcome, str | None]:
    """Send. UNKNOWN (no answer, or 409 "the same again") is decided by the read that follows."""
    try:
        sent = await call()
    except OutcomeUnknownError as error:
        return Outcome.UNKNOWN, error.mall_message or error.message
    except (RejectedByMallError, NotFoundAtMallError) as error:
        outcome = Outcome.UNKNOWN if error.status == CONFLICT else Outcome.REFUSED
        return outcome, error.mall_message or error.message
    if sent.refused:
        return Outcome.REFUSED, "; ".join(sent.refused)
    return (Outcome.PENDING if sent.status == ACCEPTED else Outcome.DONE), None


def result(
    outcome: Outcome, scene: Scene | None, *, line_no: str | None = None, message: str | None = None
) -> WriteResult:
    """``scene`` is what was read last, ``None`` when it could not be read any more."""
    number = line_no if scene is None else scene.line_no
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=number, outcome=outcome, mall_message=message),),
        readings=() if scene is None else (scene.reading,),
    )


def _and_now(message: str | None, scene: Scene) -> str:
    now = f"the line is {scene.status} now (현재 상태 {scene.status})"
    return now if message is None else f"{message}; {now}"


def wrong_field(name: str, said: str) -> RejectedByMallError:
    """A field of the action that the mall would not take: nothing is sent."""
    return RejectedByMallError(f"{name}: {said}")


def need_text(action: LineAction, *, at_most: int, is_required: bool = False) -> None:
    """Raises: RejectedByMallError when ``text`` is too long, or missing where it is required."""
    if len(action.text) > at_most:
        raise wrong_field("text", f"longer than {at_most} characters ({at_most}자를 넘습니다)")
    if is_required and not action.text.strip():
        raise wrong_field("text", "missing (내용을 입력하세요)")


def part_of(action: LineAction, available: int) -> int:
    """How many pieces the write is about, all ``available`` unless the action says less.

    Raises: RejectedByMallError for a quantity that the line does not have.
    """
    wanted = available if action.quantity is None else action.quantity
    if not 1 <= wanted <= available:
        raise wrong_field("quantity", f"1 to {available}, not {wanted} (수량은 1~{available})")
    return wanted


def only_whole(action: LineAction, scene: Scene) -> str | None:
    """Why a part cannot be meant, for calls of the mall that know no quantity."""
    if action.quantity in {None, scene.quantity, scene.asked_quantity}:
        return None
    return "quantity: this call of the mall takes the whole line only (수량을 나눌 수 없습니다)"

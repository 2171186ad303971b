"""What the seller does with a line before it reaches the customer: take it, send it, delay it, cancel it.

Source: Cafe24 Admin API, version 2026-03-01, Orders, Orders items, Orders shipments, Orders cancellation;
confidence: sure for the fields, guess for the states that each call takes.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.cafe24.client import Cafe24Client, Sent, segment
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import KST, code, when
from connectors.cafe24.vocabulary import (
    CLAIM_STATE,
    HELD_STATUS,
    NAVER_CANCEL_REASON,
    POST_REASON,
    REASON_WORDS,
    REPLACEMENT_STATUS,
)
from connectors.cafe24.writing import (
    KEPT_ELSEWHERE,
    LineWriter,
    Scene,
    need_text,
    only_whole,
    part_of,
    wrong_field,
)
from hub.core.contract import LineAction, Outcome, WriteResult

#: first version whose cancels know the status "accepted" (confidence: likely)
ACCEPTED_SINCE = "2026"
#: longest reason of a claim, tracking number (confidence: sure)
REASON_LIMIT = 2000
TRACKING_LIMIT = 40

UNPAID = frozenset({"N00", "N02"})
TAKEN = frozenset({"N20", "N21"})
BEFORE_DISPATCH = frozenset({"N10", "N20", "N21", REPLACEMENT_STATUS})
DISPATCHED = frozenset({"N30", "N40", "N50"})
CANCELLABLE = frozenset({"N00", "N10", "N20", "N21", HELD_STATUS})
#: accepted or further; C47 to C49 are orders that nobody paid
CANCELLED = frozenset({"C10", "C34", "C35", "C36", "C40", "C41", "C42", "C43"})
CANCELLED_UNPAID = frozenset({"C40", "C47", "C48", "C49"})


class LineActions:
    def __init__(
        self, client: Cafe24Client, *, writer: LineWriter, credentials: Cafe24Credentials, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._writer = writer
        self._credentials = credentials
        self._now = now

    async def confirm(self, action: LineAction) -> WriteResult:
        """Take the line: shipping preparing (배송준비중, N20), process_status ``prepare``.

        Not ``prepareproduct``: that is product preparing (상품준비중, N10), where a paid line stands
        already; only with N20 has the seller taken the order, and the mall gives it its shipping number.
        """

        def judge(scene: Scene) -> str | None:
            return only_whole(action, scene) or _unless(scene, frozenset({"N10", REPLACEMENT_STATUS}))

        async def send(scene: Scene) -> Sent:
            path = f"orders/{segment(scene.order.order_id)}"
            body = {"process_status": "prepare", "order_item_code": [scene.line_no]}
            return await self._client.send("PUT", path, shop_no=scene.shop_no, request=body)

        return await self._writer.write(
            action,
            judge=judge,
            send=send,
            shows=_becomes(TAKEN | DISPATCHED),
            stands=lambda scene: scene.status in TAKEN and not scene.has_market_cancel_request(),
        )

    async def dispatch(self, action: LineAction) -> WriteResult:
        """Send the whole line. An undecided cancel request stops it, whoever keeps the request."""
        carrier, tracking_no = shipment_of(action)

        def judge(scene: Scene) -> str | None:
            return only_whole(action, scene) or _unless(scene, BEFORE_DISPATCH)

        async def send(scene: Scene) -> Sent:
            return await ship(self._client, scene, [scene.line_no], carrier=carrier, tracking_no=tracking_no)

        return await self._writer.write(
            action,
            judge=judge,
            send=send,
            shows=lambda _, after: (
                Outcome.DONE
                if after.status in DISPATCHED and bears(after, tracking_no, or_none=True)
                else Outcome.UNKNOWN
            ),
            stands=lambda scene: scene.status in DISPATCHED and bears(scene, tracking_no),
        )

    async def delay(self, action: LineAction) -> WriteResult:
        """Tell the day of shipping (발송예정일). The mall has no field for the reason, which stays in the hub.

        The line is not put on hold: that is another word of the mall (배송보류), and a held line could
        not be dispatched when its day comes.
        """
        day = action.ship_on
        if day is None:
            raise wrong_field("ship_on", "missing (발송예정일을 입력하세요)")
        if day < self._now().astimezone(KST).date():
            raise wrong_field("ship_on", "is in the past (지난 날짜입니다)")

        def judge(scene: Scene) -> str | None:
            return only_whole(action, scene) or _unless(scene, BEFORE_DISPATCH | {HELD_STATUS})

        async def send(scene: Scene) -> Sent:
            path = f"orders/{segment(scene.order.order_id)}/items/{segment(scene.line_no)}"
            body = {"shipping_expected_date": day.isoformat()}
            return await self._client.send("PUT", path, shop_no=scene.shop_no, request=body)

        def is_told(scene: Scene) -> bool:
            told = when(scene.item.shipping_expected_date, path="items.shipping_expected_date")
            return told is not None and told.astimezone(KST).date() == day

        return await self._writer.write(
            action,
            judge=judge,
            send=send,
            shows=lambda _, after: Outcome.DONE if is_told(after) else Outcome.UNKNOWN,
            stands=lambda scene: judge(scene) is None and is_told(scene),
        )

    async def seller_cancel(self, action: LineAction) -> WriteResult:
        """Cancel without the customer's request, for a reason of the seller.

        A paid line becomes "accepted" (취소접수), as when a request is approved: the refund is closed in the
        mall's admin, so none is marked as paid that nobody paid. An unpaid one is cancelled at once.
        """
        reason = action.reason
        if reason is None or reason not in POST_REASON:
            raise wrong_field("reason", "missing or not known to the mall (취소 사유를 선택하세요)")
        need_text(action, at_most=REASON_LIMIT)

        def judge(scene: Scene) -> str | None:
            if scene.has_market_cancel_request():
                return KEPT_ELSEWHERE
            if scene.status == "C00":
                return "the customer asks to cancel: approve that (고객의 취소신청이 있습니다. 취소승인으로 처리하세요)"
            part_of(action, scene.quantity)
            return _unless(scene, CANCELLABLE)

        async def send(scene: Scene) -> Sent:
            path = f"orders/{segment(scene.order.order_id)}/cancellation"
            body: dict[str, Any] = {
                "status": "canceled" if scene.status in UNPAID else accepted_word(self._credentials),
                "items": [{"order_item_code": scene.line_no, "quantity": part_of(action, scene.quantity)}],
                "reason": action.text.strip() or REASON_WORDS[reason],
            }
            if scene.is_naver_order():
                body["naverpay_cancel_reason_type"] = NAVER_CANCEL_REASON[reason]
            elif not scene.is_paid_elsewhere():
                body["claim_reason_type"] = POST_REASON[reason]
            return await self._client.send("POST", path, shop_no=scene.shop_no, request=body)

        return await self._writer.write(
            action, judge=judge, send=send, shows=_becomes(CANCELLED | CANCELLED_UNPAID, with_parts=True)
        )


def accepted_word(credentials: Cafe24Credentials) -> str:
    """The status of a cancel that was just accepted, in the words of the version that is asked."""
    return "accepted" if credentials.api_version >= ACCEPTED_SINCE else "canceling"


def shipment_of(action: LineAction) -> tuple[str, str]:
    """Carrier and tracking number. Raises: RejectedByMallError naming the one that is missing or too long."""
    carrier, tracking_no = (action.carrier or "").strip(), (action.tracking_no or "").strip()
    if not carrier:
        raise wrong_field("carrier", "missing (배송업체 코드를 입력하세요)")
    if not tracking_no:
        raise wrong_field("tracking_no", "missing (송장번호를 입력하세요)")
    if len(tracking_no) > TRACKING_LIMIT:
        raise wrong_field("tracking_no", f"longer than {TRACKING_LIMIT} characters ({TRACKING_LIMIT}자를 넘습니다)")
    return carrier, tracking_no


async def ship(client: Cafe24Client, scene: Scene, line_nos: list[str], *, carrier: str, tracking_no: str) -> Sent:
    body = {
        "tracking_no": tracking_no,
        "shipping_company_code": carrier,
        "status": "shipping",
        "order_item_code": line_nos,
    }
    path = f"orders/{segment(scene.order.order_id)}/shipments"
    return await client.send("POST", path, shop_no=scene.shop_no, request=body)


def bears(scene: Scene, tracking_no: str, *, or_none: bool = False) -> bool:
    """Whether the line shows this tracking number, written with or without dashes."""
    shown = code(scene.item.tracking_no)
    return or_none if shown is None else _bare(shown) == _bare(tracking_no)


def _bare(number: str) -> str:
    return "".join(filter(str.isalnum, number)).upper()


def _becomes(statuses: frozenset[str], *, with_parts: bool = False) -> Callable[[Scene, Scene], Outcome]:
    def shows(before: Scene, after: Scene) -> Outcome:
        is_there = before.reached(after, statuses) if with_parts else after.status in statuses
        return Outcome.DONE if is_there else Outcome.UNKNOWN

    return shows


def _unless(scene: Scene, statuses: frozenset[str]) -> str | None:
    """Why a line outside ``statuses``, or with an undecided cancel request, is left alone."""
    status = scene.status
    if scene.has_market_cancel_request():
        return KEPT_ELSEWHERE
    if status == "C00":
        return "the customer asks to cancel: decide that first (취소신청을 먼저 처리하세요)"
    if status in statuses:
        return None
    if status in UNPAID:
        return f"not paid yet: {status} (입금 전입니다)"
    if status == HELD_STATUS:
        return f"on shipping hold: {status}, release it first (배송보류를 먼저 해제하세요)"
    if status in TAKEN or status == "N10":
        return f"nothing to do: {status} (처리할 단계가 아닙니다)"
    if status in DISPATCHED:
        return f"dispatched already: {status} (이미 출고되었습니다)"
    if status in CLAIM_STATE:
        return f"a claim stands on the line: {status} (클레임이 진행 중이거나 끝난 품목입니다)"
    return f"the state of the line does not allow it: {status or 'none'} (처리할 수 없는 상태입니다)"

"""What the seller does with cancels, returns and exchanges: accept, refuse, collect, close, file.

Accepting a request is the same call as making a claim; from then on the claim goes by its number. The
mall knows no call to hold a return or exchange, or to release it.
Source: Cafe24 Admin API, version 2026-03-01, Orders cancellation, return, exchange, Cancellation-,
Return- and Exchangerequests; confidence: sure for the fields, guess for the states that each call takes.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.cafe24.carriers import readable
from connectors.cafe24.claim_mapping import embedded, is_replacement, origins
from connectors.cafe24.client import Cafe24Client, Rows, Sent, segment
from connectors.cafe24.line_actions import (
    BEFORE_DISPATCH,
    CANCELLED,
    DISPATCHED,
    REASON_LIMIT,
    TRACKING_LIMIT,
    accepted_word,
    bears,
    ship,
    shipment_of,
)
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import code, text, whole
from connectors.cafe24.vocabulary import (
    CANCEL,
    CLAIM_STATE,
    EXCHANGE,
    FILED_REASON,
    POST_REASON,
    REASON_WORDS,
    RETURN,
)
from connectors.cafe24.wire import ItemWire, PartyWire, people
from connectors.cafe24.writing import KEPT_ELSEWHERE, LineWriter, Scene, need_text, only_whole, part_of, wrong_field
from hub.core.contract import LineAction, Outcome, WriteResult
from hub.core.errors import AccessError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import Claim, ClaimKind, ClaimState, EndedBy, Order

#: longest name of a carrier that brings goods back (confidence: sure)
CARRIER_NAME_LIMIT = 30


class Course(Struct, frozen=True, kw_only=True):
    """The status codes through which the claims of one kind go, and the mall's words for the kind.

    ``closed`` has the money settled, ``unsettled`` is closed while the money is still owed.
    """

    kind: ClaimKind
    resource: str
    requested: str
    refused: str
    accepted: frozenset[str]
    to_collect: frozenset[str] = frozenset()
    collected: frozenset[str] = frozenset()
    to_close: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    unsettled: frozenset[str] = frozenset()
    closing_word: str = ""

    @property
    def requests(self) -> str:
        return f"{self.resource}requests"


_RETURN_CLOSED = frozenset({"R40", "R41", "R42", "R43"})
CANCEL_COURSE = Course(kind=CANCEL, resource="cancellation", requested="C00", refused="C11", accepted=CANCELLED)
RETURN_COURSE = Course(
    kind=RETURN,
    resource="return",
    requested="R00",
    refused="R11",
    accepted=frozenset({"R10", "R12", "R13", "R20", "R30", "R31", "R34", "R36"}) | _RETURN_CLOSED,
    to_collect=frozenset({"R10", "R30"}),
    collected=frozenset({"R13", "R20", "R31", "R34", "R36"}) | _RETURN_CLOSED,
    to_close=frozenset({"R10", "R13", "R20", "R30", "R31", "R34"}),
    closed=frozenset({"R40"}),
    unsettled=frozenset({"R34", "R41", "R42"}),
    closing_word="returned",
)
EXCHANGE_COURSE = Course(
    kind=EXCHANGE,
    resource="exchange",
    requested="E00",
    refused="E11",
    accepted=frozenset({"E10", "E12", "E13", "E20", "E30", "E31", "E32", "E33", "E34", "E35", "E36", "E40"}),
    to_collect=frozenset({"E10", "E30"}),
    collected=frozenset({"E13", "E20", "E31", "E32", "E33", "E34", "E35", "E36", "E40"}),
    to_close=frozenset({"E10", "E13", "E20", "E30", "E31", "E33", "E34", "E35"}),
    closed=frozenset({"E40"}),
    closing_word="exchanged",
)
#: goods that a return or exchange can be filed for (confidence: guess)
_WITH_CUSTOMER = frozenset({"N30", "N40"})
_BEFORE_THAT = frozenset({"N10", "N20", "N21", "N22"})


class ClaimActions:
    def __init__(self, client: Cafe24Client, *, writer: LineWriter, credentials: Cafe24Credentials) -> None:
        self._client = client
        self._writer = writer
        self._credentials = credentials

    # -- requests of the customer

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        """Accept the customer's cancel request.

        Status "accepted" (취소접수): it can still be withdrawn, asks for none of the fields that market,
        Naver Pay and Kakao Pay orders forbid, and never marks a refund as done that nobody paid. The
        refund itself is closed in the mall's admin. Older versions have "canceling" for it.
        """
        body = {"status": accepted_word(self._credentials)}
        return await self._accept(CANCEL_COURSE, action, body)

    async def accept_return(self, action: LineAction) -> WriteResult:
        """Accept the customer's return request; no courier is sent (request_pickup F)."""
        body = {"status": "accepted", "request_pickup": "F"}
        if action.reason is not None and action.reason in POST_REASON:
            body["claim_reason_type"] = POST_REASON[action.reason]
        return await self._accept(RETURN_COURSE, action, body)

    async def accept_exchange(self, action: LineAction) -> WriteResult:
        """Accept the customer's exchange request: the mall adds the replacement as a line of its own.

        ``option_code`` is another variant (품목코드) of the same product, absent the same variant again.
        This call has no field for a reason, and none to name another product.
        """
        return await self._accept(EXCHANGE_COURSE, action, {"status": "accepted", "same_product": "T"})

    async def _accept(self, course: Course, action: LineAction, body: dict[str, Any]) -> WriteResult:
        need_text(action, at_most=REASON_LIMIT)

        def judge(scene: Scene) -> str | None:
            if scene.status != course.requested:
                return _no_request(course, scene)
            part_of(action, scene.asked_quantity)
            return _other_product(action, scene) if course is EXCHANGE_COURSE else None

        async def send(scene: Scene) -> Sent:
            item = {"order_item_code": scene.line_no, "quantity": part_of(action, scene.asked_quantity)}
            request = {**body, "items": [item]}
            if course is EXCHANGE_COURSE:
                variant = action.option_code or code(scene.item.variant_code)
                request["items"] = [item | ({"exchange_variant_code": variant} if variant else {})]
            elif action.text.strip():
                request["reason"] = action.text
            path = f"orders/{segment(scene.order.order_id)}/{course.resource}"
            return await self._client.send("POST", path, shop_no=scene.shop_no, request=request)

        return await self._writer.write(
            action, judge=judge, send=send, shows=lambda before, after: _done_if(before.reached(after, course.accepted))
        )

    async def refuse_cancel(self, action: LineAction) -> WriteResult:
        """Refuse the customer's cancel request; ``text`` is shown to the customer."""
        return await self._refuse(CANCEL_COURSE, action)

    async def refuse_return(self, action: LineAction) -> WriteResult:
        return await self._refuse(RETURN_COURSE, action, needs_text=True)

    async def refuse_exchange(self, action: LineAction) -> WriteResult:
        return await self._refuse(EXCHANGE_COURSE, action, needs_text=True)

    async def _refuse(self, course: Course, action: LineAction, *, needs_text: bool = False) -> WriteResult:
        need_text(action, at_most=REASON_LIMIT, is_required=needs_text)

        asked: list[Claim] = []

        def judge(scene: Scene) -> str | None:
            asked[:] = _requests(course, scene)
            return _no_request(course, scene) or only_whole(action, scene)

        async def send(scene: Scene) -> Sent:
            body: dict[str, Any] = {
                "order_id": scene.order.order_id,
                "order_item_code": [scene.line_no],
                "undone": "T",
                "reason_type": "I",
                "display_reject_reason": "T" if action.text else "F",
            }
            if action.text:
                body["reject_reason"] = action.text
            return await self._client.send_many("PUT", course.requests, shop_no=scene.shop_no, request=body)

        def shows(_: Scene, after: Scene) -> Outcome:
            return _done_if(after.status not in course.accepted | {course.requested})

        return _as_refused(await self._writer.write(action, judge=judge, send=send, shows=shows), asked)

    # -- accepted claims

    async def collect_return(self, action: LineAction) -> WriteResult:
        return await self._collect(RETURN_COURSE, action)

    async def collect_exchange(self, action: LineAction) -> WriteResult:
        return await self._collect(EXCHANGE_COURSE, action)

    async def _collect(self, course: Course, action: LineAction) -> WriteResult:
        """The goods are back. ``carrier`` becomes the carrier's name, the only form that this call takes."""
        tracking_no = (action.tracking_no or "").strip()
        if len(tracking_no) > TRACKING_LIMIT:
            raise wrong_field("tracking_no", f"longer than {TRACKING_LIMIT} characters ({TRACKING_LIMIT}자를 넘습니다)")

        def judge(scene: Scene) -> str | None:
            if scene.status in course.collected and scene.status not in course.to_collect:
                return f"nothing to do: {scene.status} (이미 수거되었습니다)"
            return _unless_open(course, action, scene, course.to_collect) or only_whole(action, scene)

        async def send(scene: Scene) -> Sent:
            body: dict[str, Any] = {"pickup_completed": "T", "items": [{"order_item_code": scene.line_no}]}
            if tracking_no:
                body["return_invoice_no"] = tracking_no
            if action.carrier:
                body["return_shipping_company_name"] = await self._carrier_name(action.carrier, scene)
            return await self._move(course, scene, body)

        return await self._writer.write(
            action, judge=judge, send=send, shows=lambda _, after: _done_if(after.status in course.collected)
        )

    async def complete_return(self, action: LineAction) -> WriteResult:
        """Close the return (반품완료). A refund that the mall has not paid yet leaves it PENDING."""
        return await self._close(RETURN_COURSE, action)

    async def complete_exchange(self, action: LineAction) -> WriteResult:
        """Close the exchange (교환완료)."""
        return await self._close(EXCHANGE_COURSE, action)

    async def _close(self, course: Course, action: LineAction) -> WriteResult:
        def judge(scene: Scene) -> str | None:
            return _unless_open(course, action, scene, course.to_close) or only_whole(action, scene)

        async def send(scene: Scene) -> Sent:
            return await self._move(
                course, scene, {"status": course.closing_word, "items": [{"order_item_code": scene.line_no}]}
            )

        def shows(before: Scene, after: Scene) -> Outcome:
            if after.status in course.unsettled and after.status != before.status:
                return Outcome.PENDING
            return _done_if(after.status in course.closed)

        return await self._writer.write(action, judge=judge, send=send, shows=shows)

    async def _move(self, course: Course, scene: Scene, body: dict[str, Any]) -> Sent:
        claim_code = segment(scene.claim_code(course.kind) or "")
        path = f"orders/{segment(scene.order.order_id)}/{course.resource}/{claim_code}"
        return await self._client.send("PUT", path, shop_no=scene.shop_no, request=body)

    async def redeliver_exchange(self, action: LineAction) -> WriteResult:
        """Send the replacement: a shipment of the line that the exchange added.

        ``action`` may name the exchanged line or the replacement itself.
        """
        carrier, tracking_no = shipment_of(action)

        def judge(scene: Scene) -> str | None:
            lines = _replacements(scene)
            if not lines:
                return f"no replacement is to be sent: {scene.status} (보낼 교환상품이 없습니다)"
            if all(code(item.order_status) in DISPATCHED for item in lines):
                return "the replacement was sent already (교환상품이 이미 출고되었습니다)"
            if not _unsent(lines):
                now = ", ".join(code(item.order_status) or "" for item in lines)
                return f"the replacement cannot be sent: {now} (교환상품을 출고할 수 없는 상태입니다)"
            return only_whole(action, scene)

        async def send(scene: Scene) -> Sent:
            line_nos = [item.order_item_code for item in _unsent(_replacements(scene))]
            return await ship(self._client, scene, line_nos, carrier=carrier, tracking_no=tracking_no)

        def shows(before: Scene, after: Scene) -> Outcome:
            wanted = {item.order_item_code for item in _unsent(_replacements(before))}
            return _done_if(_are_sent(after, wanted, tracking_no, or_none=True))

        def stands(scene: Scene) -> bool:
            return _are_sent(scene, {item.order_item_code for item in _replacements(scene)}, tracking_no)

        return await self._writer.write(action, judge=judge, send=send, shows=shows, stands=stands)

    # -- in the customer's name

    async def file_return(self, action: LineAction) -> WriteResult:
        """File a return for the customer; it is accepted by a step of its own."""
        return await self._file(RETURN_COURSE, action, _WITH_CUSTOMER)

    async def file_exchange(self, action: LineAction) -> WriteResult:
        """File an exchange for the customer, for the same variant or ``option_code`` of the same product."""
        return await self._file(EXCHANGE_COURSE, action, _WITH_CUSTOMER | _BEFORE_THAT)

    async def _file(self, course: Course, action: LineAction, allowed: frozenset[str]) -> WriteResult:
        reason = action.reason
        if reason is None or reason not in FILED_REASON:
            raise wrong_field("reason", "missing or not known to the mall (신청 사유를 선택하세요)")
        need_text(action, at_most=REASON_LIMIT)

        def judge(scene: Scene) -> str | None:
            if scene.status not in allowed:
                return f"the state of the line does not allow it: {scene.status} (신청할 수 없는 상태입니다)"
            part_of(action, scene.quantity)
            return _other_product(action, scene) if course is EXCHANGE_COURSE else None

        async def send(scene: Scene) -> Sent:
            quantity = part_of(action, scene.quantity)
            body: dict[str, Any] = {
                "order_id": scene.order.order_id,
                "reason_type": FILED_REASON[reason],
                "reason": action.text.strip() or REASON_WORDS[reason],
                "items": [{"order_item_code": scene.line_no, "quantity": quantity}],
                **_pickup(scene),
            }
            if course is EXCHANGE_COURSE and (wanted := _exchange_item(action, scene, quantity)) is not None:
                body["exchange_items"] = [wanted]
            return await self._client.send_many("POST", course.requests, shop_no=scene.shop_no, request=body)

        is_asked = course.accepted | {course.requested}
        return await self._writer.write(
            action, judge=judge, send=send, shows=lambda before, after: _done_if(before.reached(after, is_asked))
        )

    async def _carrier_name(self, carrier: str, scene: Scene) -> str:
        """The name behind a carrier's code; what is no code of the shop is a name already."""
        name = carrier.strip()
        try:
            page = await self._client.carriers(shop_no=scene.shop_no)
        except (AccessError, NotFoundAtMallError, RejectedByMallError):
            page = Rows(rows=())  # the list needs a permission of its own, the name of a carrier does not
        for known in readable(page.rows):
            if code(known.shipping_carrier_code) == name:
                name = text(known.shipping_carrier) or name
        if len(name) > CARRIER_NAME_LIMIT:
            raise wrong_field(
                "carrier", f"longer than {CARRIER_NAME_LIMIT} characters ({CARRIER_NAME_LIMIT}자를 넘습니다)"
            )
        return name


def _done_if(is_shown: bool) -> Outcome:
    return Outcome.DONE if is_shown else Outcome.UNKNOWN


def _requests(course: Course, scene: Scene) -> list[Claim]:
    """The open requests of the line, as the mall told of them."""
    record = scene.reading.record
    return [
        claim
        for claim in (record.claims if isinstance(record, Order) else ())
        if (claim.line_no, claim.kind, claim.state) == (scene.line_no, course.kind, ClaimState.REQUESTED)
    ]


def _as_refused(result: WriteResult, asked: list[Claim]) -> WriteResult:
    """The requests that were refused, where the mall keeps no trace of them.

    Whether the date of a refused request stays on the line is not documented; without it the request would pass
    for withdrawn.
    """
    record = result.readings[0].record if result.readings else None
    if result.outcome is not Outcome.DONE or not isinstance(record, Order):
        return result
    shown = {claim.claim_key for claim in record.claims}
    status = {line.line_no: line.raw_status for line in record.lines}
    refused = tuple(
        replace(
            claim,
            state=ClaimState.REJECTED,
            raw_state=status.get(claim.line_no, claim.raw_state),
            ended_by=EndedBy.SELLER,
        )
        for claim in asked
        if claim.claim_key not in shown
    )
    reading = replace(result.readings[0], record=replace(record, claims=record.claims + refused))
    return replace(result, readings=(reading, *result.readings[1:]))


_NAME_KO = {CANCEL: "취소", RETURN: "반품", EXCHANGE: "교환"}


def _no_request(course: Course, scene: Scene) -> str | None:
    """Why there is nothing to decide, unless a request of the customer is open."""
    if scene.status == course.requested:
        return None
    if course is CANCEL_COURSE and scene.has_market_cancel_request():
        return KEPT_ELSEWHERE
    word = _NAME_KO[course.kind]
    return f"no open {course.kind} request: the line is {scene.status} ({word}신청 상태가 아닙니다)"


def _unless_open(course: Course, action: LineAction, scene: Scene, statuses: frozenset[str]) -> str | None:
    """Why the accepted claim cannot be moved, unless the line is in one of ``statuses``."""
    word = _NAME_KO[course.kind]
    if scene.status == course.requested:
        return f"the request is not accepted yet: {scene.status} ({word}접수를 먼저 하세요)"
    if CLAIM_STATE.get(scene.status) is ClaimState.HOLD:
        return f"on hold: {scene.status}, release it in the mall's admin ({word}보류를 관리자 화면에서 먼저 해제하세요)"
    claim_code = scene.claim_code(course.kind)
    if scene.status not in statuses or claim_code is None:
        return f"no {course.kind} at this step: the line is {scene.status} ({word} 처리 단계가 아닙니다)"
    meant = action.claim.claim_no if action.claim is not None else None
    if meant not in (None, claim_code):
        return f"another claim stands on the line now: {claim_code} (다른 클레임이 진행 중입니다)"
    return None


def _other_product(action: LineAction, scene: Scene) -> str | None:
    """Why ``option_code`` cannot be sent instead: the first 8 characters of a variant are its product."""
    product_code = code(scene.item.product_code)
    if not action.option_code or product_code is None or action.option_code.startswith(product_code):
        return None
    return "option_code: a variant of another product; use the mall's admin (다른 상품 교환은 관리자 화면에서)"


def _replacements(scene: Scene) -> list[ItemWire]:
    """The lines that the exchange of this line brought; the line itself when it is such a one."""
    if is_replacement(scene.item):
        return [scene.item]
    number, claim_code = code(scene.item.item_no), scene.claim_code(EXCHANGE)
    named = {
        new if isinstance(new, str) else code(new.order_item_code)
        for claim in embedded(scene.order.exchange)
        if claim_code is not None and code(claim.claim_code) == claim_code
        for new in claim.exchanged_items or ()
    } - {scene.line_no}
    return [
        item
        for item in scene.order.items or ()
        if item.order_item_code in named or (is_replacement(item) and number is not None and number in origins(item))
    ]


def _unsent(items: list[ItemWire]) -> list[ItemWire]:
    return [item for item in items if code(item.order_status) in BEFORE_DISPATCH]


def _are_sent(scene: Scene, line_nos: set[str], tracking_no: str, *, or_none: bool = False) -> bool:
    lines = [scene.at(item) for item in scene.order.items or () if item.order_item_code in line_nos]
    return bool(lines) and all(
        line.status in DISPATCHED and bears(line, tracking_no, or_none=or_none) for line in lines
    )


def _pickup(scene: Scene) -> dict[str, Any]:
    """A courier to where the line was sent, when the mall shows all that a courier needs; else none."""
    place = _receiver(scene)
    if place is None:
        return {"request_pickup": "F"}
    needed = {
        "name": text(place.name),
        "cellphone": text(place.cellphone),
        "address1": text(place.address1),
        "address2": text(place.address2),
    }
    if any(value is None or "*" in value for value in needed.values()):
        return {"request_pickup": "F"}
    more = {"phone": text(place.phone), "zipcode": text(place.zipcode)}
    return {"request_pickup": "T", "pickup": needed | {name: value for name, value in more.items() if value}}


def _receiver(scene: Scene) -> PartyWire | None:
    """The receiver of the line's parcel where an order has several, else the only one."""
    receivers = people(scene.order.receivers)
    parcel = code(scene.item.shipping_code)
    same = [person for person in receivers if parcel is not None and code(person.shipping_code) == parcel]
    if same:
        return same[0]
    return receivers[0] if len(receivers) == 1 else None


def _exchange_item(action: LineAction, scene: Scene, quantity: int) -> dict[str, Any] | None:
    """What is wanted instead, when the mall has told enough of the line to name it."""
    product_no = whole(scene.item.product_no, path="items.product_no")
    variant = action.option_code or code(scene.item.variant_code)
    if product_no is None or variant is None:
        return None
    return {"product_no": product_no, "variant_code": variant, "quantity": quantity}

"""What the seller leaves at an order: a memo for its own people, points for the buyer.

Neither call is idempotent and neither shows on the order: the lists are read before and after.
Source: Cafe24 Admin API, version 2026-03-01, Orders memos, Points; confidence: sure for the fields.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connectors.cafe24.client import POINTS_LIMIT, Cafe24Client, segment
from connectors.cafe24.decoding import decode
from connectors.cafe24.values import code, money, plain_text, when
from connectors.cafe24.wire import MemoWire, PointsWire, Text, memo_decoder, people, points_decoder
from connectors.cafe24.writing import NOT_DONE, LineWriter, Scene, need_text, result, send_once, wrong_field
from hub.core.contract import LineAction, Outcome, WriteResult
from hub.core.errors import MalformedResponseError, MallError

MEMO_LIMIT = 1000
#: most points in one call (confidence: sure)
MOST_POINTS = 1_000_000
#: how far back points of the same reason are looked for; the mall states no longest window
POINTS_REACH = timedelta(days=85)
#: pages of one member's history that are read at most
MOST_PAGES = 20
#: the mall's clock is not ours
OVERLAP = timedelta(minutes=10)


class Notes:
    def __init__(self, client: Cafe24Client, *, writer: LineWriter, now: Callable[[], datetime]) -> None:
        self._client = client
        self._writer = writer
        self._now = now

    async def memo(self, action: LineAction) -> WriteResult:
        """Keep ``text`` as a memo of the order; done without sending when the same one stands there."""
        need_text(action, at_most=MEMO_LIMIT, is_required=True)
        scene = await self._writer.read(action)
        before = await self._memos(scene, action.text)
        if before:
            return result(Outcome.DONE, scene)
        if action.is_only_look:
            return result(Outcome.REFUSED, scene, message=NOT_DONE)
        path = f"orders/{segment(scene.order.order_id)}/memos"
        outcome, message = await send_once(
            lambda: self._client.send("POST", path, shop_no=scene.shop_no, request={"content": action.text})
        )
        return await self._settled(outcome, message, scene, lambda: self._memos(scene, action.text))

    async def give_points(self, action: LineAction) -> WriteResult:
        """Give the member ``points`` for ``text``. Points with this reason on this order are given once."""
        points = action.points
        if points is None or not 1 <= points <= MOST_POINTS:
            raise wrong_field("points", f"1 to {MOST_POINTS:,} (적립금은 1~{MOST_POINTS:,})")
        need_text(action, at_most=MEMO_LIMIT, is_required=True)
        scene = await self._writer.read(action)
        member_id = _member(scene)
        if member_id is None:
            return result(
                Outcome.REFUSED, scene, message="a guest has no points (비회원에게는 적립금을 줄 수 없습니다)"
            )
        if action.is_only_look:
            # A history that is late must not pay twice: what it does not show is not called undone.
            is_there = await self._given(scene, member_id, action.text, points)
            return result(Outcome.DONE if is_there else Outcome.UNKNOWN, scene)
        if await self._given(scene, member_id, action.text):
            said = "points were given for this order with this reason already (같은 사유로 이미 지급했습니다)"
            return result(Outcome.REFUSED, scene, message=said)
        body = {
            "member_id": member_id,
            "order_id": scene.order.order_id,
            "amount": points,
            "type": "increase",
            "reason": action.text,
        }
        outcome, message = await send_once(
            lambda: self._client.send("POST", "points", shop_no=scene.shop_no, request=body)
        )
        return await self._settled(outcome, message, scene, lambda: self._given(scene, member_id, action.text, points))

    async def _settled(
        self, outcome: Outcome, message: str | None, scene: Scene, count: Callable[[], Awaitable[int]]
    ) -> WriteResult:
        """What the list shows decides; before there was none of it."""
        if outcome is Outcome.REFUSED:
            return result(outcome, scene, message=message)
        try:
            found = await count()
        except MallError:
            return result(outcome, scene, message=message)  # what was sent was sent
        if found:
            return result(Outcome.DONE, scene)
        if outcome is Outcome.UNKNOWN:
            return result(outcome, scene, message=f"{message}; the mall does not show it (목록에 보이지 않습니다)")
        return result(Outcome.PENDING, scene, message="taken, not shown yet (접수되었으나 아직 보이지 않습니다)")

    async def _memos(self, scene: Scene, content: str) -> int:
        page = await self._client.memos(shop_no=scene.shop_no, order_no=scene.order.order_id)
        return sum(_same(_content(row), content) for row in page.rows)

    async def _given(self, scene: Scene, member_id: str, reason: str, points: int | None = None) -> int:
        """How often the history holds points of this order and reason (and amount); more than one page is paged."""
        now = self._now()
        since = max(now - POINTS_REACH, when(scene.order.order_date, path="order_date") or now - POINTS_REACH)
        found = offset = 0
        for _ in range(MOST_PAGES):
            page = await self._client.points(
                shop_no=scene.shop_no, member_id=member_id, since=since - OVERLAP, until=now + OVERLAP, offset=offset
            )
            for row in page.rows:
                given = decode(points_decoder, row)
                is_it = code(given.order_id) == scene.order.order_id and _same(given.reason, reason)
                found += is_it and (points is None or points in _amounts(given))
            offset += len(page.rows)
            if len(page.rows) < POINTS_LIMIT:
                break
        return found


def _content(row: bytes) -> Text:
    """The text of a memo; none of one that cannot be read, which is not ours then."""
    try:
        memo: MemoWire = decode(memo_decoder, row)
    except MalformedResponseError:
        return None
    return memo.content


def _same(shown: Text, sent: str) -> bool:
    """Whether a text of the mall is the text sent, whatever HTML did to its blanks."""
    return "".join(plain_text(shown).split()) == "".join(sent.split())


def _amounts(given: PointsWire) -> set[int]:
    """What a row gave: a call's own words, or the columns of the history; not yet usable points count too."""
    values = (given.amount, given.available_points_increase, given.unavailable_points)
    amounts = (money(value, "KRW", path="points") for value in values)
    return {amount.minor for amount in amounts if amount is not None}


def _member(scene: Scene) -> str | None:
    """The buyer's member id; none for a guest."""
    buyers = people(scene.order.buyer)
    return code(scene.order.member_id) or next(filter(None, (code(person.member_id) for person in buyers)), None)

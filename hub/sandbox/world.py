"""The World: every shop's orders, claims and inquiries, true at ``now()`` and changed by what agents do.

Everything is written once, from a seed; what lies after ``now()`` is not shown yet and appears by
itself. Two Worlds of one seed and one creation time are equal. Times are aware UTC, whole seconds.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind, LineStatus
from hub.sandbox.facts import (
    AnswerFact,
    ClaimFact,
    ClaimStep,
    InquiryFact,
    Item,
    LineFact,
    LineStep,
    MemoFact,
    OrderFact,
    PointsFact,
)
from hub.sandbox.history import Historian

_asked_at = attrgetter("asked_at")
_ENDS_THE_LINE = frozenset({ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.ADMIN_CANCEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSpec:
    """``share`` of all orders; ``sub_shops`` are shop numbers where a mall has several in one account."""

    name: str
    mall: str
    share: float
    sub_shops: tuple[int, ...] = (1,)
    country: str = "KR"


DEFAULT_SHOPS = (
    ShopSpec(name="main-cafe24", mall="cafe24", share=0.40, sub_shops=(1, 2)),
    ShopSpec(name="main-smartstore", mall="smartstore", share=0.35),
    ShopSpec(name="main-qoo10", mall="qoo10", share=0.25, country="JP"),
)


class World:
    """Facts of all shops. Reads show what has happened by ``now()``; writes happen at ``now()``."""

    def __init__(self, *, historian: Historian, shops: Sequence[ShopSpec], now: Callable[[], datetime]) -> None:
        self._now = now
        self._historian = historian
        self.shops = {spec.name: spec for spec in shops}
        self._orders: dict[str, list[OrderFact]] = {spec.name: [] for spec in shops}
        self._order_times: dict[str, list[datetime]] = {spec.name: [] for spec in shops}
        self._inquiries: dict[str, list[InquiryFact]] = {spec.name: [] for spec in shops}
        self._order_by_number: dict[int, OrderFact] = {}
        self._order_by_line: dict[int, OrderFact] = {}
        self._line_by_number: dict[int, LineFact] = {}
        self._line_by_claim: dict[int, LineFact] = {}
        self._inquiry_by_number: dict[int, InquiryFact] = {}
        #: numbers of inquiries that no mall shows any more
        self._deleted: set[int] = set()
        #: numbers of orders that a write has changed, oldest first: a mall that keeps an index reads on from its place
        self.changed_orders: list[int] = []

    def now(self) -> datetime:
        """The World's present, cut to whole seconds."""
        return self._now().replace(microsecond=0)

    # -- reads

    def orders(self, shop: str) -> Sequence[OrderFact]:
        """Orders placed by now, oldest first."""
        return self._orders[shop][: bisect_right(self._order_times[shop], self.now())]

    def inquiries(self, shop: str) -> Sequence[InquiryFact]:
        """Inquiries asked by now, oldest first. Their answers and follow-ups may still lie ahead: see ``said``."""
        inquiries = self._inquiries[shop]
        asked = inquiries[: bisect_right(inquiries, self.now(), key=_asked_at)]
        return [inquiry for inquiry in asked if inquiry.number not in self._deleted] if self._deleted else asked

    def order(self, number: int) -> OrderFact:
        """Raises: KeyError for an unknown number, or an order not placed yet."""
        order = self._order_by_number[number]
        if order.ordered_at > self.now():
            raise KeyError(number)
        return order

    def order_of(self, line_number: int) -> OrderFact:
        return self.order(self._order_by_line[line_number].number)

    def line(self, number: int) -> LineFact:
        self.order_of(number)
        return self._line_by_number[number]

    def line_of_claim(self, claim_number: int) -> LineFact:
        return self.line(self._line_by_claim[claim_number].number)

    def inquiry(self, number: int) -> InquiryFact:
        inquiry = self._inquiry_by_number[number]
        if inquiry.asked_at > self.now() or number in self._deleted:
            raise KeyError(number)
        return inquiry

    def said(self, messages: Sequence[AnswerFact]) -> Sequence[AnswerFact]:
        """Those of ``answers`` or ``follow_ups`` that have been written by now."""
        now = self.now()
        return [message for message in messages if message.at <= now]

    def claims_of(self, line: LineFact) -> Sequence[ClaimFact]:
        """Claims filed by now, oldest first."""
        now = self.now()
        return [claim for claim in line.claims if claim.requested_at <= now]

    def open_claim(self, line: LineFact) -> ClaimFact | None:
        now = self.now()
        for claim in reversed(line.claims):
            step = claim.step_at(now)
            if step is not None and step.state.is_open:
                return claim
        return None

    def goods(self, shop: str) -> Sequence[Item]:
        """Everything the shop sells, one entry per option."""
        return self._historian.items[self.shops[shop].country]

    def was_paid(self, order: OrderFact) -> bool:
        return order.paid_at is not None and order.paid_at <= self.now()

    # -- writes

    def answer(self, inquiry: InquiryFact, text: str, author: str) -> AnswerFact:
        """Write an answer now; answers scheduled for later are dropped."""
        return self._say(inquiry, inquiry.answers, text, author)

    def change_answer(self, answer: AnswerFact, text: str) -> None:
        """Put another text in the place of one that was said; who said it and when stays."""
        answer.text = text

    def follow_up(self, inquiry: InquiryFact, text: str) -> AnswerFact:
        """The customer writes again in the same thread."""
        return self._say(inquiry, inquiry.follow_ups, text, "customer")

    def delete(self, inquiry: InquiryFact) -> None:
        """The customer deletes what was asked: the mall shows it no more, nor what was said below it."""
        self._deleted.add(inquiry.number)

    def restore(self, inquiry: InquiryFact) -> None:
        """What was deleted is there again, as it was."""
        self._deleted.discard(inquiry.number)

    def _say(self, inquiry: InquiryFact, messages: list[AnswerFact], text: str, author: str) -> AnswerFact:
        now = self.now()
        inquiry.answers[:] = [message for message in inquiry.answers if message.at <= now]
        inquiry.follow_ups[:] = [message for message in inquiry.follow_ups if message.at <= now]
        said = AnswerFact(number=next(self._historian.message_numbers), at=now, text=text, author=author)
        messages.append(said)
        return said

    def move_claim(self, line: LineFact, claim: ClaimFact, state: ClaimState, by: str) -> None:
        """Bring ``claim`` to ``state`` now. What was to come is cut; a finished cancel or return ends its line."""
        now = self.now()
        claim.steps[:] = [step for step in claim.steps if step.at <= now]
        claim.steps.append(ClaimStep(now, state, by))
        line.claims[:] = [other for other in line.claims if other.requested_at <= now]
        if state is ClaimState.DONE and claim.kind in _ENDS_THE_LINE and line.remaining(now) == 0:
            self._cut_line(line)
        self._note_change(line)

    def dispatch(self, line: LineFact, carrier: str, tracking_no: str) -> None:
        """Send the line now; it arrives two days later."""
        now = self.now()
        self._cut_line(line)
        # What was sent cannot be cancelled: claims that lay ahead do not come.
        line.claims[:] = self.claims_of(line)
        line.carrier, line.tracking_no, line.is_held = carrier, tracking_no, False
        line.steps.append(LineStep(now, LineStatus.DISPATCHED))
        line.steps.append(LineStep(now + timedelta(days=2), LineStatus.DELIVERED))

    def prepare(self, line: LineFact) -> None:
        """The seller takes the order; from here it waits for ``dispatch``."""
        self._cut_line(line)
        if line.plain_status(self.now()) is LineStatus.PAID:
            line.steps.append(LineStep(self.now(), LineStatus.PREPARING))

    def set_held(self, line: LineFact, *, is_held: bool) -> None:
        """Hold a line back from dispatch, or free it."""
        line.is_held = is_held
        self._note_change(line)

    def plan_shipping(self, line: LineFact, at: datetime) -> None:
        """Tell another day on which the line is to be sent."""
        line.planned_ship_at = at
        self._note_change(line)

    def reship(self, line: LineFact, claim: ClaimFact, tracking_no: str) -> None:
        """Send what an exchange brings instead."""
        claim.reship_tracking_no = tracking_no
        self.move_claim(line, claim, ClaimState.RESHIPPING, "seller")

    def write_memo(self, order: OrderFact, text: str) -> MemoFact:
        """Keep a note on an order; the same note twice stands there twice."""
        memo = MemoFact(number=next(self._historian.message_numbers), at=self.now(), text=text)
        order.memos.append(memo)
        return memo

    def give_points(self, order: OrderFact, amount: int, reason: str) -> PointsFact:
        """Give points to the buyer of an order; what is given twice is given twice."""
        given = PointsFact(at=self.now(), amount=amount, reason=reason)
        order.points.append(given)
        return given

    def _note_change(self, line: LineFact) -> None:
        self.changed_orders.append(self._order_by_line[line.number].number)

    def _cut_line(self, line: LineFact) -> None:
        now = self.now()
        self._note_change(line)
        line.steps[1:] = [step for step in line.steps[1:] if step.at <= now]

    def request_claim(
        self,
        line: LineFact,
        kind: ClaimKind,
        reason: ClaimReason,
        text: str,
        quantity: int | None = None,
        *,
        by: str = "customer",
        state: ClaimState = ClaimState.REQUESTED,
    ) -> ClaimFact:
        """File a claim now, on all that is left unless ``quantity`` is given; the line's future waits for it.

        Raises: ValueError when a claim is open on the line or nothing is left to claim.
        """
        now = self.now()
        left = line.remaining(now)
        wanted = left if quantity is None else quantity
        if self.open_claim(line) is not None:
            raise ValueError("the line has an open claim")
        if not 1 <= wanted <= left:
            message = f"cannot claim {wanted} of {left}"
            raise ValueError(message)
        self._cut_line(line)
        claim = ClaimFact(
            number=next(self._historian.claim_numbers),
            kind=kind,
            reason=reason,
            text=text,
            quantity=wanted,
            steps=[ClaimStep(now, state, by)],
        )
        line.claims[:] = [*(other for other in line.claims if other.requested_at <= now), claim]
        self._line_by_claim[claim.number] = line
        return claim

    def ask(
        self,
        shop: str,
        *,
        subject: str,
        text: str,
        category: str = "",
        order: OrderFact | None = None,
        item: Item | None = None,
    ) -> InquiryFact:
        """A customer asks now: about ``order`` when given, else about ``item`` (any product when absent)."""
        spec = self.shops[shop]
        line = order.lines[0] if order else None
        inquiry = InquiryFact(
            number=max(self._inquiry_by_number, default=0) + 1,
            shop=shop,
            sub_shop=order.sub_shop if order else spec.sub_shops[0],
            kind=InquiryKind.ORDER_INQUIRY if order else InquiryKind.PRODUCT_INQUIRY,
            asked_at=self.now(),
            subject=subject,
            text=text,
            category=category,
            writer=order.buyer if order else self._historian.people[spec.country][0],
            item=line.item if line else item or self._historian.items[spec.country][0],
            order=order,
            line=line,
        )
        inquiries = self._inquiries[shop]
        inquiries.insert(bisect_right(inquiries, inquiry.asked_at, key=_asked_at), inquiry)
        self._inquiry_by_number[inquiry.number] = inquiry
        return inquiry

    def place_order(self, shop: str) -> OrderFact:
        """A customer orders now; what becomes of the order lies ahead, with its questions."""
        spec = self.shops[shop]
        order = self._historian.write_order(
            number=max(self._order_by_number, default=0) + 1,
            shop=shop,
            sub_shop=spec.sub_shops[0],
            country=spec.country,
            ordered_at=self.now(),
        )
        place = bisect_right(self._order_times[shop], order.ordered_at)
        self._orders[shop].insert(place, order)
        self._order_times[shop].insert(place, order.ordered_at)
        self._index(order)
        for inquiry in self._historian.write_inquiries(order, country=spec.country):
            inquiry.number = max(self._inquiry_by_number, default=0) + 1
            place = bisect_right(self._inquiries[shop], inquiry.asked_at, key=_asked_at)
            self._inquiries[shop].insert(place, inquiry)
            self._inquiry_by_number[inquiry.number] = inquiry
        return order

    # -- saving

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_now"}

    def wake(self, now: Callable[[], datetime]) -> None:
        """Give a saved World its clock back."""
        self._now = now
        # A World that was saved before customers deleted anything.
        self.__dict__.setdefault("_deleted", set())

    # -- building

    def add_order(self, order: OrderFact) -> None:
        """Orders are added oldest first."""
        self._orders[order.shop].append(order)
        self._order_times[order.shop].append(order.ordered_at)
        self._index(order)

    def _index(self, order: OrderFact) -> None:
        self._order_by_number[order.number] = order
        for line in order.lines:
            self._order_by_line[line.number] = order
            self._line_by_number[line.number] = line
            for claim in line.claims:
                self._line_by_claim[claim.number] = line

    def add_inquiry(self, inquiry: InquiryFact) -> None:
        """Inquiries are added oldest first."""
        self._inquiries[inquiry.shop].append(inquiry)
        self._inquiry_by_number[inquiry.number] = inquiry


def make_world(
    *,
    now: Callable[[], datetime],
    seed: int = 20261122,
    orders: int = 3000,
    days: int = 90,
    shops: Sequence[ShopSpec] = DEFAULT_SHOPS,
    future_hours: int = 72,
) -> World:
    """A World with ``orders`` orders in the last ``days`` days and as dense a flow for ``future_hours`` to come."""
    today = now().replace(microsecond=0)
    historian = Historian(
        seed=seed,
        orders=orders,
        first=today - timedelta(days=days),
        today=today,
        last=today + timedelta(hours=future_hours),
    )
    world = World(historian=historian, shops=shops, now=now)
    inquiries: list[InquiryFact] = []
    shares = [spec.share for spec in shops]
    for number, ordered_at in enumerate(historian.order_times(), start=1):
        spec = historian.pick(shops, shares)
        order = historian.write_order(
            number=number,
            shop=spec.name,
            sub_shop=spec.sub_shops[0] if number % 4 else spec.sub_shops[-1],
            country=spec.country,
            ordered_at=ordered_at,
        )
        world.add_order(order)
        inquiries.extend(historian.write_inquiries(order, country=spec.country))
    inquiries.sort(key=_asked_at)
    for number, inquiry in enumerate(inquiries, start=1):
        inquiry.number = number
        world.add_inquiry(inquiry)
    return world

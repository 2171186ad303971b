"""Every write as the contract tries it: how a mall is brought to where it is due, what shows that it was done.

Mall-neutral: places are made through the World, effects are read off the mall's truth. Where a mall
cannot be brought to the place that a write needs, that is an error and says so: nothing is skipped.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.core.contract import Answer, Capability, HoldReason, LineAction, WriteResult
from hub.core.model import ClaimKind, ClaimReason, ClaimState, Line, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from tests.contract.street import Book, Street
from tests.contract.subject import Subject

Act = Callable[[], Awaitable[WriteResult]]
_ANSWER = "안녕하세요. 내일 출고됩니다."
_BETTER = "안녕하세요. 모레 출고됩니다."
_TEXT = "확인해 보니 그렇습니다"
_TRACKING = "600012345678"
_POINTS = 1000
_PAUSE = timedelta(minutes=5)
#: later than any day that customers chose before
_LATER = timedelta(days=12)
_S = ClaimState
_GOING_ON = frozenset({_S.REQUESTED, _S.APPROVED, _S.ACCEPTED, _S.COLLECTING, _S.COLLECTED, _S.INSPECTING})
_UNDER_WAY = frozenset({_S.APPROVED, _S.ACCEPTED, _S.COLLECTING, _S.COLLECTED, _S.INSPECTING})
_ENDED_BY_US = frozenset({_S.REJECTED, _S.WITHDRAWN})
_BACK = frozenset({_S.COLLECTED, _S.INSPECTING, _S.REFUNDING, _S.DONE})


@dataclass(frozen=True, kw_only=True)
class ClaimDeed:
    """Decides a claim: filed on a line in ``status``, moved through ``before``, and then in one of ``becomes``."""

    kind: ClaimKind
    becomes: frozenset[ClaimState]
    before: tuple[ClaimState, ...] = ()
    status: LineStatus = LineStatus.DELIVERED


@dataclass(frozen=True, kw_only=True)
class LineDeed:
    """Done on a line in one of ``statuses`` that nobody claimed. ``effect`` names what it changes."""

    statuses: frozenset[LineStatus]
    effect: str


CLAIM_DEEDS = {
    Capability.APPROVE_CANCEL: ClaimDeed(
        kind=ClaimKind.CANCEL,
        status=LineStatus.PREPARING,
        becomes=frozenset({_S.APPROVED, _S.ACCEPTED, _S.REFUNDING, _S.DONE}),
    ),
    Capability.REFUSE_CANCEL: ClaimDeed(
        kind=ClaimKind.CANCEL, status=LineStatus.PREPARING, becomes=_ENDED_BY_US
    ),
    Capability.ACCEPT_RETURN: ClaimDeed(kind=ClaimKind.RETURN, becomes=_GOING_ON - {_S.REQUESTED}),
    Capability.COLLECT_RETURN: ClaimDeed(kind=ClaimKind.RETURN, before=(_S.COLLECTING,), becomes=_BACK),
    Capability.HOLD_RETURN: ClaimDeed(kind=ClaimKind.RETURN, before=(_S.COLLECTING,), becomes=frozenset({_S.HOLD})),
    Capability.RELEASE_RETURN: ClaimDeed(kind=ClaimKind.RETURN, before=(_S.COLLECTING, _S.HOLD), becomes=_GOING_ON),
    Capability.REFUSE_RETURN: ClaimDeed(kind=ClaimKind.RETURN, becomes=_ENDED_BY_US),
    Capability.COMPLETE_RETURN: ClaimDeed(
        kind=ClaimKind.RETURN, before=(_S.COLLECTING, _S.COLLECTED), becomes=frozenset({_S.REFUNDING, _S.DONE})
    ),
    Capability.ACCEPT_EXCHANGE: ClaimDeed(kind=ClaimKind.EXCHANGE, becomes=_GOING_ON - {_S.REQUESTED}),
    Capability.COLLECT_EXCHANGE: ClaimDeed(kind=ClaimKind.EXCHANGE, before=(_S.COLLECTING,), becomes=_BACK),
    Capability.HOLD_EXCHANGE: ClaimDeed(
        kind=ClaimKind.EXCHANGE, before=(_S.COLLECTING,), becomes=frozenset({_S.HOLD})
    ),
    Capability.RELEASE_EXCHANGE: ClaimDeed(
        kind=ClaimKind.EXCHANGE, before=(_S.COLLECTING, _S.HOLD), becomes=_GOING_ON
    ),
    Capability.REFUSE_EXCHANGE: ClaimDeed(kind=ClaimKind.EXCHANGE, becomes=_ENDED_BY_US),
    Capability.REDELIVER_EXCHANGE: ClaimDeed(
        kind=ClaimKind.EXCHANGE, before=(_S.COLLECTING, _S.COLLECTED), becomes=frozenset({_S.RESHIPPING, _S.DONE})
    ),
    Capability.COMPLETE_EXCHANGE: ClaimDeed(
        kind=ClaimKind.EXCHANGE,
        before=(_S.COLLECTING, _S.COLLECTED, _S.RESHIPPING),
        becomes=frozenset({_S.DONE}),
    ),
}  # fmt: skip
_WAITING = frozenset({LineStatus.PREPARING})
_ARRIVED = frozenset({LineStatus.DELIVERED})
LINE_DEEDS = {
    Capability.CONFIRM: LineDeed(statuses=frozenset({LineStatus.PAID}), effect="status"),
    Capability.DISPATCH: LineDeed(statuses=_WAITING, effect="shipment"),
    Capability.DELAY: LineDeed(statuses=_WAITING, effect="planned_day"),
    Capability.SELLER_CANCEL: LineDeed(statuses=_WAITING, effect="cancel"),
    Capability.FILE_RETURN: LineDeed(statuses=_ARRIVED, effect="return"),
    Capability.FILE_EXCHANGE: LineDeed(statuses=_ARRIVED, effect="exchange"),
    Capability.MEMO: LineDeed(statuses=_WAITING, effect="memos"),
    Capability.GIVE_POINTS: LineDeed(statuses=_ARRIVED, effect="points"),
    Capability.MOVE_DELIVERY: LineDeed(statuses=frozenset({LineStatus.PAID, LineStatus.PREPARING}), effect="wish"),
}
INQUIRY_DEEDS = frozenset({Capability.ANSWER_INQUIRY, Capability.CHANGE_ANSWER})
#: every write of the contract
WRITES = (*INQUIRY_DEEDS, *LINE_DEEDS, *CLAIM_DEEDS)
#: effects that no reading of an order shows: the result's outcome and the mall's truth are all there is
UNREADABLE = frozenset({"memos", "points"})


class Scene:
    """A street on which one write is due. ``choice`` takes another line than the newest that fits."""

    def __init__(self, subject: Subject, capability: Capability, *, choice: int = 0) -> None:
        self.street = Street(subject, orders=40)
        self.subject = subject
        self.capability = capability
        self._choice = choice
        self._moment = self.street.world.now()
        self._line_no = ""
        self._order_no = ""
        self._inquiry_no = ""
        self._before: Any = None
        #: what the write is given, once prepared
        self.about: Any = None

    pause = _PAUSE

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.subject.manifest.timezone)

    @property
    def ship_on(self) -> date:
        return self._moment.astimezone(self.zone).date() + timedelta(days=3)

    @property
    def deliver_on(self) -> date:
        return self._moment.astimezone(self.zone).date() + _LATER

    async def prepare(self, connector: Any) -> Act:
        """Bring the mall to where the write is due. Returns what does it, on what the hub would know by now."""
        self._pass_time()
        if self.capability in INQUIRY_DEEDS:
            return await self._prepare_answer(connector)
        if self.capability in CLAIM_DEEDS:
            self._file_claim(CLAIM_DEEDS[self.capability])
        else:
            self._choose_line(LINE_DEEDS[self.capability])
        self._pass_time()
        self.about = await self._action(connector)
        return lambda: getattr(connector, self.capability.value)(self.about)

    def is_done(self) -> bool:
        """Whether the mall holds the effect."""
        effect = self.effect()
        if self.capability is Capability.ANSWER_INQUIRY:
            # Some malls tell that there is an answer, and not which.
            return effect in {("answered", _ANSWER), ("answered", None)}
        if self.capability is Capability.CHANGE_ANSWER:
            return effect == ("answered", _BETTER)
        if self.capability in CLAIM_DEEDS:
            return bool(effect) and effect <= CLAIM_DEEDS[self.capability].becomes
        return self._is_line_done(LINE_DEEDS[self.capability].effect, effect)

    def effect(self) -> Any:
        """What the mall holds of that which the write changes."""
        truth = self.street.mall.truth()
        if self.capability in INQUIRY_DEEDS:
            row = next(row for row in truth.inquiries if row["inquiry_no"] == self._inquiry_no)
            return row["state"], row["answer"]
        if self.capability in CLAIM_DEEDS:
            return self._claim_states(CLAIM_DEEDS[self.capability].kind)
        effect = LINE_DEEDS[self.capability].effect
        row = next(row for row in truth.lines if row["line_no"] == self._line_no)
        match effect:
            case "status":
                return row["status"], row["raw_status"]
            case "shipment":
                return row["status"], row["tracking_no"]
            case "planned_day":
                return row["planned_ship_at"] and row["planned_ship_at"].astimezone(self.zone).date()
            case "wish":
                return next((each["day"] for each in truth.wishes if each["line_no"] == self._line_no), None)
            case "memos":
                return [each["text"] for each in truth.memos if each["order_no"] == self._order_no]
            case "points":
                return [each["amount"] for each in truth.points if each["order_no"] == self._order_no]
        return self._claim_states(ClaimKind(effect))

    def shown(self, result: WriteResult) -> list[Any]:
        """The same, as each record of the result's readings shows it; empty where no reading can."""
        book = Book()
        book.take_readings(result.readings)
        if self.capability in INQUIRY_DEEDS:
            return [(str(found.state), found.answer) for found in book.inquiries.values()]
        if self.capability in CLAIM_DEEDS:
            return [self._states(book, CLAIM_DEEDS[self.capability].kind)]
        effect = LINE_DEEDS[self.capability].effect
        if effect in {kind.value for kind in ClaimKind}:
            return [self._states(book, ClaimKind(effect))]
        return [self._line_effect(effect, line) for line in book.lines.values() if line.line_no == self._line_no]

    # -- the place

    async def _prepare_answer(self, connector: Any) -> Act:
        street = self.street
        fact = street.world.ask(
            street.shop, subject="언제 와요?", text="배송이 궁금합니다", order=street.world.orders(street.shop)[-1]
        )
        self._pass_time()
        text = _ANSWER
        if self.capability is Capability.CHANGE_ANSWER:
            street.world.answer(fact, _ANSWER, "김상담")
            self._pass_time()
            text = _BETTER
        book = Book()
        book.take(await street.pages(connector, Capability.READ_INQUIRIES))
        inquiry = next(found for found in book.inquiries.values() if found.asked_at == fact.asked_at)
        self._inquiry_no = inquiry.inquiry_no
        self.about = Answer(inquiry=inquiry, text=text, author="김상담")
        return lambda: getattr(connector, self.capability.value)(self.about)

    def _file_claim(self, deed: ClaimDeed) -> None:
        world = self.street.world
        _, line = self._line(frozenset({deed.status}))
        self._find_row(line)
        claim = world.request_claim(line, deed.kind, ClaimReason.CHANGE_OF_MIND, "마음이 바뀌었어요")
        for state in deed.before:
            self._pass_time()
            world.move_claim(line, claim, state, "seller")
        wanted = deed.before[-1] if deed.before else ClaimState.REQUESTED
        # Some malls have one word for all the way from accepting to the goods' return.
        as_good = _UNDER_WAY if wanted in _UNDER_WAY else {wanted}
        found = self._claim_states(deed.kind)
        is_there = bool(found) and found <= as_good
        assert is_there, f"{self.capability}: the mall shows {[*found]} where {wanted} is needed"

    def _choose_line(self, deed: LineDeed) -> None:
        _, line = self._line(deed.statuses, is_wished=deed.effect == "wish")
        self._find_row(line)
        self._before = self.effect()

    def _line(self, statuses: frozenset[LineStatus], *, is_wished: bool = False) -> tuple[OrderFact, LineFact]:
        """A line that nobody ever claims, of a member, the newest first; customers order until there is one.

        ``is_wished``: of which the mall knows a day of delivery that the customer chose.
        """
        for _ in range(30):
            found = list(self._lines(statuses))
            if is_wished:
                goods = self._wished_goods()
                found = [(order, line) for order, line in found if line.item.name in goods]
            if len(found) > self._choice:
                return found[self._choice]
            self.street.world.place_order(self.street.shop)
            self._pass_time()
        message = f"{self.capability}: the World has no line that is {sorted(statuses)}"
        raise AssertionError(message)

    def _lines(self, statuses: frozenset[LineStatus]) -> Iterator[tuple[OrderFact, LineFact]]:
        world = self.street.world
        for order in reversed(world.orders(self.street.shop)):
            for line in order.lines:
                is_free = not line.claims and not line.is_held and line.item.logistics_company is None
                if is_free and order.buyer.member_id and line.plain_status(world.now()) in statuses:
                    yield order, line

    def _wished_goods(self) -> frozenset[str]:
        """Names of the goods for which customers of this mall choose a day of delivery."""
        truth = self.street.mall.truth()
        wished = {row["line_no"] for row in truth.wishes}
        return frozenset(row["product_name"] for row in truth.lines if row["line_no"] in wished)

    def _find_row(self, line: LineFact) -> None:
        """The mall's own numbers of a line: of the row that changes when the line does."""
        before = {row["line_no"]: row for row in self.street.mall.truth().lines}
        line.quantity += 1
        changed = [row for row in self.street.mall.truth().lines if before.get(row["line_no"]) != row]
        line.quantity -= 1
        (row,) = changed
        self._line_no, self._order_no = row["line_no"], row["order_no"]

    def _pass_time(self) -> None:
        self.street.clock.pass_time(_PAUSE)
        self._moment = self.street.world.now()

    # -- the action

    async def _action(self, connector: Any) -> LineAction:
        book = Book()
        if self.subject.can(Capability.READ_ONE_ORDER):
            book.take_readings(await connector.read_order(self._order_no, (self._line_no,)))
        else:
            book = await self.street.read(connector)
        kind = CLAIM_DEEDS[self.capability].kind if self.capability in CLAIM_DEEDS else None
        claims = [claim for claim in book.claims.values() if (claim.line_no, claim.kind) == (self._line_no, kind)]
        known = await self._values(connector)
        needs = self.subject.manifest.capabilities[self.capability].needs
        wanted = {*_FIELDS.get(self.capability, ()), *needs}
        return LineAction(
            order_no=self._order_no,
            line=book.lines[self._line_no],
            claim=claims[0] if claims else None,
            text=_TEXT,
            **{name: known[name] for name in wanted - {"text"}},
        )

    async def _values(self, connector: Any) -> dict[str, Any]:
        """A good value for every field that an action may need."""
        can_list = self.subject.can(Capability.LIST_CARRIERS)
        return {
            "carrier": (await connector.list_carriers())[0].code if can_list else "CJ",
            "tracking_no": _TRACKING,
            "ship_on": self.ship_on,
            "deliver_on": self.deliver_on,
            "reason": ClaimReason.OUT_OF_STOCK
            if self.capability is Capability.SELLER_CANCEL
            else ClaimReason.CHANGE_OF_MIND,
            "hold_reason": HoldReason.NOT_RECEIVED,
            "points": _POINTS,
            "quantity": None,
            "option_code": None,
        }

    # -- the effect

    def _claim_states(self, kind: ClaimKind) -> frozenset[str]:
        rows = self.street.mall.truth().claims
        return frozenset(row["state"] for row in rows if (row["line_no"], row["kind"]) == (self._line_no, kind))

    def _states(self, book: Book, kind: ClaimKind) -> frozenset[str]:
        claims = book.claims.values()
        return frozenset(str(claim.state) for claim in claims if (claim.line_no, claim.kind) == (self._line_no, kind))

    def _line_effect(self, effect: str, line: Line) -> Any:
        match effect:
            case "status":
                return str(line.status), line.raw_status
            case "shipment":
                return str(line.status), line.shipment and line.shipment.tracking_no
            case "planned_day":
                return line.planned_ship_at and line.planned_ship_at.astimezone(self.zone).date()
            case "wish":
                days = [hint.value[:10] for hint in line.product.hints if hint.name == "wished_delivery"]
                return date.fromisoformat(days[0]) if days else None
        return None

    def _is_line_done(self, effect: str, found: Any) -> bool:
        match effect:
            case "status":
                # A mall may call a paid line "preparing" before it is confirmed: its own word tells them apart.
                return found[0] == LineStatus.PREPARING and found != self._before
            case "shipment":
                return found[0] in {LineStatus.DISPATCHED, LineStatus.DELIVERED} and found[1] == _TRACKING
            case "planned_day":
                return found == self.ship_on
            case "wish":
                return found == self.deliver_on
            case "memos":
                return found == [_TEXT]
            case "points":
                return found == [_POINTS]
        return bool(found)


#: fields that the Protocols name
_FIELDS: dict[Capability, tuple[str, ...]] = {
    Capability.DISPATCH: ("carrier", "tracking_no"),
    Capability.DELAY: ("ship_on",),
    Capability.SELLER_CANCEL: ("reason",),
    Capability.HOLD_RETURN: ("hold_reason",),
    Capability.HOLD_EXCHANGE: ("hold_reason",),
    Capability.REDELIVER_EXCHANGE: ("carrier", "tracking_no"),
    Capability.FILE_RETURN: ("reason",),
    Capability.FILE_EXCHANGE: ("reason",),
    Capability.GIVE_POINTS: ("points",),
    Capability.MOVE_DELIVERY: ("deliver_on",),
}

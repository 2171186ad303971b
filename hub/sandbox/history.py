"""Writes the life of the emulated shops: orders, their lines, claims and questions, past and still to come.

The shares are design choices for an interesting demo, not measured facts. All times are whole seconds,
because some malls know no finer ones.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import pi, sin
from random import Random
from typing import TypeVar

from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind, LineStatus
from hub.sandbox.facts import (
    AnswerFact,
    ClaimFact,
    ClaimStep,
    InquiryFact,
    Item,
    LineFact,
    LineStep,
    OrderFact,
    Person,
)
from hub.sandbox.goods import (
    ANSWERS,
    CARRIERS,
    CLAIM_TEXTS,
    FOLLOW_UPS,
    MESSAGES,
    ORDER_QUESTIONS,
    PRODUCT_QUESTIONS,
    make_items,
)
from hub.sandbox.people import make_people

_Choice = TypeVar("_Choice")

_HOUR = 3600
_DAY = 24 * _HOUR
_ZONE_SHIFT = 9 * _HOUR  # Korea and Japan alike: local midnight is 15:00 UTC
_KEPT_OPEN = 4 * _DAY  # claims requested later than this before the World's first "now" wait for an agent
_CUSTOMER, _SELLER, _MALL = "customer", "seller", "mall"
_CANCEL_REASONS = (
    ClaimReason.CHANGE_OF_MIND,
    ClaimReason.CHANGE_OF_MIND,
    ClaimReason.LATE,
    ClaimReason.WRONG_ORDER,
)
_RETURN_REASONS = (
    ClaimReason.CHANGE_OF_MIND,
    ClaimReason.CHANGE_OF_MIND,
    ClaimReason.DEFECT,
    ClaimReason.DAMAGED,
    ClaimReason.WRONG_ITEM,
    ClaimReason.MISSING_PART,
    ClaimReason.NOT_AS_DESCRIBED,
)
_PAYMENTS = ("card", "card", "card", "cash", "point", "naverpay", "kakaopay")


def _warped(position: float) -> float:
    """Move a position on the time line (in days, local) so that nights are sparse and noons dense; monotone."""
    return position + 0.7 * sin(2 * pi * position) / (2 * pi)


class Numbers:
    """1, 2, 3, …; unlike ``itertools.count`` it can be saved with its World."""

    def __init__(self) -> None:
        self._last = 0

    def __next__(self) -> int:
        self._last += 1
        return self._last


class Historian:
    """Writes orders of one World. ``first`` and ``last`` bound the order times, ``today`` is the first "now"."""

    def __init__(self, *, seed: int, orders: int, first: datetime, today: datetime, last: datetime) -> None:
        self._random = Random(seed)
        self._first = int(first.timestamp())
        self._today = int(today.timestamp())
        self._last = int(last.timestamp())
        past = max(1, self._today - self._first)
        self.total = round(orders * (self._last - self._first) / past)
        self._line_numbers = Numbers()
        self.claim_numbers = Numbers()
        self.message_numbers = Numbers()
        size = max(40, self.total // 3)
        self.people = {country: make_people(self._random, country=country, count=size) for country in ("KR", "JP")}
        self.items = {country: make_items(country) for country in ("KR", "JP")}

    def pick(self, choices: Sequence[_Choice], shares: Sequence[float]) -> _Choice:
        return self._random.choices(choices, shares)[0]

    def order_times(self) -> Iterator[datetime]:
        """``total`` times, ascending."""
        start = (self._first + _ZONE_SHIFT) / _DAY
        span = (self._last - self._first) / _DAY
        for index in range(self.total):
            days = _warped(start + span * (index + self._random.random()) / self.total)
            seconds = min(max(int(days * _DAY) - _ZONE_SHIFT, self._first), self._last)
            yield _moment(seconds)

    def write_order(self, *, number: int, shop: str, sub_shop: int, country: str, ordered_at: datetime) -> OrderFact:
        random = self._random
        ordered = int(ordered_at.timestamp())
        people = self.people[country]
        buyer = random.choice(people)
        receiver = buyer if random.random() < 0.85 else random.choice(people)
        waits = random.random() < 0.03
        never_pays = waits and random.random() < 0.5
        paid = ordered + (random.randrange(_HOUR, 40 * _HOUR) if waits else 0)
        lines = [
            self._write_line(country, ordered=ordered, paid=None if never_pays else paid)
            for _ in range(1 if random.random() >= 0.15 else random.randrange(2, 5))
        ]
        return OrderFact(
            number=number,
            shop=shop,
            sub_shop=sub_shop,
            ordered_at=ordered_at,
            paid_at=None if never_pays else _moment(paid),
            buyer=buyer,
            receiver=receiver,
            lines=lines,
            payment="cash" if waits else random.choice(_PAYMENTS),
            message=random.choice(MESSAGES[country]),
            is_from_mobile=random.random() < 0.7,
        )

    # -- lines and claims

    def _write_line(self, country: str, *, ordered: int, paid: int | None) -> LineFact:
        random = self._random
        number = next(self._line_numbers)
        quantity = 1 if random.random() < 0.8 else random.randrange(2, 6)
        item = random.choice(self.items[country])
        line = LineFact(
            number=number,
            item=item,
            quantity=quantity,
            discount=item.price * quantity // 10 if random.random() < 0.1 else 0,
            steps=[],
            carrier=random.choice(CARRIERS[country]),
            tracking_no=f"{600_000_000_000 + number}",
            planned_ship_at=None,
        )
        if paid is None:
            line.steps = [
                LineStep(_moment(ordered), LineStatus.PENDING_PAYMENT),
                LineStep(_moment(ordered + 3 * _DAY), LineStatus.CANCELLED),
            ]
            return line
        if paid > ordered:
            line.steps.append(LineStep(_moment(ordered), LineStatus.PENDING_PAYMENT))
        line.steps.append(LineStep(_moment(paid), LineStatus.PAID))
        self._fulfil(line, country, paid)
        return line

    def _fulfil(self, line: LineFact, country: str, paid: int) -> None:
        """Preparing, dispatch, delivery and confirmation, with what customers ask for in between."""
        random = self._random
        prepared = paid + random.randrange(_HOUR // 4, 20 * _HOUR)
        dispatched = prepared + random.randrange(4 * _HOUR, 60 * _HOUR)
        if random.random() < 0.8:
            line.planned_ship_at = _local_midnight(dispatched)
        line.is_held = random.random() < 0.08
        chance = random.random()
        if chance < 0.06:
            cancel_at = random.randrange(paid + 600, dispatched)
            freed_at = self._cancel(line, country, requested=cancel_at, is_prepared=prepared <= cancel_at)
            if prepared <= cancel_at or freed_at is not None:
                line.steps.append(LineStep(_moment(prepared), LineStatus.PREPARING))
            if freed_at is None:
                return
            dispatched = max(dispatched, freed_at + random.randrange(600, 30 * _HOUR))
        else:
            line.steps.append(LineStep(_moment(prepared), LineStatus.PREPARING))
        delivered = dispatched + random.randrange(18 * _HOUR, 4 * _DAY)
        line.steps.append(LineStep(_moment(dispatched), LineStatus.DISPATCHED))
        line.steps.append(LineStep(_moment(delivered), LineStatus.DELIVERED))
        if 0.06 <= chance < 0.14:
            kind = ClaimKind.RETURN if chance < 0.11 else ClaimKind.EXCHANGE
            free_at = self._send_back(line, country, kind, requested=delivered + random.randrange(_HOUR, 6 * _DAY))
            if free_at is None:
                return
            delivered = free_at
        confirmed = delivered + random.randrange(_DAY, 8 * _DAY)
        line.steps.append(LineStep(_moment(confirmed), LineStatus.PURCHASE_CONFIRMED))

    def _cancel(self, line: LineFact, country: str, *, requested: int, is_prepared: bool) -> int | None:
        """Write one or two cancels. Returns when the line goes on, ``None`` when it does not."""
        random = self._random
        if random.random() < 0.1:
            self._claim(line, country, ClaimKind.CANCEL, ClaimReason.OUT_OF_STOCK, requested, by=_SELLER)
            return self._end(line, requested + random.randrange(60, _HOUR), _SELLER)
        self._claim(line, country, ClaimKind.CANCEL, random.choice(_CANCEL_REASONS), requested)
        if not is_prepared and random.random() < 0.5:  # nobody has to agree before the order is taken
            return self._end(line, requested + random.randrange(1, 60), _MALL)
        outcome = random.random()
        if self._stays_open(requested) or outcome > 0.995:
            return None
        decided = requested + random.randrange(_HOUR // 2, 20 * _HOUR)
        if outcome < 0.65:
            return self._approve(line, decided)
        if outcome < 0.82:
            self._step(line, decided, ClaimState.REJECTED, _SELLER)
        else:
            self._step(line, decided, ClaimState.WITHDRAWN, _CUSTOMER)
        if random.random() >= 0.3:
            return decided
        again = decided + random.randrange(_HOUR, 6 * _HOUR)
        self._claim(line, country, ClaimKind.CANCEL, random.choice(_CANCEL_REASONS), again)
        if self._stays_open(again):
            return None
        return self._approve(line, again + random.randrange(_HOUR, 8 * _HOUR))

    def _approve(self, line: LineFact, at: int) -> int | None:
        """Returns when the rest of a partly cancelled line goes on."""
        if self._random.random() < 0.4:
            self._step(line, at, ClaimState.REFUNDING, _SELLER)
            at += self._random.randrange(_HOUR, 6 * _DAY)
        if self._random.random() < 0.2:
            self._step(line, at, ClaimState.HOLD, _SELLER)
            at += self._random.randrange(6 * _HOUR, 4 * _DAY)
        return self._end(line, at, _SELLER)

    def _end(self, line: LineFact, at: int, by: str) -> int | None:
        self._step(line, at, ClaimState.DONE, by)
        return at if line.claims[-1].quantity < line.quantity else None

    def _send_back(self, line: LineFact, country: str, kind: ClaimKind, *, requested: int) -> int | None:
        """Write a return or an exchange, at times a second claim after it. Returns when the line is free again."""
        random = self._random
        self._claim(line, country, kind, random.choice(_RETURN_REASONS), requested)
        outcome = random.random()
        if self._stays_open(requested) and outcome < 0.6:
            return None
        at = requested + random.randrange(_HOUR, 20 * _HOUR)
        if outcome < 0.08:
            self._step(line, at, ClaimState.REJECTED, _SELLER)
        elif outcome < 0.18:
            self._step(line, at, ClaimState.WITHDRAWN, _CUSTOMER)
        else:
            ended = self._move_goods(line, kind, at)
            partly = line.claims[-1].quantity < line.quantity
            if kind is ClaimKind.RETURN:
                return ended if partly else None
            if random.random() < 0.25:
                return self._send_back_again(line, country, ended)
            return ended
        if random.random() < 0.3:
            return self._send_back_again(line, country, at)
        return at

    def _send_back_again(self, line: LineFact, country: str, after: int) -> int | None:
        again = after + self._random.randrange(_HOUR, 2 * _DAY)
        self._claim(line, country, ClaimKind.RETURN, self._random.choice(_RETURN_REASONS), again)
        if self._stays_open(again):
            return None
        ended = self._move_goods(line, ClaimKind.RETURN, again + self._random.randrange(_HOUR, 20 * _HOUR))
        return ended if line.claims[-1].quantity < line.quantity else None

    def _move_goods(self, line: LineFact, kind: ClaimKind, at: int) -> int:
        """From acceptance to the end of a return or exchange. Returns when it ended."""
        random = self._random
        claim = line.claims[-1]
        claim.tracking_no = f"{700_000_000_000 + claim.number}"
        self._step(line, at, ClaimState.ACCEPTED, _SELLER)
        at += random.randrange(600, 6 * _HOUR)
        self._step(line, at, ClaimState.COLLECTING, _SELLER)
        at += random.randrange(12 * _HOUR, 3 * _DAY)
        self._step(line, at, ClaimState.COLLECTED, _MALL)
        if random.random() < 0.2:
            at += random.randrange(_HOUR, 12 * _HOUR)
            self._step(line, at, ClaimState.HOLD, _SELLER)
            at += random.randrange(6 * _HOUR, 2 * _DAY)
            self._step(line, at, ClaimState.INSPECTING, _SELLER)
        at += random.randrange(2 * _HOUR, _DAY)
        if kind is ClaimKind.EXCHANGE:
            claim.reship_tracking_no = f"{800_000_000_000 + claim.number}"
            self._step(line, at, ClaimState.RESHIPPING, _SELLER)
            at += random.randrange(_DAY, 3 * _DAY)
        else:
            self._step(line, at, ClaimState.REFUNDING, _SELLER)
            at += random.randrange(_HOUR, _DAY)
        self._step(line, at, ClaimState.DONE, _SELLER)
        return at

    def _claim(
        self, line: LineFact, country: str, kind: ClaimKind, reason: ClaimReason, at: int, by: str = _CUSTOMER
    ) -> None:
        random = self._random
        left = line.quantity
        line.claims.append(
            ClaimFact(
                number=next(self.claim_numbers),
                kind=kind,
                reason=reason,
                text=random.choice(CLAIM_TEXTS[country][reason]),
                quantity=random.randrange(1, left) if left > 1 and kind in _PARTIAL and random.random() < 0.4 else left,
                steps=[ClaimStep(_moment(at), ClaimState.APPROVED if by == _SELLER else ClaimState.REQUESTED, by)],
            )
        )

    @staticmethod
    def _step(line: LineFact, at: int, state: ClaimState, by: str) -> None:
        line.claims[-1].steps.append(ClaimStep(_moment(at), state, by))

    def _stays_open(self, requested: int) -> bool:
        return requested > self._today - _KEPT_OPEN and self._random.random() < 0.7

    # -- inquiries

    def write_inquiries(self, order: OrderFact, *, country: str) -> Iterator[InquiryFact]:
        """What this customer asks about the order (8 %) and, near it, what somebody asks about a product (4 %)."""
        random = self._random
        ordered = int(order.ordered_at.timestamp())
        if random.random() < 0.08:
            category, subject, text = random.choice(ORDER_QUESTIONS[country])
            line = random.choice(order.lines) if random.random() < 0.7 else None
            yield self._inquiry(
                order, country, InquiryKind.ORDER_INQUIRY, ordered + random.randrange(_HOUR, 6 * _DAY),
                words=(category, subject, text), writer=order.buyer, item=line.item if line else None, line=line,
            )  # fmt: skip
        if random.random() < 0.04:
            yield self._inquiry(
                order, country, InquiryKind.PRODUCT_INQUIRY, ordered + random.randrange(60, _DAY),
                words=random.choice(PRODUCT_QUESTIONS[country]), writer=random.choice(self.people[country]),
                item=random.choice(self.items[country]), line=None,
            )  # fmt: skip

    def _inquiry(
        self,
        order: OrderFact,
        country: str,
        kind: InquiryKind,
        asked: int,
        *,
        words: tuple[str, str, str],
        writer: Person,
        item: Item | None,
        line: LineFact | None,
    ) -> InquiryFact:
        random = self._random
        category, subject, text = words
        inquiry = InquiryFact(
            number=0,  # numbered in the order of asking, once all are written
            shop=order.shop,
            sub_shop=order.sub_shop,
            kind=kind,
            asked_at=_moment(asked),
            subject=subject,
            text=text,
            category=category,
            writer=writer,
            item=item,
            order=order if kind is InquiryKind.ORDER_INQUIRY else None,
            line=line,
        )
        age = self._today - asked
        share_left = 0.004 if age > 3 * _DAY else 0.8 if age > 0 else 1.0
        if random.random() >= share_left:
            answered = asked + random.randrange(_HOUR // 3, 30 * _HOUR)
            inquiry.answers.append(self._message(answered, random.choice(ANSWERS[country]), _SELLER))
            if random.random() < 0.25:
                again = answered + random.randrange(_HOUR, 2 * _DAY)
                inquiry.follow_ups.append(self._message(again, random.choice(FOLLOW_UPS[country]), _CUSTOMER))
                if again < self._today - 2 * _DAY and random.random() < 0.97:
                    once_more = again + random.randrange(_HOUR, _DAY)
                    inquiry.answers.append(self._message(once_more, random.choice(ANSWERS[country]), _SELLER))
        return inquiry

    def _message(self, at: int, text: str, author: str) -> AnswerFact:
        return AnswerFact(number=next(self.message_numbers), at=_moment(at), text=text, author=author)


_PARTIAL = frozenset({ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.EXCHANGE})


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _local_midnight(seconds: int) -> datetime:
    """00:00 of that day in Seoul and Tokyo."""
    return _moment(seconds - (seconds + _ZONE_SHIFT) % _DAY)

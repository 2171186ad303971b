"""How claims sit on the items of the emulated Cafe24: which items an order shows now, and in which state.

A request lies on its item (X00, no claim_code). An accepted claim over a part of an item splits that
part off as an item of its own; an accepted exchange adds the replacement as a new item, and what the
customer asks for later lies on the replacement. New items name their origin in ``original_item_no``.

Source: Cafe24 Admin API, Orders and Claims, version 2026-03-01; confidence: sure for the codes, guess
for the split and for what remains visible of a refused or withdrawn request.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.sandbox.facts import ClaimFact, ClaimStep, LineFact, OrderFact

LETTERS = {
    ClaimKind.CANCEL: "C",
    ClaimKind.ADMIN_CANCEL: "C",
    ClaimKind.RETURN: "R",
    ClaimKind.EXCHANGE: "E",
}
UNDONE_WORDS = {"C": "Cancellation", "R": "Return", "E": "Exchange"}
_CODES = {
    "C": {
        ClaimState.REQUESTED: ("C00",),
        ClaimState.APPROVED: ("C10",),
        ClaimState.ACCEPTED: ("C10",),
        ClaimState.REFUNDING: ("C34", "C35"),
        ClaimState.HOLD: ("C36",),
        ClaimState.REJECTED: ("C11",),
        ClaimState.DONE: ("C40",),
    },
    "R": {
        ClaimState.REQUESTED: ("R00",),
        ClaimState.ACCEPTED: ("R10",),
        ClaimState.COLLECTING: ("R30",),
        ClaimState.COLLECTED: ("R20", "R13"),
        ClaimState.INSPECTING: ("R31",),
        ClaimState.HOLD: ("R12", "R36"),
        ClaimState.REFUNDING: ("R34",),
        ClaimState.REJECTED: ("R11",),
        ClaimState.DONE: ("R40",),
    },
    "E": {
        ClaimState.REQUESTED: ("E00",),
        ClaimState.ACCEPTED: ("E10",),
        ClaimState.COLLECTING: ("E30",),
        ClaimState.COLLECTED: ("E31", "E13"),
        ClaimState.INSPECTING: ("E31",),
        ClaimState.HOLD: ("E12", "E36"),
        ClaimState.RESHIPPING: ("E20",),
        ClaimState.REFUNDING: ("E34",),
        ClaimState.REJECTED: ("E11",),
        ClaimState.DONE: ("E40",),
    },
}
_NOT_ACCEPTED = frozenset({ClaimState.REQUESTED, ClaimState.REJECTED, ClaimState.WITHDRAWN})
_CONFIRMED_AFTER = timedelta(days=7)
_DATE_WORDS = {"C": "cancel", "R": "return", "E": "exchange"}


@dataclass(slots=True, kw_only=True)
class Item:
    """One order item as it stands now. ``replaces`` is the exchange that brought it, ``claims`` lie on it."""

    line: LineFact
    quantity: int
    claims: list[ClaimFact] = field(default_factory=list)
    origin: "Item | None" = None
    replaces: ClaimFact | None = None
    suffix: int = 0

    @property
    def number(self) -> int:
        """``item_no``."""
        return self.line.number * 100 + self.suffix

    def newest_claim(self, now: datetime) -> tuple[ClaimFact, ClaimStep] | None:
        """The claim that the item shows; a refused request is forgotten once the item has moved on."""
        if not self.claims:
            return None
        claim = self.claims[-1]
        step = claim.step_at(now)
        if step is None or claim.kind not in LETTERS:
            return None
        if step.state is ClaimState.REJECTED and any(step.at < moved.at <= now for moved in self.line.steps):
            return None
        return claim, step

    def plain_code(self, now: datetime) -> str:
        """The N code (or the code of an order nobody paid) without claims."""
        if self.replaces is not None:
            return _replacement_code(self.replaces, now)
        status = self.line.plain_status(now)
        if status is LineStatus.PREPARING:
            return "N22" if self.line.is_held else "N21" if self.line.number % 5 == 0 else "N20"
        if status is LineStatus.CANCELLED:
            return ("C48", "C47", "C49")[self.line.number % 3]
        return _PLAIN_CODES[status]

    def code(self, now: datetime) -> str:
        """``order_status``."""
        newest = self.newest_claim(now)
        if newest is None or newest[1].state is ClaimState.WITHDRAWN:
            return self.plain_code(now)
        claim, step = newest
        codes = _CODES[LETTERS[claim.kind]].get(step.state)
        return codes[claim.number % len(codes)] if codes else LETTERS[claim.kind] + "99"

    def shipped_at(self, now: datetime) -> datetime | None:
        if self.replaces is not None:
            return _first(self.replaces, ClaimState.RESHIPPING, now)
        return self.line.at_of(LineStatus.DISPATCHED, now)

    def delivered_at(self, now: datetime) -> datetime | None:
        if self.replaces is not None:
            return _first(self.replaces, ClaimState.DONE, now)
        return self.line.at_of(LineStatus.DELIVERED, now)

    def tracking_no(self, now: datetime) -> str | None:
        if self.shipped_at(now) is None:
            return None
        return self.replaces.reship_tracking_no if self.replaces else self.line.tracking_no


_PLAIN_CODES = {
    LineStatus.PENDING_PAYMENT: "N00",
    LineStatus.PAID: "N10",
    LineStatus.DISPATCHED: "N30",
    LineStatus.DELIVERED: "N40",
    LineStatus.PURCHASE_CONFIRMED: "N50",
}


def _replacement_code(exchange: ClaimFact, now: datetime) -> str:
    done = _first(exchange, ClaimState.DONE, now)
    if done is not None:
        return "N50" if done + _CONFIRMED_AFTER <= now else "N40"
    return "N30" if _first(exchange, ClaimState.RESHIPPING, now) else "N01"


def _first(claim: ClaimFact, state: ClaimState, now: datetime) -> datetime | None:
    for step in claim.steps:
        if step.state is state and step.at <= now:
            return step.at
    return None


def accepted_at(claim: ClaimFact) -> datetime | None:
    """When the request became a claim with a ``claim_code`` (perhaps in the future), ``None`` if never."""
    for step in claim.steps:
        if step.state not in _NOT_ACCEPTED:
            return step.at
    return None


def was_requested(claim: ClaimFact) -> bool:
    """Whether a customer's request came first: a seller's own cancel has no request date."""
    return claim.steps[0].state is ClaimState.REQUESTED


def items_of(order: OrderFact, now: datetime) -> list[Item]:
    """The items the order shows now; numbers once given to split and replacement items never change."""
    mains: list[Item] = []
    added: list[tuple[datetime, int, int, Item]] = []
    for index, line in enumerate(order.lines, start=1):
        item = Item(line=line, quantity=line.quantity, suffix=index)
        mains.append(item)
        for claim in line.claims:
            if claim.requested_at > now:
                break
            if claim.kind in LETTERS:
                item = _place(item, claim, added, now)
    added.sort(key=lambda entry: entry[:3])
    for suffix, (_, _, _, item) in enumerate(added, start=len(mains) + 1):
        item.suffix = suffix
    return mains + [item for _, _, _, item in added if _is_there(item, now)]


def _place(item: Item, claim: ClaimFact, added: list[tuple[datetime, int, int, Item]], now: datetime) -> Item:
    """Put ``claim`` on its item. Returns the item on which the line's next claim will lie."""
    accepted = accepted_at(claim)
    if accepted is None or accepted > now:
        item.claims.append(claim)
        return item
    target = item
    if claim.quantity < item.quantity:
        target = Item(line=item.line, quantity=claim.quantity, origin=item, replaces=item.replaces)
        item.quantity -= claim.quantity
        # What the request had covered on the item does not come back when its part leaves.
        item.claims = [other for other in item.claims if accepted_at(other) is not None]
        added.append((accepted, claim.number, 0, target))
    target.claims.append(claim)
    if claim.kind is not ClaimKind.EXCHANGE:
        return item
    replacement = Item(line=item.line, quantity=target.quantity, origin=target, replaces=claim)
    added.append((accepted, claim.number, 1, replacement))
    return replacement if target is item and _is_there(replacement, now) else item


def _is_there(item: Item, now: datetime) -> bool:
    """A replacement goes when its exchange is taken back."""
    if item.replaces is None:
        return True
    step = item.replaces.step_at(now)
    return step is not None and step.state not in _NOT_ACCEPTED


def dated_events(order: OrderFact) -> Iterator[tuple[str, datetime]]:
    """Every (``date_type``, time) by which the order can be found, future ones included."""
    yield "order_date", order.ordered_at
    if order.paid_at is not None:
        yield "pay_date", order.paid_at
    for line in order.lines:
        for step in line.steps:
            if step.status in _STEP_DATES:
                yield _STEP_DATES[step.status], step.at
        for claim in line.claims:
            yield from _claim_events(claim)


_STEP_DATES = {
    LineStatus.DISPATCHED: "shipbegin_date",
    LineStatus.DELIVERED: "shipend_date",
    LineStatus.PURCHASE_CONFIRMED: "purchaseconfirmation_date",
    LineStatus.CANCELLED: "cancel_date",
}


def _claim_events(claim: ClaimFact) -> Iterator[tuple[str, datetime]]:
    letter = LETTERS.get(claim.kind)
    if letter is None:
        return
    word = _DATE_WORDS[letter]
    if was_requested(claim):
        yield f"{word}_request_date", claim.requested_at
    accepted = accepted_at(claim)
    if accepted is not None:
        yield f"{word}_accept_date", accepted
    for step in claim.steps:
        if step.state is ClaimState.DONE:
            yield f"{word}_complete_date", step.at
            if letter == "C":
                yield "cancel_date", step.at
            if letter == "E":
                yield "purchaseconfirmation_date", step.at + _CONFIRMED_AFTER
                yield "shipend_date", step.at
        elif step.state is ClaimState.RESHIPPING:
            yield "shipbegin_date", step.at

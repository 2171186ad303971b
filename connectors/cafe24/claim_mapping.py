"""Cancels, returns and exchanges of one order, from the two layers in which Cafe24 tells them.

The *request* is filed by the customer and lives on the item: its status (X00), its request date, the
buyer's reason. The *claim* is made when the seller accepts: it has a ``claim_code``, the seller's
reason, the refund, and comes embedded in the order. Both are one canonical claim.

How they are joined (confidence: likely; the mall has no number that spans both layers):
- ``claim_key`` is "{line}:{kind}:{request time KST}": known from the first second and kept through the
  acceptance. A claim that nobody requested (no date) is "{line}:{claim_code}". "shop{n}:" stands in front
  for other shop numbers than 1, which may number an order alike.
- The item shows its newest claim only. An accepted claim belongs to the item's request date of its
  kind, unless a newer request of that kind stands there already.
- A request date with no claim status left: withdrawn when ``request_undone`` names the kind or an
  accepted claim was undone, else refused by the seller (nothing else leaves a date behind).
- An accepted claim that is neither undone nor the item's newest is done: one line has one open claim.
Source: Cafe24 Admin API, version 2026-03-01, Orders and Claims; confidence: sure for the fields.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET, UnsetType

from connectors.cafe24.claims_elsewhere import Elsewhere, claim_elsewhere, has_claim_elsewhere, unknown_word
from connectors.cafe24.values import KST, Value, code, money, shop_front, text, when, whole
from connectors.cafe24.vocabulary import (
    BUYER_REASONS,
    CANCEL,
    CLAIM_STATE,
    EXCHANGE,
    KIND_OF_LETTER,
    KIND_OF_UNDONE,
    PLAIN_STATUS,
    REPLACEMENT_STATUS,
    RETURN,
    SELLER_REASONS,
    UNPAID_CANCELS,
    Reason,
)
from connectors.cafe24.wire import ClaimWire, Embedded, ItemWire, OrderWire
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, EndedBy, FaultParty, Money

_KINDS = (CANCEL, RETURN, EXCHANGE)
_UNKNOWN_REASON = Reason(ClaimReason.UNKNOWN, FaultParty.UNKNOWN)


def map_claims(wire: OrderWire, *, order_no: str, currency: str, codes: Counter[str]) -> tuple[tuple[Claim, ...], bool]:
    """Every claim that one order tells of, and whether these are all that the mall still knows.

    Not all of them are known when an item names a ``claim_code`` whose details did not come.
    """
    items = wire.items or []
    embeds = ((CANCEL, wire.cancellation), (RETURN, wire.return_), (EXCHANGE, wire.exchange))
    accepted = [(kind, claim) for kind, claims in embeds if claims for claim in embedded(claims)]
    if not accepted and not any(map(_has_trace, items)):
        return (), True
    delivered = frozenset(kind for kind, claims in embeds if claims is not UNSET)
    gathered = _Claims(
        order_no=order_no,
        front=shop_front(wire.shop_no),
        items=items,
        currency=currency,
        codes=codes,
        delivered=delivered,
    )
    return gathered.of(accepted)


def embedded(claims: Embedded) -> list[ClaimWire]:
    """The claims of one embed, which may be absent, empty, one object or a list; an empty object is none."""
    if isinstance(claims, UnsetType) or not claims:
        return []
    found = claims if isinstance(claims, list) else [claims]
    return [claim for claim in found if isinstance(claim, ClaimWire) and (claim.claim_code or claim.items)]


def kind_now(item: ItemWire) -> ClaimKind | None:
    """The kind of the claim that the item's status tells of, if it tells of one."""
    status = code(item.order_status) or ""
    return KIND_OF_LETTER.get(status[:1])


def missing_claims(wire: OrderWire) -> list[tuple[ClaimKind, str]]:
    """Claim codes that items name while the embed of their kind did not come at all."""
    absent = {
        kind
        for kind, claims in ((CANCEL, wire.cancellation), (RETURN, wire.return_), (EXCHANGE, wire.exchange))
        if claims is UNSET
    }
    if not absent:
        return []
    found: dict[tuple[ClaimKind, str], None] = {}
    for item in wire.items or ():
        kind, claim_code = kind_now(item), code(item.claim_code)
        if kind in absent and kind is not None and claim_code is not None:
            found[kind, claim_code] = None
    return list(found)


def _has_trace(item: ItemWire) -> bool:
    status = item.order_status
    return bool(
        (type(status) is str and status[:1] in KIND_OF_LETTER)
        or item.claim_code
        or _is_told(item.cancel_request_date)
        or _is_told(item.return_request_date)
        or _is_told(item.exchange_request_date)
        or has_claim_elsewhere(item)
    )


def _is_told(date: Value) -> bool:
    """Whether a date is given: most lines bear one of the mall's three words for none."""
    return bool(date) and not (type(date) is str and date.startswith("0000-00-00"))


def _requested_at(item: ItemWire | None, kind: ClaimKind) -> datetime | None:
    if item is None:
        return None
    if kind is CANCEL:
        return when(item.cancel_request_date, path="items.cancel_request_date")
    if kind is RETURN:
        return when(item.return_request_date, path="items.return_request_date")
    return when(item.exchange_request_date, path="items.exchange_request_date")


def _ended_at(item: ItemWire | None, kind: ClaimKind) -> datetime | None:
    """When a done claim was done: the kind's own date, else the day of the refund."""
    if item is None:
        return None
    own = {CANCEL: item.cancel_date, RETURN: item.return_confirmed_date, EXCHANGE: item.exchange_date}[kind]
    return when(own, path="items.cancel_date") or when(item.refund_date, path="items.refund_date")


class _Claims:
    """Gathers the claims of one order by key; an accepted claim replaces the request it grew from."""

    def __init__(
        self,
        *,
        order_no: str,
        front: str,
        items: list[ItemWire],
        currency: str,
        codes: Counter[str],
        delivered: frozenset[ClaimKind],
    ) -> None:
        self._order_no = order_no
        self._front = front
        self._delivered = delivered
        self._accepted: set[tuple[str, str | None]] = set()
        self._items = {item.order_item_code: item for item in items}
        self._currency = currency
        self._codes = codes
        self._found: dict[str, Claim] = {}
        # Lines that others were split from or exchanged for: their dates also tell of those.
        self._origins = {origin for item in items for origin in origins(item)}

    def of(self, accepted: list[tuple[ClaimKind, ClaimWire]]) -> tuple[tuple[Claim, ...], bool]:
        known_codes: set[str] = set()
        are_complete = True
        for kind, claim in accepted:
            claim_code = code(claim.claim_code)
            if claim_code is not None:
                known_codes.add(claim_code)
            are_complete &= self._add_accepted(kind, claim, claim_code)
        for item in filter(_has_trace, self._items.values()):
            claim_code = code(item.claim_code)
            if kind_now(item) is not None and claim_code is not None and claim_code not in known_codes:
                are_complete = False
            self._add_requests(item)
        return tuple(self._found.values()), are_complete

    def _add_accepted(self, kind: ClaimKind, claim: ClaimWire, claim_code: str | None) -> bool:
        lines = dict(self._lines_of(claim, claim_code))
        replacements = _exchanged(claim)
        for line_no, nested in lines.items():
            if line_no in self._items and line_no not in replacements:
                self._put_accepted(kind, claim, claim_code, self._items[line_no], nested, is_only=len(lines) == 1)
        is_placed = not self._items.keys().isdisjoint(lines)
        if not is_placed:
            self._codes[f"claim.items:{kind}"] += 1
        return is_placed

    def _lines_of(self, claim: ClaimWire, claim_code: str | None) -> Iterable[tuple[str, ItemWire | None]]:
        """Lines of a claim: its own items, else the address's list, else the items that name its code."""
        if claim.items:
            for nested in claim.items:
                if isinstance(nested, str):
                    yield nested, None
                elif nested.order_item_code:
                    yield nested.order_item_code, nested
            return
        address = claim.return_address
        listed = address.get("items") if isinstance(address, dict) else None
        if isinstance(listed, list) and listed:
            yield from ((line, None) for line in listed if isinstance(line, str))
            return
        if claim_code is not None:
            yield from ((no, None) for no, item in self._items.items() if code(item.claim_code) == claim_code)

    def _put_accepted(
        self,
        kind: ClaimKind,
        claim: ClaimWire,
        claim_code: str | None,
        item: ItemWire,
        nested: ItemWire | None,
        *,
        is_only: bool,
    ) -> None:
        is_current = claim_code is not None and code(item.claim_code) == claim_code
        # A newer request of the same kind stands on the item: its date is not this claim's.
        is_overtaken = not is_current and kind_now(item) is kind
        item_date = _requested_at(item, kind)
        requested_at = _requested_at(nested, kind)
        if is_overtaken:
            requested_at = None if requested_at == item_date else requested_at
        else:
            requested_at = requested_at or item_date
        state, raw_state = self._accepted_state(kind, claim, item, nested)
        source = item if is_current or nested is None else nested
        reason, raw_reason = self._reason(claim, source)
        detail = nested or source
        self._accepted.add((item.order_item_code, claim_code))
        self._put(
            kind=kind,
            item=item,
            claim_no=claim_code,
            requested_at=requested_at,
            state=state,
            raw_state=raw_state,
            reason=reason,
            raw_reason=raw_reason,
            reason_text=text(source.claim_reason) or text(claim.claim_reason),
            quantity=whole(detail.claim_quantity, path="claim_quantity")
            or (whole(nested.quantity, path="quantity") if nested is not None else None)
            or _asked(item),
            ended_at=_ended_at(detail, kind) if state is ClaimState.DONE else None,
            ended_by=_ended_by(state),
            collect_carrier=text(claim.return_shipping_company_name),
            collect_tracking_no=code(claim.return_invoice_no),
            collected_at=when(detail.return_collected_date, path="return_collected_date"),
            refund=self._refund(claim) if is_only else None,
            sent_instead=self._sent_instead(claim),
        )

    def _sent_instead(self, claim: ClaimWire) -> ItemWire | None:
        """The line that an exchange brought, once a parcel is named on it; several lines tell of no single parcel."""
        brought = [self._items[line_no] for line_no in _exchanged(claim) if line_no in self._items]
        return brought[0] if len(brought) == 1 and code(brought[0].tracking_no) is not None else None

    def _accepted_state(
        self, kind: ClaimKind, claim: ClaimWire, item: ItemWire, nested: ItemWire | None
    ) -> tuple[ClaimState, str]:
        if claim.undone == "T":
            return ClaimState.WITHDRAWN, "undone"
        claim_code = code(claim.claim_code)
        for source in (item, nested):
            # Only a status that stands beside this very claim's code tells of this claim.
            if source is not None and kind_now(source) is kind and code(source.claim_code) == claim_code:
                return self._state(code(source.order_status) or "")
        raw_state = code(item.order_status) or ""
        if _undone_kind(item) is kind:
            return ClaimState.WITHDRAWN, code(item.request_undone) or ""
        if kind_now(item) is not None or _is_partial(nested or item, item):
            return ClaimState.DONE, raw_state
        self._codes[f"claim.state:{kind}:{raw_state}"] += 1
        return ClaimState.UNKNOWN, raw_state

    def _state(self, status: str) -> tuple[ClaimState, str]:
        state = CLAIM_STATE.get(status)
        if state is None:
            self._codes[f"claim.order_status:{status}"] += 1
        return state or ClaimState.UNKNOWN, status

    def _reason(self, claim: ClaimWire | None, item: ItemWire) -> tuple[Reason, str | None]:
        """The buyer's reason, which stands from the request on, else the seller's; with its code."""
        table, raw = BUYER_REASONS, code(item.claim_reason_type)
        if raw is None and claim is not None:
            table, raw = SELLER_REASONS, code(claim.claim_reason_type)
        if raw is None:
            return _UNKNOWN_REASON, None
        reason = table.get(raw) or BUYER_REASONS.get(raw)
        if reason is None:
            self._codes[f"claim_reason_type:{raw}"] += 1
        return reason or _UNKNOWN_REASON, raw

    def _refund(self, claim: ClaimWire) -> Money | None:
        """What the mall says it pays back, over all means of payment."""
        parts = claim.refund_amounts if isinstance(claim.refund_amounts, list) else ()
        amounts = [money(part.amount, self._currency, path="refund_amounts") for part in parts]
        paid = [amount.minor for amount in amounts if amount is not None]
        return Money(minor=sum(paid), currency=self._currency) if paid else None

    def _add_requests(self, item: ItemWire) -> None:
        now_kind = kind_now(item)
        claim_code = code(item.claim_code)
        for kind in _KINDS:
            requested_at = _requested_at(item, kind)
            if kind is now_kind:
                if (item.order_item_code, claim_code) not in self._accepted:
                    self._add_current(kind, item, claim_code, requested_at)
            elif requested_at is not None:
                self._add_past(kind, item, requested_at)
        if now_kind is None and (elsewhere := claim_elsewhere(item)) is not None:
            self._add_elsewhere(elsewhere, item)
        if (word := unknown_word(item)) is not None:
            self._codes[f"naver_pay_claim_status:{word}"] += 1

    def _add_current(
        self, kind: ClaimKind, item: ItemWire, claim_code: str | None, requested_at: datetime | None
    ) -> None:
        status = code(item.order_status) or ""
        if status in UNPAID_CANCELS and claim_code is None and requested_at is None:
            return
        state, raw_state = self._state(status)
        reason, raw_reason = self._reason(None, item)
        self._put(
            kind=kind,
            item=item,
            claim_no=claim_code,
            requested_at=requested_at,
            state=state,
            raw_state=raw_state,
            reason=reason,
            raw_reason=raw_reason,
            reason_text=text(item.claim_reason),
            quantity=_asked(item),
            ended_at=_ended_at(item, kind) if state is ClaimState.DONE else None,
            ended_by=_ended_by(state),
        )

    def _add_past(self, kind: ClaimKind, item: ItemWire, requested_at: datetime) -> None:
        """A request of which only the date is left."""
        if kind not in self._delivered and kind_now(item) is not None:
            return  # it may have been accepted and done: only the claims of that kind would tell
        if is_replacement(item) or code(item.item_no) in self._origins:
            return
        if self._key(item, kind, requested_at, None) in self._found:
            return
        is_withdrawn = _undone_kind(item) is kind
        status = code(item.order_status) or ""
        # Refused is concluded from where the item is now; a word no table holds proves nothing.
        is_known = status in PLAIN_STATUS or status in CLAIM_STATE
        state = ClaimState.REJECTED if is_known else ClaimState.UNKNOWN
        if is_withdrawn:
            state = ClaimState.WITHDRAWN
        # The item's reason and quantity tell of its newest claim, which may be another kind's by now.
        is_newest = kind_now(item) is None
        reason, raw_reason = self._reason(None, item) if is_newest else (_UNKNOWN_REASON, None)
        self._put(
            kind=kind,
            item=item,
            claim_no=None,
            requested_at=requested_at,
            state=state,
            raw_state=(code(item.request_undone) if is_withdrawn else status) or "",
            reason=reason,
            raw_reason=raw_reason,
            reason_text=text(item.claim_reason) if is_newest else None,
            quantity=_asked(item) if is_newest else None,
            ended_by=EndedBy.CUSTOMER if is_withdrawn else _ended_by(state),
        )

    def _add_elsewhere(self, claim: Elsewhere, item: ItemWire) -> None:
        """A claim of Naver Pay or a market: neither its time nor who ended it is told."""
        requested_at = _requested_at(item, claim.kind) if claim.kind in _KINDS else None
        reason, raw_reason = self._reason(None, item)
        # A request date that is left on the item is this claim's: it stands in the place of a past one.
        self._found.pop(self._key(item, claim.kind, requested_at, None), None)
        self._put(
            kind=claim.kind,
            item=item,
            claim_no=None,
            requested_at=requested_at,
            state=claim.state,
            raw_state=claim.raw_state,
            reason=reason,
            raw_reason=raw_reason,
            reason_text=text(item.claim_reason),
            quantity=whole(item.market_cancel_request_quantity, path="market_cancel_request_quantity") or _asked(item),
            ended_by=None if claim.state.is_open or claim.state is ClaimState.RESHIPPING else EndedBy.UNKNOWN,
        )

    def _put(
        self,
        *,
        kind: ClaimKind,
        item: ItemWire,
        claim_no: str | None,
        requested_at: datetime | None,
        state: ClaimState,
        raw_state: str,
        reason: Reason,
        raw_reason: str | None,
        reason_text: str | None,
        quantity: int | None,
        ended_at: datetime | None = None,
        ended_by: EndedBy | None = None,
        collect_carrier: str | None = None,
        collect_tracking_no: str | None = None,
        collected_at: datetime | None = None,
        refund: Money | None = None,
        sent_instead: ItemWire | None = None,
    ) -> None:
        key = self._key(item, kind, requested_at, claim_no)
        if key in self._found and self._found[key].claim_no != claim_no:
            # Two claims of one kind and time on one line: the number tells them apart.
            key = self._key(item, kind, None, claim_no)
        self._found[key] = Claim(
            claim_key=key,
            order_no=self._order_no,
            line_no=item.order_item_code,
            kind=kind,
            state=state,
            raw_state=raw_state,
            claim_no=claim_no,
            reason=reason.reason,
            raw_reason=raw_reason,
            reason_text=reason_text,
            fault_party=reason.fault,
            quantity=quantity,
            requested_at=requested_at,
            ended_at=ended_at,
            ended_by=ended_by,
            collect_carrier=collect_carrier,
            collect_tracking_no=collect_tracking_no,
            collected_at=collected_at,
            reship_carrier=code(sent_instead.shipping_company_code) if sent_instead is not None else None,
            reship_tracking_no=code(sent_instead.tracking_no) if sent_instead is not None else None,
            refund=refund,
        )

    def _key(self, item: ItemWire, kind: ClaimKind, requested_at: datetime | None, claim_no: str | None) -> str:
        line = f"{self._front}{item.order_item_code}"
        if requested_at is not None:
            return f"{line}:{kind}:{requested_at.astimezone(KST):%Y%m%d%H%M%S}"
        return f"{line}:{claim_no or kind}"


def _ended_by(state: ClaimState) -> EndedBy | None:
    """Only a refusal tells who did it: Cafe24 lets nobody but the seller refuse."""
    if state is ClaimState.REJECTED:
        return EndedBy.SELLER
    return EndedBy.UNKNOWN if state in (ClaimState.DONE, ClaimState.WITHDRAWN) else None


def _undone_kind(item: ItemWire) -> ClaimKind | None:
    return KIND_OF_UNDONE.get((code(item.request_undone) or "").upper())


def _asked(item: ItemWire) -> int | None:
    """What the newest claim covers; a mall that does not tell says nothing or 0."""
    return whole(item.claim_quantity, path="items.claim_quantity") or None


def _is_partial(claimed: ItemWire, item: ItemWire) -> bool:
    asked = whole(claimed.claim_quantity, path="claim_quantity")
    ordered = whole(item.quantity, path="items.quantity")
    return asked is not None and ordered is not None and asked < ordered


def is_replacement(item: ItemWire) -> bool:
    """Whether an exchange created this line."""
    return code(item.order_status) == REPLACEMENT_STATUS or code(item.status_code) == "N2"


def origins(item: ItemWire) -> list[str]:
    """Numbers (item_no) of the lines that this one was split from or exchanged for."""
    origin = item.original_item_no
    values = origin if isinstance(origin, list) else [origin]
    return [found for value in values if (found := code(value)) is not None]


def _exchanged(claim: ClaimWire) -> frozenset[str]:
    """Lines that an exchange created."""
    codes = (new if isinstance(new, str) else code(new.order_item_code) for new in claim.exchanged_items or ())
    return frozenset(found for found in codes if found is not None)

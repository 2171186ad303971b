"""The claims of one product order: up to three places of the detail, merged to one list."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from connectors.smartstore.leaves import Times, Unknowns, code_of, count_unknown, first_of, text_of, whole_of
from connectors.smartstore.vocabulary import (
    CLAIM_KIND,
    CLAIM_REASON,
    CLAIM_STATE,
    FAULT_PARTY,
    HELD_BACK,
    HOLDBACK_REASON,
    HOLDBACK_STATUS,
)
from connectors.smartstore.wire import ClaimWire, DetailWire, ProductOrderWire, Scalar
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, EndedBy, FaultParty


class _Claimed(NamedTuple):
    kind: ClaimKind
    type_word: str
    wire: ClaimWire


def map_claims(wire: DetailWire, *, order_no: str, line_no: str, times: Times, unknown: Unknowns) -> tuple[Claim, ...]:
    """Every claim of the line, oldest request first, each claimId once.

    A finished claim may stand in ``currentClaim`` and in ``completedClaims`` at once. Confirm holds
    (구매 확정 보류) and cancels by the mall (직권 취소) have no section: productOrder names them.
    """
    if (
        wire.current_claim is None
        and wire.before_claim is None
        and not wire.completed_claims
        and (wire.product_order is None or wire.product_order.claim_type is None)
    ):
        return ()  # most lines, by far
    merged: dict[str, Claim] = {}
    unnumbered: list[Claim] = []
    for found in _claims_found(wire, unknown):
        claim = _claim(found, order_no=order_no, line_no=line_no, times=times, unknown=unknown)
        if claim.claim_no is None:
            unnumbered.append(claim)
        elif (known := merged.get(claim.claim_no)) is None:
            merged[claim.claim_no] = claim
        else:
            merged[claim.claim_no] = _merge(known, claim)
    claims = [*merged.values(), *(_keyed_by_order_of_request(unnumbered) if unnumbered else ())]
    if len(claims) > 1:
        claims.sort(key=lambda claim: (claim.requested_at or _NEVER, claim.claim_key))
    return tuple(claims)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _claims_found(wire: DetailWire, unknown: Unknowns) -> Iterator[_Claimed]:
    product = wire.product_order or ProductOrderWire()
    current_type = text_of(product.claim_type)
    told: set[tuple[Scalar, ...]] = set()

    def tell(kind: ClaimKind, type_word: str, section: ClaimWire) -> _Claimed:
        told.add((text_of(section.claim_id),))
        told.add((kind, text_of(section.claim_status)))
        return _Claimed(kind, type_word, section)

    for sections in (wire.current_claim, wire.before_claim):
        if sections is None:
            continue
        for kind, type_word, section in (
            (ClaimKind.CANCEL, "CANCEL", sections.cancel),
            (ClaimKind.RETURN, "RETURN", sections.return_),
            (ClaimKind.EXCHANGE, "EXCHANGE", sections.exchange),
        ):
            if section is not None and section != _NO_CLAIM:
                if sections is wire.current_claim and type_word == current_type:
                    section = _filled(section, product)
                yield tell(kind, type_word, section)
    for section in wire.completed_claims or ():
        if section is not None and section != _NO_CLAIM:
            type_word = text_of(section.claim_type) or ""
            yield tell(_kind(type_word, unknown), type_word, section)
    if current_type is None:
        return
    kind = _kind(current_type, unknown)
    claim_no = text_of(product.claim_id)
    mark = (claim_no,) if claim_no else (kind, text_of(product.claim_status))
    if mark not in told:
        yield _Claimed(kind, current_type, ClaimWire(claim_id=product.claim_id, claim_status=product.claim_status))


def _filled(section: ClaimWire, product: ProductOrderWire) -> ClaimWire:
    """The claim requested last also stands, shortened, on the product order: it lends what the section lacks."""
    if section.claim_id and section.claim_status:
        return section
    return msgspec.structs.replace(
        section,
        claim_id=section.claim_id or product.claim_id,
        claim_status=section.claim_status or product.claim_status,
    )


_NO_CLAIM = ClaimWire()
#: characters of a claimType inside a key
_LONGEST_WORD = 60


def _kind(type_word: str, unknown: Unknowns) -> ClaimKind:
    kind = CLAIM_KIND.get(type_word)
    if kind is None:
        count_unknown(unknown, "claimType", type_word)
        return ClaimKind.UNKNOWN
    return kind


def _claim(found: _Claimed, *, order_no: str, line_no: str, times: Times, unknown: Unknowns) -> Claim:
    wire = found.wire
    claim_no = code_of(wire.claim_id, "claim.claimId")
    raw_state = text_of(wire.claim_status) or ""
    state = CLAIM_STATE.get(raw_state)
    if state is None:
        count_unknown(unknown, "claimStatus", raw_state)
        state = ClaimState.UNKNOWN
    held_back = text_of(wire.holdback_status)
    if held_back is not None and held_back not in HOLDBACK_STATUS:
        count_unknown(unknown, "holdbackStatus", held_back)
    is_on_hold = held_back == HELD_BACK and state.is_open
    hold_reason = text_of(wire.holdback_reason) if is_on_hold else None
    if hold_reason is not None and hold_reason not in HOLDBACK_REASON:
        count_unknown(unknown, "holdbackReason", hold_reason)
    raw_reason = first_of(wire.cancel_reason, wire.return_reason, wire.exchange_reason, wire.claim_request_reason)
    requested_at = times.note(wire.claim_request_date, "claim.claimRequestDate")
    ended_at = _claim_times(wire, times)
    collected_at = times.note(wire.collect_completed_date, "claim.collectCompletedDate")
    return Claim(
        claim_key=claim_no or f"{line_no}:{(found.type_word or found.kind.value)[:_LONGEST_WORD]}",
        claim_no=claim_no,
        order_no=order_no,
        line_no=line_no,
        kind=found.kind,
        state=ClaimState.HOLD if is_on_hold else state,
        raw_state=raw_state,
        reason=_reason(raw_reason, unknown),
        raw_reason=raw_reason,
        reason_text=first_of(
            wire.cancel_detailed_reason,
            wire.return_detailed_reason,
            wire.exchange_detailed_reason,
            wire.claim_request_detail_content,
        ),
        fault_party=FAULT_PARTY.get(raw_reason or "", FaultParty.UNKNOWN),
        quantity=whole_of(wire.request_quantity, "claim.requestQuantity"),
        requested_at=requested_at,
        ended_at=ended_at if state in ENDED else None,
        # The mall's one word for "refused" and "withdrawn" does not tell who ended it.
        ended_by=EndedBy.UNKNOWN if state is ClaimState.REJECTED else None,
        hold_reason=hold_reason,
        collect_carrier=code_of(wire.collect_delivery_company, "claim.collectDeliveryCompany"),
        collect_tracking_no=code_of(wire.collect_tracking_number, "claim.collectTrackingNumber"),
        collected_at=collected_at,
        reship_carrier=code_of(wire.re_delivery_company, "claim.reDeliveryCompany"),
        reship_tracking_no=code_of(wire.re_delivery_tracking_number, "claim.reDeliveryTrackingNumber"),
    )


def _claim_times(wire: ClaimWire, times: Times) -> datetime | None:
    """Note every time of a claim; returns that of its end."""
    times.note(wire.cancel_approval_date, "claim.cancelApprovalDate")
    times.note(wire.claim_request_admission_date, "claim.claimRequestAdmissionDate")
    times.note(wire.collect_operation_date, "claim.collectOperationDate")
    times.note(wire.holdback_config_date, "claim.holdbackConfigDate")
    times.note(wire.holdback_release_date, "claim.holdbackReleaseDate")
    times.note(wire.re_delivery_operation_date, "claim.reDeliveryOperationDate")
    return (
        times.note(wire.claim_complete_operation_date, "claim.claimCompleteOperationDate")
        or times.note(wire.cancel_completed_date, "claim.cancelCompletedDate")
        or times.note(wire.return_completed_date, "claim.returnCompletedDate")
    )


def _reason(code: str | None, unknown: Unknowns) -> ClaimReason:
    if code is None:
        return ClaimReason.UNKNOWN
    reason = CLAIM_REASON.get(code)
    if reason is None:
        count_unknown(unknown, "claimReason", code)
        return ClaimReason.UNKNOWN
    return reason


def _merge(known: Claim, other: Claim) -> Claim:
    """Two readings of one claim: the finished one leads, the other fills what it leaves open.

    A replacement on its way asks nothing of anybody, but it is no end.
    """
    leading, filling = (other, known) if other.state in ENDED and known.state not in ENDED else (known, other)
    gaps = {
        name: theirs
        for name in Claim.__struct_fields__
        if getattr(leading, name) in _GAPS and (theirs := getattr(filling, name)) not in _GAPS
    }
    if not leading.state.is_open:
        gaps.pop("hold_reason", None)
    return msgspec.structs.replace(leading, **gaps) if gaps else leading


ENDED = frozenset({ClaimState.DONE, ClaimState.REJECTED, ClaimState.WITHDRAWN})
_GAPS: tuple[object, ...] = (None, ClaimReason.UNKNOWN, FaultParty.UNKNOWN, ClaimKind.UNKNOWN)


def _keyed_by_order_of_request(claims: list[Claim]) -> list[Claim]:
    """Claims without a number keep apart by the order of their requests, which later claims do not change."""
    claims.sort(key=lambda claim: claim.requested_at or _NEVER)
    met: Counter[str] = Counter()
    keyed = []
    for claim in claims:
        met[claim.claim_key] += 1
        number = met[claim.claim_key]
        if number > 1:
            claim = msgspec.structs.replace(claim, claim_key=f"{claim.claim_key}:{number}")
        keyed.append(claim)
    return keyed

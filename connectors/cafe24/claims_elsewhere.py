"""Claims that Naver Pay or an open market keeps, of which Cafe24 only tells: decided there, not here.

Source: Cafe24 Admin API, version 2026-03-01, Orders items, naver_pay_claim_status and
market_cancel_request; confidence: sure for the words, likely that the item's own status stays plain.
"""

from msgspec import Struct

from connectors.cafe24.values import code
from connectors.cafe24.vocabulary import CANCEL, NAVER_CLAIM, NAVER_NO_CLAIM
from connectors.cafe24.wire import ItemWire
from hub.core.model import ClaimKind, ClaimState

MARKET_REQUEST = "market_cancel_request"


class Elsewhere(Struct, frozen=True, kw_only=True):
    """``raw_state``: the word of whoever keeps the claim."""

    kind: ClaimKind
    state: ClaimState
    raw_state: str


def claim_elsewhere(item: ItemWire) -> Elsewhere | None:
    """The claim that the item's status does not tell of; a word that no table holds tells of none."""
    told = code(item.naver_pay_claim_status)
    if told in NAVER_CLAIM:
        kind, state = NAVER_CLAIM[told]
        return Elsewhere(kind=kind, state=state, raw_state=told)
    if item.market_cancel_request == "T":
        return Elsewhere(kind=CANCEL, state=ClaimState.REQUESTED, raw_state=MARKET_REQUEST)
    return None


def has_open_cancel(item: ItemWire) -> bool:
    """Whether somebody else has yet to decide, or is just carrying out, that this item is cancelled."""
    claim = claim_elsewhere(item)
    return claim is not None and claim.kind in (CANCEL, ClaimKind.ADMIN_CANCEL) and claim.state.is_open


def unknown_word(item: ItemWire) -> str | None:
    """A word of Naver Pay's that no table holds."""
    told = code(item.naver_pay_claim_status)
    return None if told is None or told in NAVER_CLAIM or told in NAVER_NO_CLAIM else told


def has_claim_elsewhere(item: ItemWire) -> bool:
    """The same question, cheaply: nearly every item says no."""
    return item.market_cancel_request == "T" or bool(item.naver_pay_claim_status)

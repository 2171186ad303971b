"""How an answer is carried out at a mall: by its API, in its admin, or not at all; by the manifest's own words."""

from typing import Final

from hub.core.contract import Capability, Manifest, Support
from hub.core.model import ClaimReason, ClaimState, LineStatus
from hub.desk.acting.action import STEP_BEFORE
from hub.policy.card import NO_WAY, MallCan, MallWay, Request
from hub.policy.ruling import UNSENT

_S = ClaimState
_C = Capability
#: the seller's own cancel; every other reason is the customer's
_OURS: Final = frozenset({ClaimReason.OUT_OF_STOCK, ClaimReason.LATE})
_NEXT: Final = {
    Request.RETURN: {
        _S.REQUESTED: _C.ACCEPT_RETURN,
        _S.APPROVED: _C.COLLECT_RETURN,
        _S.ACCEPTED: _C.COLLECT_RETURN,
        _S.COLLECTING: _C.COLLECT_RETURN,
        _S.COLLECTED: _C.COMPLETE_RETURN,
        _S.INSPECTING: _C.COMPLETE_RETURN,
        _S.REFUNDING: _C.COMPLETE_RETURN,
        _S.HOLD: _C.RELEASE_RETURN,
    },
    Request.EXCHANGE: {
        _S.REQUESTED: _C.ACCEPT_EXCHANGE,
        _S.APPROVED: _C.COLLECT_EXCHANGE,
        _S.ACCEPTED: _C.COLLECT_EXCHANGE,
        _S.COLLECTING: _C.COLLECT_EXCHANGE,
        _S.COLLECTED: _C.REDELIVER_EXCHANGE,
        _S.INSPECTING: _C.REDELIVER_EXCHANGE,
        _S.RESHIPPING: _C.COMPLETE_EXCHANGE,
        _S.HOLD: _C.RELEASE_EXCHANGE,
    },
}
_AFTER: Final = {before.capability: after.capability for after, before in STEP_BEFORE.items()}
_REFUSED_BY: Final = {
    Request.CANCEL: _C.REFUSE_CANCEL,
    Request.RETURN: _C.REFUSE_RETURN,
    Request.EXCHANGE: _C.REFUSE_EXCHANGE,
}
_FILED_BY: Final = {Request.RETURN: _C.FILE_RETURN, Request.EXCHANGE: _C.FILE_EXCHANGE}
#: No API of these malls pays a part of the price back: confidence guess, so a person looks.
_BY_HAND: Final = MallWay(
    can=MallCan.ADMIN,
    way="Pay the part back in the mall's admin and note it here.",
    way_ko="몰 어드민에서 부분환불하고 여기에 기록하세요.",
)


def ways_of(
    manifest: Manifest, request: Request, *, claim: ClaimState | None, status: LineStatus, reason: ClaimReason
) -> tuple[MallWay, MallWay]:
    """How to allow and how to refuse ``request``; ``claim`` is the state of the open claim, ``None`` without one."""
    if request is Request.PARTIAL_REFUND:
        return _BY_HAND, NO_WAY
    if request is Request.WITHDRAW_RETURN:
        # Ending the return is the same act, whoever wanted it: malls show both as one.
        return way_of(manifest, _C.REFUSE_RETURN), NO_WAY
    if request is Request.DELIVERY_STATUS:
        return (way_of(manifest, _C.DELAY) if status in UNSENT else NO_WAY), NO_WAY
    refuse = way_of(manifest, _REFUSED_BY[request])
    if request is Request.CANCEL:
        return _cancel(manifest, claim, reason), refuse
    steps = _NEXT[request]
    if claim is ClaimState.HOLD and refuse.can is MallCan.API:
        # What is on hold is neither completed nor refused: the hold ends first.
        refuse = way_of(manifest, steps[claim])
    capability = steps.get(claim) if claim is not None else _FILED_BY[request]
    return (_first_way(manifest, capability) if capability else NO_WAY), refuse


def _first_way(manifest: Manifest, capability: Capability) -> MallWay:
    """By the API where it knows this step or, without it, one that follows; else as the mall says of this one."""
    following: Capability | None = capability
    while following is not None:
        way = way_of(manifest, following)
        if way.can is MallCan.API:
            return way
        following = _AFTER.get(following)
    return way_of(manifest, capability)


def _cancel(manifest: Manifest, claim: ClaimState | None, reason: ClaimReason) -> MallWay:
    approve, cancel = way_of(manifest, _C.APPROVE_CANCEL), way_of(manifest, _C.SELLER_CANCEL)
    if claim is not None:
        return approve
    if reason in _OURS or approve.can is MallCan.API:
        return cancel
    # A mall that lets only people approve a customer's cancel books the other one as our fault.
    return approve if approve.can is not MallCan.NONE else cancel


def way_of(manifest: Manifest, capability: Capability) -> MallWay:
    stated = manifest.capabilities.get(capability)
    if stated is None:
        return NO_WAY
    if stated.state is Support.YES:
        return MallWay(
            can=MallCan.API,
            action=capability.value.replace("_", "-"),
            warning=stated.warning,
            warning_ko=stated.warning_ko,
        )
    if not stated.instead:
        return NO_WAY
    return MallWay(can=MallCan.ADMIN, way=stated.instead, way_ko=stated.instead_ko)

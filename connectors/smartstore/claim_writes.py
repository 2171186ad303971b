"""Writes that decide a claim: cancels, returns, exchanges.

Each is one call on the line with one claim open. Approvals, refusals and refunds are final.
Source: Naver Commerce API 2.73.0, claim actions with the states in which each is taken (confidence:
sure). A refusal comes mostly as code 9999 with the reason in Korean words: these are passed on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.smartstore.client import Acted, SmartstoreClient
from connectors.smartstore.vocabulary import (
    CANCEL_APPROVABLE,
    EXCHANGE_HOLD_SENT,
    RETURN_HOLD_BOTH_FEES,
    RETURN_HOLD_SENT,
)
from connectors.smartstore.writing import STANDS, LineState, LineWrite, Stop, is_same_number, missing, refused
from hub.core.contract import HoldReason, LineAction, Outcome
from hub.core.model import Claim, ClaimKind, ClaimState

_NOTHING_OPEN = {
    ClaimKind.CANCEL: "처리할 취소 요청이 없습니다. / No cancel request is open on this line.",
    ClaimKind.RETURN: "처리할 반품 요청이 없습니다. / No return is open on this line.",
    ClaimKind.EXCHANGE: "처리할 교환 요청이 없습니다. / No exchange is open on this line.",
}
_ANOTHER = "확인한 것과 다른 요청입니다. 다시 확인하세요. / The open request is not the one you saw: look again."
_NOT_NOW = "지금 클레임 상태에서는 할 수 없습니다. / Not possible in the claim's present state: "
_ON_HOLD = "보류 중입니다. 먼저 보류를 해제하세요. / The claim is on hold: release it first."
_NOT_ON_HOLD = "보류 중이 아닙니다. / The claim is not on hold."

#: steps of a return or exchange before its end
_RETURNING = frozenset({"RETURN_REQUEST", "COLLECTING", "COLLECT_DONE"})
_EXCHANGING = frozenset({"EXCHANGE_REQUEST", "COLLECTING", "COLLECT_DONE"})
_SENT_AGAIN = frozenset({"EXCHANGE_REDELIVERING", "EXCHANGE_DONE"})


class _Decision(Struct, frozen=True, kw_only=True):
    """One call that decides a claim.

    ``path`` is below ``claim/``. ``takes``: the claimStatus in which the mall takes it. ``is_held``:
    whether the claim must (not) be on hold, ``None`` when the mall does not mind. ``needs``: text fields
    of the action. ``body``: what is sent, ``None`` for no body. ``is_shown``: the claim shows the effect.
    ``stands``: the effect stood already, for certain.
    """

    kind: ClaimKind
    path: str
    takes: frozenset[str]
    is_shown: Callable[[Claim, LineAction], bool]
    is_held: bool | None = None
    needs: tuple[str, ...] = ()
    body: Callable[[LineAction], Mapping[str, Any]] | None = None
    stands: Callable[[Claim, LineAction], bool] = lambda _claim, _action: False


def _write(decision: _Decision) -> LineWrite:
    def wrong(action: LineAction, _now: datetime) -> str | None:
        return missing(action, *decision.needs)

    def stop(state: LineState, action: LineAction) -> Stop | None:
        claim = _claim_meant(state, decision, action)
        if claim is None:
            return refused(_NOTHING_OPEN[decision.kind])
        if action.claim is not None and action.claim.claim_key != claim.claim_key:
            return refused(_ANOTHER)
        return _not_now(claim, decision, action)

    async def send(client: SmartstoreClient, action: LineAction, _now: datetime, _state: LineState) -> Acted:
        body = None if decision.body is None else decision.body(action)
        operation = decision.path.replace("/", ".")
        return await client.act_on(action.line.line_no, f"claim/{decision.path}", body, operation=operation)

    def shows(before: LineState, after: LineState, action: LineAction) -> Outcome:
        meant = _claim_meant(before, decision, action)
        claim = next((claim for claim in after.claims if meant and claim.claim_key == meant.claim_key), None)
        if claim is None or meant is None or (claim.state, claim.raw_state) == (meant.state, meant.raw_state):
            return Outcome.UNKNOWN  # nothing has moved
        if decision.is_shown(claim, action):
            return Outcome.DONE
        return Outcome.REFUSED if claim.state in _ENDED or claim.raw_state in _SENT_AGAIN else Outcome.UNKNOWN

    return LineWrite(wrong=wrong, stop=stop, send=send, shows=shows)


_ENDED = frozenset({ClaimState.DONE, ClaimState.REJECTED, ClaimState.WITHDRAWN})


def _claim_meant(state: LineState, decision: _Decision, action: LineAction) -> Claim | None:
    """The claim of this kind that can still move; one whose effect stands already comes after those."""
    claims = [claim for claim in reversed(state.claims) if claim.kind is decision.kind]
    for claim in claims:
        if claim.raw_state in decision.takes or (claim.state.is_open and claim.state is not ClaimState.UNKNOWN):
            return claim
    return next((claim for claim in claims if decision.stands(claim, action)), None)


def _not_now(claim: Claim, decision: _Decision, action: LineAction) -> Stop | None:
    is_held = claim.state is ClaimState.HOLD
    if decision.stands(claim, action):
        return STANDS
    if claim.raw_state not in decision.takes:
        return refused(_NOT_NOW + claim.raw_state)
    if decision.is_held is False and is_held:
        return refused(_ON_HOLD)
    if decision.is_held is True and not is_held:
        return refused(_NOT_ON_HOLD)
    return None


# -- cancels

APPROVE_CANCEL = _write(
    _Decision(
        kind=ClaimKind.CANCEL,
        path="cancel/approve",
        takes=CANCEL_APPROVABLE,
        is_shown=lambda claim, _: claim.state in {ClaimState.DONE, ClaimState.REFUNDING},
    )
)


# -- holds, of returns and exchanges alike


def _is_on_hold(claim: Claim, _action: LineAction) -> bool:
    return claim.state is ClaimState.HOLD


def _is_released(claim: Claim, _action: LineAction) -> bool:
    return claim.state is not ClaimState.HOLD and claim.state not in _ENDED


def _is_refused(claim: Claim, _action: LineAction) -> bool:
    """The mall's one word for "refused" and "withdrawn"."""
    return claim.state is ClaimState.REJECTED


def _return_hold(action: LineAction) -> Mapping[str, Any]:
    """The fee of the way back is the mall's own sum; ``fee`` is asked for beside it, and the class says so."""
    code = RETURN_HOLD_SENT.get(action.hold_reason, "ETC")
    if action.fee and action.hold_reason is HoldReason.FEE_UNPAID:
        code = RETURN_HOLD_BOTH_FEES
    return {
        "holdbackClassType": code,
        "holdbackReturnDetailReason": action.text.strip(),
        "extraReturnFeeAmount": action.fee or 0,
    }


def _exchange_hold(action: LineAction) -> Mapping[str, Any]:
    return {
        "holdbackClassType": EXCHANGE_HOLD_SENT.get(action.hold_reason, "ETC"),
        "holdbackExchangeDetailReason": action.text.strip(),
        "extraExchangeFeeAmount": action.fee or 0,
    }


HOLD_RETURN = _write(
    _Decision(
        kind=ClaimKind.RETURN,
        path="return/holdback",
        takes=_RETURNING,
        is_held=False,
        needs=("text",),
        body=_return_hold,
        is_shown=_is_on_hold,
    )
)
RELEASE_RETURN = _write(
    _Decision(
        kind=ClaimKind.RETURN,
        path="return/holdback/release",
        takes=_RETURNING,
        is_held=True,
        is_shown=_is_released,
    )
)
HOLD_EXCHANGE = _write(
    _Decision(
        kind=ClaimKind.EXCHANGE,
        path="exchange/holdback",
        takes=_EXCHANGING,
        is_held=False,
        needs=("text",),
        body=_exchange_hold,
        is_shown=_is_on_hold,
    )
)
RELEASE_EXCHANGE = _write(
    _Decision(
        kind=ClaimKind.EXCHANGE,
        path="exchange/holdback/release",
        takes=_EXCHANGING,
        is_held=True,
        is_shown=_is_released,
    )
)


# -- returns

COMPLETE_RETURN = _write(
    _Decision(
        kind=ClaimKind.RETURN,
        path="return/approve",
        takes=_RETURNING,
        is_held=False,
        is_shown=lambda claim, _: claim.state is ClaimState.DONE,
    )
)
REFUSE_RETURN = _write(
    _Decision(
        kind=ClaimKind.RETURN,
        path="return/reject",
        takes=_RETURNING,
        is_held=False,
        needs=("text",),
        body=lambda action: {"rejectReturnReason": action.text.strip()},
        is_shown=_is_refused,
    )
)


# -- exchanges


def _is_collected(claim: Claim, _action: LineAction) -> bool:
    return claim.raw_state == "COLLECT_DONE" or claim.raw_state in _SENT_AGAIN


def _is_sent_again(claim: Claim, action: LineAction) -> bool:
    """By this very parcel; a claim that shows no parcel yet is taken for ours."""
    shown = claim.reship_tracking_no
    return claim.raw_state in _SENT_AGAIN and (shown is None or is_same_number(shown, action.tracking_no))


def _has_left_already(claim: Claim, action: LineAction) -> bool:
    is_same_carrier = claim.reship_carrier == (action.carrier or "").strip()
    return is_same_carrier and claim.reship_tracking_no is not None and _is_sent_again(claim, action)


def _new_parcel(action: LineAction) -> Mapping[str, Any]:
    return {
        "reDeliveryMethod": "DELIVERY",
        "reDeliveryCompany": (action.carrier or "").strip(),
        "reDeliveryTrackingNumber": (action.tracking_no or "").strip(),
    }


COLLECT_EXCHANGE = _write(
    _Decision(
        kind=ClaimKind.EXCHANGE,
        path="exchange/collect/approve",
        takes=frozenset({"EXCHANGE_REQUEST", "COLLECTING"}),
        is_shown=_is_collected,
        stands=lambda claim, _: claim.raw_state == "COLLECT_DONE",
    )
)
REDELIVER_EXCHANGE = _write(
    _Decision(
        kind=ClaimKind.EXCHANGE,
        path="exchange/dispatch",
        takes=frozenset({"COLLECT_DONE"}),
        is_held=False,
        needs=("carrier", "tracking_no"),
        body=_new_parcel,
        is_shown=_is_sent_again,
        stands=_has_left_already,
    )
)
REFUSE_EXCHANGE = _write(
    _Decision(
        kind=ClaimKind.EXCHANGE,
        path="exchange/reject",
        takes=_EXCHANGING,
        needs=("text",),
        body=lambda action: {"rejectExchangeReason": action.text.strip()},
        is_shown=_is_refused,
    )
)

"""How an answer is carried out at each mall: by its API as soon as one of the steps that are left is there."""

import pytest

from connectors.qoo10 import MANIFEST as QOO10
from connectors.smartstore import MANIFEST as SMARTSTORE
from hub.core.contract import Manifest
from hub.core.model import ClaimReason, ClaimState, LineStatus
from hub.desk.acting.mall_ways import ways_of
from hub.policy.card import MallCan, Request

_S = ClaimState


def _allow_and_refuse(manifest: Manifest, request: Request, claim: ClaimState) -> tuple[str, str]:
    """The action of each way, or how it can be done where no action does it."""
    ways = ways_of(manifest, request, claim=claim, status=LineStatus.DELIVERED, reason=ClaimReason.DEFECT)
    return tuple(way.action or way.can.value for way in ways)  # type: ignore[return-value]  # two of them


@pytest.mark.parametrize(
    ("manifest", "request_", "claim", "allow", "refuse"),
    [
        # approve takes a return that is requested, collecting or collected
        (SMARTSTORE, Request.RETURN, _S.REQUESTED, "complete-return", "refuse-return"),
        (SMARTSTORE, Request.RETURN, _S.COLLECTING, "complete-return", "refuse-return"),
        (SMARTSTORE, Request.RETURN, _S.COLLECTED, "complete-return", "refuse-return"),
        (SMARTSTORE, Request.RETURN, _S.HOLD, "release-return", "release-return"),
        # collect/approve takes an exchange that is requested or collecting, and comes before sending again
        (SMARTSTORE, Request.EXCHANGE, _S.REQUESTED, "collect-exchange", "refuse-exchange"),
        (SMARTSTORE, Request.EXCHANGE, _S.COLLECTING, "collect-exchange", "refuse-exchange"),
        (SMARTSTORE, Request.EXCHANGE, _S.COLLECTED, "redeliver-exchange", "refuse-exchange"),
        (SMARTSTORE, Request.EXCHANGE, _S.RESHIPPING, "admin", "refuse-exchange"),
        # no step of a return is in this API
        (QOO10, Request.RETURN, _S.REQUESTED, "admin", "admin"),
        (QOO10, Request.EXCHANGE, _S.REQUESTED, "accept-exchange", "admin"),
        (QOO10, Request.EXCHANGE, _S.COLLECTING, "redeliver-exchange", "admin"),
    ],
)
def test_a_step_that_the_api_lacks_gives_way_to_one_that_follows(
    manifest: Manifest, request_: Request, claim: ClaimState, allow: str, refuse: str
) -> None:
    assert _allow_and_refuse(manifest, request_, claim) == (allow, refuse)


def test_where_no_step_is_left_the_mall_says_the_way_of_the_next_one() -> None:
    way, _ = ways_of(QOO10, Request.RETURN, claim=_S.REQUESTED, status=LineStatus.DELIVERED, reason=ClaimReason.DEFECT)

    assert way.can is MallCan.ADMIN
    assert "QSM" in way.way_ko


def test_what_follows_comes_with_its_own_warning() -> None:
    way, _ = ways_of(
        SMARTSTORE, Request.RETURN, claim=_S.REQUESTED, status=LineStatus.DELIVERED, reason=ClaimReason.DEFECT
    )

    assert "refunds at once" in way.warning

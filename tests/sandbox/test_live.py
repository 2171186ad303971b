from datetime import UTC, datetime

import pytest

from hub.core.model import ClaimKind, ClaimReason, InventoryMode, LineStatus
from hub.sandbox.live import ENGRAVED, open_day
from hub.sandbox.world import make_world


@pytest.mark.parametrize("hour", [0, 5, 11, 18])
def test_the_day_opens_with_an_engraved_order_taken_back_in_every_shop(hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 20, tzinfo=UTC)
    world = make_world(now=lambda: now, orders=300)

    open_day(world)

    for spec in world.shops.values():
        (line,) = world.orders(spec.name)[-1].lines
        claim = world.open_claim(line)
        assert claim is not None
        assert (claim.kind, claim.reason) == (ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND)
        assert line.status(now) is LineStatus.PREPARING
        assert line.item.option == ENGRAVED[spec.country]
    claims = [
        (line.item.mode, claim.kind, claim.reason)
        for spec in world.shops.values()
        for order in world.orders(spec.name)
        for line in order.lines
        for claim in line.claims
        if claim.requested_at == now
    ]
    assert (InventoryMode.THIRD_PARTY_LOGISTICS, ClaimKind.RETURN, ClaimReason.DEFECT) in claims

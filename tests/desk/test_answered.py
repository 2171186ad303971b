"""A mall that answers a person is there, whatever the schedule thinks of it; what it tells may be an incident."""

from typing import Any

import pytest

from hub.core.contract import Outcome, Reading
from hub.core.errors import MallError, OutcomeUnknownError, RejectedByMallError, TransientMallError, UnavailableError
from hub.core.model import Order
from hub.desk.access import Actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.reread import read_case_again
from hub.desk.shops.incidents import read_incidents
from hub.sync.breaker import Breaker, BreakerState
from tests.desk.invented import Rig, line, order
from tests.desk.test_incidents import claimed

SHOP = "alpha-main"


def breaker(rig: Rig) -> Breaker:
    return Breaker(rig.database, rig.shops[SHOP].id, now=rig.now)


async def open_breaker(rig: Rig) -> None:
    for _ in range(2):
        await breaker(rig).failed(UnavailableError("down"))
    assert (await breaker(rig).view()).state is BreakerState.OPEN


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.DONE, BreakerState.CLOSED),
        (RejectedByMallError("no", mall_message="안 됩니다"), BreakerState.CLOSED),
        (TransientMallError("could not reach the mall"), BreakerState.OPEN),
        (OutcomeUnknownError("no answer in time"), BreakerState.OPEN),
    ],
    ids=["done", "refused", "unsent", "lost"],
)
async def test_an_action_that_the_mall_answers_closes_the_breaker(
    rig: Rig, agent: Actor, outcome: Outcome | MallError, state: BreakerState
) -> None:
    await rig.write(SHOP, order("X", line("X-1")))
    await open_breaker(rig)
    rig.connectors[SHOP].outcome = outcome
    request = ActionRequest(action=Action.MEMO, shop=SHOP, order_no="X", line_no="X-1", text="메모", confirmed=True)

    await act(rig, agent, request)

    assert (await breaker(rig).view()).state is state


async def test_a_case_read_again_closes_the_breaker_and_shows_an_incident(
    rig: Rig, agent: Actor, supervisor: Actor
) -> None:
    orders = [claimed(f"A{number}") for number in range(5)]
    await rig.write(SHOP, *orders)
    await open_breaker(rig)
    mall = _Mall(orders[0])
    connector: Any = rig.connectors[SHOP]
    connector.read_order = mall.read_order
    case_id = await rig.case_id(SHOP, order_no="A0")

    mall.error = UnavailableError("down")
    with pytest.raises(UnavailableError):
        await read_case_again(rig, actor=agent, case_id=case_id)
    assert (await breaker(rig).view()).state is BreakerState.OPEN
    mall.error = None
    assert await read_incidents(rig, actor=supervisor) == ()
    await read_case_again(rig, actor=agent, case_id=case_id)

    assert (await breaker(rig).view()).state is BreakerState.CLOSED
    (incident,) = await read_incidents(rig, actor=supervisor)
    assert incident.count == 5


class _Mall:
    def __init__(self, shown: Order) -> None:
        self.shown = shown
        self.error: MallError | None = None

    async def read_order(self, order_no: str, _line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        if self.error is not None:
            raise self.error
        return (Reading(key=order_no, raw=b"{}", record=self.shown),)

import asyncio
import json

import httpx
import pytest

from hub.sandbox.asgi import Response, app_of
from hub.sandbox.faults import Fault, FaultPlan, FaultyApp, PlannedRowFaults
from hub.sandbox.kit import CLAIM_COLUMNS, LeakyBucket, claim_row
from hub.sandbox.serve import serving


def mall_app():
    return app_of(lambda request: Response(content={"path": request.path, "rows": [1, 2, 3]}))


async def answers(app, count: int = 1) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mall") as client:
        return [await client.get("/list", params={"q": "가+나"}) for _ in range(count)]


def test_a_truth_row_has_every_column_in_order() -> None:
    row = claim_row(shop="a", kind="cancel")

    assert tuple(row) == CLAIM_COLUMNS
    assert row["claim_no"] is None
    with pytest.raises(TypeError, match="no such column"):
        claim_row(colour="red")


def test_a_bucket_refuses_when_full_and_drains() -> None:
    now = [0.0]
    bucket = LeakyBucket(capacity=2, per_second=2, clock=lambda: now[0])

    poured = [bucket.pour() for _ in range(3)]
    wait = bucket.wait_seconds()
    now[0] += wait

    assert poured == [True, True, False]
    assert wait == 0.5
    assert bucket.pour()


async def test_a_scripted_night_strikes_in_its_order() -> None:
    plan = FaultPlan(script=[None, Fault.HTTP_500, Fault.HTTP_429, Fault.HTML_200, Fault.TRUNCATED_JSON])

    replies = await answers(FaultyApp(mall_app(), plan), 6)

    assert [reply.status_code for reply in replies] == [200, 500, 429, 200, 200, 200]
    assert replies[3].headers["content-type"].startswith("text/html")
    with pytest.raises(json.JSONDecodeError):
        replies[4].json()
    assert replies[5].json()["rows"] == [1, 2, 3]
    assert sum(plan.struck.values()) == 4


async def test_a_lost_answer_still_reached_the_mall() -> None:
    reached = []
    app = app_of(lambda request: reached.append(request.path) or Response(content={}))

    replies = await answers(FaultyApp(app, FaultPlan(script=[Fault.LOST_ANSWER])))

    assert (replies[0].status_code, reached) == (502, ["/list"])


async def test_a_timeout_waits_and_never_reaches_the_mall() -> None:
    slept, reached = [], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    app = app_of(lambda request: reached.append(request.path) or Response(content={}))
    replies = await answers(FaultyApp(app, FaultPlan(script=[Fault.TIMEOUT]), sleep=sleep, hang_seconds=90))

    assert (replies[0].status_code, slept, reached) == (504, [90], [])


async def test_chances_follow_the_seed_and_spare_other_paths() -> None:
    def plan(only: str) -> FaultPlan:
        return FaultPlan(seed=3, chances={Fault.HTTP_500: 0.5}, only=only)

    one = [reply.status_code for reply in await answers(FaultyApp(mall_app(), plan("/list")), 20)]
    again = [reply.status_code for reply in await answers(FaultyApp(mall_app(), plan("/list")), 20)]
    spared = [reply.status_code for reply in await answers(FaultyApp(mall_app(), plan("/other")), 20)]

    assert one == again
    assert set(one) == {200, 500}
    assert set(spared) == {200}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.DUPLICATE_ROWS, [1, 2, 3, 1, 3]),
        (Fault.SHIFTING_ROWS, [2, 3]),
        (Fault.BAD_RECORD, [1, 2, "broken"]),
    ],
)
def test_rows_are_spoilt_as_planned(fault: Fault, expected: list[object]) -> None:
    rows = [1, 2, 3]
    faults = PlannedRowFaults(FaultPlan(chances={fault: 1.0}), break_record=lambda _row: "broken")

    assert faults.spoil(rows, path="/list") == expected
    assert rows == [1, 2, 3]
    assert faults.spoil([], path="/list") == []


def test_a_scripted_row_fault_waits_for_the_rows_of_its_request() -> None:
    plan = FaultPlan(script=[Fault.SHIFTING_ROWS])
    faults = PlannedRowFaults(plan, break_record=str)

    whole_answer = plan.next_fault("/list", among_rows=False)

    assert whole_answer is None
    assert faults.spoil([1, 2], path="/list") == [2]
    assert faults.spoil([1, 2], path="/list") == [1, 2]


class OneMall:
    mall, shop, app = "any", "one", staticmethod(mall_app())

    def shop_table(self, base_url_root: str) -> dict:
        return {"base_url": base_url_root}

    def truth(self):
        raise NotImplementedError


async def test_a_mall_answers_on_its_port_while_it_is_served(unused_tcp_port: int) -> None:
    async with serving([OneMall()], ports=[unused_tcp_port]), httpx.AsyncClient() as client:
        reply = await client.get(f"http://127.0.0.1:{unused_tcp_port}/list")

    assert reply.json()["path"] == "/list"
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{unused_tcp_port}/list")
    await asyncio.sleep(0)


async def test_each_mall_needs_a_port() -> None:
    with pytest.raises(ValueError, match="as many ports"):
        async with serving([OneMall()], ports=[]):
            pass

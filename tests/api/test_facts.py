"""Facts told and read by other systems."""

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.desk.access import Role
from hub.store.tables import lines, orders
from tests.api.conftest import SHOP, SignIn


@pytest.fixture
async def place(hub: Hub) -> dict[str, str]:
    """An order that waits to be sent, and its line."""
    query = (
        select(orders.c.order_no, lines.c.line_no)
        .select_from(lines.join(orders, orders.c.id == lines.c.order_id))
        .where(lines.c.status == "preparing")
        .limit(1)
    )
    async with hub.database.reading() as connection:
        row = (await connection.execute(query)).one()
    return {"shop": SHOP, "order_no": row.order_no, "line_no": row.line_no}


async def _tell(sign_in: SignIn, **body):
    agent = await sign_in(Role.AGENT)
    await agent.get("/api/v1/status")
    answer = await agent.post("/api/v1/line-facts", json=body, headers={"x-csrftoken": agent.cookies["hub_csrf"]})
    return agent, answer


async def test_another_system_tells_facts_and_reads_the_stage(sign_in: SignIn, place: dict[str, str]):
    agent, answer = await _tell(
        sign_in,
        rows=[
            {**place, "fact": "overseas_ordered", "at": "2026-11-18T09:00:00+09:00", "reference": "112-7"},
            {**place, "fact": "overseas_dispatched", "at": "2026-11-19"},
            {**place, "fact": "forwarder_in", "state": "not_happened"},
            {**place, "order_no": "none", "fact": "forwarder_in", "state": "not_happened"},
        ],
    )

    assert answer.status_code == 200
    told = answer.json()
    assert (told["written"], told["unchanged"], told["problem_count"]) == (3, 0, 1)
    assert [(each["row"], each["key"]) for each in told["problems"]] == [(4, "unknown_line")]
    read = (await agent.get("/api/v1/line-facts", params={k: place[k] for k in ("shop", "order_no")})).json()
    (line,) = [each for each in read["lines"] if each["line_no"] == place["line_no"]]
    assert line["finding"]["stage"] == "2"
    assert line["facts"]["overseas_ordered"]["reference"] == "112-7"
    assert [each["source"] for each in line["history"]] == ["api", "api", "api"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"at": "soon"}, "rows[1].at"),
        ({"at": None}, "neither at nor state"),
        ({"fact": "arrived"}, "fact"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_a_400_that_says_why(sign_in: SignIn, place: dict[str, str], change, named: str):
    _, answer = await _tell(sign_in, rows=[{**place, "fact": "forwarder_in", "at": "2026-11-19", **change}])

    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]

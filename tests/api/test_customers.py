"""Customers and the work on cases, as other programs reach them."""

import re
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from hub.api.customers import Customer
from hub.api.shapes import shape_of
from hub.bootstrap import Hub
from hub.desk.access import Role
from hub.store.sealed import ORDER_PLACE, unpack_order
from hub.store.tables import access_log, case_moves, cases, orders
from tests.api.conftest import NOW, Client, SignIn

_CLEAR = re.compile(r"(?<!\d)01\d-?\d{3,4}-?\d{4}(?!\d)")


async def _post(client: Client, path: str, body: dict):
    await client.get("/api/v1/connectors")
    return await client.post(f"/api/v1{path}", json=body, headers={"x-csrftoken": client.cookies["hub_csrf"]})


@pytest.fixture
async def buyer(hub: Hub):
    """The buyer of an order, with the order's id."""
    query = select(orders.c.id, orders.c.sealed).where(orders.c.buyer_phone_idx.is_not(None)).order_by(orders.c.id)
    async with hub.database.reading() as connection:
        row = (await connection.execute(query.limit(1))).one()
    return row.id, unpack_order(hub.database.box.open(row.sealed, ORDER_PLACE)).buyer


async def test_a_customer_is_found_by_phone_or_mail_and_read_masked(sign_in: SignIn, buyer):
    order_id, party = buyer
    agent = await sign_in(Role.AGENT)

    by_phone = await _post(agent, "/customers/find", {"phone": party.phone})
    by_mail = await _post(agent, "/customers/find", {"email": party.email.upper()})
    nobody = await _post(agent, "/customers/find", {"phone": "010-0000-0000"})
    ref = by_phone.json()["customers"][0]["ref"]
    page = await agent.get(f"/api/v1/customers/{ref}", params={"kind": "order"})

    assert nobody.json() == {"customers": [], "is_cut": False}
    assert ref in [each["ref"] for each in by_mail.json()["customers"]]
    read = page.json()
    assert str(order_id) in [entry["order_id"] for entry in read["history"]]
    assert {entry["kind"] for entry in read["history"]} == {"order"}
    assert read["identities"][0]["person"]["name"] != party.name
    for answer in (by_phone, by_mail, page):
        assert answer.status_code == 200
        assert party.phone not in answer.text
        assert not _CLEAR.search(answer.text)
    msgspec.json.decode(page.content, type=shape_of(Customer))


async def test_a_customer_in_the_clear_wants_a_reason_and_is_logged(hub: Hub, sign_in: SignIn, buyer):
    order_id, party = buyer
    agent = await sign_in(Role.AGENT)

    bare = await _post(agent, f"/customers/order-{order_id}/unmask", {"reason": "  "})
    clear = await _post(agent, f"/customers/order-{order_id}/unmask", {"reason": "calls back"})
    order = await _post(agent, f"/orders/{order_id}/unmask", {"reason": "calls back"})

    assert bare.status_code == 400
    assert clear.json()["identities"][0]["person"]["phone"] == party.phone
    assert order.json()["person"]["buyer"]["phone"] == party.phone
    async with hub.database.reading() as connection:
        logged = await connection.execute(select(access_log.c.subject).where(access_log.c.action == "unmask"))
        assert [row.subject for row in logged] == [f"customer order-{order_id}", f"order {order_id}"]


async def test_a_customer_is_marked_joined_and_taken_back(sign_in: SignIn, hub: Hub):
    agent = await sign_in(Role.AGENT)
    newest = (
        select(func.max(orders.c.id)).where(orders.c.buyer_phone_idx.is_not(None)).group_by(orders.c.buyer_phone_idx)
    )
    async with hub.database.reading() as connection:
        one, other = (f"order-{each}" for each in sorted(await connection.scalars(newest))[:2])

    marked = await _post(agent, f"/customers/{one}/marks", {"kind": "hard_case", "reason": "shouts"})
    endless = await _post(agent, f"/customers/{one}/marks", {"kind": "abuse", "reason": "x"})
    joined = await _post(agent, "/customers/decisions", {"one": one, "other": other, "verdict": "same"})
    against = await _post(agent, "/customers/decisions", {"one": one, "other": other, "verdict": "different"})
    page = (await agent.get(f"/api/v1/customers/{other}")).json()
    undone = await _post(agent, f"/customers/decisions/{page['links'][0]['link_id']}/undo", {})
    mark_id = page["marks"][0]["mark_id"]
    cleared = await _post(agent, f"/customers/marks/{mark_id}/clear", {"reason": "was kind"})
    listed = (await agent.get("/api/v1/customers/marks")).json()

    assert [each.status_code for each in (marked, joined, undone, cleared)] == [200, 200, 200, 200]
    assert (endless.status_code, against.status_code) == (400, 400)
    assert page["marks"][0] | {"kind": "hard_case", "is_sure": True} == page["marks"][0]
    assert {each["standing"] for each in page["identities"]} >= {"same", "confirmed"}
    assert [(each["mark_id"], each["is_over"]) for each in listed["marks"]] == [(mark_id, True)]


NONSENSE = [
    ("/customers/find", {}, 400),
    ("/customers/find", {"phone": "call me"}, 400),
    ("/customers/find", {"email": "nowhere"}, 400),
    ("/customers/find", {"name": "김"}, 400),
    ("/customers/order-0/unmask", {"reason": "x"}, 404),
    ("/customers/nobody/marks", {"kind": "abuse", "reason": "x", "days": 3}, 404),
    ("/customers/order-1/marks", {"kind": "abuse", "reason": "x", "days": 400}, 400),
    ("/customers/marks/9/clear", {"reason": "x"}, 404),
    ("/customers/decisions", {"one": "order-1", "other": "order-2", "verdict": "perhaps"}, 400),
    ("/cases/assign", {"case_ids": [], "user_id": "1"}, 400),
    ("/cases/assign", {"case_ids": ["1"], "user_id": "9"}, 404),
    ("/cases/queue", {"case_ids": ["x"], "team_id": "1"}, 404),
    ("/cases/snooze", {"case_ids": ["1"], "until": "2026-11-21T09:00:00"}, 400),
    ("/cases/snooze", {"case_ids": ["1"], "until": "2020-11-21T09:00:00Z"}, 400),
    ("/cases/1/lock", {"do": "steal"}, 400),
    ("/cases/1/lock", {"do": "keep"}, 404),
    ("/cases/1/notes", {"text": "x"}, 404),
    ("/cases/1/unmask", {"reason": ""}, 400),
]


async def test_what_makes_no_sense_is_refused_and_repeats_nothing(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)

    for path, body, status in NONSENSE:
        answer = await _post(agent, path, body)
        assert (path, body, answer.status_code) == (path, body, status)
        assert "call me" not in answer.text


async def test_a_case_is_given_laid_aside_held_and_noted(hub: Hub, sign_in: SignIn):
    agent, supervisor = await sign_in(Role.AGENT), await sign_in(Role.SUPERVISOR)
    people = {each["login"]: each["user_id"] for each in (await agent.get("/api/v1/people")).json()["people"]}
    far = select(cases.c.id).where(cases.c.is_open).order_by(cases.c.due_at.desc(), cases.c.id).limit(1)
    async with hub.database.reading() as connection:
        case_id = str(await connection.scalar(far))

    until = (NOW + timedelta(hours=1)).isoformat()
    mine = await _post(agent, "/cases/assign", {"case_ids": [case_id], "user_id": people["agent"]})
    slept = await _post(agent, "/cases/snooze", {"case_ids": [case_id], "until": until})
    woken = await _post(agent, "/cases/wake", {"case_ids": [case_id]})
    held = await _post(agent, f"/cases/{case_id}/lock", {"do": "keep"})
    seen = await supervisor.get(f"/api/v1/cases/{case_id}/lock")
    asked = await _post(supervisor, f"/cases/{case_id}/lock", {"do": "ask"})
    granted = await _post(agent, f"/cases/{case_id}/lock", {"do": "grant"})
    forbidden = await _post(agent, f"/cases/{case_id}/lock", {"do": "override"})
    noted = await _post(agent, f"/cases/{case_id}/notes", {"text": "@supervisor please look", "token": "n1"})
    theirs = await _post(supervisor, "/cases/assign", {"case_ids": [case_id], "user_id": people["supervisor"]})
    taken = await _post(agent, f"/cases/{case_id}/release", {})
    free = await _post(supervisor, f"/cases/{case_id}/release", {})

    assert mine.json() == {"changed": [case_id], "left": 0}
    assert (slept.json()["changed"], woken.json()) == ([case_id], {"count": 1})
    assert (held.json()["state"], seen.json()["state"], seen.json()["holder"]) == ("mine", "others", "agent")
    assert (asked.json()["is_asker"], granted.json()["state"], forbidden.status_code) == (True, "others", 403)
    assert noted.json() == {"called": ["supervisor"], "unknown": []}
    assert (theirs.json()["changed"], taken.status_code, free.status_code) == ([case_id], 409, 200)
    assert taken.json()["error"]["code"] == "taken"
    async with hub.database.reading() as connection:
        moves = await connection.scalars(select(case_moves.c.move).order_by(case_moves.c.id))
        assert list(moves) == ["taken", "snoozed", "woken", "taken", "released"]

import json
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from litestar import Litestar
from litestar.di import Provide
from sqlalchemy import select

from hub.api.router import ROUTES, create_api_router
from hub.api.shapes import shape_of, to_json
from hub.bootstrap import Hub
from hub.desk.access import Actor, Role, command_line_actor
from hub.desk.views import CaseView
from hub.desk.worklist import rows as worklist
from hub.desk.worklist.locks import give_back, keep
from hub.desk.worklist.rows import Filters, View, read_worklist
from hub.store.tables import access_log, cases, inquiries, orders
from ivr.counts import count_calls
from tests.api.conftest import CALLS, SHOP, SignIn

SEOUL = ZoneInfo("Asia/Seoul")
DAYS = {"from": "2026-11-14", "to": "2026-11-21"}
GETS = [
    "/cases",
    "/cases/1",
    "/orders/1",
    "/search?q=1",
    "/customers/marks",
    "/customers/order-1",
    "/people",
    "/cases/1/lock",
    "/line-facts?shop=a&order_no=1",
    "/status",
    "/connectors",
    "/stats/inquiries",
    "/stats/calls",
    "/stats/inquiries/rows?from=2026-11-14&to=2026-11-21",
    "/stats/calls/rows?from=2026-11-14&to=2026-11-21",
    "/export/lines",
]
SUPERVISORS_ONLY = [path for path in GETS if path.startswith(("/stats", "/export"))]


def error_code(answer) -> str:
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "fix"}
    assert error["message"]
    return error["code"]


# Who may.


@pytest.mark.parametrize("path", GETS)
async def test_without_a_session_nothing_is_told(stranger, path: str):
    answer = await stranger.get(f"/api/v1{path}", follow_redirects=False)

    assert (answer.status_code, error_code(answer)) == (401, "not_signed_in")


async def test_an_agent_works_cases_but_sees_no_figures(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)

    for path in SUPERVISORS_ONLY:
        answer = await agent.get(f"/api/v1{path}")
        assert (path, answer.status_code, error_code(answer)) == (path, 403, "forbidden")
    assert (await agent.get("/api/v1/cases")).status_code == 200


async def test_a_post_needs_its_token(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)
    body = {"q": "x"}

    bare = await agent.post("/api/v1/search", json=body)
    await agent.get("/api/v1/status")
    signed = await agent.post("/api/v1/search", json=body, headers={"x-csrftoken": agent.cookies["hub_csrf"]})

    assert (bare.status_code, error_code(bare)) == (403, "csrf")
    assert signed.status_code == 200


# What is told.


async def test_every_case_stands_on_exactly_one_page(hub: Hub, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worklist, "PAGE", 5)
    agent = await sign_in(Role.AGENT)
    for view in (View.OPEN, View.CLOSED):
        expected, cursor = [], None
        while True:
            page = await read_worklist(hub, actor=command_line_actor(), filters=Filters(view=view), cursor=cursor)
            expected += [str(row.case_id) for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        seen, cursor = [], None
        while True:
            params = {"view": view.value, **({"cursor": cursor} if cursor else {})}
            answer = (await agent.get("/api/v1/cases", params=params)).json()
            seen += [row["case_id"] for row in answer["rows"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                break
        assert seen == expected
        assert len(set(seen)) == len(seen)
    assert len(seen) > 10, "several pages"


async def test_a_case_and_an_order_are_told_masked_with_text_ids_and_utc(hub: Hub, sign_in: SignIn):
    agent = await sign_in(Role.AGENT)
    rows = (await agent.get("/api/v1/cases", params={"kind": "cancel", "view": "closed"})).json()["rows"]

    answer = await agent.get(f"/api/v1/cases/{rows[0]['case_id']}")
    case = answer.json()
    order = (await agent.get(f"/api/v1/orders/{case['dossier']['order']['order_id']}")).json()

    assert case["row"]["case_id"] == rows[0]["case_id"]
    assert order["order"] == case["dossier"]["order"]
    assert not re.search(r'_id":\s*\d', answer.text)
    assert "•" in case["dossier"]["person"]["buyer"]["phone"]
    assert not re.search(r"(?<!\d)01\d-?\d{3,4}-?\d{4}(?!\d)", answer.text)
    opened = case["row"]["opened_at"]
    assert opened.endswith("Z")
    assert datetime.fromisoformat(opened).tzinfo == UTC
    msgspec.json.decode(answer.content, type=shape_of(CaseView))


@pytest.mark.parametrize("row_id", ["1", "0", "-1", "abc", "9" * 19, "9" * 40, "1.5", "%00", "٣"])
@pytest.mark.parametrize("what", ["cases", "orders"])
async def test_what_does_not_exist_is_not_found(sign_in: SignIn, what: str, row_id: str):
    answer = await (await sign_in(Role.AGENT)).get(f"/api/v1/{what}/{row_id}")

    assert (answer.status_code, error_code(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "/cases?view=nothing",
        "/cases?kind=nothing",
        "/cases?cursor=x",
        "/search",
        "/search?q=010-1234-5678",
        "/search?q=someone@example.com",
        "/stats/calls?from=yesterday",
        "/stats/calls?from=2026-11-21&to=2026-11-20",
        "/stats/calls?from=2020-01-01&to=2026-11-20",
        "/stats/calls?by=shop",
        "/stats/inquiries?by=mall,nothing",
        "/stats/calls/rows",
        "/stats/calls/rows?from=2026-11-14&to=2026-11-21&figure=nothing",
        "/stats/calls/rows?from=2026-11-14&to=2026-11-21&cursor=nothing",
        "/stats/inquiries/rows?from=2026-11-14&to=2026-11-21&cursor=1",
        "/export/lines?from=x",
    ],
)
async def test_a_question_that_makes_no_sense_is_a_400_that_says_why(sign_in: SignIn, query: str):
    answer = await (await sign_in(Role.SUPERVISOR)).get(f"/api/v1{query}")

    assert (answer.status_code, error_code(answer)) == (400, "wrong_request")


async def test_unknown_paths_methods_and_shops_answer_as_json(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)

    for method, path, status, code in (
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/cases/1/2/3", 404, "not_found"),
        ("PUT", "/cases", 405, "method_not_allowed"),
        ("GET", "/export/nothing", 400, "wrong_request"),
        ("GET", "/export/lines?shop=nothing", 409, "configuration"),
    ):
        answer = await supervisor.request(method, f"/api/v1{path}")
        assert (path, answer.status_code, error_code(answer)) == (path, status, code)
    page = await supervisor.get("/nothing")
    assert page.headers["content-type"].startswith("text/html")


async def test_search_finds_an_order_by_number_and_by_phone_in_the_body(hub: Hub, sign_in: SignIn):
    agent = await sign_in(Role.AGENT)
    async with hub.database.reading() as connection:
        row = (await connection.execute(select(orders.c.id, orders.c.order_no))).first()
    assert row is not None

    by_number = (await agent.get("/api/v1/search", params={"q": row.order_no})).json()
    by_phone = await agent.post(
        "/api/v1/search", json={"q": "010-1234-5678"}, headers={"x-csrftoken": agent.cookies["hub_csrf"]}
    )

    assert [found["order_id"] for found in by_number["orders"]] == [str(row.id)]
    assert by_phone.json()["searched"] == ["number", "phone", "name", "product", "text"]


async def test_an_answer_reaches_the_mall_once(hub: Hub, sign_in: SignIn):
    agent = await sign_in(Role.AGENT)
    waiting = inquiries.select().where(inquiries.c.state == "unanswered").order_by(inquiries.c.id)
    async with hub.database.reading() as connection:
        row = (await connection.execute(waiting)).first()
    assert row is not None
    await agent.get("/api/v1/status")
    headers = {"x-csrftoken": agent.cookies["hub_csrf"]}
    body = {
        "action": "answer-inquiry",
        "shop": SHOP,
        "inquiry_no": row.inquiry_no,
        "text": "오늘 보냅니다.",
        "token": "t1",
    }
    async with hub.database.reading() as connection:
        case_id = await connection.scalar(select(cases.c.id).where(cases.c.thread_no == row.thread_no))
        holder = Actor(user_id=7, login="holder", name="holder", role=Role.AGENT)
    await keep(hub, actor=holder, case_id=case_id or 0)
    held = await agent.post("/api/v1/actions", json=body, headers=headers)
    assert (held.status_code, error_code(held)) == (409, "held")
    await give_back(hub, actor=holder, case_id=case_id or 0)

    first = await agent.post("/api/v1/actions", json=body, headers=headers)
    again = await agent.post("/api/v1/actions", json=body, headers=headers)

    assert first.status_code == 200
    assert first.json()["outcome"] == "done"
    assert again.json()["action_id"] == first.json()["action_id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "wrong_request"),
        ({"action": "nothing", "shop": SHOP}, 400, "wrong_request"),
        ({"action": "answer-inquiry", "shop": SHOP, "inquiry_no": "1", "text": " "}, 400, "wrong_request"),
        ({"action": "answer-inquiry", "shop": SHOP, "inquiry_no": "no such", "text": "x"}, 404, "not_found"),
        ({"action": "answer-inquiry", "shop": "nothing", "inquiry_no": "1", "text": "x"}, 409, "configuration"),
    ],
)
async def test_an_action_that_cannot_be_is_refused_unsent(sign_in: SignIn, body: dict, status: int, code: str):
    agent = await sign_in(Role.AGENT)
    await agent.get("/api/v1/status")

    answer = await agent.post("/api/v1/actions", json=body, headers={"x-csrftoken": agent.cookies["hub_csrf"]})

    assert (answer.status_code, error_code(answer)) == (status, code)


async def test_status_and_connectors_tell_of_every_shop_and_mall(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)

    status = (await agent.get("/api/v1/status")).json()
    malls = (await agent.get("/api/v1/connectors")).json()["malls"]

    assert [(shop["shop"], shop["complete"]) for shop in status["shops"]] == [(SHOP, True)]
    assert {"cafe24", "qoo10", "smartstore"} <= {mall["mall"] for mall in malls}


# Figures and files.


async def test_the_calls_figures_are_those_of_the_records_and_open_to_their_rows(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)

    report = (await supervisor.get("/api/v1/stats/calls", params=DAYS)).json()

    expected = [msgspec.to_builtins(row) for row in count_calls(CALLS, zone=SEOUL)]
    assert report["rows"] == expected
    assert set(report["definitions"]) == set(report["columns"]) - {"mall", "line", "hour"}
    cell = max(report["rows"], key=lambda row: row["offered"])
    rows = await supervisor.get(
        "/api/v1/stats/calls/rows",
        params={**DAYS, "mall": cell["mall"] or "-", "line": cell["line"] or "-", "figure": "answered"},
    )
    answered = sum(row["answered"] for row in expected if (row["mall"], row["line"]) == (cell["mall"], cell["line"]))
    assert (rows.json()["total"], len(rows.json()["rows"])) == (answered, answered)


async def test_the_inquiry_figures_add_up_to_their_rows(sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)

    report = (await supervisor.get("/api/v1/stats/inquiries", params={"by": "channel"})).json()

    for cell in report["rows"]:
        if not cell["channel"].startswith("call_"):
            span = {"from": "2026-01-01", "to": "2026-12-01"}
            answer = await supervisor.get("/api/v1/stats/inquiries/rows", params={**span, "channel": cell["channel"]})
            assert answer.json()["total"] == cell["inquiries"] > 0


@pytest.mark.parametrize("kind", ["orders", "lines", "claims", "inquiries", "cases", "calls"])
async def test_an_export_streams_masked_rows_and_is_logged(hub: Hub, sign_in: SignIn, kind: str):
    supervisor = await sign_in(Role.SUPERVISOR)

    answer = await supervisor.get(f"/api/v1/export/{kind}")

    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert len(rows) > 0
    assert not re.search(r"(?<!\d)01\d-\d{3,4}-\d{4}", answer.text)
    async with hub.database.reading() as connection:
        logged = (await connection.execute(select(access_log.c.login, access_log.c.subject))).all()
    assert ("supervisor", f"export {kind}") in [tuple(row) for row in logged]


# The description.


async def test_the_description_names_every_route_with_its_shapes(stranger):
    document = (await stranger.get("/api/v1/openapi.json")).json()

    services = Provide(lambda: None, sync_to_thread=False)
    app = Litestar([create_api_router()], dependencies={"services": services}, openapi_config=None)
    served = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in app.routes
        for method in route.methods
        if method != "OPTIONS" and not route.path.endswith("openapi.json")
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == served
    assert len(described) == len(ROUTES)
    assert document["openapi"].startswith("3.1")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["responses"]["200"]["description"], (method, path)
            assert operation["description"], (method, path)
    assert document["components"]["securitySchemes"]["session"]["name"] == "hub_session"


async def test_every_reference_of_the_description_leads_somewhere_and_ids_are_text(stranger):
    text = (await stranger.get("/api/v1/openapi.json")).text
    document = json.loads(text)

    schemas = document["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in re.findall(r'"\$ref":"([^"]+)"', text)} <= set(schemas)
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if name.endswith("_id"):
                kinds = {field.get("type"), *(option.get("type") for option in field.get("oneOf", []))}
                assert "integer" not in kinds, name


def test_whole_numbers_that_are_no_ids_stay_numbers():
    assert to_json({"case_id": 2**62, "count": 3, "nested": [{"line_id": 1}], "member_id": "m"}) == (
        b'{"case_id":"4611686018427387904","count":3,"nested":[{"line_id":"1"}],"member_id":"m"}'
    )

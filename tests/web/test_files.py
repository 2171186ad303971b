"""The files' pages in a browser without scripts, over a hub with one shop that is read from files."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response
from litestar.testing import TestClient
from msgspec.structs import replace

from hub.bootstrap import Hub, open_hub
from hub.core.files import ColumnLook, ColumnRule, FileField, FileKind, FileLook, Layout
from hub.desk.files.importing import DraftView
from hub.desk.users import create_user
from hub.settings import Settings
from hub.web.app import make_app
from hub.web.shops.file_forms import layout_of, pasted_rows
from tests.desk.invented import NOW
from tests.web.conftest import LOGINS, PASSWORD, Browser

HEAD = "주문번호,순번,상품명,수량,주문상태,주문일시,수취인,연락처"
FIRST = "A-1,1,<b>머그컵</b>,2,S20,2026-11-20 10:00,홍길동,010-0000-0001"
BAD = "A-2,1,접시,둘,배송중,2026-11-20 11:00,김철수,010-0000-0002"


def _file(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *rows)).encode("utf-8-sig")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    settings = Settings(home=tmp_path / "home", log_level="ERROR")

    async def prepare() -> Hub:
        async with open_hub(settings, now=lambda: NOW) as hub:
            await hub.add_shop(name="welfare", mall="sheet", base_url=None, credentials={})
            for login, role in LOGINS.items():
                await create_user(hub.database, login=login, name=login, role=role, password=PASSWORD, at=NOW)
            return hub

    return asyncio.run(prepare())


@pytest.fixture
def browser(hub: Hub) -> Iterator[Browser]:
    with TestClient(make_app(hub)) as client:
        yield Browser(client, hub)  # type: ignore[arg-type]  # what a browser asks of it is the same
        client.blocking_portal.call(hub.database.aclose)


def _upload(browser: Browser, body: bytes, *, kind: str = "orders", name: str = "주문 <1>.csv") -> Response:
    return browser.client.post(
        "/files",
        data={"_csrf_token": browser.token(), "shop": "welfare", "kind": kind},
        files={"file": (name, body)},
        follow_redirects=False,
    )


def _choices(page: str) -> dict[str, str]:
    """What a browser would send of the columns' form as it stands."""
    found = {}
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def _imported(browser: Browser, draft: str) -> str:
    answer = browser.post(f"{draft}/import")
    assert answer.status_code == 303
    for _ in range(100):
        page = browser.get(answer.headers["location"]).text
        if "<progress" not in page:
            return page
        time.sleep(0.05)
    raise AssertionError("the import does not end")


def test_from_upload_to_result(browser: Browser):
    browser.sign_in("lee")
    draft = _upload(browser, _file(FIRST, BAD)).headers["location"]
    columns = browser.get(draft)
    assert (columns.status_code, columns.headers["location"]) == (303, f"{draft}/columns")
    page = browser.get(f"{draft}/columns").text
    choices = _choices(page)
    assert [choices[f"c{place}"] for place in range(5)] == [
        "order_no", "line_no", "product_name", "quantity", "status"
    ]  # fmt: skip
    assert ("짐작" in page, "홍길동" in page, "<b>머그컵" in page) == (True, False, False)

    saved = browser.post(f"{draft}/columns", **choices)
    assert (saved.status_code, saved.headers["location"]) == (303, draft)
    preview = browser.get(draft).text
    assert "전체 2행: 새로 1 · 바뀜 0 · 그대로 0" in preview
    assert "읽을 수 없는 행 1" in preview
    assert "<q>S20</q> 1" in preview
    told = _choices(browser.get(f"{draft}/columns").text) | {"w4.0": "preparing"}
    browser.post(f"{draft}/columns", **told)
    assert "<q>S20</q>" not in browser.get(draft).text

    result = _imported(browser, draft)

    assert "1행은 읽지 못해 격리했습니다" in result
    history = browser.get("/files").text
    assert "주문 &lt;1&gt;.csv" in history
    assert browser.get(draft).status_code == 404
    again = _upload(browser, _file(FIRST)).headers["location"]
    assert "그대로 1" in browser.get(again).text


def test_an_agent_uses_the_layout_and_makes_none(browser: Browser):
    browser.sign_in("kim")
    draft = _upload(browser, _file(FIRST)).headers["location"]

    page = browser.get(f"{draft}/columns").text

    assert "슈퍼바이저가 열을 지정해야" in page
    assert "<fieldset disabled>" in page
    assert browser.post(f"{draft}/columns", **_choices(page)).status_code == 403
    assert browser.post("/files/original", shop="welfare", key="x", reason="y").status_code == 403


def test_a_form_with_one_field_twice_is_told_so(browser: Browser):
    browser.sign_in("lee")
    draft = _upload(browser, _file(FIRST)).headers["location"]
    choices = _choices(browser.get(f"{draft}/columns").text)

    answer = browser.post(f"{draft}/columns", **choices | {"c6": "order_no"})

    assert (answer.status_code, "주문번호 × 2" in answer.text) == (422, True)


def test_a_constant_stands_for_a_column(browser: Browser):
    browser.sign_in("lee")
    draft = _upload(browser, _file("A-1,컵,1", head="주문번호,상품명,수량")).headers["location"]
    page = browser.get(f"{draft}/columns").text
    assert "필수 항목이 빠졌습니다: 주문상태" in page

    browser.post(f"{draft}/columns", **_choices(page) | {"k.status": "상품준비중"})

    assert "전체 1행: 새로 1" in browser.get(draft).text


@pytest.mark.parametrize(
    ("body", "said"), [(b"", "비어 있습니다"), (b"PK\x03\x04no", "깨진 파일"), (b"x\ny", "제목 행")]
)
def test_a_file_that_cannot_be_read_is_refused_in_words(browser: Browser, body: bytes, said: str):
    browser.sign_in("kim")

    answer = _upload(browser, body)

    assert (answer.status_code, said in answer.text) == (422, True)


def test_a_file_that_is_too_big_is_refused(browser: Browser):
    browser.sign_in("kim")

    assert _upload(browser, b"a,b\n" * (21 * 1024 * 256)).status_code in {413, 422}


def test_an_upload_without_the_token_is_refused(browser: Browser):
    browser.sign_in("kim")

    fields = {"shop": (None, "welfare"), "kind": (None, "orders")}
    answer = browser.client.post("/files", files=fields, follow_redirects=False)

    assert answer.status_code == 403


def test_an_original_is_downloaded_with_its_name(browser: Browser):
    browser.sign_in("lee")
    draft = _upload(browser, _file(FIRST)).headers["location"]
    browser.post(f"{draft}/columns", **_choices(browser.get(f"{draft}/columns").text))
    _imported(browser, draft)
    key = re.search(r'name="key" value="([0-9a-f]{64})"', browser.get("/files").text)
    assert key is not None

    answer = browser.post("/files/original", shop="welfare", key=key[1], reason="대조")

    assert answer.content == _file(FIRST)
    assert answer.headers["content-disposition"].endswith("%EC%A3%BC%EB%AC%B8%20%3C1%3E.csv")


def test_replies_are_written_down_and_taken_out(browser: Browser):
    browser.sign_in("lee")
    draft = _upload(browser, _file(FIRST.replace("S20", "상품준비중"))).headers["location"]
    browser.post(f"{draft}/columns", **_choices(browser.get(f"{draft}/columns").text))
    _imported(browser, draft)
    page = browser.get("/files/replies?shop=welfare").text
    assert "&lt;b&gt;머그컵&lt;/b&gt;" in page

    values = {"order_no": "A-1", "line_no": "A-1-1", "carrier": "CJ", "tracking_no": "6001"}
    browser.post("/files/replies", shop="welfare", kind="tracking", **values)

    assert "적어 둠" in browser.get("/files/replies?shop=welfare").text
    wrong = browser.post("/files/replies", shop="welfare", bulk="A-1,A-1-1,CJ,6002\nA-1,A-1-1\n")
    assert (wrong.status_code, "2번째 줄" in wrong.text) == (422, True)
    browser.post("/files/replies", shop="welfare", bulk="A-1\tA-1-1\tCJ\t6002\n")
    file = browser.post("/files/replies/export", shop="welfare", kind="tracking")
    assert file.content.startswith(b"PK")
    empty = browser.post("/files/replies/export", shop="welfare", kind="tracking")
    assert (empty.status_code, "내보낼 것이 없습니다" in empty.text) == (422, True)


def test_a_stranger_sees_nothing(browser: Browser):
    for path in ("/files", "/files/replies?shop=welfare", "/files/draft/x", "/files/import/x"):
        assert browser.get(path).status_code == 303
    browser.sign_in("kim")
    assert browser.get("/files/draft/x").status_code == 404
    assert "진행 상황이 더 이상 없습니다" in browser.get("/files/import/x").text


def test_a_form_keeps_the_columns_that_only_other_files_have_and_notes_what_is_left_out():
    rules = tuple(
        ColumnRule(heading=heading, field=heading) for heading in ("order_no", "status", "paid_at", "carrier")
    )
    before = Layout(kind=FileKind.ORDERS, columns=rules, words={"status": {"S": "paid"}}, unused=("memo",))
    columns = tuple(ColumnLook(heading=heading, samples=()) for heading in ("order_no", "courier", "status", "colour"))
    look = FileLook(
        sheet="", sheets=(), encoding=None, header_row=1, rows=0, layout=before,
        columns=tuple(replace(each, field=each.heading) if each.heading in ("order_no", "status") else each for each in columns),
    )  # fmt: skip
    names = ("order_no", "status", "paid_at", "carrier")
    fields = tuple(FileField(name=name, meanings=("paid",) if name == "status" else ()) for name in names)
    draft = DraftView(
        draft_id="", shop="", kind=FileKind.ORDERS, name="", look=look, fields=fields, kept=None, is_changed=False,
        fits=True,
    )  # fmt: skip

    layout = layout_of({"c0": "order_no", "c1": "carrier", "c2": "status"}, draft)

    assert [(rule.heading, rule.field) for rule in layout.columns] == [
        ("order_no", "order_no"), ("courier", "carrier"), ("status", "status"), ("paid_at", "paid_at")
    ]  # fmt: skip
    assert (layout.words, layout.unused) == ({"status": {"S": "paid"}}, ("memo", "colour"))


def test_pasted_rows():
    row = {"order_no": "1", "line_no": "2", "carrier": "CJ", "tracking_no": "3"}

    assert pasted_rows("1,2,CJ,3\n\n1\t2\tCJ\t3\n") == [row, row]
    assert pasted_rows("1,2,CJ,3\n1,,CJ,3") == 2

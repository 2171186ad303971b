"""The books' pages in a browser without scripts: tables, forms, preview, versions, files, hostile input."""

import html
import re
from collections.abc import Mapping

import pytest
from httpx import Response

from hub.desk.access import Role
from hub.desk.books.fields import fields_of, sections_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.users import create_user
from hub.store.books import BookKind
from hub.web.books.words import choice_key, field_key
from hub.web.words import LOCALES, Words
from tests.desk.invented import NOW
from tests.web.conftest import PASSWORD, Browser

FORM = {"was": "", "near": "0", "place": ""}


def _forms(browser: Browser) -> Mapping[BookKind, BookForm]:
    found: Mapping[BookKind, BookForm] = browser.client.blocking_portal.call(lambda: read_forms(browser.rig))
    return found


def _add(browser: Browser, section: str = "switches", kind: str = "policy", **fields: str) -> Response:
    typed = {f"f.{name}": value for name, value in fields.items()}
    return browser.post(f"/books/{kind}/{section}/row", **FORM, **typed)


def _row_form(page: str) -> dict[str, str]:
    """The hidden fields and values of a row's form as they stand."""
    found = dict(re.findall(r'name="(was|near)" value="([^"]*)"', page))
    found |= {name: html.unescape(value) for name, value in re.findall(r'name="(f\.\w+|place)" value="([^"]*)"', page)}
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def _stamp(page: str) -> str:
    stamp = re.search(r'name="stamp" value="([^"]+)"', page)
    assert stamp is not None, page
    return stamp[1]


def _put_in_force(browser: Browser, kind: str = "policy", note: str = "여름 행사") -> Response:
    stamp = _stamp(browser.get(f"/books/{kind}/preview").text)
    return browser.post(f"/books/{kind}/put-in-force", stamp=stamp, note=note)


def _upload(browser: Browser, path: str, body: bytes, name: str = "표.csv") -> Response:
    return browser.client.post(
        path, data={"_csrf_token": browser.token()}, files={"file": (name, body)}, follow_redirects=False
    )


def test_every_section_field_and_code_has_its_words(supervisor: Browser):
    missing = []
    for locale in LOCALES:
        words = Words(locale)
        for kind, form in _forms(supervisor).items():
            for section, row in sections_of(form.tables).items():
                fields = fields_of(row)
                keys = [f"book.section.{kind}.{section}", f"book.section_about.{kind}.{section}"]
                keys += [field_key(words, kind, section, field.name) for field in fields]
                keys += [choice_key(field, code) for field in fields for code in field.choices]
                missing += [key for key in keys if not words.has(key)]
                labels = [words(field_key(words, kind, section, field.name)) for field in fields]
                # A file's heading has to mean one field.
                assert len(set(labels)) == len(labels), labels

    assert missing == []


@pytest.mark.parametrize("login", ["kim", "lee"])
def test_every_section_opens(browser: Browser, login: str):
    browser.sign_in(login)
    assert browser.get("/books").status_code == 200
    for kind, form in _forms(browser).items():
        assert browser.get(f"/books/{kind}").status_code == 303
        assert browser.get(f"/books/{kind}/versions").status_code == 200
        for section in sections_of(form.tables):
            page = browser.get(f"/books/{kind}/{section}")
            assert page.status_code == 200, section
            assert (f"/books/{kind}/{section}/new" in page.text) is (login == "lee")
            assert browser.get(f"/books/{kind}/{section}/new").status_code == (200 if login == "lee" else 403)


def test_from_a_new_row_to_the_version_in_force(supervisor: Browser):
    kept = _add(supervisor, shop="alpha-main", return_withdrawal="no", purchase_agency="true", note="<b>여름</b>")
    assert (kept.status_code, kept.headers["location"]) == (303, "/books/policy/switches?notice=kept")
    section = supervisor.get("/books/policy/switches").text
    assert "아직 적용하지 않은 변경 1건" in section
    assert "&lt;b&gt;여름&lt;/b&gt;" in section

    preview = supervisor.get("/books/policy/preview").text
    assert "<ins>alpha-main</ins>" in preview
    assert "<ins>안 됨</ins>" in preview
    impact = supervisor.get("/books/policy/impact", swap=True).text
    assert re.search(r'data-touched="[1-9]', impact)
    in_force = _put_in_force(supervisor)

    assert (in_force.status_code, in_force.headers["location"]) == (303, "/books/policy/versions/1?notice=in_force")
    version = supervisor.get("/books/policy/versions/1").text
    assert "여름 행사" in version
    assert "lee &lt;b&gt;" in version
    assert "적용 중" in version
    assert "아직 적용하지 않은" not in supervisor.get("/books/policy/switches").text


def test_a_change_shows_old_and_new_and_an_older_version_comes_back(supervisor: Browser):
    _add(supervisor, shop="alpha-main", return_withdrawal="no")
    _put_in_force(supervisor)
    form = _row_form(supervisor.get("/books/policy/switches/0").text)
    assert form["f.return_withdrawal"] == "no"
    form |= {"f.return_withdrawal": "until_received", "f.valid_from": "2027-01-01"}
    assert supervisor.post("/books/policy/switches/row", **form).status_code == 303

    preview = supervisor.get("/books/policy/preview").text

    assert re.search(r"<del>안 됨</del>.*?<ins>입고 전까지</ins>", preview, re.DOTALL)
    assert "<td>2027-01-01</td>" in preview
    _put_in_force(supervisor, note="새해부터")
    again = supervisor.post("/books/policy/versions/1/again")
    assert (again.status_code, again.headers["location"]) == (303, "/books/policy/preview")
    _put_in_force(supervisor, note="되돌림")
    assert _row_form(supervisor.get("/books/policy/switches/0").text)["f.return_withdrawal"] == "no"
    assert supervisor.get("/books/policy/versions/2").status_code == 200
    history = supervisor.get("/books/policy/versions").text
    assert [note in history for note in ("여름 행사", "새해부터", "되돌림")] == [True, True, True]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(supervisor: Browser):
    answer = _add(supervisor, shop="alpha-main", delay_points="많이", valid_from="내일", note="그대로")

    assert answer.status_code == 422
    assert "‘많이’은(는) 숫자가 아닙니다." in answer.text
    assert 'value="많이"' in answer.text
    assert "2026-01-31처럼 쓰세요." in answer.text
    assert "그대로" in answer.text
    assert "아직 적용하지 않은" not in supervisor.get("/books/policy/switches").text


def test_a_row_that_contradicts_another_is_refused_and_may_wait_in_the_draft(supervisor: Browser):
    _add(supervisor, shop="alpha-main", return_withdrawal="no", valid_from="2026-01-01")
    fields = {"f.shop": "alpha-main", "f.return_withdrawal": "until_received", "f.valid_from": "2026-06-01"}
    refused = supervisor.post("/books/policy/switches/row", **FORM, **fields)
    assert refused.status_code == 422
    assert "잘못된 채로 변경안에 두기" in refused.text

    kept = supervisor.post("/books/policy/switches/row", **FORM, **fields, even_so="1")

    assert kept.status_code == 303
    preview = supervisor.get("/books/policy/preview").text
    assert "고칠 곳이 남아 있어" in preview
    assert "적용하기</button>" not in preview


def test_a_row_ends_and_goes(supervisor: Browser):
    _add(supervisor, shop="alpha-main", return_withdrawal="no", valid_from="2026-01-01")
    section = supervisor.get("/books/policy/switches").text
    was = re.search(r'name="was" value="([0-9a-f]{16})"', section)
    assert was is not None
    early = supervisor.post("/books/policy/switches/end", was=was[1], near="0", last_day="2025-12-31")
    assert (early.status_code, "시작일 2026-01-01보다 먼저" in early.text) == (422, True)
    assert supervisor.post("/books/policy/switches/end", was=was[1], near="0", last_day="?").status_code == 422

    assert supervisor.post("/books/policy/switches/end", was=was[1], near="0", last_day="2026-12-31").status_code == 303

    assert _row_form(supervisor.get("/books/policy/switches/0").text)["f.valid_to"] == "2026-12-31"
    gone = supervisor.post("/books/policy/switches/remove", was=was[1], near="0")
    assert (gone.status_code, "그사이 바뀌었거나" in gone.text) == (422, True)
    now = re.search(r'name="was" value="([0-9a-f]{16})"', supervisor.get("/books/policy/switches").text)
    assert now is not None
    assert supervisor.post("/books/policy/switches/remove", was=now[1], near="0").status_code == 303
    assert "아직 줄이 없습니다." in supervisor.get("/books/policy/switches").text


def test_the_second_supervisor_sees_the_first_and_loses_nothing(browser: Browser):
    async def hire() -> None:
        await create_user(
            browser.rig.database, login="two", name="둘째", role=Role.SUPERVISOR, password=PASSWORD, at=NOW
        )

    browser.client.blocking_portal.call(hire)
    browser.sign_in("lee")
    _add(browser, shop="alpha-main", return_withdrawal="no")
    first = _stamp(browser.get("/books/policy/preview").text)
    browser.sign_in("two")
    assert "아직 적용하지 않은" not in browser.get("/books/policy/switches").text
    _add(browser, shop="alpha-outlet", return_withdrawal="no")
    _put_in_force(browser, note="아웃렛")

    browser.sign_in("lee")
    refused = browser.post("/books/policy/put-in-force", stamp=first, note="본점")

    assert refused.status_code == 422
    assert "둘째님이 그사이 1판을 적용했습니다." in refused.text
    caught_up = browser.post("/books/policy/catch-up")
    assert caught_up.status_code == 200
    assert _put_in_force(browser, note="본점").status_code == 303
    rows = browser.get("/books/policy/switches").text
    assert ("alpha-main" in rows, "alpha-outlet" in rows) == (True, True)


def test_agents_read_and_change_nothing(agent: Browser):
    for path in ("row", "remove", "end", "import"):
        assert agent.post(f"/books/policy/switches/{path}", **FORM, last_day="2026-12-31").status_code == 403
    for path in ("put-in-force", "discard", "catch-up", "versions/1/again", "whole"):
        assert agent.post(f"/books/policy/{path}", stamp="x", note="y").status_code == 403, path
    for path in ("preview", "impact", "switches/export/csv", "versions/0/json"):
        assert agent.get(f"/books/policy/{path}").status_code == 403, path
    assert agent.post("/product-modes/new").status_code == 403
    assert agent.get("/product-modes/export/csv").status_code == 403


def test_the_chat_address_of_a_contact_is_for_those_who_edit(browser: Browser):
    browser.sign_in("lee")
    added = _add(
        browser,
        "contacts",
        "routing",
        name="박물류",
        role="logistics",
        phone="02-000-0000",
        webhook_url="https://chat.example/secret-1",
    )
    assert added.status_code == 303, added.text
    assert _put_in_force(browser, "routing").status_code == 303
    assert "secret-1" in browser.get("/books/routing/contacts").text

    browser.sign_in("kim")

    assert "secret-1" not in browser.get("/books/routing/contacts").text
    assert "secret-1" not in browser.get("/books/routing/versions/1").text
    assert "박물류" in browser.post("/books/routing/contacts/find", q="박물").text
    assert "박물류" not in browser.post("/books/routing/contacts/find", q="없는 사람").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/books/nothing", 404),
        ("get", "/books/policy/nothing", 404),
        ("get", "/books/policy/nothing/new", 404),
        ("post", "/books/policy/nothing/row", 404),
        ("get", "/books/policy/switches/99", 404),
        ("get", "/books/policy/switches/export/exe", 404),
        ("get", "/books/policy/versions/99", 404),
        ("get", "/books/policy/versions/99999999999999999999999", 404),
        ("post", "/books/policy/catch-up", 404),
        ("post", "/books/policy/put-in-force", 404),
        ("get", "/product-modes/5", 404),
        ("get", "/product-modes/99999999999999999999999", 404),
        ("get", "/product-modes/import", 404),
    ],
)
def test_what_there_is_not_is_not_found(supervisor: Browser, method: str, path: str, status: int):
    answer = supervisor.get(path) if method == "get" else supervisor.post(path, stamp="x", note="y")

    assert answer.status_code == status


def test_hostile_text_is_shown_as_text_or_refused(supervisor: Browser):
    script = "<script>alert(1)</script>"
    assert _add(supervisor, shop="alpha-main", note=script, delay_points="1").status_code == 303
    page = supervisor.get("/books/policy/switches").text + supervisor.get("/books/policy/preview").text
    assert script not in page
    assert "&lt;script&gt;" in page
    for hidden in ("a\x00b", "a\x1bb", "a\u202eb"):
        refused = _add(supervisor, shop="alpha-main", disclosed_where=hidden, item="lump_sum", section="fees")
        assert (refused.status_code, "보이지 않는 글자" in refused.text) == (422, True)
    too_long = _add(supervisor, shop="x" * 501)
    assert (too_long.status_code, "501자는 너무 깁니다" in too_long.text) == (422, True)
    assert _add(supervisor, shop="alpha-main", note="x" * 10_000_000).status_code == 413
    assert supervisor.post("/books/policy/switches/find", q="%_<" * 9999).status_code == 200


def test_without_the_token_nothing_is_changed(supervisor: Browser):
    assert supervisor.post("/books/policy/discard", csrf="0" * 64).status_code == 403


def test_a_section_goes_out_and_in_again(supervisor: Browser):
    _add(supervisor, shop="alpha-main", return_withdrawal="no", note="=1+1")
    _put_in_force(supervisor)

    out = supervisor.get("/books/policy/switches/export/csv")

    text = out.content.decode("utf-8-sig")
    assert "'=1+1" in text
    assert "반품 철회" in text.splitlines()[0]
    same = _upload(supervisor, "/books/policy/switches/import", out.content)
    assert (same.status_code, "달라진 줄 0" in same.text) == (200, True)
    changed = _upload(
        supervisor,
        "/books/policy/switches/import",
        "샵,반품 철회\nalpha-main,안 됨\nalpha-outlet,수거 전까지\n".encode("cp949"),
    )
    assert changed.status_code == 200, changed.text
    assert "<ins>수거 전까지</ins>" in changed.text
    workbook = supervisor.get("/books/policy/switches/export/xlsx")
    again = _upload(supervisor, "/books/policy/switches/import", workbook.content, "표.xlsx")
    assert (again.status_code, "달라진 줄 0" in again.text) == (200, True)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("샵,반품 철회\nalpha-main,아무렇게나\n".encode(), "고를 수 있는 값이 아닙니다"),
        ("샵,지연·품절 포인트\nalpha-main,\u202e1\n".encode(), "보이지 않는 글자"),
        (b"", "파일을 읽을 수 없습니다"),
        (b"PK\x03\x04 no archive", "파일을 읽을 수 없습니다"),
        (b'"open', "파일을 읽을 수 없습니다"),
        (b"nothing,known\n1,2\n", "파일을 읽을 수 없습니다"),
        ("샵,샵\na,b\n".encode(), "파일을 읽을 수 없습니다"),
    ],
)
def test_a_wrong_file_is_told_and_keeps_nothing(supervisor: Browser, body: bytes, told: str):
    answer = _upload(supervisor, "/books/policy/switches/import", body)

    assert (answer.status_code, told in answer.text) == (422, True)
    assert "아직 적용하지 않은" not in supervisor.get("/books/policy/switches").text


def test_a_whole_book_goes_out_and_in_as_json(supervisor: Browser):
    _add(supervisor, shop="alpha-main", return_withdrawal="no")
    _put_in_force(supervisor)
    out = supervisor.get("/books/policy/versions/1/json").content
    assert out == b'{"switches":[{"shop":"alpha-main","return_withdrawal":"no"}]}'

    changed = _upload(supervisor, "/books/policy/whole", out.replace(b'"no"', b'"until_received"'), "book.json")

    assert (changed.status_code, changed.headers["location"]) == (303, "/books/policy/preview")
    assert "<ins>입고 전까지</ins>" in supervisor.get("/books/policy/preview").text
    for wrong in (b"{", b'{"nothing":1}', b"\xff", b"[]"):
        refused = _upload(supervisor, "/books/policy/whole", wrong, "book.json")
        assert (refused.status_code, "JSON이 아닙니다" in refused.text) == (422, True)


def test_a_thousand_rows_are_paged_and_found(supervisor: Browser):
    rows = "".join(f"낱말 {number},다른 말\n" for number in range(1000))
    imported = _upload(supervisor, "/books/templates/banned_words/import", f"금칙어,대신 쓸 말\n{rows}".encode())
    assert imported.status_code == 200, imported.text

    first = supervisor.get("/books/templates/banned_words").text

    assert first.count("<tr id=") == 100
    assert "after=100" in first
    last = supervisor.get("/books/templates/banned_words?after=900").text
    assert ("낱말 999" in last, "after=" in last) == (True, False)
    found = supervisor.post("/books/templates/banned_words/find", q="낱말 77").text
    assert found.count("<tr id=") == 11


def test_a_mode_is_added_changed_ended_and_removed(supervisor: Browser):
    def add(**fields: str) -> Response:
        return supervisor.post("/product-modes/new", **{f"f.{name}": value for name, value in fields.items()})

    assert add(mode="consignment", seller_sku="SKU-1", partner="한빛").status_code == 303
    assert (add(mode="consignment").status_code, add(mode="", seller_sku="x").status_code) == (422, 422)
    same = add(mode="direct_purchase", seller_sku="sku-1")
    assert same.status_code == 422
    page = supervisor.get("/product-modes?q=sku").text
    row = re.search(r'href="/product-modes/(\d+)">', page)
    assert row is not None
    form = _row_form(supervisor.get(f"/product-modes/{row[1]}").text)
    form = {name: value for name, value in form.items() if name != "place"}
    changed = supervisor.post(f"/product-modes/{row[1]}", **form | {"f.mode": "direct_purchase", "f.partner": ""})
    assert changed.status_code == 303, changed.text
    stale = supervisor.post(f"/product-modes/{row[1]}", **form)
    assert (stale.status_code, "그사이 바뀌었거나" in stale.text) == (422, True)
    was = re.search(r'name="was" value="([0-9a-f]{16})"', supervisor.get("/product-modes").text)
    assert was is not None
    assert supervisor.post(f"/product-modes/{row[1]}/end", was=was[1], last_day="2026-12-31").status_code == 303
    was = re.search(r'name="was" value="([0-9a-f]{16})"', supervisor.get("/product-modes").text)
    assert was is not None
    assert supervisor.post(f"/product-modes/{row[1]}/remove", was=was[1]).status_code == 303

    history = supervisor.get("/product-modes/history").text

    assert [history.count(f"book-{change}") for change in ("added", "changed", "removed")] == [1, 2, 1]
    assert "위탁 · SKU-1" in history


def test_modes_are_imported_after_a_preview(supervisor: Browser):
    first = _upload(supervisor, "/product-modes/import", "sku,재고형태\nA,위탁\nB,직매입\n".encode())
    assert first.status_code == 303
    stamp = _stamp(supervisor.get("/product-modes/import").text)
    assert supervisor.post("/product-modes/import/finish", stamp=stamp).status_code == 303
    _upload(supervisor, "/product-modes/import", "sku,재고형태\nA,물류\nC,직매입\n".encode())

    preview = supervisor.get("/product-modes/import").text

    assert "새 줄 1 · 바뀌는 줄 1 · 지워지는 줄 1 · 그대로 0" in preview
    supervisor.post("/product-modes/new", **{"f.mode": "consignment", "f.seller_sku": "D"})
    late = supervisor.post("/product-modes/import/finish", stamp=_stamp(preview))
    assert (late.status_code, "미리보기 뒤에 표가 바뀌었습니다" in late.text) == (422, True)
    assert supervisor.post("/product-modes/import/finish", stamp=_stamp(late.text)).status_code == 303
    out = supervisor.get("/product-modes/export/csv").content.decode("utf-8-sig")
    assert sorted(line.split(",")[:2] for line in out.splitlines()[1:]) == [
        ["direct_purchase", "C"],
        ["third_party_logistics", "A"],
    ]


def test_a_wrong_mode_file_names_its_rows(supervisor: Browser):
    _upload(supervisor, "/product-modes/import", "sku,재고형태\nA,위탁\nB,뭔가\n".encode())

    preview = supervisor.get("/product-modes/import").text

    assert "고칠 곳이 1건" in preview
    assert "뭔가" in preview
    assert 'name="stamp"' not in preview
    assert supervisor.post("/product-modes/import/finish", stamp="0.0").status_code == 404


def test_an_empty_section_of_the_policy_book_shows_what_holds_without_it(supervisor: Browser):
    page = supervisor.get("/books/policy/switches").text
    assert '<th scope="row">반품 철회</th><td>수거 전까지</td>' in page
    assert '<th scope="row">환불 지연 이자(연 %)</th><td>15</td>' in page
    assert '<th scope="row">시작(자정부터 분)</th><td>540 (09:00)</td>' in supervisor.get("/books/policy/targets").text
    assert "3영업일 (일본 달력)" in supervisor.get("/books/policy/clocks").text
    assert "모든 보상을 슈퍼바이저가 승인" in supervisor.get("/books/policy/limits").text
    for section in sections_of(_forms(supervisor)[BookKind.POLICY].tables):
        assert "book-defaults" in supervisor.get(f"/books/policy/{section}").text, section

    _add(supervisor, shop="alpha-main", return_withdrawal="no")
    assert "book-defaults" not in supervisor.get("/books/policy/switches").text


def test_every_section_of_the_policy_book_has_words_for_its_defaults(supervisor: Browser):
    keys = [f"book.default.{section}" for section in sections_of(_forms(supervisor)[BookKind.POLICY].tables)]

    assert [key for locale in LOCALES for key in keys if not Words(locale).has(key)] == []

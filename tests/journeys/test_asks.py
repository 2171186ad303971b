"""A fault of goods at the warehouse firm: asked of logistics by mail, answered by link on a telephone, timed."""

import re
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from hub.desk.books.routing import FILE_NAME
from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.keystrokes import Keys, Task, stand_before
from tests.journeys.stack import Desk
from tests.journeys.window import Page, expect


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.letters: list[EmailMessage] = []


class _Visit(socketserver.StreamRequestHandler):
    """As much of SMTP as one letter needs."""

    def handle(self) -> None:
        assert isinstance(self.server, _MailServer)
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part
                self.server.letters.append(message_from_bytes(body, policy=policy.default))
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail(desk: Desk) -> Iterator[_MailServer]:
    """The desk knows a mail server and its own address; the warehouse firm has an e-mail address."""
    book = desk.hub.settings.home / FILE_NAME
    before, settings = book.read_text(encoding="utf-8"), desk.hub.settings
    with _MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        desk.hub.settings = settings.model_copy(
            update={
                "smtp_host": "127.0.0.1",
                "smtp_port": server.server_address[1],
                "smtp_security": "none",
                "smtp_from": "cs@example.com",
                "smtp_to": "ops@example.com",
                "public_url": desk.url,
            }
        )
        named = 'name = "윤하늘"\n'
        assert named in before
        book.write_text(before.replace(named, f'{named}email = "hanul@example.com"\n'), encoding="utf-8")
        yield server
        book.write_text(before, encoding="utf-8")
        desk.hub.settings = settings
        server.shutdown()
        thread.join()


def _faulty_goods_at_the_warehouse(window: Window) -> tuple[str, str]:
    """The address of an open case about goods that the warehouse firm holds, and of a list that shows it."""
    page = window.go("/cases")
    seen: set[str] = set()
    query: str | None = ""

    def read(path: str) -> str:
        return page.request.get(window.desk.url + path, headers={"HX-Request": "true"}).text()

    while query is not None:
        rows = read(f"/cases/rows{query}")
        for case in dict.fromkeys(re.findall(r'href="(/cases/\d+)', rows)):
            seen.add(case)
            first = re.search(r'<ol class="contacts">.*?</li>', read(f"{case}/contact?matter=defect"), re.DOTALL)
            if first is None or "윤하늘" not in first[0] or "/asks" not in first[0]:
                continue
            # The case itself must think that it is about a fault.
            if '<option value="defect" selected' in read(case):
                return case, f"/cases{query}"
        more = re.search(r'href="/cases(\?[^"]*after=[^"]+)"', rows)
        query = more[1].replace("&amp;", "&") if more else None
    message = f"none of {len(seen)} open cases is about a fault of goods at the warehouse firm"
    raise AssertionError(message)


def _answer_by_link(open_window: OpenWindow, link: str) -> Page:
    """On a telephone, by somebody without an account."""
    phone = open_window(width=390)
    page = phone.page
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_contain_text("고객센터의 문의")
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    page.get_by_label("덧붙일 내용").fill("내일 오전에 검수하겠습니다")
    page.get_by_role("button", name="회수해서 검수하겠습니다").click()
    expect(page.get_by_role("status")).to_contain_text("답변을 전달했습니다")
    return page


def test_a_fault_is_asked_of_logistics_and_answered_by_link(
    agent: Window, open_window: OpenWindow, mail: _MailServer
) -> None:
    keys = Keys(agent.page)
    case, at = _faulty_goods_at_the_warehouse(agent)
    page = agent.go(at)
    row = page.locator(f"[data-row][href^='{case}']")
    customer = row.locator(".who").inner_text()
    stand_before(row)
    keys.start()

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".contacts > li", has_text="윤하늘").locator(".ask-form")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="메일로 묻기").first).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#notice")).to_contain_text("문의했습니다")
    keys.assert_told(Task.CONTACT)
    asked = page.locator(".asks .ask").first
    expect(asked).to_contain_text("윤하늘")
    expect(page.locator(".timeline")).to_contain_text("윤하늘에게 메일로 물음")
    (letter,) = mail.letters
    assert letter["To"] == "윤하늘 <hanul@example.com>"
    text = letter.get_content()
    assert "고객이 상품에 이상이 있다고 합니다" in text
    found = re.search(r"http://127\.0\.0\.1:\d+/answers/[\w-]{43}", text)
    assert found is not None
    page.goto(f"{agent.desk.url}/cases?kind=return")
    page.goto(f"{agent.desk.url}/cases")

    told = _answer_by_link(open_window, found[0])
    assert customer not in told.content()

    agent.go(case)
    newest = page.locator(".asks .ask").first
    expect(newest).to_contain_text("새 답변")
    expect(newest).to_contain_text("회수 검수")
    expect(newest).to_contain_text("내일 오전에 검수하겠습니다")
    expect(newest).to_contain_text("답변까지 영업시간")
    expect(page.locator(".ask-speed").first).to_contain_text("n=1")
    # Read now: the link changes nothing any more.
    told.reload()
    expect(told.locator("main")).to_contain_text("상담사가 답변을 확인했습니다")
    expect(told.get_by_role("button")).to_have_count(0)

"""Every screen of the desk in the demo, in the order in which somebody meets them, and what is typed on the way."""

from typing import TYPE_CHECKING

from playwright.sync_api import Page

if TYPE_CHECKING:
    from tools.screenshots import Camera, Demo

#: nobody may write so much without a break, and somebody will
_LONG = (
    "고객님께서 세 번째로 같은 문의를 주셨고 지난주 교환 건의 송장번호와 이번 주문의 "
    "배송지가 서로 달라 물류 담당자와 통화함. "
    "お客様はご注文の商品がまだ届いていないとのことで、転送先の倉庫での検品状況と"
    "国際配送の予定日を至急確認してほしいとのご要望です。 " + "가나다라마바사아자차카타파하" * 6
)
_CANCELS = (
    "/cases?kind=cancel&shop=main-smartstore&state=requested",
    "/cases?kind=cancel&shop=main-cafe24&state=requested",
)
_REPLY = "안녕하세요, 고객님. 담당자에게 확인하고 오늘 안에 다시 안내해 드리겠습니다."
#: pages of an address of their own: name, title, address, and whose they are
_PAGES = (
    ("promises", "Promises", "/promises", "agent"),
    ("hand-over", "Handing over a shift", "/hand-over", "agent"),
    ("shops", "Shops and how fresh they are", "/shops", "supervisor"),
    ("alerts", "Alerts", "/alerts", "supervisor"),
    ("board", "The supervisor's board", "/board", "supervisor"),
    ("teams", "Teams", "/teams", "supervisor"),
    ("files", "Files in and out", "/files", "supervisor"),
    ("compensations", "Compensations", "/compensations", "supervisor"),
    ("marked-customers", "Marked customers", "/customers", "supervisor"),
    ("connectors", "What each mall's API can do", "/connectors", "supervisor"),
    ("phone-agents", "Telephones of the agents", "/phone", "supervisor"),
    ("style", "Every part of the screens", "/style", "supervisor"),
    ("incidents", "Incidents", "/incidents", "supervisor"),
    ("telephone-flow", "The call menu as a drawing", "/telephone/flow", "supervisor"),
    ("people", "People and their roles", "/people", "admin"),
    ("access-log", "Who looked at what", "/access-log", "admin"),
    ("books", "Books of rules", "/books", "supervisor"),
    ("book-contacts", "The book of contacts", "/books/routing/contacts", "supervisor"),
    ("book-row", "One row of a book", "/books/routing/contacts/0", "supervisor"),
    ("book-templates", "The book of templates", "/books/templates/templates", "supervisor"),
    ("product-modes", "Inventory modes of products", "/product-modes", "supervisor"),
    ("facts", "Facts of lines from a file", "/facts", "supervisor"),
    ("statistics", "Inquiries and calls by day, mall and line", "/stats", "supervisor"),
    ("statistics-lines", "Order line beside inquiry line", "/stats/lines", "supervisor"),
    ("statistics-pattern", "By hour and weekday", "/stats/pattern", "supervisor"),
    (
        "statistics-order-line",
        "Is the web order inconvenient, or new to the caller?",
        "/stats/order-line",
        "supervisor",
    ),
    ("statistics-saved", "Saved and mailed reports", "/stats/saved", "supervisor"),
    ("statistics-reasons", "The tree of reasons", "/stats/reasons", "supervisor"),
    ("statistics-counts", "Counts that are kept, and their checks", "/stats/counts", "supervisor"),
)
#: pages to which a link of another page leads: name, title, the other page, the link, and whose they are
_LINKED = (
    ("cheat-sheet", "Notes on a mall", "/shops", "main a[href$='/sheet']", "supervisor"),
    ("opening", "Checklist before a mall opens", "/shops", "main a[href$='/opening']", "supervisor"),
    ("incident", "One incident", "/incidents", "main a[href^='/incidents/']", "supervisor"),
    ("statistics-report", "One report", "/stats", "main a[href^='/stats/reports/']", "supervisor"),
    ("statistics-calls", "The calls behind a figure", "/stats", "main tfoot a[href^='/stats/calls']", "supervisor"),
)


def walk(demo: "Demo", camera: "Camera") -> None:
    camera(demo.page(), "sign-in", "The door")
    agent, supervisor, admin = (demo.page(login) for login in ("agent", "supervisor", "admin"))
    _cases(agent, camera)
    _finding(agent, demo, camera)
    pages = {"agent": agent, "supervisor": supervisor, "admin": admin}
    for name, title, address, login in _PAGES:
        _go(pages[login], address)
        camera(pages[login], name, title)
    for name, title, address, link, login in _LINKED:
        page = pages[login]
        page.goto(address)
        if page.locator(link).count():
            _go(page, page.locator(link).first.get_attribute("href") or "")
            camera(page, name, title)
    _preview(supervisor, camera)
    _ring(demo.page("agent", has_telephone=True), camera)
    _english(demo, camera)


def _cases(page: Page, camera: "Camera") -> None:
    page.goto("/cases")
    camera(page, "worklist", "The list of work")
    page.keyboard.press("Shift+Slash")
    page.locator("#keys").wait_for()
    camera(page, "keys", "Every key")

    _open_first(page, *_CANCELS)
    camera(page, "cancel-request", "A request to cancel, its deadlines, whom to ask")
    _open_first(page, _CANCELS[1])
    page.keyboard.press("x")
    page.locator("[data-ready]:visible").first.wait_for()
    page.keyboard.press("1")
    camera(page, "refusal", "A refusal with a ready sentence")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.locator(".review").wait_for()
    camera(page, "second-look", "What cannot be taken back is shown once more")

    _open_first(page, "/cases?kind=cancel&shop=main-qoo10&state=requested", "/cases?kind=cancel&shop=main-qoo10")
    camera(page, "qoo10-cancel", "What a mall's API cannot do, and the way in its admin")
    _open_first(page, "/cases?kind=return")
    camera(page, "return", "A return")
    _open_first(page, "/cases?kind=exchange")
    camera(page, "exchange", "An exchange")

    _open_first(page, "/cases?kind=inquiry&shop=main-qoo10&state=unanswered")
    camera(page, "inquiry-japanese", "A question in Japanese")
    _open_first(page, "/cases?kind=inquiry&shop=main-cafe24&state=unanswered")
    page.keyboard.press("t")
    page.locator("[data-template]").first.wait_for()
    camera(page, "templates", "Templates of a reply")
    page.keyboard.press("Escape")
    page.keyboard.insert_text(_REPLY)
    page.locator("#draft-state [data-saved]").wait_for()
    camera(page, "inquiry", "A question and its reply box")
    page.locator("[data-key=note]").click()
    page.locator(".case-work textarea[name=text]").fill(_LONG)
    page.locator(".case-work textarea[name=text]").press("Control+Enter")
    page.locator("#notice .notice").wait_for()
    page.evaluate("document.querySelector('#timeline .note')?.scrollIntoView({block: 'center'})")
    camera(page, "long-note", "A note without an end")


def _finding(page: Page, demo: "Demo", camera: "Camera") -> None:
    phone = _caller(page, demo.callers())
    camera(page, "caller", "Orders of two malls by a telephone number")
    order = page.locator("table.found a[href^='/orders/']").first.get_attribute("href") or ""
    page.goto("/cases")
    page.locator("#find").fill(phone)
    page.locator("#found [data-found]").first.wait_for()
    camera(page, "find", "Found while typing")
    page.goto(order)
    camera(page, "order", "An order")
    customer = page.locator("a[href^='/customers/']")
    if customer.count():
        page.goto(customer.first.get_attribute("href") or "")
        camera(page, "customer", "A customer over all malls")


def _preview(page: Page, camera: "Camera") -> None:
    page.goto("/books/templates/banned_words/new")
    page.get_by_label("금칙어").fill("무조건")
    page.get_by_label("대신 쓸 말").fill(_LONG[:120])
    page.get_by_role("button", name="변경안에 저장").click()
    page.get_by_role("link", name="미리보기").click()
    page.get_by_label("변경 사유").wait_for()
    camera(page, "book-preview", "What a change of a book touches")


def _ring(page: Page, camera: "Camera") -> None:
    """The demo's telephone rings whoever is signed in every 40 seconds or so."""
    page.goto("/cases")
    page.locator("#phone [data-call]").wait_for(timeout=120_000)
    camera(page, "telephone", "A call and who it may be")


def _english(demo: "Demo", camera: "Camera") -> None:
    page = demo.page("admin")
    page.get_by_role("button", name="English").click()
    page.locator("html[lang=en]").wait_for()
    _open_first(page, *_CANCELS)
    camera(page, "english-case", "A case in English")
    for name, title, address in (
        ("english-statistics", "Statistics in English", "/stats"),
        ("english-shops", "Shops in English", "/shops"),
    ):
        _go(page, address)
        camera(page, name, title)


def _go(page: Page, address: str) -> None:
    """What a page fetches after it has loaded is there, too."""
    page.goto(address)
    page.locator("#fresh a").wait_for()


def _open_first(page: Page, *paths: str) -> None:
    """The first case of the first list that has any."""
    for path in paths:
        page.goto(path)
        page.wait_for_load_state()
        if page.locator("[data-row]").count():
            page.keyboard.press("j")
            page.keyboard.press("Enter")
            page.locator(".case").wait_for()
            return
    message = f"nothing to show at {' or '.join(paths)}; more orders would help"
    raise SystemExit(message)


def _caller(page: Page, phones: list[str]) -> str:
    """Search by phone until somebody comes up who bought at two malls and waits for something."""
    two: list[str] = []
    for phone in phones:
        if _search(page, phone) > 1:
            if page.locator("table.found a[href^='/cases/']").count():
                return phone
            two.append(phone)
    if not two:
        raise SystemExit("nobody in this demo bought at two malls")
    _search(page, two[-1])
    return two[-1]


def _search(page: Page, phone: str) -> int:
    """How many malls know the number."""
    page.goto("/search")
    page.locator("main input[name=q]").fill(phone)
    page.keyboard.press("Enter")
    page.locator("table.found, main .empty, .order-page").first.wait_for()
    if page.locator(".order-page").count():
        return 1  # the only one is opened at once
    page.locator("main input[name=q]").evaluate("field => field.blur()")
    return len(set(page.locator("table.found .mark").all_inner_texts()))

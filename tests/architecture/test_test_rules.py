"""The rules of tests/conftest.py hold: nothing leaves the machine, nothing is skipped where that counts."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NetworkBlockedError

ROOT = Path(__file__).parents[2]
#: addresses of documentation (RFC 5737, RFC 3849): nobody has them
ELSEWHERE = [("192.0.2.1", 80), ("2001:db8::1", 80)]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_connection_to_elsewhere_is_refused(address: tuple[str, int]):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(NetworkBlockedError):
        sock.connect(address)


async def test_an_async_connection_to_elsewhere_is_refused():
    with pytest.raises(NetworkBlockedError):
        await asyncio.open_connection("192.0.2.1", 80)


def test_a_name_is_not_looked_up():
    with pytest.raises(NetworkBlockedError):
        socket.getaddrinfo("api.example.com", 443)


async def test_this_machine_can_be_reached():
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


SKIPS = {
    "by_a_mark": "import pytest\n@pytest.mark.skip(reason='why')\ndef test_x(): pass\n",
    "by_a_call": "import pytest\ndef test_x(): pytest.skip('why')\n",
    "while_collecting": "import pytest\npytest.skip('why', allow_module_level=True)\n",
    "in_a_fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('why')\ndef test_x(f): pass\n",
}


def _run(folder: Path, **environment: str) -> str:
    for name, source in SKIPS.items():
        (folder / f"test_{name}.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    clean = {name: value for name, value in os.environ.items() if name not in {"CI", "HUB_TEST_NO_SKIP"}}
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.conftest", "--continue-on-collection-errors"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder],
        cwd=ROOT,
        env=clean | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_a_skip_is_a_failure_where_nothing_may_be_skipped(tmp_path: Path):
    output = _run(tmp_path, CI="true")

    assert output.count("skipped where nothing may be skipped") >= len(SKIPS)
    assert " skipped" not in output.splitlines()[-1]


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path):
    assert _run(tmp_path).splitlines()[-1].startswith("4 skipped")

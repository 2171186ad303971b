"""`hub demo` as a person starts it: a real process, real ports, stopped by a signal, started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ENOUGH_SECONDS = 90


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    def __init__(self, home: Path, port: int) -> None:
        self.log = home / f"demo-{time.monotonic_ns()}.log"
        self.url = f"http://127.0.0.1:{port}"
        arguments = [sys.executable, "-m", "hub", "demo", "--orders", "60", "--port", str(port), "--no-browser"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                arguments, env=os.environ | {"HUB_HOME": str(home)}, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + ENOUGH_SECONDS
        while text not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return said

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(ENOUGH_SECONDS)


def test_the_demo_starts_stops_and_starts_again_with_its_data(tmp_path: Path):
    port = _free_port()
    demo = Demo(tmp_path, port)
    said = demo.wait_for("first sync")
    page = httpx.get(f"{demo.url}/sign-in", trust_env=False)

    assert page.status_code == 200
    assert demo.url in said
    assert {"demo-agent-1", "demo-supervisor-1", "demo-admin-1"} <= set(said.split())
    assert "5 shops" in said
    assert "complete" in said
    assert demo.stop(signal.SIGINT) == 0

    again = Demo(tmp_path, port)
    said = again.wait_for("first sync")

    # Everything was there already: only what may have changed is read.
    first, second = (int(re.search(r"first sync: (\d+)", log.read_text())[1]) for log in (demo.log, again.log))
    assert second < first
    assert again.stop(signal.SIGTERM) == 0

"""Bad nights on order: faults that can be switched on for any emulated mall.

``FaultyApp`` spoils whole answers, ``RowFaults`` the rows of a list (the mall's own list rendering
asks it). Both follow one ``FaultPlan``: a probability per request drawn from a seed, or a script.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class Fault(StrEnum):
    HTTP_500 = "http_500"
    HTTP_429 = "http_429"
    TIMEOUT = "timeout"
    LOST_ANSWER = "lost_answer"
    TRUNCATED_JSON = "truncated_json"
    HTML_200 = "html_200"
    DUPLICATE_ROWS = "duplicate_rows"
    SHIFTING_ROWS = "shifting_rows"
    BAD_RECORD = "bad_record"


ROW_FAULTS = frozenset({Fault.DUPLICATE_ROWS, Fault.SHIFTING_ROWS, Fault.BAD_RECORD})


@dataclass(slots=True, kw_only=True)
class FaultPlan:
    """Which fault strikes when.

    ``chances``: probability per request of each fault. ``script``: one entry per request that reaches
    a ``FaultyApp`` (``None`` = no fault; row faults are handed on to the lists of that request).
    ``only`` limits it to paths that hold this text. ``struck`` counts what happened.
    """

    seed: int = 1
    chances: Mapping[Fault, float] = field(default_factory=dict)
    script: Sequence[Fault | None] = ()
    only: str = ""
    struck: dict[Fault, int] = field(default_factory=dict)
    _random: Random = field(init=False)
    _script: Iterator[Fault | None] = field(init=False)
    _for_rows: Fault | None = None

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._script = iter(self.script)

    def next_fault(self, path: str, *, among_rows: bool) -> Fault | None:
        """The fault of this request, of the row faults or of the others."""
        if self.only not in path:
            return None
        if among_rows:
            fault, self._for_rows = self._for_rows, None
        else:
            fault = next(self._script, None)
            if fault in ROW_FAULTS:
                fault, self._for_rows = None, fault
        if fault is None:
            fault = self._drawn(among_rows=among_rows)
        if fault is not None:
            self.struck[fault] = self.struck.get(fault, 0) + 1
        return fault

    def _drawn(self, *, among_rows: bool) -> Fault | None:
        for fault, chance in self.chances.items():
            if (fault in ROW_FAULTS) is among_rows and self._random.random() < chance:
                return fault
        return None


class RowFaults:
    """Leaves every list as it is. ``PlannedRowFaults`` does not."""

    def spoil(self, rows: list[Any], *, path: str) -> list[Any]:
        """The rows that the mall answers instead of ``rows``; the argument is left alone."""
        del path
        return rows


class PlannedRowFaults(RowFaults):
    def __init__(self, plan: FaultPlan, *, break_record: Callable[[Any], Any]) -> None:
        """``break_record`` makes one row unreadable in a way that suits the mall."""
        self._plan = plan
        self._break_record = break_record

    def spoil(self, rows: list[Any], *, path: str) -> list[Any]:
        fault = self._plan.next_fault(path, among_rows=True) if rows else None
        if fault is Fault.DUPLICATE_ROWS:
            return [*rows, rows[0], rows[-1]]
        if fault is Fault.SHIFTING_ROWS:
            return rows[1:]
        if fault is Fault.BAD_RECORD:
            return [*rows[:-1], self._break_record(rows[-1])]
        return rows


class FaultyApp:
    """An emulated mall behind a bad line: an ASGI application around ``app``."""

    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        hang_seconds: float = 120.0,
    ) -> None:
        self._app = app
        self._plan = plan
        self._sleep = sleep
        self._hang_seconds = hang_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        fault = self._plan.next_fault(scope["path"], among_rows=False)
        if fault is Fault.HTTP_500:
            await _answer(send, 500, b"<html><body>Internal Server Error</body></html>", b"text/html")
        elif fault is Fault.HTTP_429:
            await _answer(send, 429, b'{"error":{"code":429,"message":"Too Many Requests"}}', b"application/json")
        elif fault is Fault.HTML_200:
            await _answer(send, 200, b"<html><body>Maintenance</body></html>", b"text/html; charset=utf-8")
        elif fault is Fault.TIMEOUT:
            await self._sleep(self._hang_seconds)
            await _answer(send, 504, b"", b"text/plain")
        elif fault in (Fault.LOST_ANSWER, Fault.TRUNCATED_JSON):
            await self._spoiled(fault, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _spoiled(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """The mall does its work, but what the caller sees of the answer is broken."""
        status, body = 200, b""

        async def catch(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body += message["body"]

        await self._app(scope, receive, catch)
        if fault is Fault.LOST_ANSWER:
            await _answer(send, 502, b"<html><body>Bad Gateway</body></html>", b"text/html")
        else:
            await _answer(send, status, body[: len(body) // 2], b"application/json")


async def _answer(send: Send, status: int, body: bytes, content_type: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})

"""One step after the other: what a night does depends on its seed alone, so that it can be lived again.

The driver's threads, the waiting and the order in which statements of several tasks come through are
what differs from run to run. Here every statement of an SQLite database is a step of the loop itself,
put off by a few turns that a seed draws, and time passes only when nobody has anything left to do. So
another seed is also another order of tasks. Answers of a PostgreSQL server come when they come.
"""

import asyncio
import gc
import random
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import aiosqlite.core

#: turns that a statement may be put off
_LONGEST_PAUSE = 3
#: tries of a statement that finds the file locked, one each turn
_PATIENCE = 100_000

_Step = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class StuckError(AssertionError):
    """Everybody waits for somebody else."""


class SteppedLoop(asyncio.SelectorEventLoop):
    """A loop whose time is nobody's: it jumps to the next timer when there is nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0.0

    def time(self) -> float:
        return self._passed

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        del executor
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  as an executor does
            future.set_exception(error)
        return future

    def _run_once(self) -> None:
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]
            timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
            if not timers:
                raise StuckError
            self._passed = max(self._passed, min(timers))
        super()._run_once()  # type: ignore[misc]


class Statements:
    """The statements of one connection, in their order, each a step of the loop."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._steps: deque[_Step] = deque()
        self._connection: sqlite3.Connection | None = None
        self._tries = 0

    def put_nowait(self, step: _Step) -> None:
        self._steps.append(step)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # A connection that nobody closed is closed when the loop is gone.
            self._work()
        else:
            self._put_off(loop, self._dice.randrange(_LONGEST_PAUSE))

    def _put_off(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._put_off, loop, turns - 1)
        else:
            loop.call_soon(self._work)

    def _work(self) -> None:
        future, function = self._steps.popleft()
        try:
            if self._connection is not None:
                # To wait inside the library would be to wait for oneself.
                with suppress(sqlite3.ProgrammingError):  # closed
                    self._connection.execute("PRAGMA busy_timeout=0")
            result = function()
        except sqlite3.OperationalError as error:
            if "locked" in str(error) and self._tries < _PATIENCE:
                # Whoever holds the file is another task of this loop.
                self._tries += 1
                self._steps.appendleft((future, function))
                asyncio.get_running_loop().call_soon(self._work)
            else:
                _tell(future, error)
        except BaseException as error:  # noqa: BLE001  as the driver does
            _tell(future, error)
        else:
            self._note(result)
            if future is not None and not future.done():
                future.set_result(result)

    def _note(self, result: Any) -> None:
        self._tries = 0
        if isinstance(result, sqlite3.Connection):
            self._connection = result
        elif result is aiosqlite.core._STOP_RUNNING_SENTINEL:
            self._connection = None


def _tell(future: asyncio.Future[Any] | None, error: BaseException) -> None:
    if future is not None and not future.done():
        future.set_exception(error)


class _NoThread:
    daemon = True

    def __init__(self, **_: Any) -> None: ...

    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return False


@contextmanager
def _stepped(seed: int) -> Iterator[None]:
    dice = random.Random(seed)

    def statements() -> Statements:
        return Statements(dice)

    with (
        mock.patch.object(aiosqlite.core, "SimpleQueue", statements),
        mock.patch.object(aiosqlite.core, "Thread", _NoThread),
    ):
        yield


def run_stepped(work: Coroutine[Any, Any, None], *, seed: int) -> None:
    """Run ``work`` to its end, step by step, over SQLite alone. Raises: StuckError, and what the work raises."""
    # When the collector comes depends on what the process did before; whoever must have it calls it.
    gc.collect()
    gc.disable()
    # Pauses between tries differ from each other by a little, on purpose.
    random.seed(seed)
    try:
        with _stepped(seed), asyncio.Runner(loop_factory=SteppedLoop) as runner:
            runner.run(work)
    finally:
        gc.enable()

"""Files of call records read on and on beside the worker: position kept, one reader at a time, told in the status."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from hub.desk.phone.call_following import NOT_THERE, Follower, read_follows
from hub.desk.shops.status import read_status
from hub.settings import Settings
from hub.store.leases import held_and_abandoned
from hub.store.tables import calls, cases
from hub.sync.call_files import FollowedFile
from ivr.check import load_spec
from ivr.spec import routes_from_spec
from tests.desk.invented import NOW, Rig
from tests.desk.test_callbacks import demo_text

AT = int(NOW.timestamp()) - 600


def one_call(number: int) -> str:
    """A caller who leaves the queue for a callback; the numbers differ by their last digit."""
    callid, caller = f"{AT + number}.1", f"0109999000{number}"
    return "".join(
        f"{AT + number + after}|{callid}|{rest}\n"
        for after, rest in (
            (0, f"NONE|NONE|IVR|ENTER|alpha|order|07000001001|{caller}|alpha.order.next"),
            (4, f"alpha_order|NONE|ENTERQUEUE||{caller}|1"),
            (9, "alpha_order|NONE|EXITWITHKEY|9|1|1|5"),
            (10, "NONE|NONE|IVR|HANGUP|16|alpha/order"),
        )
    )


def write(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def log(rig: Rig, tmp_path: Path) -> Path:
    """The file that the settings name, which is not there yet."""
    (tmp_path / "ivr.yaml").write_text(demo_text(), encoding="utf-8")
    path = tmp_path / "queue_log"
    rig.settings = rig.settings.model_copy(update={"home": tmp_path, "call_files": f"seoul={path}"})
    return path


def follower(rig: Rig, path: Path) -> Follower:
    return Follower(rig, pbx="seoul", path=path, every=0.01, turn=0.01)


async def counted(rig: Rig) -> tuple[int, int]:
    """Calls, and cases of callbacks."""
    async with rig.database.reading() as connection:
        found = await connection.scalar(select(func.count()).select_from(calls))
        wishes = await connection.scalar(select(func.count()).select_from(cases).where(cases.c.kind == "call"))
    return found or 0, wishes or 0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  others are waited for
            await asyncio.sleep(0.01)


async def test_what_is_new_is_read_and_wishes_become_cases(rig: Rig, log: Path) -> None:
    reader = follower(rig, log)
    await reader.look()
    write(log, one_call(1))
    await reader.look()
    assert await counted(rig) == (1, 1)

    write(log, one_call(2) + "torn")
    await follower(rig, log).look()

    assert await counted(rig) == (2, 2)
    (told,) = await read_follows(rig)
    assert (told.pbx, told.kind, told.lines, told.unreadable, told.problem) == ("seoul", "queue_log", 8, 0, None)
    assert told.position == len(one_call(1) + one_call(2))
    assert not told.followed, "nobody holds it"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda home, log: log.unlink(missing_ok=True), NOT_THERE),
        (lambda home, log: log.write_text("hello\n" * 60, encoding="utf-8"), "not queue_log"),
        (lambda home, log: (home / "ivr.yaml").unlink(), "there is no IVR spec"),
    ],
    ids=["missing", "something else", "no spec"],
)
async def test_what_keeps_it_from_being_read_stands_in_the_status(
    rig: Rig, log: Path, tmp_path: Path, spoil: Callable[[Path, Path], object], problem: str
) -> None:
    write(log, one_call(1))
    spoil(tmp_path, log)

    await follower(rig, log).look()

    status = await read_status(rig)
    assert not status.complete
    assert problem in (status.call_files[0].problem or "")


async def test_another_goes_on_where_the_first_stopped(rig: Rig, log: Path) -> None:
    write(log, one_call(1))
    first = asyncio.create_task(follower(rig, log).run())
    await until(lambda: _is_well(rig))
    second = asyncio.create_task(follower(rig, log).run())
    try:
        held, _ = await held_and_abandoned(rig.database, "calls:")
        assert held == [f"calls:seoul:{log}"]
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        write(log, one_call(2))
        await until(lambda: _has(rig, 2))
    finally:
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
    assert not (await read_follows(rig))[0].followed


async def test_wishes_that_a_dead_reader_left_become_cases(rig: Rig, log: Path) -> None:
    write(log, one_call(1))
    routes = routes_from_spec(load_spec(demo_text(), source="demo"))
    await FollowedFile(rig.database, routes, path=log, pbx="seoul", now=rig.now).poll()
    assert await counted(rig) == (1, 0)

    await follower(rig, log).look()

    assert await counted(rig) == (1, 1)


async def _is_well(rig: Rig) -> bool:
    return (await read_follows(rig))[0].is_well


async def _has(rig: Rig, number: int) -> bool:
    """So many calls, each with its case."""
    return await counted(rig) == (number, number)


async def test_without_a_setting_nothing_is_followed(rig: Rig) -> None:
    status = await read_status(rig)

    assert (rig.settings.followed_calls, status.call_files) == ((), [])


def test_the_setting_names_a_file_for_each_pbx() -> None:
    settings = Settings(call_files=" seoul=/a/queue_log ,/b/queue_log, seoul=/a/queue_log")

    assert settings.followed_calls == (("seoul", Path("/a/queue_log")), ("", Path("/b/queue_log")))


@pytest.mark.parametrize("text", ["queue_log", "a b=/x", "=/x", "seoul=queue_log", "-x=/y"])
def test_a_setting_that_names_no_whole_path_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="NAME=/path"):
        Settings(call_files=text)

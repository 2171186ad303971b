"""Files that grow, are rotated, cut short or copied: the calls are those of the file read as a whole."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from hub.store.database import Database
from hub.store.tables import call_events, call_files, call_problems, calls
from hub.sync.call_files import LOST_TAIL, FollowedFile, note_file, read_problems
from hub.sync.calls import CallImport
from ivr.records import UnknownRecordsError
from ivr.routes import routes_from_map

CAPTURE = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"
ROUTES = routes_from_map((CAPTURE / "rig_map.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
LOG = (CAPTURE / "queue_log").read_bytes()


def followed(database: Database, path: Path, *, pbx: str | None = None) -> FollowedFile:
    """Each time a new one, as after a restart of the reader."""
    return FollowedFile(database, ROUTES, path=path, pbx=pbx, now=lambda: NOW)


async def results(database: Database) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    query = select(calls.c.call_id, calls.c.result, calls.c.line, calls.c.handling_line, calls.c.topic)
    async with database.reading() as connection:
        rows = (await connection.execute(query.order_by(calls.c.call_id))).all()
    return [(row.call_id, row.result, row.line, row.handling_line, row.topic) for row in rows]


async def whole(
    database: Database, name: str = "queue_log"
) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    """What the file gives when it is read at once; the store is left empty."""
    records = CallImport(database, ROUTES)
    await records.read_file(name, (CAPTURE / name).read_text(encoding="utf-8").splitlines())
    await records.derive()
    found = await results(database)
    await clear(database)
    return found


def empty(folder: Path) -> None:
    for old in folder.iterdir():
        old.unlink()


async def clear(database: Database) -> None:
    async with database.writing() as connection:
        for table in (calls, call_events, call_problems, call_files):
            await connection.execute(delete(table))


async def counted(database: Database) -> tuple[int, int, int]:
    """Lines, events and unreadable lines of all files."""
    files, _ = await read_problems(database)
    return tuple(sum(file[name] for file in files) for name in ("lines", "events", "unreadable"))  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["queue_log", "cel.jsonl", "ami_events.jsonl"])
async def test_a_growing_file_gives_the_calls_of_the_whole(database: Database, tmp_path: Path, name: str):
    wanted = await whole(database, name)
    text = (CAPTURE / name).read_bytes()
    path = tmp_path / "log"
    cuts = sorted(Random(5).sample(range(len(text)), 6))

    for first, last in zip([0, *cuts], [*cuts, len(text)], strict=True):
        with path.open("ab") as file:
            file.write(text[first:last])
        await followed(database, path).poll()

    assert await results(database) == wanted
    lines, _, unreadable = await counted(database)
    assert (lines, unreadable) == (text.count(b"\n"), 0)


async def test_nothing_new_is_nothing_read(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    assert await followed(database, path).poll() == []
    path.write_bytes(LOG)

    (report,) = await followed(database, path).poll()

    assert report.new_events == report.events > 100
    assert await followed(database, path).poll() == []


@pytest.mark.parametrize("how", ["renamed", "copied and cut"])
async def test_a_rotated_file_is_read_to_its_end_first(database: Database, tmp_path: Path, how: str):
    wanted = await whole(database)
    path, third = tmp_path / "queue_log", len(LOG) // 3
    path.write_bytes(LOG[:third])
    await followed(database, path).poll()
    middle = LOG.index(b"\n", 2 * third) + 1
    path.write_bytes(LOG[:middle])
    (tmp_path / "queue_log.9.gz").write_bytes(b"\x1f\x8b")
    older = tmp_path / "queue_log.1"
    if how == "renamed":
        path.rename(older)
        assert await followed(database, path).poll() == []
    else:
        older.write_bytes(LOG[:middle])
    path.write_bytes(LOG[middle:])

    await followed(database, path).poll()

    assert await results(database) == wanted
    assert await counted(database) == (LOG.count(b"\n"), LOG.count(b"\n"), 0)
    files, _ = await read_problems(database)
    assert [file["position"] for file in files] == [middle, len(LOG) - middle]


async def test_a_file_that_vanished_before_its_end_is_named(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    path.write_bytes(LOG[:3000])
    await followed(database, path).poll()
    path.write_bytes(LOG[LOG.index(b"\n", 6000) + 1 :])

    await followed(database, path).poll()

    _, problems = await read_problems(database)
    assert [problem.reason for problem in problems] == [LOST_TAIL]
    assert problems[0].line_no == LOG[:3000].count(b"\n")


async def test_a_file_cut_short_is_another_file(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    path.write_bytes(LOG)
    await followed(database, path).poll()
    path.write_bytes(LOG[: LOG.index(b"\n", 2000) + 1])

    (report,) = await followed(database, path).poll()

    assert (report.events > 0, report.new_events) == (True, 0)


async def test_a_torn_last_line_waits_for_its_end(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    path.write_bytes(LOG[:-7])
    await followed(database, path).poll()
    with path.open("ab") as file:
        file.write(LOG[-7:])

    (report,) = await followed(database, path).poll()

    assert (report.lines, report.events, report.unreadable) == (1, 1, 0)


async def test_unreadable_lines_are_counted_and_named_by_their_number_in_the_file(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    good = LOG.split(b"\n")[:20]
    path.write_bytes(b"\n".join(good) + b"\n")
    await followed(database, path).poll()
    with path.open("ab") as file:
        file.write(b"1795310905|x|torn\n" + good[0] + b"\n1795310905|1795310905.1|q|a|MARTIAN|1\n1795310905|torn\n")

    await followed(database, path).poll()

    files, problems = await read_problems(database)
    assert [(problem.line_no, problem.reason) for problem in problems] == [
        (21, "fewer than five columns"),
        (24, "fewer than five columns"),
    ]
    assert [file["unreadable"] for file in files] == [2]


async def test_a_file_of_something_else_is_refused(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    path.write_bytes(b"hello\n" * 60)

    with pytest.raises(UnknownRecordsError):
        await followed(database, path).poll()


async def test_two_pbxes_with_the_same_ids_are_twice_the_calls(database: Database, tmp_path: Path):
    """And the restart of one ends no call of the other."""
    log = LOG + b"1795311200|NONE|NONE|NONE|QUEUESTART|\n"
    one = await whole(database)
    for name in ("seoul", "busan"):
        path = tmp_path / name
        path.write_bytes(log if name == "seoul" else LOG)
        await followed(database, path, pbx=name).poll()

    found = await results(database)

    assert sorted(found) == sorted((f"{name}-{call[0]}", *call[1:]) for name in ("seoul", "busan") for call in one)


async def test_a_restart_ends_the_calls_of_its_own_pbx(database: Database, tmp_path: Path):
    begun = b"1795310905|1795310905.1|NONE|NONE|IVR|ENTER|malla|order|07000001001|01000001001\n"
    begun += b"1795310907|1795310905.1|malla_order|NONE|ENTERQUEUE||01000001001|1\n"
    for name, rest in (("seoul", b"1795310950|NONE|NONE|NONE|QUEUESTART|\n"), ("busan", b"")):
        path = tmp_path / name
        path.write_bytes(begun + rest)
        await followed(database, path, pbx=name).poll()

    assert [row[:2] for row in await results(database)] == [
        ("busan-1795310905.1", None),
        ("seoul-1795310905.1", "system_lost"),
    ]


async def test_a_clock_set_back_is_counted_and_its_calls_stay(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    head, tail = LOG.split(b"\n")[:40], LOG.split(b"\n")[40:]
    path.write_bytes(b"\n".join([*tail[:-1], *head]) + b"\n")
    wanted = await whole(database)

    (report,) = await followed(database, path).poll()

    assert report.clock_jumps == 1
    assert await results(database) == wanted


async def test_an_imported_file_is_followed_from_its_end(database: Database, tmp_path: Path):
    path = tmp_path / "queue_log"
    path.write_bytes(LOG)
    records = CallImport(database, ROUTES)
    with path.open(encoding="utf-8") as lines:
        report = await records.read_file(str(path), lines)
    for _ in range(2):
        await note_file(database, report, path=path, pbx=None, now=NOW)

    assert await followed(database, path).poll() == []
    files, _ = await read_problems(database)
    assert [file["lines"] for file in files] == [LOG.count(b"\n")]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_pieces_and_any_rotation_give_the_whole(
    sqlite_database: Database, tmp_path: Path, data: st.DataObject
):
    wanted = await whole(sqlite_database)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(LOG)), max_size=5)))
    rotations = data.draw(st.sets(st.integers(0, 5), max_size=3))
    path = tmp_path / "queue_log"
    empty(tmp_path)
    number = 0
    for piece, (first, last) in enumerate(zip([0, *cuts], [*cuts, len(LOG)], strict=True)):
        if piece in rotations and path.exists() and path.read_bytes().endswith(b"\n"):
            # a PBX ends its line before it begins another file
            number += 1
            path.rename(tmp_path / f"queue_log.{number}")
        with path.open("ab") as file:
            file.write(LOG[first:last])
        if data.draw(st.booleans()) or piece + 1 in rotations:
            await followed(sqlite_database, path).poll()
    await followed(sqlite_database, path).poll()

    assert await results(sqlite_database) == wanted
    async with sqlite_database.reading() as connection:
        stored = await connection.scalar(select(func.count()).select_from(call_events))
    assert stored == len(set(LOG.splitlines()))
    await clear(sqlite_database)

"""A lease has one holder at a time, over tasks, processes and machines; a dead one is not waited for."""

import asyncio
import os
import socket
import sys
import time

import pytest

from hub.store import leases as module
from hub.store.database import Database
from hub.store.leases import Lease, held_and_abandoned
from hub.store.tables import leases
from tests.store.shapes import rows


async def _hold(database: Database, owner: str, *, until_in_seconds: float, name: str = "sync:1") -> None:
    until = round((time.time() + until_in_seconds) * 1000)
    async with database.writing() as connection:
        await connection.execute(leases.insert(), {"name": name, "owner": owner, "until_at": until})


async def test_a_free_lease_is_taken_and_given_back(database: Database):
    async with Lease(database, "sync:1"):
        (held,) = await rows(database, leases)

    assert held["owner"].startswith(f"{socket.gethostname()}:{os.getpid()}:")
    assert await rows(database, leases) == []


async def test_only_one_holder_at_a_time(database: Database):
    inside = 0
    most = 0

    async def work() -> None:
        nonlocal inside, most
        async with Lease(database, "sync:1"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.005)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(8)))

    assert most == 1


async def test_leases_of_other_names_do_not_wait(database: Database):
    async with Lease(database, "sync:1"):
        other = Lease(database, "sync:2")
        assert await other.try_take()
        await other.give_back()


async def test_a_held_lease_cannot_be_taken_nor_given_back_by_another(database: Database):
    async with Lease(database, "sync:1"):
        other = Lease(database, "sync:1")

        assert not await other.try_take()
        await other.give_back()

        assert len(await rows(database, leases)) == 1


async def test_taking_again_what_one_holds_succeeds(database: Database):
    lease = Lease(database, "sync:1")

    assert await lease.try_take()
    assert await lease.try_take()

    await lease.give_back()


async def test_a_stale_lease_of_another_machine_is_taken(database: Database):
    await _hold(database, "elsewhere:1:ff", until_in_seconds=-1)

    lease = Lease(database, "sync:1")
    assert await lease.try_take()
    await lease.give_back()


async def test_a_living_lease_of_another_machine_is_left_alone(database: Database):
    await _hold(database, "elsewhere:1:ff", until_in_seconds=20)

    assert not await Lease(database, "sync:1").try_take()


async def test_a_dead_process_of_this_machine_is_not_waited_for(database: Database):
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    await _hold(database, f"{socket.gethostname()}:{gone.pid}:ff", until_in_seconds=20)

    lease = Lease(database, "sync:1")
    assert await lease.try_take()
    await lease.give_back()


async def test_a_living_process_of_this_machine_is_left_alone(database: Database):
    await _hold(database, f"{socket.gethostname()}:{os.getppid()}:ff", until_in_seconds=20)

    assert not await Lease(database, "sync:1").try_take()


async def test_a_holder_renews_what_it_holds(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.3)
    async with Lease(database, "sync:1"):
        (first,) = await rows(database, leases)
        now = first
        async with asyncio.timeout(20):
            while now["until_at"] == first["until_at"]:
                await asyncio.sleep(0.02)
                (now,) = await rows(database, leases)

        assert now["until_at"] > first["until_at"]
        assert now["owner"] == first["owner"]


async def test_the_lease_is_given_back_when_the_work_fails(database: Database):
    with pytest.raises(ZeroDivisionError):
        async with Lease(database, "sync:1"):
            _ = 1 / 0

    assert await rows(database, leases) == []


async def test_the_living_and_the_dead_are_told_apart(database: Database):
    await _hold(database, "elsewhere:1:ff", until_in_seconds=-1, name="worker:stale")
    await _hold(database, "elsewhere:1:ff", until_in_seconds=20, name="worker:living")
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    await _hold(database, f"{socket.gethostname()}:{gone.pid}:ff", until_in_seconds=20, name="worker:killed")
    await _hold(database, "elsewhere:1:ff", until_in_seconds=-1, name="workers_of_others")

    held, abandoned = await held_and_abandoned(database, "worker:")

    assert (held, abandoned) == (["worker:living"], ["worker:killed", "worker:stale"])


async def test_what_was_abandoned_is_anybodys_at_once(database: Database):
    lease = Lease(database, "worker:w1")
    assert await lease.try_take()

    await lease.abandon()

    assert await held_and_abandoned(database, "worker:") == ([], ["worker:w1"])
    other = Lease(database, "worker:w1")
    assert await other.try_take()
    await other.give_back()


async def test_a_holder_is_told_that_its_lease_was_taken(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.3)
    lease = Lease(database, "worker:w1")
    await lease.try_take()
    async with database.writing() as connection:
        await connection.execute(leases.update().values(owner="elsewhere:1:ff"))

    await asyncio.wait_for(lease.lost.wait(), 10)

    await lease.give_back()
    assert len(await rows(database, leases)) == 1


async def test_a_dead_holder_elsewhere_is_waited_out_a_living_one_is_not(database: Database):
    await _hold(database, "elsewhere:1:ff", until_in_seconds=0.6, name="worker:w1")
    lease = Lease(database, "worker:w1")

    assert await asyncio.wait_for(lease.take_from_the_dead(), 10)
    await lease.give_back()

    await _hold(database, "elsewhere:1:ff", until_in_seconds=30, name="worker:w2")
    waiting = asyncio.ensure_future(Lease(database, "worker:w2").take_from_the_dead())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    async with asyncio.timeout(20):
        # Again and again, as a living holder does: the first time it may not have looked yet.
        while not waiting.done():
            async with database.writing() as connection:
                await connection.execute(leases.update().values(until_at=leases.c.until_at + 5000))
            await asyncio.sleep(0.05)
    assert not await waiting


async def test_another_process_of_this_machine_is_not_waited_for(database: Database):
    await _hold(database, f"{socket.gethostname()}:{os.getppid()}:ff", until_in_seconds=20, name="worker:w1")

    assert not await asyncio.wait_for(Lease(database, "worker:w1").take_from_the_dead(), 5)

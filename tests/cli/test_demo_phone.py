import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub, open_hub
from hub.cli import demo_phone
from hub.cli.demo_phone import DemoCall, Ending, follow_log, give_phones, listening_to, next_call, play, ring_phones
from hub.desk.access import Role
from hub.desk.phone.exchange import addresses
from hub.desk.sessions import end_session, open_session, signed_in
from hub.desk.users import create_user
from hub.sandbox.exchange import Exchange
from hub.settings import Settings
from hub.store.tables import calls, users
from hub.telephony.ami import AmiControl
from ivr import demo_spec_text
from ivr.calls import CallResult
from ivr.check import load_spec
from ivr.spec import Spec

CALLERS = ["010-0000-0001", "090-0000-0002"]


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load_spec(demo_spec_text(), source="demo")


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with Exchange(tmp_path / "pbx" / "queue_log") as exchange:
        yield exchange


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(demo_phone, "_LOOK", 0.01)
    monkeypatch.setattr(demo_phone, "_FIRST", 0.01)
    async with open_hub(Settings(home=tmp_path)) as hub:
        yield hub


def a_call(spec: Spec, ending: Ending, *, talks: float = 0.01) -> DemoCall:
    return DemoCall(
        caller="01000000001", number=spec.numbers[0], ending=ending, rings=0.01, talks=talks, ended_by="caller"
    )


def test_the_callers_are_known_unknown_and_withheld_and_always_the_same(spec: Spec) -> None:
    def day() -> list[DemoCall]:
        random = Random(7)
        return [next_call(random, spec=spec, callers=CALLERS) for _ in range(300)]

    found = day()
    assert day() == found
    kinds = Counter("known" if call.caller in {"01000000001", "819000000002"} else bool(call.caller) for call in found)
    assert kinds["known"] > kinds[True] > kinds[False] > 5
    assert {call.ending for call in found} == set(Ending)
    assert {call.number.mall for call in found} == set(spec.malls)
    assert {(call.menu, call.key) for call in found} == {(menu, "1") for menu in spec.menus}
    assert all(30 <= call.pause + call.rings + call.talks <= 80 for call in found), "not too often"
    first = next_call(Random(1), spec=spec, callers=CALLERS, is_first=True)
    assert (first.ending, bool(first.caller)) == (Ending.ANSWERED, True)
    assert first.caller not in repr(first)


@pytest.mark.parametrize(
    ("ending", "result"),
    [
        (Ending.ANSWERED, CallResult.ANSWERED),
        (Ending.GIVEN_UP, CallResult.ABANDONED_QUEUE),
        (Ending.NOT_ANSWERED, CallResult.ABANDONED_QUEUE),
    ],
)
async def test_a_played_call_comes_into_the_counts(
    hub: Hub, exchange: Exchange, spec: Spec, monkeypatch: pytest.MonkeyPatch, ending: Ending, result: CallResult
) -> None:
    monkeypatch.setattr(demo_phone, "_RINGS_IN_VAIN", 0.01)
    await exchange.sign_on("agent1001", ["cafe24_order"])
    await play(exchange, "agent1001", a_call(spec, ending))
    assert exchange.is_free("agent1001")
    following = asyncio.create_task(follow_log(hub, exchange, spec=spec))
    async with asyncio.timeout(10):
        while not (found := await recorded(hub)):  # noqa: ASYNC110  a handful of looks
            await asyncio.sleep(0.02)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert found == [("cafe24", "order", result.value)]


async def recorded(hub: Hub) -> list[tuple[str, str, str]]:
    async with hub.database.reading() as connection:
        rows = await connection.execute(select(calls.c.mall, calls.c.line, calls.c.result))
        return [(row.mall, row.line, row.result) for row in rows]


async def test_a_call_that_the_desk_ends_is_over(exchange: Exchange, spec: Spec) -> None:
    await exchange.sign_on("agent1001", ["cafe24_order"])
    playing = asyncio.create_task(play(exchange, "agent1001", a_call(spec, Ending.ANSWERED, talks=60)))
    async with asyncio.timeout(10):
        while "CONNECT" not in exchange.log.read_text():  # noqa: ASYNC110  a handful of looks
            await asyncio.sleep(0.01)
        (channel,) = [row["Channel"] for row in exchange.ami.channels if row["Uniqueid"] == row["Linkedid"]]
        (known,) = addresses(listening_to(exchange, Settings()))
        await AmiControl(known).end(channel=channel)
        await playing


async def test_the_telephone_of_whoever_is_signed_in_rings(hub: Hub, exchange: Exchange, spec: Spec) -> None:
    for login in ("agent", "supervisor"):
        await create_user(
            hub.database, login=login, name=login, role=Role.AGENT, password="an invented one", at=hub.now()
        )
    await give_phones(hub)
    async with hub.database.reading() as connection:
        user_id = await connection.scalar(select(users.c.id).where(users.c.login == "agent"))
    key = await open_session(hub.database, user_id=user_id or 0, at=hub.now(), lasts=timedelta(hours=1))
    assert await signed_in(hub.database, at=hub.now()) == {user_id}
    ringing = asyncio.create_task(ring_phones(hub, exchange, spec=spec, callers=CALLERS))
    async with asyncio.timeout(10):
        while not any(row["Uniqueid"].endswith("-agent1001") for row in exchange.ami.channels):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert {row["Name"] for row in exchange.ami.members} == {"agent1001"}
        await end_session(hub.database, key=key)
        while exchange.ami.members:  # noqa: ASYNC110  a handful of looks
            await asyncio.sleep(0.01)
    assert not exchange.ami.channels, "signed out in mid-call"
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)


async def test_the_demo_listens_to_its_own_exchange_alone(exchange: Exchange) -> None:
    (known,) = addresses(listening_to(exchange, Settings(ami_host="pbx.example", ami_farewell="x")))
    assert (known.host, known.port, known.farewell) == ("127.0.0.1", exchange.ami.port, "")

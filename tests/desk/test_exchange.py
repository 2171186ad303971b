import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor
from hub.desk.phone.exchange import addresses, control_of, watch_phones
from hub.settings import Settings
from hub.store.tables import live_calls
from ivr.phone import PhoneError
from tests.desk.invented import Rig
from tests.desk.test_phone_calls import with_phone
from tests.telephony.fake_ami import SECRET, USER, FakeAmi, called


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


def settings(port: int, *, secret: str = SECRET, more: str | None = None) -> Settings:
    return Settings(
        ami_host="127.0.0.1",
        ami_port=port,
        ami_user=USER,
        ami_secret=SecretStr(secret),
        ami_more=SecretStr(more) if more is not None else None,
    )


async def test_of_two_processes_one_listens(rig: Rig, agent: Actor, pbx: FakeAmi) -> None:
    await with_phone(rig, agent)
    rig.settings = settings(pbx.port)
    watching = [asyncio.create_task(watch_phones(rig)) for _ in range(2)]
    try:
        async with asyncio.timeout(10):
            while not pbx.orders("CoreShowChannels"):  # noqa: ASYNC110  a handful of looks
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(pbx.orders("Login")) == 1
        await pbx.tell(called("agent1001", "01000005001"))
        async with asyncio.timeout(10):
            while await _rung(rig) != ["ringing"]:  # noqa: ASYNC110  a handful of looks
                await asyncio.sleep(0.02)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _rung(rig: Rig) -> list[str]:
    async with rig.database.reading() as connection:
        return list(await connection.scalars(select(live_calls.c.state)))


async def test_a_wrong_password_ends_the_listening_and_nothing_else(rig: Rig, pbx: FakeAmi) -> None:
    rig.settings = settings(pbx.port, secret="wrong")
    async with asyncio.timeout(10):
        await watch_phones(rig)
    assert len(pbx.orders("Login")) == 1


def test_several_exchanges_have_names_of_their_own(rig: Rig) -> None:
    second = '[{"name": "second", "host": "127.0.0.1", "port": 5039, "user": "u", "secret": "s"}]'
    rig.settings = settings(5038, more=second)
    assert [each.name for each in addresses(rig.settings)] == ["pbx", "second"]
    assert control_of(rig, "agent1001")[:2] == ("pbx", "agent1001")
    assert control_of(rig, "second/agent1001")[:2] == ("second", "agent1001")
    for unknown in (None, "", "third/agent1001", "second/"):
        with pytest.raises(PhoneError):
            control_of(rig, unknown)


@pytest.mark.parametrize(
    "more",
    ["{", '[{"name": "x"}]', '[{"name": "pbx", "host": "h", "port": 1, "user": "u", "secret": "s3cret"}]'],
)
def test_settings_that_are_wrong_are_refused_without_their_secrets(more: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        addresses(settings(5038, more=more))
    assert "s3cret" not in str(caught.value)

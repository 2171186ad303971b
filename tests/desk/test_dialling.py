import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, ForbiddenError, Role, command_line_actor
from hub.desk.phone.dialling import dial_case, dial_number, number_to_dial
from hub.desk.phone.notes import NoteError
from hub.desk.phone.seats import give_phone
from hub.settings import Settings
from hub.store.tables import access_log, dials, users
from tests.desk.invented import Rig, open_rig
from tests.desk.test_callbacks import demo_text
from tests.desk.test_phone_calls import with_phone
from tests.telephony.fake_ami import SECRET, USER, FakeAmi

NUMBER = "010-9999-0000"


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


@pytest.fixture
async def desk(filled: Path, agent: Actor, pbx: FakeAmi, tmp_path: Path) -> AsyncIterator[Rig]:
    """On one kind of database: no query here is special."""
    (tmp_path / "ivr.yaml").write_text(demo_text(), encoding="utf-8")
    rig = await open_rig(tmp_path, f"sqlite:///{shutil.copyfile(filled, tmp_path / 'hub.db')}")
    rig.settings = Settings(
        home=tmp_path, ami_host="127.0.0.1", ami_port=pbx.port, ami_user=USER, ami_secret=SecretStr(SECRET)
    )
    await with_phone(rig, agent)
    yield rig
    await rig.database.aclose()


async def call(desk: Rig, **given: str) -> None:
    told = {"login": "kim", "shop": "alpha-main", "number": NUMBER, **given}
    await dial_number(desk, actor=command_line_actor(), **told)


async def test_a_number_is_called_under_one_of_the_malls(desk: Rig, agent: Actor, pbx: FakeAmi) -> None:
    await call(desk, login=agent.login)
    (asked,) = pbx.orders("Originate")
    assert (asked["Channel"], asked["Exten"], asked["CallerID"]) == ("PJSIP/agent1001", "01099990000", "15880101")
    async with desk.database.reading() as connection:
        row = (await connection.execute(select(dials))).one()
        logged = (await connection.execute(select(access_log).where(access_log.c.reason == "call"))).one()
    assert (row.user_id, row.member, row.mall, row.state) == (agent.user_id, "agent1001", "alpha", "asked")
    assert b"9999" not in row.number_sealed
    assert (logged.login, logged.subject) == ("cli", f"dial {row.id}")


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"caller_id": "021112222"}, "phone.foreign_caller_id"),
        ({"caller_id": "15880201"}, "phone.foreign_caller_id"),
        ({"number": "+81 90-1234-5678"}, "phone.abroad"),
        ({"shop": "japan-main", "caller_id": "15880101"}, "phone.foreign_caller_id"),
        ({"number": "010-****-0000"}, "phone.no_number"),
        ({"number": "abc"}, "phone.no_number"),
    ],
)
async def test_what_may_not_be_dialled_is_not(
    desk: Rig, agent: Actor, pbx: FakeAmi, given: dict[str, str], key: str
) -> None:
    with pytest.raises(NoteError, match=key):
        await call(desk, **{"login": agent.login, **given})
    await assert_nothing_asked(desk, pbx)


@pytest.mark.parametrize("given", [{"shop": "nowhere"}, {"login": "nobody"}])
async def test_an_unknown_name_is_said(desk: Rig, agent: Actor, pbx: FakeAmi, given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="there is no"):
        await call(desk, **{"login": agent.login, **given})
    await assert_nothing_asked(desk, pbx)


async def assert_nothing_asked(desk: Rig, pbx: FakeAmi) -> None:
    assert not pbx.orders("Originate")
    async with desk.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(dials)) == 0


async def test_a_seat_without_a_telephone_calls_nobody(desk: Rig, agent: Actor) -> None:
    await give_phone(desk, actor=command_line_actor(), login=agent.login, member="")
    with pytest.raises(NoteError, match="no_phone"):
        await call(desk, login=agent.login)


async def test_an_exchange_that_refuses_leaves_a_failed_call(desk: Rig, agent: Actor, pbx: FakeAmi) -> None:
    pbx.refused.add("Originate")
    with pytest.raises(NoteError, match="unreachable"):
        await call(desk, login=agent.login)
    async with desk.database.reading() as connection:
        assert await connection.scalar(select(dials.c.state)) == "failed"


async def test_the_buyer_of_an_order_is_called_from_its_case(desk: Rig, agent: Actor, pbx: FakeAmi) -> None:
    case_id = await desk.case_id("alpha-main", order_no="A-1")
    await dial_case(desk, actor=agent, case_id=case_id)
    assert pbx.orders("Originate")[0]["Exten"] == "01012345678"


@pytest.mark.parametrize(
    ("number", "country", "dialled"),
    [
        ("010-1234-5678", "KR", "01012345678"),
        ("+82 10-1234-5678", "KR", "01012345678"),
        ("02-123-4567", "KR", "021234567"),
        ("0507-1234-5678", "KR", "050712345678"),
        ("1588-0101", "KR", "15880101"),
        ("+82 10-1234-5678", "JP", "01012345678"),
    ],
)
def test_a_number_is_dialled_as_a_telephone_here_dials_it(number: str, country: str, dialled: str) -> None:
    assert number_to_dial(number, country) == dialled


def test_a_number_of_a_mall_abroad_is_not_dialled_as_one_of_here() -> None:
    with pytest.raises(NoteError, match="abroad"):
        number_to_dial("090-1234-5678", "JP")


async def test_a_telephone_stands_at_one_seat(desk: Rig, agent: Actor, supervisor: Actor) -> None:
    admin = command_line_actor()
    await give_phone(desk, actor=admin, login=agent.login, member=" second/agent7 ")
    async with desk.database.reading() as connection:
        assert await connection.scalar(select(users.c.phone_member)) == "second/agent7"
    row = {"id": 99, "login": "other", "name": "other", "role": Role.AGENT.value, "password_hash": "", "locale": "ko"}
    async with desk.database.writing() as connection:
        await connection.execute(users.insert().values(**row, is_active=True, failed_logins=0, created_at=0))
    with pytest.raises(ConfigurationError, match="another seat"):
        await give_phone(desk, actor=admin, login="other", member="second/agent7")
    for wrong in ("a b", "x\r\nAction: Y", "a/b/c", "ö", "x" * 65):
        with pytest.raises(ConfigurationError, match="not the name"):
            await give_phone(desk, actor=admin, login=agent.login, member=wrong)
    with pytest.raises(ConfigurationError, match="no user"):
        await give_phone(desk, actor=admin, login="nobody", member="agent8")
    with pytest.raises(ForbiddenError):
        await give_phone(desk, actor=supervisor, login=agent.login, member="agent8")

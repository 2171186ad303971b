import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.core.errors import ConfigurationError
from hub.desk import users as module
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.access_log import read_access_log
from hub.desk.people import add_person, change_person
from hub.desk.sessions import end_session, open_session, read_session
from hub.desk.users import SignInError, create_user, set_active, set_password, sign_in
from hub.store.tables import access_log, sessions
from tests.desk.invented import NOW, Rig

PASSWORD = "맞는 말 건전지"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_hasher", module.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def _user(rig: Rig, login: str = "kim", role: Role = Role.AGENT) -> int:
    return await create_user(rig.database, login=login, name="김상담", role=role, password=PASSWORD, at=NOW)


async def _try(rig: Rig, password: str, *, login: str = "kim", at: Any = NOW) -> bool:
    try:
        await sign_in(rig.database, login=login, password=password, at=at, address="10.0.0.7")
    except SignInError:
        return False
    return True


async def _logged(rig: Rig) -> list[tuple[Any, ...]]:
    query = select(access_log.c.action, access_log.c.login, access_log.c.address).order_by(access_log.c.id)
    async with rig.database.reading() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_a_right_password_signs_in_whatever_the_case_of_the_login(rig: Rig) -> None:
    user_id = await _user(rig)

    actor = await sign_in(rig.database, login=" KIM ", password=PASSWORD, at=NOW, address="10.0.0.7")

    assert actor == Actor(user_id=user_id, login="kim", name="김상담", role=Role.AGENT, locale="ko", address="10.0.0.7")
    assert await _logged(rig) == [("sign_in", "kim", "10.0.0.7")]


async def test_what_was_typed_for_an_unknown_login_is_not_kept(rig: Rig) -> None:
    assert not await _try(rig, "x", login="my-secret-password")

    assert await _logged(rig) == [("sign_in_failed", None, "10.0.0.7")]


async def test_five_failures_lock_for_ten_minutes_also_the_right_password(rig: Rig) -> None:
    await _user(rig)

    for _ in range(5):
        assert not await _try(rig, "wrong")

    assert not await _try(rig, PASSWORD, at=NOW + timedelta(minutes=9, seconds=59))
    assert await _try(rig, PASSWORD, at=NOW + timedelta(minutes=10))


async def test_four_failures_and_a_success_start_the_count_anew(rig: Rig) -> None:
    await _user(rig)

    for _ in range(3):
        for _ in range(4):
            assert not await _try(rig, "wrong")
        assert await _try(rig, PASSWORD)


async def test_many_guesses_at_once_are_counted_one_by_one(rig: Rig) -> None:
    await _user(rig)

    guesses = [asyncio.create_task(_try(rig, "wrong")) for _ in range(8)]
    await asyncio.gather(*guesses)

    assert not await _try(rig, PASSWORD)


async def test_a_closed_account_signs_in_no_more_and_is_signed_out(rig: Rig) -> None:
    user_id = await _user(rig)
    key = await open_session(rig.database, user_id=user_id, at=NOW, lasts=timedelta(hours=1))

    await set_active(rig.database, login="kim", is_active=False)

    assert not await _try(rig, PASSWORD)
    assert await read_session(rig.database, key=key, at=NOW, address=None) is None


async def test_nobodys_hash_costs_as_much_as_any_other() -> None:
    assert not module.PasswordHasher().check_needs_rehash(module._NOBODYS_HASH)


@pytest.mark.parametrize("login", ["", " ", "a b", "<script>", "ü", "a" * 65, "-a"])
async def test_a_malformed_login_is_refused(rig: Rig, login: str) -> None:
    with pytest.raises(ConfigurationError):
        await _user(rig, login=login)


async def test_a_login_is_given_once_whatever_its_case(rig: Rig) -> None:
    await _user(rig)

    with pytest.raises(ConfigurationError, match="already a user 'kim'"):
        await _user(rig, login="Kim")


async def test_the_table_of_sessions_opens_none(rig: Rig) -> None:
    user_id = await _user(rig)

    key = await open_session(rig.database, user_id=user_id, at=NOW, lasts=timedelta(hours=1))

    async with rig.database.reading() as connection:
        row = (await connection.execute(select(sessions))).one()
    assert key.encode() not in row.key_hash + row.data
    assert await read_session(rig.database, key=row.key_hash.hex(), at=NOW, address=None) is None
    actor = await read_session(rig.database, key=key, at=NOW, address=None)
    assert actor is not None
    assert actor.user_id == user_id


async def test_a_session_ends_with_its_time_by_itself_and_with_a_new_password(rig: Rig) -> None:
    user_id = await _user(rig)
    lasts = timedelta(hours=1)
    first, second, third = [await open_session(rig.database, user_id=user_id, at=NOW, lasts=lasts) for _ in range(3)]

    assert await read_session(rig.database, key=first, at=NOW + lasts, address=None) is None

    await end_session(rig.database, key=second)
    assert await read_session(rig.database, key=second, at=NOW, address=None) is None

    assert await read_session(rig.database, key=third, at=NOW, address=None) is not None
    await set_password(rig.database, login="kim", password="another one")
    assert await read_session(rig.database, key=third, at=NOW, address=None) is None


async def test_only_an_admin_manages_people_and_each_change_is_logged(rig: Rig, supervisor: Actor) -> None:
    admin = Actor(user_id=13, login="root", name="관리자", role=Role.ADMIN)
    with pytest.raises(ForbiddenError):
        await add_person(rig, actor=supervisor, login="new", name="", role=Role.ADMIN, password=PASSWORD)

    await add_person(rig, actor=admin, login="new", name="", role=Role.AGENT, password=PASSWORD)
    await change_person(rig, actor=admin, login="new", is_active=False)
    with pytest.raises(ConfigurationError):
        await change_person(rig, actor=admin, login="root", is_active=False)

    log = await read_access_log(rig, actor=admin)
    assert [(entry.action, entry.reason) for entry in log.entries] == [
        ("user_changed", "closed"),
        ("user_changed", "created as agent"),
    ]

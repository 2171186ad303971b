"""Questions that go to the database together, alike on both kinds."""

import pytest
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import DBAPIError

from hub.desk.cases.person import key_values
from hub.store.database import Database, among
from hub.store.questions import Question, ask_one, asking
from hub.store.tables import leases

_OF_OWNERS = select(leases.c.name, leases.c.until_at).where(among(leases.c.owner, "owners")).order_by(leases.c.name)
_UNTIL = select(leases.c.name).where(leases.c.until_at > bindparam("at")).order_by(leases.c.name)
_WRONG = select(func.no_such_function(bindparam("at")).label("at"))


@pytest.fixture
async def leased(database: Database) -> Database:
    rows = [{"name": name, "owner": owner, "until_at": at} for name, owner, at in (("a", "x", 1), ("b", "y", 2))]
    async with database.writing() as connection:
        await connection.execute(leases.insert(), rows)
    return database


async def test_each_question_of_a_turn_gets_its_own_answer(leased: Database):
    async with leased.reading() as connection:
        async with asking(connection) as ask:
            owned = ask(Question(_OF_OWNERS, {"owners": ["y", "z"]}, lambda rows: [row.until_at for row in rows]))
            late = ask(Question(_UNTIL, {"at": 0}, lambda rows: "".join(row.name for row in rows)))
            none = ask(Question(_OF_OWNERS, {"owners": []}, list))
            with pytest.raises(AttributeError):
                _ = owned.found
        alone = await ask_one(connection, Question(_UNTIL, {"at": 1}, len))

    assert (owned.found, late.found, none.found, alone) == ([2], "ab", [], 1)


async def test_one_wrong_question_is_an_error_and_spoils_no_later_turn(leased: Database):
    with pytest.raises(DBAPIError):
        async with leased.reading() as connection, asking(connection) as ask:
            ask(Question(_UNTIL, {"at": 0}, list))
            ask(Question(_WRONG, {"at": 0}, list))

    async with leased.reading() as connection:
        assert await ask_one(connection, Question(_UNTIL, {"at": 0}, len)) == 2


def test_a_statement_with_room_for_more_keys_asks_for_the_last_one_again():
    assert key_values("phone", [b"1", b"2", b"3"]) == {
        "phone_0": b"1",
        "phone_1": b"2",
        "phone_2": b"3",
        "phone_3": b"3",
    }
    assert key_values("phone", []) == {}

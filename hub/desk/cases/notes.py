"""Notes among colleagues on a case; "@login" in one calls that colleague."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import CASE_NOTE_PLACE
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.tables import case_notes, cases, mentions, users

TEXT_LIMIT: Final = 2_000
#: an address of mail is no call: nothing of a word stands before the sign
_CALLED = re.compile(r"(?<![\w.@+-])@([a-z0-9][a-z0-9._@-]{0,63})", re.IGNORECASE | re.ASCII)
_MOST_CALLED: Final = 20


class NoteError(Exception):
    """Nothing was stored. ``key`` is a message key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.note_{key}"


class Noted(Struct, frozen=True, kw_only=True):
    """Names of those who were called, and what was written like a call of somebody who does not work here."""

    called: tuple[str, ...]
    unknown: tuple[str, ...]


def read_calls(text: str, *, logins: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Logins called in ``text`` in their order, each once, and the words that are none.

    A full stop or dash after a login ends the sentence, unless the login has it.
    """
    known: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for word in _CALLED.findall(text)[:_MOST_CALLED]:
        login = whole = word.casefold()
        while login and login not in logins and login[-1] in "._@-":
            login = login[:-1]
        if login in logins:
            known[login] = None
        else:
            unknown[whole] = None
    return tuple(known), tuple(unknown)


async def add_note(services: Services, *, actor: Actor, case_id: int, text: str, token: str | None = None) -> Noted:
    """Keep a note, sealed, and call whom it names. The same ``token`` again notes nothing.

    Raises: ForbiddenError; NotFoundError; NoteError.
    """
    require(actor, Permission.WORK_CASES)
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise NoteError("empty")
    if len(text) > TEXT_LIMIT:
        raise NoteError("long")
    async with services.database.writing() as connection:
        if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
            raise NotFoundError
        found = await connection.execute(select(users.c.login, users.c.id, users.c.name).where(users.c.is_active))
        people = {row.login: row for row in found}
        called, unknown = read_calls(text, logins={login: row.id for login, row in people.items()})
        noted = Noted(called=tuple(people[login].name for login in called), unknown=unknown)
        if token and await connection.scalar(select(case_notes.c.id).where(case_notes.c.token == token)) is not None:
            return noted
        note_id = new_id()
        await connection.execute(
            case_notes.insert().values(
                id=note_id,
                case_id=case_id,
                text_sealed=services.database.box.seal(text.encode(), CASE_NOTE_PLACE),
                by_id=actor.user_id,
                at=to_ms(services.now()),
                token=token or None,
            )
        )
        at = to_ms(services.now())
        await queue_for_search(services.database, connection, Source.CASE_NOTE, [note_id], at=at)
        await publish(connection, Topic.CASE, id=case_id)
        await _call(connection, note_id, case_id, [people[login].id for login in called], by=actor.user_id)
    return noted


async def _call(
    connection: AsyncConnection, note_id: int, case_id: int, user_ids: Sequence[int], *, by: int | None
) -> None:
    others = [user_id for user_id in user_ids if user_id != by]
    if not others:
        return
    rows = [{"note_id": note_id, "user_id": user_id, "case_id": case_id, "seen_at": None} for user_id in others]
    await connection.execute(mentions.insert(), rows)
    for user_id in others:
        await publish(connection, Topic.MENTION, user_id=user_id, case_id=case_id)

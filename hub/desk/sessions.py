"""Sessions kept on the server: the browser holds a random key, the table only its digest."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, select

from hub.desk.access import Actor, Role
from hub.store.database import Database, read_each, read_rows, to_ms
from hub.store.tables import sessions, users


class _Session(Struct, frozen=True, kw_only=True):
    """``stamp`` is taken from the password hash: a new password ends the sessions of the old one."""

    user_id: int
    stamp: bytes


#: keys whose owner is remembered
_MOST_OWNERS: Final = 1_000
_decode = msgspec.msgpack.Decoder(_Session).decode


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _stamp(password_hash: str) -> bytes:
    return hashlib.sha256(password_hash.encode()).digest()[:12]


async def open_session(database: Database, *, user_id: int, at: datetime, lasts: timedelta) -> str:
    """A new key, never one that the browser brought along. Sessions that have ended are swept out."""
    key = secrets.token_urlsafe(32)
    async with database.writing() as connection:
        await connection.execute(delete(sessions).where(sessions.c.expires_at <= to_ms(at)))
        row = (await connection.execute(select(users.c.password_hash).where(users.c.id == user_id))).one()
        data = _Session(user_id=user_id, stamp=_stamp(row.password_hash))
        await connection.execute(
            sessions.insert().values(
                key_hash=_digest(key), data=msgspec.msgpack.encode(data), expires_at=to_ms(at + lasts)
            )
        )
    return key


async def read_session(database: Database, *, key: str, at: datetime, address: str | None) -> Actor | None:
    """Who the key belongs to; ``None`` when it has ended or the account was closed."""
    digest = _digest(key)
    known = _owners.get(digest)
    async with database.reading() as connection:
        of_key = {"key_hash": digest, "at": to_ms(at)}
        found, of_session = await read_each(connection, [(_LASTING, of_key), (_USER, {"user_id": known})])
        if not found:
            return None
        session = _decode(found[0].data)
        if session.user_id != known:
            of_session = await read_rows(connection, _USER, user_id=session.user_id)
            _remember(digest, session.user_id)
    user = of_session[0] if of_session else None
    if user is None or not user.is_active or _stamp(user.password_hash) != session.stamp:
        return None
    return Actor(
        user_id=user.id,
        login=user.login,
        name=user.name,
        role=Role(user.role),
        locale=user.locale,
        address=address,
        phone=user.phone_member,
    )


#: whose a key was when it was read last, so that both questions go together: it never becomes another's
_owners: Final[dict[bytes, int]] = {}


def _remember(digest: bytes, user_id: int) -> None:
    if len(_owners) >= _MOST_OWNERS:
        _owners.clear()
    _owners[digest] = user_id


_LASTING: Final = select(sessions.c.data).where(
    sessions.c.key_hash == bindparam("key_hash"), sessions.c.expires_at > bindparam("at")
)
_USER: Final = select(users).where(users.c.id == bindparam("user_id"))


async def signed_in(database: Database, *, at: datetime) -> frozenset[int]:
    """Ids of the users who have signed in and not out again."""
    async with database.reading() as connection:
        found = await connection.scalars(select(sessions.c.data).where(sessions.c.expires_at > to_ms(at)))
        return frozenset(_decode(data).user_id for data in found)


async def end_session(database: Database, *, key: str) -> None:
    async with database.writing() as connection:
        await connection.execute(delete(sessions).where(sessions.c.key_hash == _digest(key)))

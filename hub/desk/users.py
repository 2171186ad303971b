"""People who work with the hub: accounts, passwords, signing in and out."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, Actor, Role, record_access
from hub.store.database import Database, from_ms, to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.tables import users

MAX_FAILURES: Final = 5
LOCK: Final = timedelta(minutes=10)
PASSWORD_LENGTH: Final = 8
LOCALES: Final = ("ko", "en")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}[a-z0-9]|[a-z0-9]")

_hasher = PasswordHasher()
# One hash takes 64 MiB and a quarter of a second of a core: ten at once would stop the screens.
_hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
# Verified for a login that does not exist, so that its answer takes as long as any other.
_NOBODYS_HASH: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$YtKmcMP5e1hrONnzBAWXeQ$NEKf/9oDlnbn24/4QhcxQG0e+UhmmTLyYkc4Ql1WQ+g"
)


class User(Struct, frozen=True, kw_only=True):
    """One account, without its password."""

    user_id: int
    login: str
    name: str
    role: Role
    locale: str
    is_active: bool
    phone: str | None = None


class SignInError(Exception):
    """Unknown login, wrong password, locked or closed account: the person is told the same for all."""


async def _hash(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def _matches(password_hash: str, password: str) -> bool:
    try:
        return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.verify, password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_LENGTH:
        what = f"the password is shorter than {PASSWORD_LENGTH} characters"
        raise ConfigurationError(what, fix="Choose a longer one; a sentence is good.")


async def create_user(
    database: Database, *, login: str, name: str, role: Role, password: str, at: datetime, locale: str = "ko"
) -> int:
    """Raises: ConfigurationError for a login that is taken or malformed, and for a short password."""
    login = login.strip().casefold()
    if not _LOGIN.fullmatch(login):
        what = f"not a login: {login[:40]!r}"
        raise ConfigurationError(what, fix="Use 1 to 64 of a-z, 0-9, '.', '_', '-', '@'.")
    _check_password(password)
    user_id = new_id()
    row = {
        "id": user_id,
        "login": login,
        "name": name.strip() or login,
        "role": Role(role).value,
        "password_hash": await _hash(password),
        "locale": locale if locale in LOCALES else LOCALES[0],
        "is_active": True,
        "failed_logins": 0,
        "created_at": to_ms(at),
    }
    try:
        async with database.writing() as connection:
            await connection.execute(users.insert().values(row))
    except IntegrityError as error:
        what = f"there is already a user {login!r}"
        raise ConfigurationError(what, fix="Choose another login, or set its password: `hub user password`.") from error
    return user_id


async def set_password(database: Database, *, login: str, password: str) -> None:
    """Also unlocks the account; open sessions of the user end. Raises: ConfigurationError for an unknown login."""
    _check_password(password)
    await _change(database, login, password_hash=await _hash(password), failed_logins=0, locked_until=None)


async def set_active(database: Database, *, login: str, is_active: bool) -> None:
    """Close or reopen an account; a closed one is signed out at its next click."""
    await _change(database, login, is_active=is_active)


async def set_locale(database: Database, *, login: str, locale: str) -> None:
    await _change(database, login, locale=locale if locale in LOCALES else LOCALES[0])


async def _change(database: Database, login: str, **values: Any) -> None:
    async with database.writing() as connection:
        changed = await connection.execute(update(users).where(users.c.login == login.casefold()).values(values))
        if changed.rowcount == 0:
            what = f"there is no user {login[:40]!r}"
            raise ConfigurationError(what, fix="`hub user list` names them.")


async def list_users(database: Database) -> tuple[User, ...]:
    """Every account, by name."""
    async with database.reading() as connection:
        return await ask_one(connection, everybody())


def everybody() -> Question[tuple[User, ...]]:
    """As :func:`list_users`."""
    return Question(_ALL, {}, _users)


def _users(rows: list[Any]) -> tuple[User, ...]:
    return tuple(
        User(
            user_id=row.id,
            login=row.login,
            name=row.name,
            role=Role(row.role),
            locale=row.locale,
            is_active=row.is_active,
            phone=row.phone_member,
        )
        for row in rows
    )


_ALL: Final = select(
    users.c.id,
    users.c.login,
    users.c.name,
    users.c.role,
    users.c.locale,
    users.c.is_active,
    users.c.phone_member,
).order_by(users.c.name, users.c.id)


async def sign_in(database: Database, *, login: str, password: str, at: datetime, address: str | None) -> Actor:
    """Check a password; success and failure both stand in the access log.

    Five failures lock the account for ten minutes, also for the right password. The answer takes
    the same time whether the login exists or not. Raises: SignInError.
    """
    async with database.reading() as connection:
        found = (await connection.execute(select(users).where(users.c.login == login.strip().casefold()))).one_or_none()
    is_right = await _matches(found.password_hash if found else _NOBODYS_HASH, password)
    async with database.writing() as connection:
        # Read again and held inside the transaction: many guesses at once are counted one by one.
        again = select(users).where(users.c.id == found.id).with_for_update() if found else None
        row = (await connection.execute(again)).one_or_none() if again is not None else None
        is_welcome = row is not None and is_right and row.is_active and not _is_locked(row, at)
        actor = _actor(row, address) if row is not None else None
        await record_access(
            connection,
            at=at,
            actor=actor,
            action=AccessAction.SIGN_IN if is_welcome else AccessAction.SIGN_IN_FAILED,
            address=address,
        )
        if row is not None and (is_welcome or not _is_locked(row, at)):
            await connection.execute(update(users).where(users.c.id == row.id).values(_counted(row, is_welcome, at)))
    if actor is None or not is_welcome:
        raise SignInError
    return actor


async def sign_out(database: Database, *, actor: Actor, at: datetime) -> None:
    async with database.writing() as connection:
        await record_access(connection, at=at, actor=actor, action=AccessAction.SIGN_OUT)


def _is_locked(row: Row[Any], at: datetime) -> bool:
    until = from_ms(row.locked_until)
    return until is not None and at < until


def _counted(row: Row[Any], is_welcome: bool, at: datetime) -> dict[str, int | None]:
    if is_welcome:
        return {"failed_logins": 0, "locked_until": None}
    failures = row.failed_logins + 1
    if failures < MAX_FAILURES:
        return {"failed_logins": failures}
    return {"failed_logins": 0, "locked_until": to_ms(at + LOCK)}


def _actor(row: Row[Any], address: str | None) -> Actor:
    return Actor(
        user_id=row.id, login=row.login, name=row.name, role=Role(row.role), locale=row.locale, address=address
    )

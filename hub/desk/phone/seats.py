"""Whose telephone is whose: an account has one, a telephone one account."""

import re
from typing import Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.services import Services
from hub.store.tables import users

#: MEMBER or PBX/MEMBER
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_.-]{1,32}/)?[A-Za-z0-9_-]{1,64}", re.ASCII)


async def give_phone(services: Services, *, actor: Actor, login: str, member: str) -> None:
    """Put the telephone ``member`` (``PBX/MEMBER`` with several exchanges) at the seat of ``login``; empty: none.

    Raises: ConfigurationError for an unknown user, for what names no telephone, and for one that stands at another
    seat; ForbiddenError.
    """
    require(actor, Permission.MANAGE_USERS)
    member = member.strip()
    if member and not _NAME.fullmatch(member):
        what = f"not the name of a telephone: {member[:40]!r}"
        raise ConfigurationError(what, fix="Use the member name of the queues: letters, digits, '-' and '_'.")
    try:
        async with services.database.writing() as connection:
            mine = update(users).where(users.c.login == login.casefold())
            changed = await connection.execute(mine.values(phone_member=member or None))
            if changed.rowcount == 0:
                what = f"there is no user {login[:40]!r}"
                raise ConfigurationError(what, fix="See the list of users.")
            await record_access(
                connection,
                at=services.now(),
                actor=actor,
                action=AccessAction.USER_CHANGED,
                subject=f"user {login} telephone",
            )
    except IntegrityError as error:
        what = f"telephone {member[:40]!r} stands at another seat"
        raise ConfigurationError(what, fix="Take it from that account first.") from error

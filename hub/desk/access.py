"""Who may do what, in one table; and the log of whose data was seen by whom.

Pages, JSON, export and command line all ask :func:`require`; none of them compares roles itself.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import access_log


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Permission(StrEnum):
    WORK_CASES = "work_cases"
    UNMASK = "unmask"
    ASSIGN_OTHERS = "assign_others"
    SEE_STATISTICS = "see_statistics"
    EXPORT = "export"
    READ_ACCESS_LOG = "read_access_log"
    MANAGE_USERS = "manage_users"
    MANAGE_SHOPS = "manage_shops"
    ASK_CONSENT = "ask_consent"
    EDIT_LAYOUTS = "edit_layouts"
    EDIT_BOOKS = "edit_books"
    APPROVE = "approve"


_AGENT = frozenset({Permission.WORK_CASES, Permission.UNMASK})
_SUPERVISOR = _AGENT | {
    Permission.ASSIGN_OTHERS,
    Permission.SEE_STATISTICS,
    Permission.EXPORT,
    Permission.READ_ACCESS_LOG,
    Permission.ASK_CONSENT,
    Permission.EDIT_LAYOUTS,
    Permission.EDIT_BOOKS,
    Permission.APPROVE,
}
GRANTS = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _SUPERVISOR | {Permission.MANAGE_USERS, Permission.MANAGE_SHOPS},
}


class Actor(Struct, frozen=True, kw_only=True):
    """Who does something. ``user_id`` is ``None`` for the command line; ``address`` is the network address."""

    user_id: int | None
    login: str
    name: str
    role: Role
    locale: str = "ko"
    address: str | None = None
    #: the telephone at his seat: MEMBER or PBX/MEMBER
    phone: str | None = None

    def may(self, permission: Permission) -> bool:
        return permission in GRANTS[self.role]


class ForbiddenError(Exception):
    """The actor's role does not grant ``permission``."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"not permitted: {permission.value}")
        self.permission = permission


def require(actor: Actor, permission: Permission) -> None:
    """Raises: ForbiddenError when the role of ``actor`` does not grant ``permission``."""
    if not actor.may(permission):
        raise ForbiddenError(permission)


def command_line_actor(*, login: str = "cli") -> Actor:
    """Whoever can read the key file may do everything; what they do is logged all the same."""
    return Actor(user_id=None, login=login, name=login, role=Role.ADMIN)


class AccessAction(StrEnum):
    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    UNMASK = "unmask"
    EXPORT = "export"
    USER_CHANGED = "user_changed"
    CONSENT = "consent"
    FILE = "file"
    GUARD = "guard"
    ASK = "ask"
    LOCK = "lock"
    REPORT = "report"
    REASONS = "reasons"


async def record_access(
    connection: AsyncConnection,
    *,
    at: datetime,
    actor: Actor | None,
    action: str,
    subject: str | None = None,
    reason: str | None = None,
    address: str | None = None,
) -> None:
    """Add one row to the access log, in the transaction of what it tells about.

    ``subject`` names whose data it was ("case 7"), never the data. ``actor`` is ``None`` for a
    failed sign-in of nobody we know: what was typed is not kept, it may be a password.
    """
    await connection.execute(
        access_log.insert().values(
            id=new_id(),
            at=to_ms(at),
            user_id=actor and actor.user_id,
            login=actor and actor.login,
            address=address or (actor and actor.address),
            action=action,
            subject=subject,
            reason=reason,
        )
    )

"""Managing accounts: every change needs the right and stands in the access log."""

from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, Actor, Permission, Role, record_access, require
from hub.desk.services import Services
from hub.desk.users import User, create_user, list_users, set_active


async def read_people(services: Services, *, actor: Actor) -> tuple[User, ...]:
    require(actor, Permission.MANAGE_USERS)
    return await list_users(services.database)


async def add_person(services: Services, *, actor: Actor, login: str, name: str, role: Role, password: str) -> None:
    """Raises: ForbiddenError; ConfigurationError as :func:`hub.desk.users.create_user`."""
    require(actor, Permission.MANAGE_USERS)
    user_id = await create_user(
        services.database, login=login, name=name, role=role, password=password, at=services.now()
    )
    await _record(services, actor, f"user {user_id}", f"created as {role.value}")


async def change_person(services: Services, *, actor: Actor, login: str, is_active: bool) -> None:
    """Close or reopen an account; never one's own. Raises: ForbiddenError, ConfigurationError."""
    require(actor, Permission.MANAGE_USERS)
    if login == actor.login:
        what = "nobody closes their own account"
        raise ConfigurationError(what, fix="Ask another administrator.")
    await set_active(services.database, login=login, is_active=is_active)
    await _record(services, actor, f"user {login}", "reopened" if is_active else "closed")


async def _record(services: Services, actor: Actor, subject: str, reason: str) -> None:
    async with services.database.writing() as connection:
        await record_access(
            connection,
            at=services.now(),
            actor=actor,
            action=AccessAction.USER_CHANGED,
            subject=subject,
            reason=reason,
        )

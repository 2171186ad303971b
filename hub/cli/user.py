"""`hub user`: who may sign in."""

from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import print_table, screen, with_hub
from hub.desk.access import AccessAction, Role, command_line_actor, record_access
from hub.desk.users import create_user, list_users, set_password


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Accounts of the desk: add, list, password.", no_args_is_help=True)
    group.command("add", help="Add an account; asks for the password.")(add)
    group.command("password", help="Set an account's password, and unlock it; asks for it.")(change_password)
    group.command("list", help="Every account.")(list_all)
    app.add_typer(group, name="user")


Password = Annotated[
    str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="HUB_NEW_PASSWORD")
]


def add(
    login: Annotated[str, typer.Argument(help="Name to sign in with.")],
    name: Annotated[str, typer.Option(help="Name to show.")],
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.AGENT,
    locale: Annotated[str, typer.Option(help="ko or en.")] = "ko",
    password: Password = "",
) -> None:
    async def work(hub: Hub) -> None:
        await create_user(
            hub.database, login=login, name=name, role=role, password=password, at=hub.now(), locale=locale
        )
        await _note(hub, f"user {login} added as {role}")

    with_hub(work)
    screen.print(f"{login}: added", markup=False)


def change_password(
    login: Annotated[str, typer.Argument(help="Name to sign in with.")], password: Password = ""
) -> None:
    async def work(hub: Hub) -> None:
        await set_password(hub.database, login=login, password=password)
        await _note(hub, f"user {login} password set")

    with_hub(work)
    screen.print(f"{login}: password set, signed out everywhere", markup=False)


async def _note(hub: Hub, subject: str) -> None:
    async with hub.database.writing() as connection:
        await record_access(
            connection, at=hub.now(), actor=command_line_actor(), action=AccessAction.USER_CHANGED, subject=subject
        )


def list_all() -> None:
    rows = with_hub(lambda hub: list_users(hub.database))
    print_table(
        "", ("login", "name", "role", "active"), [(row.login, row.name, row.role, row.is_active) for row in rows]
    )

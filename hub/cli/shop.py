"""`hub shop`: which seller accounts the hub works for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.contract import CheckItem, Checks
from hub.core.errors import ConfigurationError, MallError


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Seller accounts: import, list, check, remove.", no_args_is_help=True)
    group.command("import", help="Add or replace the shops of a TOML file; all of them, or none.")(import_file)
    group.command("add", help="Add or replace one shop.")(add)
    group.command("list", help="Every shop, without its credentials.")(list_shops)
    group.command("check", help="Try the token and each permission harmlessly; says what to fix.")(check)
    group.command("remove", help="Forget a shop and everything read from it.")(remove)
    app.add_typer(group, name="shop")


def import_file(file: Annotated[Path, typer.Argument(help="TOML file with [[shop]] tables.")]) -> None:
    for name, is_new in with_hub(lambda hub: hub.import_shops(file)):
        screen.print(f"{name}: {'added' if is_new else 'replaced'}", markup=False)


def add(
    name: Annotated[str, typer.Argument(help="A name of your own, unique in the hub.")],
    mall: Annotated[str, typer.Option(help="Which mall: see `hub connectors`.")],
    credential: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE; VALUE may be env:NAME or file:PATH, so that no secret stands here."),
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of a test mall; absent: the mall's own.")] = None,
) -> None:
    credentials: dict[str, Any] = {}
    for pair in credential or []:
        key, sign, value = pair.partition("=")
        if not sign:
            what = f"--credential {key!r} has no value"
            raise ConfigurationError(what, fix="Write --credential KEY=VALUE.")
        credentials[key] = value

    async def work(hub: Hub) -> bool:
        return await hub.add_shop(name=name, mall=mall, base_url=base_url, credentials=credentials)

    screen.print(f"{name}: {'added' if with_hub(work) else 'replaced'}", markup=False)


def list_shops(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    shops = with_hub(lambda hub: hub.shops())
    if as_json:
        print_json([{"name": shop.name, "mall": shop.mall, "base_url": shop.base_url} for shop in shops])
    else:
        print_table("", ("shop", "mall", "address"), [(shop.name, shop.mall, shop.base_url) for shop in shops])


def check(
    name: Annotated[str, typer.Argument(help="The shop.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    async def work(hub: Hub) -> tuple[CheckItem, ...]:
        connector = await hub.connector(name)
        if not isinstance(connector, Checks):
            what = f"the connector of {name!r} has no check"
            raise ConfigurationError(what)
        try:
            return await connector.check()
        except MallError as error:
            return (CheckItem(name="access", is_ok=False, detail=str(error)),)

    items = with_hub(work)
    if as_json:
        print_json({"shop": name, "ok": all(item.is_ok for item in items), "checks": items})
    else:
        rows = [("ok" if item.is_ok else "FAILED", item.name, item.detail, item.fix) for item in items]
        print_table(name, ("", "what", "found", "what to do"), rows)
    return ExitCode.ALL_DONE if all(item.is_ok for item in items) else ExitCode.PART_DONE


def remove(
    name: Annotated[str, typer.Argument(help="The shop.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    if not yes:
        typer.confirm(f"Forget {name} and every order, claim and inquiry read from it?", abort=True, err=True)

    async def work(hub: Hub) -> None:
        await hub.shop_store.remove(name)

    with_hub(work)
    screen.print(f"{name}: removed", markup=False)

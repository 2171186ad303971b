"""`hub shop`: which seller accounts the hub works for."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.contract import Capability, CheckItem, Checks, Manifest, Support
from hub.core.errors import ConfigurationError, MallError
from hub.desk.shops.openings import ItemView, Opening, opening_status, read_openings
from hub.store.webhooks import WebhookStore
from hub.web.words import Words


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Seller accounts: import, list, check, remove.", no_args_is_help=True)
    group.command("import", help="Add or replace the shops of a TOML file; all of them, or none.")(import_file)
    group.command("add", help="Add or replace one shop.")(add)
    group.command("list", help="Every shop, without its credentials.")(list_shops)
    group.command("check", help="Try the token and each permission harmlessly; says what to fix.")(check)
    group.command("webhook", help="Print the address at which the mall tells what happens; made at first use.")(webhook)
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
    async def work(hub: Hub) -> tuple[tuple[CheckItem, ...], Opening]:
        (opening,) = await read_openings(hub, names=[(await hub.shop_store.named(name)).name])
        connector = await hub.connector(name)
        if not isinstance(connector, Checks):
            what = f"the connector of {name!r} has no check"
            raise ConfigurationError(what)
        try:
            return await connector.check(), opening
        except MallError as error:
            return (CheckItem(name="access", is_ok=False, detail=str(error)),), opening

    items, opening = with_hub(work)
    if as_json:
        checked = {"shop": name, "ok": all(item.is_ok for item in items), "checks": items}
        print_json({**checked, "opening": opening_status(opening)})
    else:
        rows = [("ok" if item.is_ok else "FAILED", item.name, item.detail, item.fix) for item in items]
        print_table(name, ("", "what", "found", "what to do"), rows)
        _print_opening(opening)
    return ExitCode.ALL_DONE if all(item.is_ok for item in items) else ExitCode.PART_DONE


def _print_opening(opening: Opening) -> None:
    """The checklist of a new shop beside its permissions: whether a shop works does not depend on it."""
    words = Words("en")
    rows = [
        ("done" if each.is_done else "open", words(f"opening.item_{each.item}"), _told(each, words))
        for each in opening.items
    ]
    print_table("opening: ready" if opening.is_ready else "opening: not ready", ("", "what", "found"), rows)


def _told(item: ItemView, words: Words) -> str:
    found = words.filled(item.found.key, item.found.words)
    if item.answered is None:
        return found
    said = words(f"opening.{item.answered.answer}")
    return f"{found} {said}: {item.answered.by or 'cli'} {item.answered.reason}".strip()


def webhook(
    name: Annotated[str, typer.Argument(help="The shop.")],
    at: Annotated[str, typer.Option(help="Scheme and host under which malls reach `hub serve`.")] = "https://HUB",
    renew: Annotated[bool, typer.Option("--renew", help="Make a new address; the old one is dead at once.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    if "/" in name:
        what = f"shop {name!r} cannot have an address: its name holds a slash"
        raise ConfigurationError(what, fix="Add the shop again under another name.")

    async def work(hub: Hub) -> str:
        shop = await hub.shop_store.named(name)
        if not _receives_events(hub.registry.manifest(shop.mall)):
            what = f"the hub takes no webhooks of {shop.mall}"
            raise ConfigurationError(what, fix="It is read by schedule: `hub worker`.")
        addresses = WebhookStore(hub.database)
        make = addresses.renew if renew else addresses.secret
        return await make(shop.id, now=hub.now())

    path = f"/hooks/{quote(name, safe='')}/{with_hub(work)}"
    address = at.rstrip("/") + path
    if as_json:
        print_json({"shop": name, "address": address, "path": path})
    else:
        # On stdout alone, so that a script can take it; whoever knows it can send events.
        sys.stdout.write(address + "\n")


def _receives_events(manifest: Manifest) -> bool:
    stated = manifest.capabilities.get(Capability.RECEIVE_EVENTS)
    return stated is not None and stated.state is Support.YES


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

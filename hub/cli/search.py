"""`hub search`: the index behind the search box."""

from typing import Annotated

import typer
from msgspec import Struct

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, screen, with_hub
from hub.desk.search.tending import take_all_in
from hub.store.database import to_ms
from hub.store.search_index import MOST_COUNTED, SearchIndex, count_waiting


class IndexStatus(Struct, frozen=True, kw_only=True):
    """``waiting``: rows that are not in the index as they are now; where ``is_more``, there are more than that."""

    waiting: int
    is_more: bool


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The index of names, products and text that the search box reads.", no_args_is_help=True)
    group.command("status", help="Say how many rows it is behind.")(status)
    group.command("reindex", help="Make it anew from all rows; the desk may go on meanwhile.")(reindex)
    app.add_typer(group, name="search")


def status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> int:
    async def work(hub: Hub) -> IndexStatus:
        async with hub.database.reading() as connection:
            waiting = await count_waiting(hub.database, connection)
        return IndexStatus(waiting=min(waiting, MOST_COUNTED), is_more=waiting > MOST_COUNTED)

    found = with_hub(work)
    if as_json:
        print_json(found)
    else:
        screen.print(f"{'more than ' if found.is_more else ''}{found.waiting:,} rows wait for the index")
    return ExitCode.PART_DONE if found.waiting else ExitCode.ALL_DONE


def reindex() -> int:
    async def work(hub: Hub) -> int:
        await SearchIndex(hub.database).start_again(at=to_ms(hub.now()) or 0)
        return await take_all_in(hub)

    screen.print(f"{with_hub(work):,} rows read into the index")
    return ExitCode.ALL_DONE

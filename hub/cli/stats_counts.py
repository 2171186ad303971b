"""`hub recount` and `hub reasons`: the counts behind the statistics, and the tree they are named by."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.stats.reason_book import TreeVersion, tree_text, tree_versions, write_tree
from hub.store.database import from_ms, to_ms
from hub.store.rollups import MOST_DETAILS, Difference, recount

_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    app.command("recount", help="Count every inquiry and call anew, compare with the kept counts, mend what differs.")(
        recount_all
    )
    group = typer.Typer(help="The tree of reasons that contacts are counted by.", no_args_is_help=True)
    group.command("export", help="Write the tree in force, or one version, as TOML.")(export_tree)
    group.command("import", help="Put a changed tree in force; the old ones stay.")(import_tree)
    group.command("history", help="Every version: when, by whom, why.")(history)
    app.add_typer(group, name="reasons")


def recount_all(as_json: _JSON = False) -> int:
    """Exit 0 when nothing differed, 1 when something did and was mended."""

    async def work(hub: Hub) -> Any:
        return await recount(hub.database, at=to_ms(hub.now()) or 0, started_by="hand")

    found = with_hub(work)
    if as_json:
        print_json({"events": found.events, "differences": [_document(each) for each in found.differences]})
    else:
        screen.print(f"{found.events:,} events counted anew, {len(found.differences)} counts differed and were mended")
        rows = [tuple(_document(each).values()) for each in found.differences[:MOST_DETAILS]]
        if rows:
            print_table("", ("source", "unit", "starts_at", "of", "kept", "counted"), rows)
    return ExitCode.PART_DONE if found.differences else ExitCode.ALL_DONE


def _document(difference: Difference) -> dict[str, Any]:
    unit, starts_at, *of = difference.key
    return {
        "source": difference.source,
        "unit": "hour" if unit == 1 else "day",
        "starts_at": from_ms(int(starts_at)),
        "of": "/".join(str(part) for part in of),
        "kept": list(difference.kept),
        "counted": list(difference.counted),
    }


def export_tree(
    file: Annotated[Path | None, typer.Argument(help="Absent: standard output.")] = None,
    version: Annotated[int | None, typer.Option(help="0 is the shipped tree.")] = None,
) -> None:
    async def work(hub: Hub) -> str:
        try:
            return await tree_text(hub.database, version)
        except ValueError as error:
            raise ConfigurationError(str(error), fix="hub reasons history lists the versions.") from error

    text = with_hub(work)
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
        screen.print(f"{file}: written", markup=False)


def import_tree(
    file: Annotated[Path, typer.Argument(help="TOML, as hub reasons export writes it.")],
    note: Annotated[str, typer.Option(help="Why it changes.")] = "",
) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"{file} cannot be read: {type(error).__name__}"
        raise ConfigurationError(what, fix="hub reasons export FILE writes one to begin with.") from error

    async def work(hub: Hub) -> int:
        try:
            return await write_tree(hub.database, text, now=hub.now(), note=note)
        except ValueError as error:
            raise ConfigurationError(str(error), fix="hub reasons export shows how a tree is written.") from error

    screen.print(f"version {with_hub(work)} is in force")


def history(as_json: _JSON = False) -> None:
    async def work(hub: Hub) -> list[TreeVersion]:
        return await tree_versions(hub.database)

    found = with_hub(work)
    if as_json:
        print_json(found)
    elif found:
        rows: list[tuple[Any, ...]] = [(each.version, each.created_at, each.author, each.note) for each in found]
        print_table("", ("version", "at", "author", "note"), rows)
    else:
        screen.print("the shipped tree is in force")

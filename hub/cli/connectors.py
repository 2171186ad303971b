"""`hub connectors`: what each mall's connector can do, generated from the code."""

from typing import Annotated

import typer

from hub.cli.console import print_json, print_table
from hub.registry import capability_matrix, find_connectors


def register(app: typer.Typer) -> None:
    app.command("connectors", help="Capabilities per mall: yes, no (with the way that exists), planned.")(connectors)


def connectors(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    matrix = capability_matrix(find_connectors())
    if as_json:
        print_json(matrix)
        return
    for mall in matrix:
        rows = [(name, state.state, state.instead) for name, state in mall.capabilities.items()]
        print_table(f"{mall.mall} ({mall.tier})", ("capability", "", "instead"), rows)

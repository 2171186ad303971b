"""`hub connectors`: what each mall's connector can do, generated from the code."""

from typing import Annotated

import typer

from hub.cli.console import print_json, print_table
from hub.core.contract import CapabilityState
from hub.registry import capability_matrix, find_connectors


def register(app: typer.Typer) -> None:
    app.command("connectors", help="Capabilities per mall: yes, no (with the way that exists), planned.")(connectors)


def connectors(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    matrix = capability_matrix(find_connectors())
    if as_json:
        print_json(matrix)
        return
    for mall in matrix:
        rows = [(name, state.state, _remark(state)) for name, state in mall.capabilities.items()]
        print_table(f"{mall.mall} ({mall.tier})", ("capability", "", "instead, needs, warning"), rows)


def _remark(state: CapabilityState) -> str:
    """The way that exists; of what can be done, what it needs beside the usual and what to read before."""
    needs = f"needs {', '.join(state.needs)}" if state.needs else ""
    return "; ".join(part for part in (state.instead, needs, state.warning) if part)

"""`hub asks`: questions to contacts that wait for an answer, and sending what is due without a worker."""

from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.desk.access import command_line_actor
from hub.desk.asks.sending import tend
from hub.desk.asks.waiting import AskLine, list_waiting


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Questions to contacts: what waits, and sending what is due.", no_args_is_help=True)
    group.command("list", help="Questions without an answer, and answers that nobody has read.")(list_asks)
    group.command("send", help="Send, remind and pass on what is due now; a worker does it by itself.")(send)
    app.add_typer(group, name="asks")


_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def list_asks(as_json: _JSON = False) -> int:
    async def work(hub: Hub) -> tuple[AskLine, ...]:
        return await list_waiting(hub, actor=command_line_actor())

    found = with_hub(work)
    if as_json:
        print_json(found)
    else:
        rows = [
            (line.ask_id, line.shop, line.order_no, line.role, line.contact, line.matter, line.state, *_times(line))
            for line in found
        ]
        headings = ("ask", "shop", "order", "role", "contact", "matter", "state", "asked", "sent", "trouble")
        print_table("", headings, rows)
    return ExitCode.PART_DONE if any(line.send_error for line in found) else ExitCode.ALL_DONE


def _times(line: AskLine) -> tuple[str, str, str]:
    asked = line.asked_at.astimezone().isoformat(timespec="minutes")
    sent = line.sent_at.astimezone().isoformat(timespec="minutes") if line.sent_at else ""
    return asked, sent, line.send_error or ""


def send(as_json: _JSON = False) -> int:
    done = with_hub(tend)
    if as_json:
        print_json(done)
    else:
        screen.print(
            f"sent {done.sent}, failed {done.failed}, reminded {done.reminded}, passed on {done.passed_on}",
            markup=False,
        )
    if not done.failed:
        return ExitCode.ALL_DONE
    return ExitCode.PART_DONE if done.sent else ExitCode.NOTHING_DONE

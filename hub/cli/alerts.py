"""`hub alerts`: what is wrong now, and whether its channels work."""

from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.desk.access import command_line_actor
from hub.desk.alerting.check import AlertsView, AlertView, Tested, check_alerts, read_alerts, try_channels


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What is wrong now, told by mail and webhook.", no_args_is_help=True)
    group.command("list", help="What is wrong as of the newest check, and what was.")(list_alerts)
    group.command("test", help="Send one test through each channel and say what happened.")(try_out)
    group.command("check", help="Look now, tell what is new, and list it.")(check)
    app.add_typer(group, name="alerts")


_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def list_alerts(as_json: _JSON = False) -> int:
    return _show(with_hub(_read), as_json=as_json)


def check(as_json: _JSON = False) -> int:
    async def work(hub: Hub) -> AlertsView:
        checked = await check_alerts(hub)
        if checked.is_busy:
            screen.print("another process is looking; this is what it knew before")
        return await _read(hub)

    return _show(with_hub(work), as_json=as_json)


def try_out(as_json: _JSON = False) -> int:
    results = with_hub(try_channels)
    if as_json:
        print_json(results)
    else:
        for result in results:
            screen.print(f"{result.channel}: {_said(result)}", markup=False)
        if len(results) == 1:
            screen.print("neither mail nor webhook is set: HUB_SMTP_HOST with HUB_SMTP_TO, HUB_ALERT_WEBHOOK_URL")
    failed = [result for result in results if result.error]
    if not failed:
        return ExitCode.ALL_DONE
    # The screen always works: it is no success of the others.
    return ExitCode.NOTHING_DONE if len(failed) == len(results) - 1 else ExitCode.PART_DONE


def _said(result: Tested) -> str:
    if result.channel == "screen":
        return "stands in the list of alerts"
    return f"FAILED ({result.error})" if result.error else "taken"


async def _read(hub: Hub) -> AlertsView:
    return await read_alerts(hub, actor=command_line_actor())


def _show(view: AlertsView, *, as_json: bool) -> int:
    if as_json:
        print_json(view)
    else:
        rows = [*map(_row, view.standing), *map(_row, view.over)]
        print_table("", ("severity", "alert", "since", "over", "what to do"), rows)
        for channel, count in view.undelivered.items():
            screen.print(f"{channel}: {count} messages could not be delivered; try `hub alerts test`", markup=False)
    return ExitCode.PART_DONE if view.standing else ExitCode.ALL_DONE


def _row(alert: AlertView) -> tuple[str, ...]:
    since = alert.since.astimezone().isoformat(timespec="minutes")
    over = alert.recovered_at.astimezone().isoformat(timespec="minutes") if alert.recovered_at else ""
    return (alert.severity.value, alert.key, since, over, alert.text_en)

"""`hub worker`: reads the shops by schedule."""

import asyncio
import signal
from contextlib import suppress

import typer

from hub.bootstrap import open_hub
from hub.cli.console import screen, settings_and_logs
from hub.cli.report_mailing import tend_reports
from hub.desk.alerting.check import watch_alerts
from hub.desk.phone.call_following import follow_calls
from hub.desk.search.tending import WORKER_STEP, tend_search


def register(app: typer.Typer) -> None:
    app.command("worker", help="Read every shop by schedule, durably; run as many as you like.")(worker)


def worker() -> None:
    settings = settings_and_logs()

    async def run() -> None:
        from hub.jobs.worker import Worker

        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with open_hub(settings) as hub:
            screen.print(
                f"worker {settings.worker_id}: orders every {settings.sync_minutes} minutes, "
                f"claims and inquiries every {settings.open_minutes}; Ctrl-C stops it"
            )
            beside = [asyncio.create_task(watch_alerts(hub)), asyncio.create_task(follow_calls(hub))]
            beside.append(asyncio.create_task(tend_search(hub, step=WORKER_STEP)))
            beside.append(asyncio.create_task(tend_reports(hub)))
            try:
                await Worker(hub).run(stop)
            finally:
                for task in beside:
                    task.cancel()
                for task in beside:
                    with suppress(asyncio.CancelledError):
                        await task

    asyncio.run(run())

"""The worker's looking after mailed reports: what is due becomes a mail, and each mail is counted and handed over."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.bootstrap import Hub
from hub.desk.reports.mails import (
    Figures,
    Sender,
    Wanted,
    mails_to_send,
    make_due_mails,
    note_broken,
    send_mail,
)
from hub.desk.reports.schedules import MailState

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 5.0


async def tend_reports(hub: Hub, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Look every few seconds until cancelled; whatever breaks one look is logged, and the next one comes."""
    while True:
        await sleep(_LOOK_SECONDS)
        try:
            await mail_reports(hub)
        except Exception:
            log.exception("reports.look.failed")


async def mail_reports(hub: Hub, *, sender: Sender | None = None) -> list[MailState]:
    """One look. ``sender`` replaces the mail server of the settings. Returns what became of each mail at hand."""

    async def figures(wanted: Wanted) -> Figures:
        # The words of the screens: a worker without mails to send never reads them.
        from hub.web.stats.report_mail import read_figures

        return await read_figures(hub, wanted)

    await make_due_mails(hub)
    states: list[MailState] = []
    for mail_id in await mails_to_send(hub.database, now=hub.now()):
        try:
            state = await send_mail(hub, mail_id, figures=figures, sender=sender)
        except Exception:
            log.exception("reports.mail.broken", mail=mail_id)
            await note_broken(hub, mail_id)
            continue
        if state is not None:
            states.append(state)
    return states

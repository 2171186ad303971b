"""What a case's page shows of its questions to contacts, and what is done about them when it is opened."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from hub.desk.access import Actor
from hub.desk.asks.asking import mark_read
from hub.desk.asks.panel import SpeedOf, read_ask_panel
from hub.desk.asks.sending import is_any_due, tend
from hub.desk.asks.text import CHOICES, DATED
from hub.desk.services import Services
from hub.desk.views import CaseView, ContactCard
from hub.web.formats import span_words
from hub.web.words import Words
from routing.chain import Matter

log = structlog.get_logger(__name__)

#: seconds that a page waits for what is sent meanwhile; the rest goes on behind it
SEND_PATIENCE: Final = 3.0
LOOK_PATIENCE: Final = 0.3
_tending: set[asyncio.Task[None]] = set()


async def look_after(services: Services, case_id: int, *, patience: float = LOOK_PATIENCE) -> None:
    """Do what is due of a case's questions, for a hub without a worker too; no page waits for it for long."""
    if not await is_any_due(services, case_id=case_id):
        return
    task = asyncio.create_task(_tend(services, case_id))
    _tending.add(task)
    task.add_done_callback(_tending.discard)
    await asyncio.wait({task}, timeout=patience)


async def _tend(services: Services, case_id: int) -> None:
    """The edge of the task: what breaks it stands in the row and is tried again."""
    try:
        await tend(services, case_id=case_id)
    except Exception:
        log.exception("asks.tend.failed", case=case_id)


async def ask_values(
    services: Services, actor: Actor, *, case: CaseView, card: ContactCard | None, matter: Matter
) -> dict[str, Any]:
    """What the contact panel needs beside the chain. What is shown here for the first time is read from then on."""
    panel = await read_ask_panel(services, actor=actor, case=case, card=card, matter=matter)
    await mark_read(services, actor=actor, case=case)
    words = Words(actor.locale)
    return {
        "asking": panel,
        "ask_has_mail": services.settings.smtp_host is not None,
        "ask_token": secrets.token_urlsafe(18),
        "ask_speeds": {key: speed_words(panel.speeds, key, words) for key in panel.offers},
        "ask_choices": CHOICES,
        "ask_dated": DATED,
        "minutes": lambda minutes: _span(minutes, words),
    }


def speed_words(speeds: Mapping[str, SpeedOf], key: str, words: Words) -> tuple[str, str] | None:
    """Sentence and explanation: of the contact, else of its whole organisation; ``None`` where nobody answered yet."""
    of = speeds[key]
    for message, speed in (("ask.usually", of.contact), ("ask.usually_partner", of.organisation)):
        if speed is not None and speed.median is not None and speed.p90 is not None:
            sentence = words(
                message,
                name=of.name or "",
                n=speed.answered,
                median=_span(speed.median, words),
                p90=_span(speed.p90, words),
            )
            return sentence, words("ask.usually_why", unanswered=speed.unanswered)
    return None


def _span(minutes: int, words: Words) -> str:
    """What took less than a minute took one."""
    return span_words(timedelta(minutes=max(1, minutes)), words)

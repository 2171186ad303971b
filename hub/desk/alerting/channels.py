"""Where alerts go beside the screen: e-mail and a webhook. What they are told holds no personal datum."""

import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Protocol

import httpx

from hub.desk.alerting.words import headline, sentence
from hub.desk.sending import ChannelError, MailSender, post_document
from hub.settings import Settings
from hub.store.alerts import Event, StoredAlert


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    async def send(self, alert: StoredAlert, event: Event) -> None:
        """Raises: ChannelError when it was not taken."""
        ...


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Those that the settings name."""
    found: list[Channel] = []
    if settings.smtp_host is not None and settings.smtp_recipients:
        found.append(MailChannel(settings))
    if settings.alert_webhook_url is not None:
        found.append(WebhookChannel(settings.alert_webhook_url.get_secret_value()))
    return tuple(found)


class MailChannel:
    """One mail to everybody."""

    name = "mail"

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._sender = MailSender(settings, tls=tls)

    async def send(self, alert: StoredAlert, event: Event) -> None:
        try:
            letter = _letter(alert, event, self._settings)
        except ValueError as error:
            raise ChannelError(type(error).__name__) from error
        await self._sender.send(letter)


def _letter(alert: StoredAlert, event: Event, settings: Settings) -> EmailMessage:
    head, said = headline(event), sentence(alert)
    since = alert.since.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M")
    letter = EmailMessage()
    # A header takes one line, whatever a shop is called.
    letter["Subject"] = " ".join(f"[hub] {head.ko} {head.en}: {alert.facts.get('shop', alert.kind)}".split())
    letter["From"] = settings.smtp_from or ""
    letter["To"] = ", ".join(settings.smtp_recipients)
    letter["Date"] = formatdate(localtime=False)
    letter["Message-ID"] = make_msgid(domain="hub.invalid")
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(
        f"{head.ko}: {said.ko}\n\n{head.en}: {said.en}\n\n"
        f"{since} ({settings.timezone}) · {alert.severity.value} · {alert.key}\n"
    )
    return letter


class WebhookChannel:
    """A JSON document by POST; any 2xx is taken. ``text`` is what chat rooms show."""

    name = "webhook"

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport

    async def send(self, alert: StoredAlert, event: Event) -> None:
        await post_document(self._url, _document(alert, event), transport=self._transport)


def _document(alert: StoredAlert, event: Event) -> dict[str, Any]:
    head, said = headline(event), sentence(alert)
    return {
        "event": event.value,
        "key": alert.key,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "shop": alert.facts.get("shop"),
        "since": alert.since.isoformat(),
        "raised_at": alert.raised_at.isoformat(),
        "recovered_at": alert.recovered_at.isoformat() if alert.recovered_at else None,
        "text": f"{head.ko}: {said.ko}\n{head.en}: {said.en}",
        "text_ko": said.ko,
        "text_en": said.en,
    }

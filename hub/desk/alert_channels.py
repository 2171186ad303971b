"""Where alerts go beside the screen: e-mail and a webhook. What they are told holds no personal datum."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final, Protocol

import httpx

from hub.core.http import make_client
from hub.desk.alert_words import headline, sentence
from hub.settings import Settings
from hub.store.alerts import Event, StoredAlert

#: seconds for each step of a mail, and for the whole answer of a webhook
_PATIENCE_SECONDS: Final = 15.0


class ChannelError(Exception):
    """It could not be told. ``kind`` says how; the cause's text may quote an address with a key in it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    async def send(self, alert: StoredAlert, event: Event) -> None:
        """Raises: ChannelError when it was not taken."""
        ...


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Those that the settings name."""
    found: list[Channel] = []
    if settings.smtp_host is not None:
        found.append(MailChannel(settings))
    if settings.alert_webhook_url is not None:
        found.append(WebhookChannel(settings.alert_webhook_url.get_secret_value()))
    return tuple(found)


class MailChannel:
    """One mail to everybody. Neither login nor letter leaves before the line is encrypted."""

    name = "mail"

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls

    async def send(self, alert: StoredAlert, event: Event) -> None:
        try:
            # The library blocks; its time-outs end the thread.
            await asyncio.to_thread(self._deliver, _letter(alert, event, self._settings))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise ChannelError(type(error).__name__) from error

    def _deliver(self, letter: EmailMessage) -> None:
        settings = self._settings
        host, port = settings.smtp_host or "", settings.smtp_port
        tls = self._tls or ssl.create_default_context()
        server: smtplib.SMTP
        if settings.smtp_security == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE_SECONDS, context=tls)
        else:
            server = smtplib.SMTP(host, port, timeout=_PATIENCE_SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=tls)
            if settings.smtp_user is not None:
                password = settings.smtp_password
                server.login(settings.smtp_user, password.get_secret_value() if password else "")
            refused = server.send_message(letter)
        if refused:
            raise ChannelError("SomeRecipientsRefused")


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
        try:
            async with (
                asyncio.timeout(_PATIENCE_SECONDS),
                make_client(base_url=self._url, transport=self._transport) as client,
                client.stream("POST", self._url, json=_document(alert, event)) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ChannelError(type(error).__name__) from error
        if not 200 <= status < 300:
            kind = f"HTTP{status}"
            raise ChannelError(kind)


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

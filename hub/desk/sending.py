"""Letters by e-mail and documents to a webhook, for alerts and for questions alike."""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, Final

import httpx

from hub.core.errors import ConfigurationError
from hub.core.http import make_client
from hub.settings import Settings

#: seconds for each step of a mail, and for the whole answer of a webhook
_PATIENCE_SECONDS: Final = 15.0


class ChannelError(Exception):
    """It could not be told. ``kind`` says how; the cause's text may quote an address with a key in it.

    ``is_unsure``: the other side may have taken it all the same. ``is_in_part``: it did, for some of the recipients.
    """

    def __init__(self, kind: str, *, is_unsure: bool = False, is_in_part: bool = False) -> None:
        super().__init__(kind)
        self.kind = kind
        self.is_unsure = is_unsure
        self.is_in_part = is_in_part


class MailSender:
    """The mail server of the settings. Neither login nor letter leaves before the line is encrypted."""

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls

    async def send(self, letter: EmailMessage) -> None:
        """Raises: ChannelError when the server did not take it for everybody."""
        try:
            # The library blocks; its time-outs end the thread.
            await asyncio.to_thread(self._deliver, letter)
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
        refused: Mapping[str, object] | None = None
        failure: Exception | None = None
        try:
            with server:
                if settings.smtp_security == "starttls":
                    server.starttls(context=tls)
                if settings.smtp_user is not None:
                    password = settings.smtp_password
                    server.login(settings.smtp_user, password.get_secret_value() if password else "")
                try:
                    refused = _hand_over(server, letter)
                except (smtplib.SMTPException, ChannelError) as error:
                    failure = error
        except smtplib.SMTPException:
            # How it takes leave says nothing about the letter.
            if refused is None and failure is None:
                raise
        if failure is not None:
            raise failure
        if refused:
            raise ChannelError("SomeRecipientsRefused", is_in_part=True)


def _hand_over(server: smtplib.SMTP, letter: EmailMessage) -> Mapping[str, object]:
    """Recipients that were refused while others were not.

    Raises: SMTPException for the server's no; ChannelError where it is not known whether it took the letter.
    """
    try:
        return server.send_message(letter)
    except smtplib.SMTPServerDisconnected as error:
        raise ChannelError(type(error).__name__, is_unsure=True) from error
    except smtplib.SMTPException:
        raise
    except OSError as error:
        raise ChannelError(type(error).__name__, is_unsure=True) from error


async def post_document(
    url: str, document: Mapping[str, Any], *, transport: httpx.AsyncBaseTransport | None = None
) -> None:
    """One JSON document by POST; any 2xx is taken, no redirect is followed and no body is read.

    Raises: ChannelError, also for an address that is neither https nor loopback.
    """
    try:
        async with (
            asyncio.timeout(_PATIENCE_SECONDS),
            make_client(base_url=url, transport=transport) as client,
            client.stream("POST", url, json=document) as answer,
        ):
            status = answer.status_code
    except ConfigurationError:
        # Its words would quote the address.
        kind = "UnsafeAddress"
        raise ChannelError(kind) from None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise ChannelError(type(error).__name__) from error
    if not 200 <= status < 300:
        kind = f"HTTP{status}"
        raise ChannelError(kind)

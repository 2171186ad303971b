"""The mail of the demo: a mail server on loopback that keeps every letter as a file and hands none on.

Reports and questions to contacts go the way they go at work, up to the last step, and can be read afterwards.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Final

from hub.bootstrap import Hub
from hub.cli.console import complain
from hub.core.errors import ConfigurationError
from hub.desk.asks.sending import tend
from hub.settings import Settings

#: as much of a letter as the hub would ever send
_LARGEST: Final = 32 * 1024 * 1024
_PATIENCE_SECONDS: Final = 60
_LOOK_SECONDS: Final = 5.0
_NOT_IN_NAMES: Final = re.compile(r"[^\w@.-]+")


@asynccontextmanager
async def mail_folder(folder: Path) -> AsyncIterator[int]:
    """Take letters for anybody on the port that it gives; each becomes a file (0600) that mail programs open."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  once, before anything is served

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await _talk(folder, reader, writer)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            # Whoever breaks off has no receipt, and tries again.
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0, limit=_LARGEST)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _talk(folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As much of SMTP (RFC 5321) as one letter after another needs."""
    writer.write(b"220 what is mailed here stays here\r\n")
    while line := await reader.readline():
        word = line[:4].upper()
        if word == b"DATA":
            writer.write(b"354 end with a dot\r\n")
            await writer.drain()
            body = await reader.readuntil(b"\r\n.\r\n")
            _keep(folder, body.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))
        writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 kept\r\n")
        await writer.drain()
        if word == b"QUIT":
            return


def _keep(folder: Path, letter: bytes) -> None:
    subject = str(message_from_bytes(letter, policy=policy.default)["Subject"] or "")
    name = _NOT_IN_NAMES.sub(" ", subject).strip()[:60]
    number = sum(1 for _ in folder.glob("*.eml")) + 1
    path = folder / f"{number:04} {name}.eml"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(letter)


def mailing_to(port: int, settings: Settings, *, url: str) -> Settings:
    """The settings with this mail server: no letter leaves the machine, whatever the environment names."""
    own = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_user": None,
        "smtp_password": None,
        "smtp_from": "demo@example.com",
        "smtp_to": None,
        "report_recipients": "@example.com",
        "public_url": url,
    }
    return settings.model_copy(update=own)


async def keep_asking(hub: Hub) -> None:
    """Reminders of questions and their passing on, as a worker does; the first letter goes at once, by the desk."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            await tend(hub)
        except ConfigurationError as error:
            complain(str(error))

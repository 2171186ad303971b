"""The Asterisk Manager Interface on the wire: messages of ``Key: value`` lines, ended by an empty one.

Source: Asterisk 22, AMI documentation, and a capture of 22.10.1; confidence: sure. The banner is one line without an
empty one behind it. Keys may repeat (Variable): the last one counts, none that is read here repeats.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from ivr.phone import PhoneError

Message = Mapping[str, str]
#: bytes: a message is a few hundred; a peer that sends more without an end speaks another protocol
LONGEST: Final = 64 * 1024
_MOST_LINES: Final = 500
_BANNER: Final = b"Asterisk Call Manager/"


class Wire:
    """One connection, logged in; for one task at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, *, host: str, port: int, user: str, secret: str, events: str, patience: float) -> "Wire":
        """``events``: ``on``, ``off`` or the classes wanted. Raises: PhoneError, RefusedError."""
        try:
            async with asyncio.timeout(patience):
                reader, writer = await asyncio.open_connection(host, port, limit=LONGEST)
        except (OSError, TimeoutError) as error:
            msg = f"no connection: {type(error).__name__}"
            raise PhoneError(msg) from error
        wire = cls(reader, writer)
        try:
            async with asyncio.timeout(patience):
                await wire._sign_in(user, secret, events)
        except TimeoutError as error:
            await wire.close()
            raise PhoneError("no answer to the login") from error
        except BaseException:
            await wire.close()
            raise
        return wire

    async def _sign_in(self, user: str, secret: str, events: str) -> None:
        if not (await self._line()).startswith(_BANNER):
            raise PhoneError("whoever answers there is no Asterisk manager")
        answer = await self.ask("Login", {"Username": user, "Secret": secret, "Events": events}, "login")
        if answer.get("Response") != "Success":
            raise RefusedError("the user or its password is wrong")

    async def send(self, action: str, fields: Message, action_id: str) -> None:
        """Raises: PhoneError, also for a value that would begin a line of its own."""
        lines = [f"Action: {action}", f"ActionID: {action_id}", *(f"{name}: {text}" for name, text in fields.items())]
        if any("\r" in line or "\n" in line or "\0" in line for line in lines):
            raise PhoneError("a value holds a line break")
        try:
            self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            await self._writer.drain()
        except OSError as error:
            msg = f"connection lost: {type(error).__name__}"
            raise PhoneError(msg) from error

    async def ask(self, action: str, fields: Message, action_id: str) -> Message:
        """Send and wait for the answer; events that come before it are dropped. Raises: PhoneError."""
        await self.send(action, fields, action_id)
        while True:
            message = await self.read()
            if "Response" in message and message.get("ActionID") == action_id:
                return message

    async def read(self) -> Message:
        """The next message. Raises: PhoneError when the connection ends, also in the middle of a message."""
        fields: dict[str, str] = {}
        for _ in range(_MOST_LINES):
            line = (await self._line()).rstrip(b"\r\n").decode("utf-8", "replace")
            if not line:
                if fields:
                    return fields
                continue
            name, colon, text = line.partition(":")
            if colon:
                fields[name.strip()] = text.strip()
        raise PhoneError("a message without an end")

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except (OSError, ValueError) as error:
            msg = f"connection lost: {type(error).__name__}"
            raise PhoneError(msg) from error
        if not line.endswith(b"\n"):
            raise PhoneError("connection ended")
        return line

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


class RefusedError(PhoneError):
    """The login was refused: trying again does not help."""

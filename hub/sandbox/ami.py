"""A manager interface over TCP as Asterisk speaks it: an exchange that is not there, for the demo and the tests.

It lists what it is given, tells events to whoever listens, and hands orders on. It shares no code with the client
that it is there to try. Source: Asterisk 22, AMI documentation, and a capture of 22.10.1; confidence: sure.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self

Fields = Mapping[str, str]
#: of whoever may log in; the emulated exchange listens on loopback only
USER: Final = "hub"
SECRET: Final = "open sesame"  # noqa: S105  of nothing that is worth keeping
#: messages that are remembered: a demo runs for days
_REMEMBERED: Final = 2_000


class EmulatedAmi:
    """``members`` and ``channels`` are what list actions answer; ``refused`` names actions answered with an error.

    ``queues``: names of queues, those without a member too. ``variables``: global ones of the dialplan.

    ``take`` is given every other order; ``False`` refuses it.
    """

    def __init__(self, *, take: Callable[[Fields], Awaitable[bool]] | None = None) -> None:
        self.members: Sequence[Fields] = []
        self.channels: Sequence[Fields] = []
        self.queues: Sequence[str] = ()
        self.variables: dict[str, str] = {}
        self.asked: deque[Fields] = deque(maxlen=_REMEMBERED)
        self.refused: set[str] = set()
        self.logins = 0
        self.is_silent = False
        self.banner = b"Asterisk Call Manager/11.0.0\r\n"
        self.port = 0
        self._take = take
        self._listeners: set[asyncio.StreamWriter] = set()
        self._all: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; on the same port again, where it listened before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    async def cut(self, *, after: bytes = b"") -> None:
        """Every connection breaks, perhaps in the middle of a message."""
        for writer in list(self._all):
            with suppress(OSError):
                writer.write(after)
                await writer.drain()
            writer.close()
        self._listeners.clear()
        self._all.clear()

    async def tell(self, *events: Fields, pieces: int = 0) -> None:
        """Send events to whoever listens; with ``pieces`` so many bytes at a time."""
        for writer in list(self._listeners):
            text = b"".join(_encoded(event) for event in events)
            with suppress(OSError):
                for start in range(0, len(text), pieces or len(text)):
                    writer.write(text[start : start + (pieces or len(text))])
                    await writer.drain()
                    if pieces:
                        await asyncio.sleep(0)

    def orders(self, action: str) -> list[Fields]:
        """What was asked of this exchange under the name ``action``, oldest first."""
        return [each for each in self.asked if each.get("Action") == action]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._all.add(writer)
        writer.write(self.banner)
        is_in = False
        try:
            while True:
                message = await _read(reader)
                if message is None:
                    return
                self.asked.append(message)
                is_in = await self._answer(message, writer, is_in=is_in)
        except OSError:
            return
        finally:
            self._listeners.discard(writer)
            self._all.discard(writer)
            writer.close()

    async def _answer(self, message: Fields, writer: asyncio.StreamWriter, *, is_in: bool) -> bool:
        action, action_id = message.get("Action", ""), message.get("ActionID", "")
        if self.is_silent:
            return is_in

        def say(fields: Fields) -> None:
            writer.write(_encoded({**fields, "ActionID": action_id}))

        if action == "Login":
            is_right = message.get("Username") == USER and message.get("Secret") == SECRET
            word = "Authentication accepted" if is_right else "Authentication failed"
            say({"Response": "Success" if is_right else "Error", "Message": word})
            await writer.drain()
            self.logins += is_right
            if is_right and message.get("Events", "on") != "off":
                writer.write(_encoded({"Event": "FullyBooted", "Uptime": "4"}))
            return is_right
        if not is_in or action in self.refused:
            say({"Response": "Error", "Message": "Permission denied"})
        elif action == "QueueStatus":
            params = [{"Event": "QueueParams", "Queue": queue} for queue in self.queues]
            _list(say, "QueueMember", [*params, *self.members], "QueueStatusComplete")
        elif action == "Getvar":
            name = message.get("Variable", "")
            say({"Response": "Success", "Variable": name, "Value": self.variables.get(name, "")})
        elif action == "CoreShowChannels":
            _list(say, "CoreShowChannel", self.channels, "CoreShowChannelsComplete")
            self._listeners.add(writer)
        else:
            is_taken = action in ("Ping", "Logoff") or self._take is None or await self._take(message)
            say({"Response": "Success" if is_taken else "Error", "Message": "done" if is_taken else "not done"})
        await writer.drain()
        return is_in


def _list(say: Callable[[Fields], None], name: str, rows: Iterable[Fields], end: str) -> None:
    rows = list(rows)
    say({"Response": "Success", "EventList": "start"})
    for row in rows:
        say({"Event": name, **row})
    say({"Event": end, "EventList": "Complete", "ListItems": str(len(rows))})


def _encoded(fields: Fields) -> bytes:
    return ("".join(f"{name}: {text}\r\n" for name, text in fields.items()) + "\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> Fields | None:
    fields: dict[str, str] = {}
    while line := (await reader.readline()).decode("utf-8", "replace"):
        if not line.strip():
            return fields
        name, _, text = line.rstrip("\r\n").partition(": ")
        fields[name] = text
    return None

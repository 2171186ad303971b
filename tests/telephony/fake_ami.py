"""A manager interface over TCP as Asterisk speaks it: it replays events, and remembers what it is asked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

Fields = Mapping[str, str]
USER, SECRET = "hub", "open sesame"


class FakeAmi:
    """``members`` and ``channels`` are what list actions answer; ``refused`` names actions answered with an error."""

    def __init__(self) -> None:
        self.members: list[Fields] = []
        self.channels: list[Fields] = []
        self.asked: list[dict[str, str]] = []
        self.refused: set[str] = set()
        self.logins = 0
        self.is_silent = False
        self.banner = b"Asterisk Call Manager/11.0.0\r\n"
        self.port = 0
        self._listeners: set[asyncio.StreamWriter] = set()
        self._all: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
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
            for start in range(0, len(text), pieces or len(text)):
                writer.write(text[start : start + (pieces or len(text))])
                await writer.drain()
                if pieces:
                    await asyncio.sleep(0)

    def orders(self, action: str) -> Sequence[dict[str, str]]:
        return [each for each in self.asked if each["Action"] == action]

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

    async def _answer(self, message: dict[str, str], writer: asyncio.StreamWriter, *, is_in: bool) -> bool:
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
            self._list(say, "QueueMember", self.members, "QueueStatusComplete")
        elif action == "CoreShowChannels":
            self._list(say, "CoreShowChannel", self.channels, "CoreShowChannelsComplete")
            self._listeners.add(writer)
        else:
            say({"Response": "Success", "Message": "done"})
        await writer.drain()
        return is_in

    @staticmethod
    def _list(say: Callable[[Fields], None], name: str, rows: Sequence[Fields], end: str) -> None:
        say({"Response": "Success", "EventList": "start"})
        for row in rows:
            say({"Event": name, **row})
        say({"Event": end, "EventList": "Complete", "ListItems": str(len(rows))})


def _encoded(fields: Fields) -> bytes:
    return ("".join(f"{name}: {text}\r\n" for name, text in fields.items()) + "\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> dict[str, str] | None:
    fields: dict[str, str] = {}
    while line := (await reader.readline()).decode():
        if not line.strip():
            return fields
        name, _, text = line.rstrip("\r\n").partition(": ")
        fields[name] = text
    return None


def called(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    """The phone of ``member`` rings."""
    return {"Event": "AgentCalled", **_queue(member, caller, call_id, queue, at)}


def connected(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    return {"Event": "AgentConnect", "HoldTime": "2", "RingTime": "2", **_queue(member, caller, call_id, queue, at)}


def completed(member: str, caller: str, *, call_id: str = "100.1", queue: str = "cafe24_order", at: str = "") -> Fields:
    fields = {"Event": "AgentComplete", "HoldTime": "2", "TalkTime": "8", "Reason": "agent"}
    return {**fields, **_queue(member, caller, call_id, queue, at)}


def hung_up(call_id: str = "100.1") -> Fields:
    return {"Event": "Hangup", "Channel": "IAX2/trunk-1", "Uniqueid": call_id, "Linkedid": call_id, "Cause": "16"}


def arrived(caller: str, *, call_id: str = "100.1", did: str = "07000001001") -> Fields:
    fields = {"Event": "Newchannel", "Channel": "IAX2/trunk-1", "CallerIDNum": caller, "Context": "from-trunk"}
    return {**fields, "Exten": did, "Uniqueid": call_id, "Linkedid": call_id}


def _queue(member: str, caller: str, call_id: str, queue: str, at: str) -> Fields:
    fields = {"Channel": "IAX2/trunk-1", "CallerIDNum": caller, "Uniqueid": call_id, "Linkedid": call_id}
    phone = {"DestChannel": f"IAX2/{member}-7", "DestUniqueid": f"{call_id}-{member}", "Queue": queue}
    named = {"Interface": f"IAX2/{member}", "MemberName": member}
    return {**fields, **phone, **named, **({"Timestamp": at} if at else {})}

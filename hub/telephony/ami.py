"""Asterisk by its manager interface: the events of all queues, and what the desk asks of it.

Listening reconnects by itself with growing pauses and then reads what stands. Every order to the exchange has a short
connection of its own, so that any process may give one, whichever listens.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final

import structlog
from msgspec import Struct

from hub.telephony.ami_members import Members, name_of
from hub.telephony.ami_reading import EVENT_CLASSES, Reading
from hub.telephony.ami_wire import Message, RefusedError, Wire
from ivr.phone import LiveEvent, LiveKind, PhoneError
from ivr.running import Running

log = structlog.get_logger(__name__)

#: seconds until a connection or an answer is given up
PATIENCE: Final = 5.0
#: seconds of silence after which the exchange is asked whether it is there
QUIET: Final = 20.0
_LONGEST_PAUSE: Final = 30.0
#: milliseconds that an agent's own phone rings before a call out is given up
_RING: Final = "20000"
_CALLER_ID_LENGTH: Final = 20


class AmiAddress(Struct, frozen=True, kw_only=True):
    """One exchange and how the dialplan is entered.

    ``phone``: the device of a member, ``{member}`` in it; ``outbound``: context for numbers outside;
    ``farewell``: context with the notice that ends an abusive call, empty: it is ended without.
    """

    name: str
    host: str
    port: int
    user: str
    secret: str
    phone: str = "PJSIP/{member}"
    outbound: str = "outbound"
    farewell: str = ""

    def __repr__(self) -> str:
        return f"<AmiAddress {self.name} {self.host}:{self.port}>"


class AmiSource:
    """See :class:`ivr.phone.CallEventSource`. ``sleep`` and ``clock`` are for tests."""

    def __init__(
        self,
        address: AmiAddress,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        quiet: float = QUIET,
    ) -> None:
        self._address, self._sleep, self._clock, self._quiet = address, sleep, clock, quiet

    @property
    def name(self) -> str:
        return self._address.name

    async def events(self) -> AsyncGenerator[LiveEvent, None]:
        """Raises: PhoneError for a refused login."""
        reading, failures = Reading(), 0
        while True:
            try:
                wire = await _open(self._address, events=EVENT_CLASSES)
            except RefusedError:
                raise
            except PhoneError as error:
                failures += 1
                log.warning("phone.unreachable", pbx=self.name, tries=failures, error=str(error))
                if failures == 1:
                    yield LiveEvent(kind=LiveKind.LOST, at=self._clock())
                await self._sleep(pause_after(failures))
                continue
            try:
                async for event in self._connected(wire, reading):
                    failures = 0
                    yield event
            except PhoneError as error:
                failures += 1
                log.warning("phone.lost", pbx=self.name, error=str(error))
            finally:
                await wire.close()
            yield LiveEvent(kind=LiveKind.LOST, at=self._clock())
            await self._sleep(pause_after(failures))

    async def _connected(self, wire: Wire, reading: Reading) -> AsyncGenerator[LiveEvent, None]:
        yield LiveEvent(kind=LiveKind.GAP, at=self._clock())
        members, channels, early = await _state(wire)
        for event in reading.standing(members, channels, at=self._clock()):
            yield event
        # What happened while the state was read is told after it: of two that contradict, the newer one counts.
        for message in early:
            for event in reading.read(message, received=self._clock()):
                yield event
        is_asked = False
        while True:
            try:
                async with asyncio.timeout(self._quiet):
                    message = await wire.read()
            except TimeoutError:
                if is_asked:
                    raise PhoneError("silent") from None
                await wire.send("Ping", {}, "ping")
                is_asked = True
                continue
            is_asked = False
            for event in reading.read(message, received=self._clock()):
                yield event


class AmiControl:
    """See :class:`ivr.phone.CallControl`."""

    def __init__(self, address: AmiAddress) -> None:
        self._address = address

    async def agents(self) -> list[LiveEvent]:
        wire = await _open(self._address, events="off")
        try:
            members, _, _ = await _state(wire)
            await wire.send("Logoff", {}, "logoff")
        finally:
            await wire.close()
        return list(Members().standing(members, at=time.time()))

    async def running(self) -> Running:
        """Which spec the exchange says that it runs, and its queues with their members. Raises: PhoneError."""
        wire = await _open(self._address, events="off")
        try:
            async with asyncio.timeout(2 * PATIENCE):
                spec = [await _variable(wire, name) for name in ("IVR_SPEC_HASH", "IVR_SPEC_REVISION")]
                queues = await _queues(wire)
                await wire.send("Logoff", {}, "logoff")
        except TimeoutError as error:
            raise PhoneError("no answer to what runs") from error
        finally:
            await wire.close()
        return Running(hash=spec[0], revision=spec[1], queues=queues)

    async def dial(self, *, member: str, number: str, caller_id: str, reference: str) -> None:
        if not (_is_number(number) and _is_number(caller_id)):
            raise PhoneError("not a telephone number")
        fields = {
            "Channel": self._phone(member),
            "Context": self._address.outbound,
            "Exten": number,
            "Priority": "1",
            "CallerID": caller_id,
            "Timeout": _RING,
            "Account": reference,
            "Async": "true",
        }
        await self._order("Originate", fields, reference)

    async def note(self, *, leg: str, queue: str, member: str, topic: str) -> None:
        fields = {"Queue": queue or "NONE", "UniqueID": leg, "Interface": member, "Event": "DISPOSITION"}
        await self._order("QueueLog", {**fields, "Message": topic}, "note")

    async def end(self, *, channel: str) -> None:
        if not channel:
            raise PhoneError("the channel of this call is not known")
        if self._address.farewell:
            fields = {"Channel": channel, "Context": self._address.farewell, "Exten": "s", "Priority": "1"}
            await self._order("Redirect", fields, "end")
        else:
            await self._order("Hangup", {"Channel": channel, "Cause": "16"}, "end")

    async def rest(self, *, member: str, is_resting: bool, reason: str) -> None:
        paused = "true" if is_resting else "false"
        await self._order("QueuePause", {"Interface": self._phone(member), "Paused": paused, "Reason": reason}, "rest")

    async def ping(self) -> None:
        await self._order("Ping", {}, "ping")

    def _phone(self, member: str) -> str:
        if not member.replace("-", "").replace("_", "").isalnum():
            raise PhoneError("not the name of a telephone")
        return self._address.phone.format(member=member)

    async def _order(self, action: str, fields: Mapping[str, str], action_id: str) -> None:
        wire = await _open(self._address, events="off")
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await wire.ask(action, fields, action_id)
                await wire.send("Logoff", {}, "logoff")
        except TimeoutError as error:
            msg = f"no answer to {action}"
            raise PhoneError(msg) from error
        finally:
            await wire.close()
        if answer.get("Response") != "Success":
            msg = f"{action} was refused"
            raise PhoneError(msg)


def pause_after(failures: int) -> float:
    """Seconds before the next try: doubled up to half a minute, spread so that many do not come at once."""
    if failures <= 0:
        return 0.05
    return min(_LONGEST_PAUSE, 0.25 * 2.0 ** min(failures, 10)) * (0.75 + random.random() / 2)


async def _open(address: AmiAddress, *, events: str) -> Wire:
    return await Wire.open(
        host=address.host,
        port=address.port,
        user=address.user,
        secret=address.secret,
        events=events,
        patience=PATIENCE,
    )


async def _state(wire: Wire) -> tuple[list[Message], list[Message], list[Message]]:
    """Members of the queues, channels, and the events that came in between. Raises: PhoneError."""
    members: list[Message] = []
    channels: list[Message] = []
    others: list[Message] = []
    kept = {"QueueMember": members, "CoreShowChannel": channels}
    waiting = {"QueueStatusComplete", "CoreShowChannelsComplete"}
    await wire.send("QueueStatus", {}, "state-q")
    await wire.send("CoreShowChannels", {}, "state-c")
    try:
        async with asyncio.timeout(2 * PATIENCE):
            while waiting:
                message = await wire.read()
                name = message.get("Event", "")
                if message.get("Response") == "Error":
                    # An exchange without queues refuses the list: nothing stands there.
                    refused = "QueueStatus" if message.get("ActionID") == "state-q" else "CoreShowChannels"
                    waiting.discard(f"{refused}Complete")
                elif name in waiting:
                    waiting.discard(name)
                elif "ActionID" not in message:
                    others.append(message)
                elif name in kept:
                    kept[name].append(message)
    except TimeoutError as error:
        raise PhoneError("no answer to what stands") from error
    return members, channels, others


async def _variable(wire: Wire, name: str) -> str | None:
    """A global variable; ``None`` where it is not set, or may not be read."""
    answer = await wire.ask("Getvar", {"Variable": name}, "variable")
    return answer.get("Value") or None


async def _queues(wire: Wire) -> dict[str, frozenset[str]]:
    """Those that the exchange has, with the names of their members."""
    found: dict[str, set[str]] = {}
    await wire.send("QueueStatus", {}, "queues")
    while True:
        message = await wire.read()
        name, queue = message.get("Event", ""), message.get("Queue", "")
        if message.get("Response") == "Error" or name == "QueueStatusComplete":
            return {name: frozenset(members) for name, members in found.items()}
        if name in ("QueueParams", "QueueMember"):
            found.setdefault(queue, set()).update({name_of(message)} if name == "QueueMember" else ())


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("+").isdigit() and 2 < len(text) <= _CALLER_ID_LENGTH

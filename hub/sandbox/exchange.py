"""An emulated exchange with queues: calls come, ring at a telephone, are answered and end.

Whatever happens is told over the manager interface and written to a queue_log, as Asterisk does both; what the desk
orders has its effect. Who calls when is decided outside. Source: as :mod:`hub.sandbox.ami`; confidence: sure.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from hub.sandbox.ami import EmulatedAmi, Fields

#: states of a telephone, and how DeviceStateChange words them
_FREE, _IN_USE, _RINGING = "1", "2", "6"
_WORDS: Final = {_FREE: "NOT_INUSE", _IN_USE: "INUSE", _RINGING: "RINGING"}
#: seconds until a telephone that is called by the desk is picked up, and until that call ends
_PICKED_UP, _SPOKEN = 2.0, 12.0


@dataclass(slots=True)
class EmulatedCall:
    """One caller. ``queue`` is the one he waits in; times are epoch seconds. ``over`` is set when he is gone."""

    id: str
    caller: str = field(repr=False)
    did: str
    mall: str
    line: str
    queue: str
    joined: float
    member: str = ""
    rang: float = 0.0
    answered: float | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def channel(self) -> str:
        return f"PJSIP/carrier-{self.id}"

    @property
    def phone(self) -> str:
        """The id of the channel at the agent's telephone."""
        return f"{self.id}-{self.member}"


@dataclass(slots=True)
class _Seat:
    """A telephone that is signed on to ``queues``."""

    queues: tuple[str, ...]
    status: str = _FREE
    is_in_call: bool = False
    is_paused: bool = False
    reason: str = ""


class Exchange:
    """``log``: its queue_log, written on when it is there. ``sleep`` and ``clock`` are for tests."""

    def __init__(
        self,
        log: Path,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.log = log
        self.ami = EmulatedAmi(take=self._take)
        self._clock, self._sleep = clock, sleep
        self._seats: dict[str, _Seat] = {}
        self._calls: dict[str, EmulatedCall] = {}
        self._numbers = count()
        self._dialling: set[asyncio.Task[None]] = set()
        self._file: TextIO | None = None

    async def __aenter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.log.open("a", encoding="utf-8", buffering=1)
        self._write("NONE", "NONE", "NONE", "QUEUESTART", "")
        await self.ami.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._dialling:
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        await self.ami.stop()
        if self._file is not None:
            self._file.close()

    # --- the telephones

    async def sign_on(self, member: str, queues: Iterable[str]) -> None:
        self._seats[member] = seat = _Seat(queues=tuple(queues))
        for queue in seat.queues:
            self._write("NONE", queue, member, "ADDMEMBER", "")
        await self._tell_member("QueueMemberAdded", member)

    async def sign_off(self, member: str) -> None:
        seat = self._seats[member]
        for queue in seat.queues:
            self._write("NONE", queue, member, "REMOVEMEMBER", "")
        await self._tell_member("QueueMemberRemoved", member)
        del self._seats[member]
        self._stand()

    def is_free(self, member: str) -> bool:
        """Whether a queue would ring there now."""
        seat = self._seats.get(member)
        return seat is not None and seat.status == _FREE and not seat.is_paused

    # --- the calls

    async def arrive(
        self, *, caller: str, did: str, mall: str, line: str, queue: str, menu: str = "", key: str = "1"
    ) -> EmulatedCall:
        """Somebody has dialled ``did``, heard the notices, pressed ``key`` in ``menu`` and waits.

        ``caller``: empty when withheld. Without ``menu`` its steps tell no way.
        """
        now = self._clock()
        call = EmulatedCall(
            id=f"{int(now)}.{next(self._numbers)}",
            caller=caller,
            did=did,
            mall=mall,
            line=line,
            queue=queue,
            joined=now,
        )
        self._calls[call.id] = call
        self._step(call, "ENTER", mall, line, way=f"{mall}.{line}.next" if menu else "")
        self._step(call, "KEY", key, line, way=f"{menu}.key.{key}" if menu else "")
        self._step(call, "QUEUE", queue, "")
        self._write(call.id, queue, "NONE", "ENTERQUEUE", "", caller, "1")
        await self._tell(
            {"Event": "Newchannel", **_of_caller(call), "Context": "from-trunk", "Exten": did},
            {"Event": "QueueCallerJoin", **_of_caller(call), "Queue": queue, "Position": "1", "Count": "1"},
        )
        return call

    async def ring(self, call: EmulatedCall, member: str) -> None:
        call.member, call.rang = member, self._clock()
        await self._tell({"Event": "AgentCalled", **_of_queue(call)})
        await self._set(member, _RINGING)

    async def answer(self, call: EmulatedCall) -> None:
        call.answered = now = self._clock()
        held, rang = f"{int(now) - int(call.joined)}", f"{int(now - call.rang)}"
        self._write(call.id, call.queue, call.member, "CONNECT", held, call.phone, rang)
        await self._tell({"Event": "AgentConnect", **_of_queue(call), "HoldTime": held, "RingTime": rang})
        await self._set(call.member, _IN_USE, is_in_call=True)

    async def give_up_ringing(self, call: EmulatedCall) -> None:
        """The telephone has rung in vain; the caller still waits."""
        member, rang = call.member, f"{round((self._clock() - call.rang) * 1000)}"
        self._write(call.id, call.queue, member, "RINGNOANSWER", rang)
        await self._tell({"Event": "AgentRingNoAnswer", **_of_queue(call), "RingTime": rang})
        call.member = ""
        await self._set(member, _FREE)

    async def end(self, call: EmulatedCall, *, by: str) -> None:
        """``by``: agent or caller, who also may hang up before anybody answered. Ended twice, it ends once."""
        if self._calls.pop(call.id, None) is None:
            return
        now, member = self._clock(), call.member
        if call.answered is not None:
            held, talked = int(call.answered) - int(call.joined), int(now) - int(call.answered)
            word = "COMPLETEAGENT" if by == "agent" else "COMPLETECALLER"
            self._write(call.id, call.queue, member, word, f"{held}", f"{talked}", "1")
            times = {"HoldTime": f"{held}", "TalkTime": f"{talked}", "Reason": by}
            await self._tell({"Event": "AgentComplete", **_of_queue(call), **times})
        else:
            if member:
                rang = f"{round((now - call.rang) * 1000)}"
                self._write(call.id, call.queue, member, "RINGCANCELED", rang)
            self._write(call.id, call.queue, "NONE", "ABANDON", "1", "1", f"{int(now) - int(call.joined)}")
            await self._tell({"Event": "QueueCallerAbandon", **_of_caller(call), "Queue": call.queue})
        self._write(call.id, "NONE", "NONE", "IVR", "HANGUP", "16", f"{call.mall}/{call.line}")
        await self._tell({"Event": "Hangup", **_of_caller(call), "Cause": "16"})
        if member:
            await self._set(member, _FREE)
        call.over.set()

    # --- what the desk orders

    async def _take(self, order: Fields) -> bool:
        action = order.get("Action", "")
        if action == "QueueLog":
            words = (order.get("Event", ""), order.get("Message", ""))
            place = (order.get("Queue", "NONE"), order.get("Interface", "NONE"))
            self._write(order.get("UniqueID", "NONE"), *place, *words)
            return True
        if action in ("Hangup", "Redirect"):
            found = [call for call in self._calls.values() if call.channel == order.get("Channel")]
            for call in found:
                await self.end(call, by="caller")
            return bool(found)
        if action == "QueuePause":
            return await self._pause(_member(order.get("Interface", "")), order)
        if action == "Originate":
            task = asyncio.create_task(self._dial(_member(order.get("Channel", "")), order.get("ActionID", "")))
            self._dialling.add(task)
            task.add_done_callback(self._dialling.discard)
            return True
        return False

    async def _pause(self, member: str, order: Fields) -> bool:
        seat = self._seats.get(member)
        if seat is None:
            return False
        seat.is_paused = order.get("Paused") == "true"
        seat.reason = order.get("Reason", "") if seat.is_paused else ""
        for queue in seat.queues:
            self._write("NONE", queue, member, "PAUSE" if seat.is_paused else "UNPAUSE", seat.reason)
        await self._tell_member("QueueMemberPause", member)
        return True

    async def _dial(self, member: str, reference: str) -> None:
        """A call out: the telephone rings, is picked up, and one speaks a while."""
        answer = {"Event": "OriginateResponse", "ActionID": reference}
        if not self.is_free(member):
            await self._tell({**answer, "Response": "Failure", "Reason": "5"})
            return
        await self._set(member, _RINGING)
        await self._sleep(_PICKED_UP)
        await self._set(member, _IN_USE)
        await self._tell({**answer, "Response": "Success", "Reason": "4"})
        await self._sleep(_SPOKEN)
        await self._set(member, _FREE)

    # --- telling and writing

    async def _set(self, member: str, status: str, *, is_in_call: bool = False) -> None:
        seat = self._seats.get(member)
        if seat is None:
            return  # signed off meanwhile
        seat.status, seat.is_in_call = status, is_in_call
        await self._tell({"Event": "DeviceStateChange", "Device": f"PJSIP/{member}", "State": _WORDS[status]})
        await self._tell_member("QueueMemberStatus", member)

    async def _tell_member(self, event: str, member: str) -> None:
        rows = [{"Event": event, "MemberName": member, **row} for row in self._rows(member)]
        await self._tell(*rows)

    def _rows(self, member: str) -> list[Fields]:
        seat = self._seats[member]
        device = f"PJSIP/{member}"
        state = {
            "Interface": device,
            "StateInterface": device,
            "Membership": "dynamic",
            "InCall": f"{seat.is_in_call:d}",
            "Status": seat.status,
            "Paused": f"{seat.is_paused:d}",
            "PausedReason": seat.reason,
        }
        return [{"Queue": queue, **state} for queue in seat.queues]

    async def _tell(self, *events: Fields) -> None:
        self._stand()
        now = f"{self._clock():.6f}"
        await self.ami.tell(*({**event, "Timestamp": now} for event in events))

    def _stand(self) -> None:
        """What the list actions answer from now on."""
        self.ami.members = [
            {**row, "Name": member, "Location": row["Interface"]}
            for member in self._seats
            for row in self._rows(member)
        ]
        channels: list[Fields] = []
        for call in self._calls.values():
            channels.append({**_of_caller(call), "ChannelState": "6", "Exten": call.queue})
            if call.member:
                state = "5" if call.answered is None else "6"
                phone = {"Channel": f"PJSIP/{call.member}-{call.id}", "ChannelState": state}
                channels.append({**phone, "Uniqueid": call.phone, "Linkedid": call.id})
        self.ami.channels = channels

    def _step(self, call: EmulatedCall, kind: str, first: str, second: str, *, way: str = "") -> None:
        self._write(call.id, "NONE", "NONE", "IVR", kind, first, second, call.did, call.caller, way)

    def _write(self, *words: str) -> None:
        if self._file is not None:
            self._file.write("|".join((f"{int(self._clock())}", *words)) + "\n")


def _of_caller(call: EmulatedCall) -> Fields:
    number = call.caller or "<unknown>"
    return {"Channel": call.channel, "CallerIDNum": number, "Uniqueid": call.id, "Linkedid": call.id}


def _of_queue(call: EmulatedCall) -> Fields:
    phone = {"DestChannel": f"PJSIP/{call.member}-{call.id}", "DestUniqueid": call.phone}
    member = {"Interface": f"PJSIP/{call.member}", "MemberName": call.member}
    return {**_of_caller(call), **phone, **member, "Queue": call.queue}


def _member(device: str) -> str:
    return device.rpartition("/")[2]

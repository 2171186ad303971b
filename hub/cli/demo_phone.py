"""The telephone of the demo: an emulated exchange rings whoever is signed in, and its log is read as a real one's."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from random import Random
from typing import Final

from msgspec import Struct
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from hub.bootstrap import Hub
from hub.cli.console import complain
from hub.desk.sessions import signed_in
from hub.sandbox.ami import SECRET, USER
from hub.sandbox.exchange import EmulatedCall, Exchange
from hub.settings import Settings
from hub.store.tables import users
from hub.sync.call_files import FollowedFile
from ivr.demo_day import LINE_WEIGHTS
from ivr.spec import Number, Spec, pbx_queue, routes_from_spec

#: whose telephone is whose: members of the demo's spec
PHONES: Final = {"agent": "agent1001", "supervisor": "agent1003", "admin": "agent2001"}
#: its call ids must be no others': beside it stands the log of the last two weeks
PBX: Final = "live"
#: seconds: from one ring to the next, about; from signing in to the first; between two looks
_EVERY: Final = 40.0
_FIRST: Final = 8.0
_LOOK: Final = 2.0
_RINGS_IN_VAIN: Final = 12.0
_SEED: Final = 1


class Ending(Enum):
    """How a call goes."""

    ANSWERED = "answered"
    GIVEN_UP = "given up"  # the caller hangs up while it rings
    NOT_ANSWERED = "not answered"  # it rings in vain, and then he hangs up


class DemoCall(Struct, frozen=True, kw_only=True):
    """One call to come. ``caller``: digits, empty when withheld. ``key``: pressed in ``menu`` for the line's queue."""

    caller: str
    number: Number
    ending: Ending
    rings: float
    talks: float
    ended_by: str
    menu: str = ""
    key: str = "1"

    def __repr__(self) -> str:
        return f"<DemoCall {self.number.did} {self.ending.value}>"

    @property
    def pause(self) -> float:
        """Seconds of quiet behind it: time enough for the note."""
        busy = {Ending.ANSWERED: self.rings + self.talks, Ending.NOT_ANSWERED: _RINGS_IN_VAIN}
        return max(12.0, _EVERY - busy.get(self.ending, self.rings))


def next_call(random: Random, *, spec: Spec, callers: Sequence[str], is_first: bool = False) -> DemoCall:
    """Three of four callers have ordered at one of the malls, one of twelve shows no number.

    The first at a telephone has ordered and is answered: whoever looks in for a minute sees the whole of it.
    """
    number = random.choices(spec.numbers, [LINE_WEIGHTS.get(each.line, 0.5) for each in spec.numbers])[0]
    chance = 0.0 if is_first else random.random()
    caller = ""
    if chance < 0.75 and callers:
        caller = _as_shown(random.choice(callers))
    elif chance < 0.92:
        caller = f"0100999{random.randrange(10_000):04d}"
    menu, key = _menu(spec, f"{number.mall}.{number.line}")
    return DemoCall(
        caller=caller,
        number=number,
        menu=menu,
        key=key,
        ending=Ending.ANSWERED if is_first else random.choices(list(Ending), (84, 8, 8))[0],
        rings=3 + 3 * random.random(),
        talks=10 + 10 * random.random(),
        ended_by="caller" if random.random() < 0.6 else "agent",
    )


def listening_to(exchange: Exchange, settings: Settings) -> Settings:
    """The settings of a hub whose one exchange this is."""
    return settings.model_copy(
        update={
            "ami_host": "127.0.0.1",
            "ami_port": exchange.ami.port,
            "ami_user": USER,
            "ami_secret": SecretStr(SECRET),
            "ami_name": PBX,
            "ami_phone": "PJSIP/{member}",
            "ami_farewell": None,
        }
    )


def _menu(spec: Spec, line: str) -> tuple[str, str]:
    """The menu in which the line enters, and the key there that leads to its own queue; empty without one."""
    given = spec.lines.get(line)
    name = (given.entry or "").removeprefix("menu:") if given else ""
    keys = spec.menus[name].keys if name in spec.menus else {}
    key = next((key for key, target in keys.items() if target == f"queue:{line}"), None)
    return (name, key) if key else ("", "1")


def _as_shown(phone: str) -> str:
    """As a carrier here shows it: one from abroad with its country, without the plus."""
    digits = "".join(digit for digit in phone if digit.isdigit())
    return f"81{digits[1:]}" if digits.startswith("090") else digits


async def give_phones(hub: Hub) -> None:
    """The demo's people get the telephones of their seats; what a user has changed since stays."""
    async with hub.database.writing() as connection:
        taken = set(await connection.scalars(select(users.c.phone_member).where(users.c.phone_member.is_not(None))))
        for login, member in PHONES.items():
            if member not in taken:
                mine = (users.c.login == login) & users.c.phone_member.is_(None)
                await connection.execute(update(users).where(mine).values(phone_member=member))


async def ring_phones(hub: Hub, exchange: Exchange, *, spec: Spec, callers: Sequence[str]) -> None:
    """For ever: the telephones of those who are signed in ring, each at its own times."""
    ringing: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for task in ringing.values():
                if task.done():
                    task.result()  # says what went wrong
            wanted = await _signed_in(hub)
            for member in wanted - ringing.keys():
                ringing[member] = asyncio.create_task(_ring_one(exchange, member, spec=spec, callers=callers))
            for member in ringing.keys() - wanted:
                await _ended(ringing.pop(member))
            await asyncio.sleep(_LOOK)
    finally:
        for task in ringing.values():
            await _ended(task)


async def follow_log(hub: Hub, exchange: Exchange, *, spec: Spec) -> None:
    """For ever: what the exchange writes is read and counted as it grows."""
    file = FollowedFile(hub.database, routes_from_spec(spec), path=exchange.log.absolute(), pbx=PBX, now=hub.now)
    while True:
        try:
            await file.poll()
        except DBAPIError as error:
            complain(f"the telephone's records wait: {type(error.orig).__name__}")
        await asyncio.sleep(_LOOK)


async def _signed_in(hub: Hub) -> set[str]:
    ids = await signed_in(hub.database, at=hub.now())
    async with hub.database.reading() as connection:
        seats = users.c.id.in_(ids) & users.c.is_active & users.c.phone_member.is_not(None)
        return {
            member.rpartition("/")[2] for member in await connection.scalars(select(users.c.phone_member).where(seats))
        }


async def _ring_one(exchange: Exchange, member: str, *, spec: Spec, callers: Sequence[str]) -> None:
    """Until it is cancelled; the order of the calls at a telephone is always the same."""
    random = Random(f"{_SEED} {member}")
    await exchange.sign_on(member, [pbx_queue(name) for name in spec.queues])
    try:
        await asyncio.sleep(_FIRST)
        call = next_call(random, spec=spec, callers=callers, is_first=True)
        while True:
            if exchange.is_free(member):
                await play(exchange, member, call)
            await asyncio.sleep(call.pause)
            call = next_call(random, spec=spec, callers=callers)
    finally:
        await exchange.sign_off(member)


async def play(exchange: Exchange, member: str, call: DemoCall) -> None:
    """One call from the first ring to its end; it ends at once where the desk ends it."""
    number = call.number
    queue = pbx_queue(f"{number.mall}.{number.line}")
    place = {"did": number.did, "mall": number.mall, "line": number.line}
    live = await exchange.arrive(caller=call.caller, **place, queue=queue, menu=call.menu, key=call.key)
    try:
        await exchange.ring(live, member)
        vain = call.ending is Ending.NOT_ANSWERED
        if await _is_over(live, _RINGS_IN_VAIN if vain else call.rings):
            return
        if vain:
            await exchange.give_up_ringing(live)
        elif call.ending is Ending.ANSWERED:
            await exchange.answer(live)
            await _is_over(live, call.talks)
    finally:
        await exchange.end(live, by=call.ended_by if call.ending is Ending.ANSWERED else "caller")


async def _is_over(call: EmulatedCall, seconds: float) -> bool:
    """Whether the desk has ended the call within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(call.over.wait(), seconds)
    return call.over.is_set()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

"""The telephone exchanges of this hub, by its settings, and the listening to each: one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

import msgspec
import structlog
from sqlalchemy.exc import DBAPIError

from hub.core.errors import ConfigurationError
from hub.desk.phone.agents import LEASE, PhoneAgents
from hub.desk.phone.callbacks import callbacks_of_records, take_callback
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.flow import SpecInForce
from hub.desk.services import Services
from hub.settings import Settings
from hub.store.leases import Lease
from hub.telephony.ami import AmiAddress, AmiControl, AmiSource
from ivr.phone import CallControl, CallEventSource, LiveEvent, LiveKind, PhoneError
from ivr.spec import Spec, routes_from_spec

log = structlog.get_logger(__name__)

#: seconds between two tries to be the one who listens
_TURN: Final = 5.0
Also = Callable[[LiveEvent], Awaitable[None]]


def addresses(settings: Settings) -> tuple[AmiAddress, ...]:
    """Raises: ConfigurationError, which quotes no secret."""
    found: list[AmiAddress] = []
    if settings.ami_host:
        found.append(
            AmiAddress(
                name=settings.ami_name,
                host=settings.ami_host,
                port=settings.ami_port,
                user=settings.ami_user or "",
                secret=settings.ami_secret.get_secret_value() if settings.ami_secret else "",
                phone=settings.ami_phone,
                outbound=settings.ami_outbound,
                farewell=settings.ami_farewell or "",
            )
        )
    if settings.ami_more is not None:
        try:
            found += msgspec.json.decode(settings.ami_more.get_secret_value(), type=list[AmiAddress])
        except msgspec.DecodeError as error:
            what = "HUB_AMI_MORE is not a JSON list of exchanges"
            raise ConfigurationError(what, fix="Each needs name, host, port, user, secret.") from error
    if len({each.name for each in found}) < len(found):
        what = "two exchanges have the same name"
        raise ConfigurationError(what, fix="Give HUB_AMI_NAME and the names in HUB_AMI_MORE one each.")
    for each in found:
        if each.phone.count("{member}") != 1 or each.phone.count("{") != 1:
            what = f"the device of a telephone of {each.name!r} has no {{member}} in it"
            raise ConfigurationError(what, fix="As in PJSIP/{member}.")
    return tuple(found)


def control_of(services: Services, phone_member: str | None) -> tuple[str, str, CallControl]:
    """Exchange, member and control of a telephone (``MEMBER`` or ``PBX/MEMBER``). Raises: PhoneError without one."""
    known = addresses(services.settings)
    pbx, slash, member = (phone_member or "").partition("/")
    if not slash:
        pbx, member = known[0].name if known else "", pbx
    for each in known:
        if member and each.name == pbx:
            return pbx, member, AmiControl(each)
    raise PhoneError("no telephone here")


async def listen(services: Services, source: CallEventSource, *, also: Also | None = None) -> None:
    """Apply what ``source`` tells, for ever. ``also`` is given each event behind that. Raises: PhoneError."""
    in_force = _Specs(services)
    spec = await in_force.read()
    calls = PhoneCalls(services, pbx=source.name, routes=routes_from_spec(spec) if spec else None)
    agents = PhoneAgents(services, pbx=source.name)
    async with aclosing(source.events()) as events:
        async for event in events:
            now = await in_force.read()
            if now is not spec:
                # A number that goes elsewhere in the middle of the day goes there on the screens too.
                spec = now
                calls.routes = routes_from_spec(spec) if spec else None
            try:
                await calls.apply(event)
                await agents.apply(event)
                if spec is not None:
                    await take_callback(services, spec, event)
                    if event.kind is LiveKind.STANDING:
                        # What was asked for during the gap stands in the records, once these are read.
                        await callbacks_of_records(services, spec)
                if also is not None:
                    await also(event)
            except DBAPIError as error:
                # The next gap sets right what is missing now.
                log.warning("phone.not_kept", pbx=source.name, kind=event.kind.value, error=type(error.orig).__name__)


async def watch_phones(services: Services) -> None:
    """Listen to every exchange of the settings; beside other processes, each is listened to by one."""
    async with asyncio.TaskGroup() as group:
        for address in addresses(services.settings):
            group.create_task(_watch(services, AmiSource(address)))


async def _watch(services: Services, source: CallEventSource) -> None:
    lease = Lease(services.database, f"{LEASE}{source.name}")
    while True:
        try:
            is_ours = await lease.try_take()
        except DBAPIError as error:
            log.warning("phone.no_lease", pbx=source.name, error=type(error.orig).__name__)
            is_ours = False
        if not is_ours:
            await asyncio.sleep(_TURN)
            continue
        listening = asyncio.create_task(listen(services, source))
        lost = asyncio.create_task(lease.lost.wait())
        try:
            await asyncio.wait({listening, lost}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
        except PhoneError as error:
            log.warning("phone.refused", pbx=source.name, error=str(error))
            return
        finally:
            for task in (listening, lost):
                task.cancel()
            await asyncio.gather(listening, lost, return_exceptions=True)
            await lease.give_back()
        lease = Lease(services.database, f"{LEASE}{source.name}")


class _Specs:
    """The spec in force; ``None`` while it is missing or has errors, which is logged once."""

    def __init__(self, services: Services) -> None:
        self._in_force = SpecInForce(services)
        self._told: str | None = None

    async def read(self) -> Spec | None:
        try:
            spec = await self._in_force.read()
        except ConfigurationError as error:
            if self._told != error.what:
                log.warning("phone.no_spec", error=error.what)
            self._told = error.what
            return None
        self._told = None
        return spec

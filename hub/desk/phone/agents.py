"""What the agents do at their telephones: ready, ringing, in a call, paused and why, at rest. Kept as it is told.

What is not heard is unknown: an exchange that is away, or to which no process listens, makes all its agents so.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Select, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.store.database import read_rows, time_of
from hub.store.leases import held_and_abandoned
from hub.store.live import Topic, publish
from hub.store.tables import phone_agents, users
from ivr.phone import AgentState, LiveEvent, LiveKind

#: of whoever listens to an exchange: behind it stands the exchange's name
LEASE: Final = "phone:"
#: why an agent steps away, as it stands in the exchange's records; others may stand there too
PAUSE_REASONS: Final = ("lunch", "break", "after_call", "meeting", "training", "other")
_KINDS: Final = frozenset({LiveKind.AGENT, LiveKind.LOST, LiveKind.GAP, LiveKind.STANDING})


class AgentView(Struct, frozen=True, kw_only=True):
    """One telephone. ``name``: who sits there, ``None`` for nobody of the desk. ``since``: of the state.

    ``reason``: of a pause, as the exchange words it; those of :data:`PAUSE_REASONS` are the desk's own.
    """

    pbx: str
    member: str
    name: str | None
    state: AgentState
    reason: str
    since: datetime

    @property
    def own_reasons(self) -> tuple[str, ...]:
        return PAUSE_REASONS

    @property
    def may_pause(self) -> bool:
        """A pause during a call begins behind it; who is in no queue has nothing to pause from."""
        return self.state not in (AgentState.PAUSED, AgentState.REST, AgentState.SIGNED_OUT)

    @property
    def may_resume(self) -> bool:
        return self.state in (AgentState.PAUSED, AgentState.UNKNOWN)


class PhoneAgents:
    """Applies what one exchange tells of its agents; other events are none of its matter."""

    def __init__(self, services: Services, *, pbx: str) -> None:
        self._services, self._pbx = services, pbx
        #: members told since the gap
        self._since_gap: set[str] | None = None

    async def apply(self, event: LiveEvent) -> None:
        if event.kind not in _KINDS:
            return
        if event.kind is LiveKind.GAP:
            self._since_gap = set()
        if self._since_gap is not None and event.member:
            self._since_gap.add(event.member)
        async with self._services.database.writing() as connection:
            if event.kind is LiveKind.AGENT:
                await self._keep(connection, event)
            elif event.kind is LiveKind.STANDING:
                gone = phone_agents.c.member.not_in(self._since_gap or set())
                await connection.execute(delete(phone_agents).where(phone_agents.c.pbx == self._pbx, gone))
                self._since_gap = None
            else:
                await self._forget(connection, event)

    async def _forget(self, connection: AsyncConnection, event: LiveEvent) -> None:
        known = (phone_agents.c.pbx == self._pbx) & (phone_agents.c.state != AgentState.UNKNOWN.value)
        values = {"state": AgentState.UNKNOWN.value, "reason": "", "since": round(event.at * 1000)}
        await connection.execute(update(phone_agents).where(known).values(**values))

    async def _keep(self, connection: AsyncConnection, event: LiveEvent) -> None:
        state = event.agent or AgentState.UNKNOWN
        mine = (phone_agents.c.pbx == self._pbx) & (phone_agents.c.member == event.member)
        row = (await connection.execute(select(phone_agents).where(mine))).one_or_none()
        if row is not None and (row.state, row.reason) == (state.value, event.detail):
            return
        values = {"state": state.value, "reason": event.detail, "since": round(event.at * 1000)}
        if row is None:
            await connection.execute(phone_agents.insert().values(pbx=self._pbx, member=event.member, **values))
        else:
            await connection.execute(update(phone_agents).where(mine).values(**values))
        names = (event.member, f"{self._pbx}/{event.member}")
        user_id = await connection.scalar(select(users.c.id).where(users.c.phone_member.in_(names)).limit(1))
        if user_id is not None:
            await publish(connection, Topic.CALL, call_id="", member=event.member, user_id=user_id, state=state.value)


async def read_own_agent(services: Services, *, actor: Actor) -> AgentView | None:
    """The telephone at the actor's own seat; ``None`` where none stands there, or no exchange has told of it."""
    if actor.phone is None or actor.user_id is None:
        return None
    found = await _read(services, _OF_USER, user_id=actor.user_id)
    return found[0] if found else None


async def read_agents(services: Services, *, actor: Actor) -> tuple[AgentView, ...]:
    """The telephones of all agents, those of the desk first; for an agent his own alone. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    if actor.may(Permission.ASSIGN_OTHERS):
        return await _read(services, _ALL)
    return await _read(services, _OF_USER, user_id=actor.user_id)


_SEAT: Final = or_(
    users.c.phone_member == phone_agents.c.member,
    users.c.phone_member == phone_agents.c.pbx + "/" + phone_agents.c.member,
)
_ALL: Final = (
    select(phone_agents, users.c.name)
    .outerjoin(users, _SEAT & users.c.is_active)
    .order_by(users.c.name.is_(None), users.c.name, phone_agents.c.pbx, phone_agents.c.member)
)
_OF_USER: Final = _ALL.where(users.c.id == bindparam("user_id"))


async def _read(services: Services, query: Select[Any], **given: int | None) -> tuple[AgentView, ...]:
    async with services.database.reading() as connection:
        rows = await read_rows(connection, query, **given)
    if not rows:
        return ()
    heard, _ = await held_and_abandoned(services.database, LEASE)
    return tuple(_view(row, is_heard=f"{LEASE}{row.pbx}" in heard) for row in rows)


def _view(row: Any, *, is_heard: bool) -> AgentView:
    return AgentView(
        pbx=row.pbx,
        member=row.member,
        name=row.name,
        state=AgentState(row.state) if is_heard else AgentState.UNKNOWN,
        reason=row.reason if is_heard else "",
        since=time_of(row.since),
    )

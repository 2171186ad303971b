"""Actions on their way to a mall: stored first, sent once, settled by looking when nobody knows.

A letter is stored as pending, and whoever stored it delivers it at once. Letters of one shop go one
after the other, under a lease. Before each write its start is marked in a transaction of its own, so
that a process that died tells what it had begun: what was not begun is sent by the next process, what
was begun is only looked at, never sent again. An outcome that stays unknown is looked at again later.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Select, select, update

from hub.core.contract import (
    PROTOCOLS,
    Answer,
    Connector,
    Feed,
    LineAction,
    LineOutcome,
    Outcome,
    WriteResult,
)
from hub.core.errors import MallError, OutcomeUnknownError, RejectedByMallError, UnsupportedByMallError
from hub.core.http import urgently
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.action import Action, ActionResult, worst
from hub.desk.acting.outcome_words import BROKEN_OFF, CANCELLED, NEVER_SHOWN, said_of, said_of_broken
from hub.desk.care.promise_keeping import keep_by_answer
from hub.desk.services import Services
from hub.policy.clock_file import standard_clocks
from hub.store.database import Database, from_ms, to_ms
from hub.store.leases import Lease
from hub.store.live import Topic, publish
from hub.store.sealed import LETTER_PLACE
from hub.store.shops import ShopRow
from hub.store.tables import actions, cases, shops
from hub.sync.breaker import Breaker
from hub.sync.ingest import Ingest

log = structlog.get_logger(__name__)

#: a write whose outcome is not known is looked at again this much later
LOOKS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
#: so long after its start a write that does not show will not come any more: the longest time-out, and room
SETTLED_AFTER = timedelta(minutes=2)
_POLL_SECONDS = 0.05
#: cases of one order that are told of an action
_MOST_SCREENS = 20
_UNSURE = frozenset({Outcome.UNKNOWN, Outcome.PENDING})


class Step(Struct, frozen=True):
    """One write: at one line, or at one inquiry."""

    line_no: str | None
    about: Answer | LineAction


class Letter(Struct, frozen=True, kw_only=True):
    """All that the connector is given, as the agent saw it: one write for each line, or one answer."""

    action: Action
    answer: Answer | None = None
    lines: tuple[LineAction, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        if self.answer is not None:
            return (Step(None, self.answer),)
        return tuple(Step(action.line.line_no, action) for action in self.lines)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Letter).decode
_decode_lines = msgspec.json.Decoder(list[LineOutcome]).decode


def seal(database: Database, letter: Letter) -> bytes:
    return database.box.seal(_encode(letter), LETTER_PLACE)


def result_of(row: Any) -> ActionResult:
    """What a stored action has come to."""
    return ActionResult(
        outcome=Outcome(row.outcome),
        lines=tuple(_decode_lines(row.lines)),
        action_id=str(row.id),
        message=row.error_message,
    )


class Outbox:
    """The actions of one shop. Any process may work it; the lease lets one at a time."""

    def __init__(self, services: Services, shop: ShopRow) -> None:
        self._services = services
        self._database = services.database
        self._shop = shop
        manifest = services.registry.manifest(shop.mall)
        self._breaker = Breaker(services.database, shop.id, now=services.now)
        self._ingest = Ingest(services.database, shop=shop, manifest=manifest, clocks=standard_clocks())

    async def deliver(self, action_id: int) -> ActionResult:
        """Send what is stored up to this action, and wait for its outcome if somebody else sends it.

        Raises: ConfigurationError when the shop cannot be opened.
        """
        while True:
            lease = self._lease()
            if await lease.try_take():
                try:
                    await self._send_pending(until=action_id)
                finally:
                    await lease.give_back()
            row = await self._row(action_id)
            if row.finished_at is not None:
                return result_of(row)
            await asyncio.sleep(_POLL_SECONDS)

    async def drain(self) -> int:
        """Send what no process has sent, look at what is due. Returns how many; 0 when another works the shop.

        Raises: ConfigurationError when the shop cannot be opened.
        """
        lease = self._lease()
        if not await lease.try_take():
            return 0
        try:
            return await self._send_pending() + await self._look_at_due()
        finally:
            await lease.give_back()

    def _lease(self) -> Lease:
        return Lease(self._database, f"outbox:{self._shop.id}")

    async def _row(self, action_id: int) -> Any:
        async with self._database.reading() as connection:
            return (await connection.execute(select(actions).where(actions.c.id == action_id))).one()

    def _named(self, row: Any) -> AbstractContextManager[None]:
        """Every line of the log says which action it belongs to, those of the connector too."""
        return structlog.contextvars.bound_contextvars(shop=self._shop.name, action_id=str(row.id))

    # -- sending

    async def _send_pending(self, *, until: int | None = None) -> int:
        """``until``: the last action to send. Actions are sent in the order in which they were stored."""
        query = (
            select(actions)
            .where(
                actions.c.shop_id == self._shop.id,
                actions.c.letter_sealed.is_not(None),
                actions.c.finished_at.is_(None),
            )
            .order_by(actions.c.id)
            .limit(1)
        )
        if until is not None:
            query = query.where(actions.c.id <= until)
        sent = 0
        while True:
            async with self._database.reading() as connection:
                row = (await connection.execute(query)).first()
            if row is None:
                return sent
            with self._named(row):
                sent += await self._carry_out(row)

    async def _carry_out(self, row: Any) -> bool:
        """All steps that have no outcome yet. ``False`` when it was cancelled at the last moment."""
        letter, lines = self._letter(row), _decode_lines(row.lines)
        connector = await self._services.connector(self._shop.name)
        for number in range(len(lines), len(letter.steps)):
            step = letter.steps[number]
            if row.started > number:
                result = await self._look(connector, letter.action, step)
                unknown = LineOutcome(line_no=step.line_no, outcome=Outcome.UNKNOWN, mall_message=BROKEN_OFF)
                line = _after_look(unknown, _line_outcome(step, result), is_settled=self._is_settled(row))
            elif await self._mark_started(row.id, number):
                result = await self._do(connector, letter.action, step)
                line = _line_outcome(step, result)
            else:
                return False
            lines.append(line)
            await self._store(row.id, letter, lines, result)
        return True

    async def _mark_started(self, action_id: int, number: int) -> bool:
        """Durable before anything is sent. ``False`` when another process was first, or it was cancelled."""
        async with self._database.writing() as connection:
            marked = await connection.execute(
                update(actions)
                .where(actions.c.id == action_id, actions.c.started == number, actions.c.finished_at.is_(None))
                .values(started=number + 1, started_at=to_ms(self._services.now()))
            )
            return marked.rowcount == 1

    async def _do(self, connector: Connector, action: Action, step: Step) -> WriteResult:
        """One write, or one look. The edge of an action: whatever breaks it, its outcome is stored."""
        about = {"shop": self._shop.name, "action": action.value}
        try:
            with urgently():
                result = await _write(connector, action, step.about)
        except MallError as error:
            log.info("desk.action.failed", error=type(error).__name__, **about)
            if isinstance(error, RejectedByMallError):
                await self._breaker.succeeded()
            return _failed(error, step.line_no)
        except Exception as error:
            log.exception("desk.action.broken", **about)
            return _said(Outcome.UNKNOWN, step.line_no, said_of_broken(error))
        if result.readings or result.outcome is Outcome.DONE:
            # Whatever the schedule thinks of it, the mall is there; as one that refuses is.
            await self._breaker.succeeded()
        return result

    async def _store(self, action_id: int, letter: Letter, lines: Sequence[LineOutcome], result: WriteResult) -> None:
        now = self._services.now()
        # While lines are left the action is not over, whatever became of the first ones.
        is_last = len(lines) == len(letter.steps)
        outcome = worst([line.outcome for line in lines]) if is_last else Outcome.PENDING
        values: dict[str, Any] = {"outcome": outcome.value, **_told(lines)}
        if is_last:
            is_unsure = any(line.outcome in _UNSURE for line in lines)
            values["finished_at"] = to_ms(now)
            values["look_at"] = to_ms(now + LOOKS[0]) if is_unsure else None
            if not is_unsure:
                values["letter_sealed"] = None
        await self._write_down(action_id, letter, result, values)

    async def _write_down(self, action_id: int, letter: Letter, result: WriteResult, values: dict[str, Any]) -> None:
        feed = Feed.INQUIRIES if letter.action.is_about_inquiry else Feed.ORDERS
        async with self._database.writing() as connection:
            # What the mall now shows and the action's outcome appear together.
            await self._ingest.page(connection, result.readings, feed=feed, now=self._services.now())
            await connection.execute(update(actions).where(actions.c.id == action_id).values(**values))
            if letter.answer is not None and values["outcome"] == Outcome.DONE.value:
                await keep_by_answer(self._services, connection, action_id=action_id)
            for case_id in await connection.scalars(self._cases_of(letter)):
                await publish(connection, Topic.ACTION, case_id=case_id, action_id=action_id, outcome=values["outcome"])

    def _cases_of(self, letter: Letter) -> Select[tuple[int]]:
        """The cases on whose pages this letter stands."""
        if letter.answer is not None:
            inquiry = letter.answer.inquiry
            of_letter = cases.c.thread_no == inquiry.thread_no
            if inquiry.order_no is not None:
                of_letter |= cases.c.order_no == inquiry.order_no
        else:
            of_letter = cases.c.order_no.in_({action.order_no for action in letter.lines})
        return select(cases.c.id).where(cases.c.shop_id == self._shop.id, of_letter).limit(_MOST_SCREENS)

    # -- looking

    async def _look_at_due(self) -> int:
        query = (
            select(actions)
            .where(
                actions.c.shop_id == self._shop.id,
                actions.c.letter_sealed.is_not(None),
                actions.c.look_at <= to_ms(self._services.now()),
            )
            .order_by(actions.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            with self._named(row):
                await self._look_again(row)
        return len(rows)

    async def _look_again(self, row: Any) -> None:
        """One more look at every line of which nobody knows; the last one leaves it to people."""
        letter, lines = self._letter(row), _decode_lines(row.lines)
        connector = await self._services.connector(self._shop.name)
        is_settled = self._is_settled(row)
        is_last = row.looks + 1 >= len(LOOKS)
        is_overtaken = await self._is_overtaken(row)
        readings: list[Any] = []
        for number, (step, line) in enumerate(zip(letter.steps, lines, strict=True)):
            if line.outcome in _UNSURE:
                result = await self._look(connector, letter.action, step)
                readings += result.readings
                if is_overtaken and result.outcome is Outcome.DONE:
                    continue
                lines[number] = _after_look(line, _line_outcome(step, result), is_settled=is_settled, is_last=is_last)
        is_over = is_last or not any(line.outcome in _UNSURE for line in lines)
        values: dict[str, Any] = {
            "outcome": worst([line.outcome for line in lines]).value,
            "looks": row.looks + 1,
            "look_at": None if is_over else row.finished_at + LOOKS[row.looks + 1] // timedelta(milliseconds=1),
            **_told(lines),
        }
        if is_over:
            values["letter_sealed"] = None
        log.info("desk.action.looked_at", shop=self._shop.name, looks=row.looks + 1, outcome=values["outcome"])
        seen = WriteResult(outcome=Outcome(values["outcome"]), readings=tuple(readings))
        await self._write_down(row.id, letter, seen, values)

    async def _look(self, connector: Connector, action: Action, step: Step) -> WriteResult:
        result = await self._do(
            connector, action, Step(step.line_no, msgspec.structs.replace(step.about, is_only_look=True))
        )
        # A look that failed has seen nothing.
        is_failure = result.outcome is Outcome.REFUSED and not result.readings
        return _said(Outcome.UNKNOWN, step.line_no, None) if is_failure else result

    async def _is_overtaken(self, row: Any) -> bool:
        """Whether the same question was answered later by another action: an answer that shows may be that one's.

        Not every mall shows the text of its answers.
        """
        later = select(actions.c.id).where(
            actions.c.shop_id == self._shop.id,
            actions.c.inquiry_no == row.inquiry_no,
            actions.c.id > row.id,
            actions.c.outcome == Outcome.DONE.value,
        )
        async with self._database.reading() as connection:
            return row.inquiry_no is not None and await connection.scalar(later.limit(1)) is not None

    def _is_settled(self, row: Any) -> bool:
        """Whether a write begun by now shows if it ever will."""
        started_at = from_ms(row.started_at)
        return started_at is not None and self._services.now() - started_at >= SETTLED_AFTER

    def _letter(self, row: Any) -> Letter:
        return _decode(self._database.box.open(row.letter_sealed, LETTER_PLACE))


async def _write(connector: Connector, action: Action, about: Answer | LineAction) -> WriteResult:
    capability = action.capability
    if not isinstance(connector, PROTOCOLS[capability]):
        raise UnsupportedByMallError("declared but not implemented", shop=connector.shop.name)
    # A Protocol's one method bears its capability's name (tests/contract).
    result: WriteResult = await getattr(connector, capability.value)(about)
    return result


def _after_look(line: LineOutcome, seen: LineOutcome, *, is_settled: bool, is_last: bool = False) -> LineOutcome:
    """What is known of a line after a look: an effect that shows is there, one that does not may still come."""
    if seen.outcome is Outcome.DONE:
        return seen
    if line.outcome is Outcome.UNKNOWN and seen.outcome is Outcome.REFUSED and is_settled:
        return seen
    if line.outcome is Outcome.PENDING and is_last:
        return LineOutcome(line_no=line.line_no, outcome=Outcome.UNKNOWN, mall_message=NEVER_SHOWN)
    return line


def _told(lines: Sequence[LineOutcome]) -> dict[str, Any]:
    """The columns that tell of the lines; the message is the first reason given."""
    message = next((line.mall_message for line in lines if line.mall_message), None)
    return {"lines": msgspec.json.encode(lines).decode(), "error_message": message}


def _line_outcome(step: Step, result: WriteResult) -> LineOutcome:
    message = next((line.mall_message for line in result.lines if line.mall_message), None)
    return LineOutcome(line_no=step.line_no, outcome=result.outcome, mall_message=message)


def _failed(error: MallError, line_no: str | None) -> WriteResult:
    """Only a lost answer is unknown; everything else means that the mall did not do it."""
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.REFUSED
    return _said(outcome, line_no, said_of(error))


def _said(outcome: Outcome, line_no: str | None, message: str | None, readings: tuple[Any, ...] = ()) -> WriteResult:
    line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=message)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)


# -- over all shops


class Waiting(Struct, frozen=True, kw_only=True):
    """One action that is not over: not sent yet, being sent, or looked at again at ``look_at``."""

    action_id: str
    shop: str
    action: str
    order_no: str | None
    line_no: str | None
    inquiry_no: str | None
    outcome: Outcome
    why: str | None
    created_at: datetime | None
    started_at: datetime | None
    look_at: datetime | None
    can_cancel: bool


async def waiting_actions(database: Database) -> list[Waiting]:
    """Every action of which something is still to be done, oldest first."""
    query = (
        select(actions, shops.c.name.label("shop"))
        .join_from(actions, shops, shops.c.id == actions.c.shop_id)
        .where(actions.c.letter_sealed.is_not(None))
        .order_by(actions.c.id)
    )
    async with database.reading() as connection:
        return [
            Waiting(
                action_id=str(row.id),
                shop=row.shop,
                action=row.action,
                order_no=row.order_no,
                line_no=row.line_no,
                inquiry_no=row.inquiry_no,
                outcome=Outcome(row.outcome),
                why=row.error_message,
                created_at=from_ms(row.created_at),
                started_at=from_ms(row.started_at),
                look_at=from_ms(row.look_at),
                can_cancel=is_cancellable(row),
            )
            for row in await connection.execute(query)
        ]


async def shops_with_letters(database: Database, *, now: datetime) -> list[ShopRow]:
    """Active shops in which an action waits to be sent or looked at."""
    due = actions.c.finished_at.is_(None) | (actions.c.look_at <= to_ms(now))
    query = (
        select(shops.c.id, shops.c.name, shops.c.mall, shops.c.base_url)
        .distinct()
        .join_from(shops, actions, actions.c.shop_id == shops.c.id)
        .where(shops.c.is_active, actions.c.letter_sealed.is_not(None), due)
        .order_by(shops.c.name)
    )
    async with database.reading() as connection:
        return [
            ShopRow(id=row.id, name=row.name, mall=row.mall, base_url=row.base_url)
            for row in await connection.execute(query)
        ]


def is_cancellable(row: Any) -> bool:
    """Whether nothing of a stored action was begun."""
    return row.finished_at is None and row.started == 0 and row.letter_sealed is not None


async def cancel(services: Services, actor: Actor, action_id: int) -> bool:
    """Take back what was not begun; it stays as refused. ``False`` when it is too late, or there is no such action.

    Raises: ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    async with services.database.writing() as connection:
        cancelled = await connection.execute(
            update(actions)
            .where(
                actions.c.id == action_id,
                actions.c.started == 0,
                actions.c.finished_at.is_(None),
                actions.c.letter_sealed.is_not(None),
            )
            .values(
                outcome=Outcome.REFUSED.value,
                error_message=CANCELLED,
                finished_at=to_ms(services.now()),
                letter_sealed=None,
            )
        )
        return cancelled.rowcount == 1

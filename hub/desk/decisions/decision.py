"""Decisions about lines: the card as it is now, decisions as they were made, and the steps that were ticked.

A stored decision keeps its whole card with the version of the policy that made it: a change of the policy
never rewrites what was decided. None of it holds personal data, except what an agent wrote on a refusal,
which is sealed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, select, update

from hub.desk.access import Actor, Permission, require
from hub.desk.books.policy import PolicyInForce, read_policy
from hub.desk.cases.case import NotFoundError
from hub.desk.decisions.facts import NOTHING_TOLD, LineKey, LineKnown, Told, read_card_facts
from hub.desk.services import Services
from hub.policy.card import Card, CardFacts, Request, Verdict
from hub.policy.clock_file import standard_clocks
from hub.policy.decide import decide
from hub.policy.switches import brand_of, switches_at
from hub.store.box import Box
from hub.store.database import read_rows, time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.questions import Question, ask_one
from hub.store.tables import cases, decision_ticks, decisions, users

GROUNDS_PLACE: Final = b"decisions.grounds_sealed"
TEXT_LIMIT: Final = 2_000
_decode_card = msgspec.json.Decoder(Card).decode
_encode = msgspec.json.Encoder().encode


class RefusalRecord(Struct, frozen=True, kw_only=True):
    """What a refusal cannot be without: the proof, what the customer was told, what was offered instead."""

    evidence: str
    message_sent: str
    alternative_offered: str


_decode_record = msgspec.json.Decoder(RefusalRecord).decode


class IncompleteError(ValueError):
    """The decision cannot stand like this. ``field`` names what is missing."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is missing")
        self.field = field


class DecidedLine(Struct, frozen=True, kw_only=True):
    """The card of one line, with what it was decided from."""

    card: Card
    facts: CardFacts
    shop_id: int


class DecisionView(Struct, frozen=True, kw_only=True):
    """A decision as it was made; ``by`` is ``None`` for the command line or somebody who is gone."""

    id: int
    case_id: int | None
    order_no: str
    line_no: str
    card: Card
    refusal: RefusalRecord | None
    by: str | None
    decided_at: datetime


class TickView(Struct, frozen=True, kw_only=True):
    """A step that somebody has done."""

    id: int
    line_no: str
    step: str
    by: str | None
    ticked_at: datetime


async def decide_line(
    services: Services,
    *,
    actor: Actor,
    key: LineKey,
    request: Request,
    told: Told = NOTHING_TOLD,
    language: str | None = None,
    locale: str | None = None,
    policy: PolicyInForce | None = None,
) -> DecidedLine:
    """The card as the policy in force decides it, or ``policy``. ``locale`` absent: the actor's.

    Raises: ForbiddenError; ConfigurationError for a shop, line or mall that the hub does not know.
    """
    require(actor, Permission.WORK_CASES)
    known = await read_card_facts(services, key, request=request, told=told)
    policy = policy or await read_policy(services.database)
    facts = _with_brand(services, known, policy)
    switches = switches_at(
        policy.tables,
        shop=facts.shop,
        mall=facts.mall,
        brand=facts.brand or None,
        on=facts.at.astimezone(services.settings.zone).date(),
    )
    card = decide(
        facts,
        request=request,
        switches=switches,
        days=switches.own_days(facts.country),
        policy_version=policy.version,
        clocks=standard_clocks(),
        locale=locale or actor.locale,
        language=language,
    )
    return DecidedLine(card=card, facts=facts, shop_id=known.shop_id)


def _with_brand(services: Services, known: LineKnown, policy: PolicyInForce) -> CardFacts:
    facts = known.facts
    brand = brand_of(
        policy.tables,
        shop=facts.shop,
        mall=facts.mall,
        sub_shop=known.sub_shop,
        seller_sku=known.seller_sku,
        on=facts.at.astimezone(services.settings.zone).date(),
    )
    return msgspec.structs.replace(facts, brand=brand or "")


async def record_decision(
    services: Services,
    *,
    actor: Actor,
    decided: DecidedLine,
    case_id: int | None = None,
    refusal: RefusalRecord | None = None,
) -> int:
    """Keep a decision with its whole card. A refusal keeps its proof, message and alternative too.

    Raises: ForbiddenError; NotFoundError for a case that is not there; IncompleteError.
    """
    require(actor, Permission.WORK_CASES)
    card, facts = decided.card, decided.facts
    if card.decision is Verdict.ASK:
        # A question is no decision yet.
        raise IncompleteError(card.missing[0] if card.missing else "facts")
    record = _checked(refusal) if card.decision is Verdict.REFUSE else None
    decision_id = new_id()
    async with services.database.writing() as connection:
        if case_id is not None and await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
            raise NotFoundError
        await connection.execute(
            decisions.insert().values(
                id=decision_id,
                case_id=case_id,
                shop_id=decided.shop_id,
                order_no=facts.order_no,
                line_no=facts.line_no,
                request=card.request.value,
                decision=card.decision.value,
                card=_encode(card).decode(),
                policy_version=card.policy_version,
                grounds_sealed=services.database.box.seal(_encode(record), GROUNDS_PLACE) if record else None,
                decided_by=actor.user_id,
                decided_at=to_ms(services.now()),
            )
        )
        if case_id is not None:
            await publish(connection, Topic.CASE, id=case_id)
    return decision_id


def _checked(refusal: RefusalRecord | None) -> RefusalRecord:
    if refusal is None:
        raise IncompleteError("evidence")
    values = {}
    for name in RefusalRecord.__struct_fields__:
        text = getattr(refusal, name).strip()
        if not text or len(text) > TEXT_LIMIT:
            raise IncompleteError(name)
        values[name] = text
    return RefusalRecord(**values)


async def read_decisions(
    services: Services, *, actor: Actor, case_id: int | None = None, key: tuple[int, str, str] | None = None
) -> tuple[DecisionView, ...]:
    """Of a case, or of a line (shop's id, order, line), newest first, each as it was made. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    box = services.database.box
    async with services.database.reading() as connection:
        if key is None:
            return await ask_one(connection, decisions_of(case_id, box=box)) if case_id is not None else ()
        of_line = dict(zip(("shop_id", "order_no", "line_no"), key, strict=True))
        rows = await read_rows(connection, _OF_LINE, **of_line)
    return tuple(_view(row, box) for row in rows if case_id in {None, row.case_id})


def decisions_of(case_id: int, *, box: Box) -> Question[tuple[DecisionView, ...]]:
    """As :func:`read_decisions` of a case."""
    return Question(_OF_CASE, {"case_id": case_id}, lambda rows: tuple(_view(row, box) for row in rows))


_DECISIONS: Final = (
    select(decisions, users.c.name.label("by"))
    .select_from(decisions.outerjoin(users, users.c.id == decisions.c.decided_by))
    .order_by(decisions.c.decided_at.desc(), decisions.c.id.desc())
)
_OF_CASE: Final = _DECISIONS.where(decisions.c.case_id == bindparam("case_id"))
_OF_LINE: Final = _DECISIONS.where(
    *(decisions.c[name] == bindparam(name) for name in ("shop_id", "order_no", "line_no"))
)


def _view(row: Any, box: Box) -> DecisionView:
    sealed = row.grounds_sealed
    return DecisionView(
        id=row.id,
        case_id=row.case_id,
        order_no=row.order_no,
        line_no=row.line_no,
        card=_decode_card(row.card),
        refusal=_decode_record(box.open(sealed, GROUNDS_PLACE)) if sealed else None,
        by=row.by,
        decided_at=time_of(row.decided_at),
    )


async def tick_step(services: Services, *, actor: Actor, case_id: int, line_no: str, step: str, card: Card) -> None:
    """Note that a step of ``card`` was done; what is ticked already stays as it is.

    Raises: ForbiddenError; NotFoundError for a case, or a step of the card, that is not there.
    """
    require(actor, Permission.WORK_CASES)
    if step not in {each.key for each in card.steps}:
        raise NotFoundError
    async with services.database.writing() as connection:
        if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
            raise NotFoundError
        standing = select(decision_ticks.c.id).where(
            decision_ticks.c.case_id == case_id,
            decision_ticks.c.line_no == line_no,
            decision_ticks.c.step == step,
            decision_ticks.c.undone_at.is_(None),
        )
        if await connection.scalar(standing) is None:
            await connection.execute(
                decision_ticks.insert().values(
                    id=new_id(),
                    case_id=case_id,
                    line_no=line_no,
                    step=step,
                    ticked_by=actor.user_id,
                    ticked_at=to_ms(services.now()),
                )
            )
            await publish(connection, Topic.CASE, id=case_id)


async def untick_step(services: Services, *, actor: Actor, case_id: int, tick_id: int) -> None:
    """Take a tick back: one's own, or with the right to assign anybody's.

    Raises: ForbiddenError; NotFoundError when no such tick stands.
    """
    require(actor, Permission.WORK_CASES)
    which = (
        decision_ticks.c.id == tick_id,
        decision_ticks.c.case_id == case_id,
        decision_ticks.c.undone_at.is_(None),
    )
    async with services.database.writing() as connection:
        row = (await connection.execute(select(decision_ticks.c.ticked_by).where(*which))).one_or_none()
        if row is None:
            raise NotFoundError
        if row.ticked_by != actor.user_id:
            require(actor, Permission.ASSIGN_OTHERS)
        await connection.execute(update(decision_ticks).where(*which).values(undone_at=to_ms(services.now())))
        await publish(connection, Topic.CASE, id=case_id)


async def read_ticks(services: Services, *, actor: Actor, case_id: int) -> tuple[TickView, ...]:
    """What stands ticked on a case, oldest first. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await ask_one(connection, ticks_of(case_id))


def ticks_of(case_id: int) -> Question[tuple[TickView, ...]]:
    """As :func:`read_ticks`."""
    return Question(_TICKS, {"case_id": case_id}, _ticks)


def _ticks(rows: list[Any]) -> tuple[TickView, ...]:
    return tuple(
        TickView(id=row.id, line_no=row.line_no, step=row.step, by=row.by, ticked_at=time_of(row.ticked_at))
        for row in rows
    )


_TICKS: Final = (
    select(decision_ticks, users.c.name.label("by"))
    .select_from(decision_ticks.outerjoin(users, users.c.id == decision_ticks.c.ticked_by))
    .where(decision_ticks.c.case_id == bindparam("case_id"), decision_ticks.c.undone_at.is_(None))
    .order_by(decision_ticks.c.ticked_at, decision_ticks.c.id)
)


def open_steps(card: Card, ticks: Sequence[TickView], *, line_no: str) -> tuple[str, ...]:
    """Keys of the required steps that nobody has ticked."""
    done = {tick.step for tick in ticks if tick.line_no == line_no}
    return tuple(step.key for step in card.steps if step.required and step.key not in done)

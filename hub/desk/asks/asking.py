"""Asking a contact about a case: with a prepared text, once for each form, timed, and answered by link or by an agent.

A question is stored before it is sent (see :mod:`hub.desk.asks.sending`). Only people of the case's chain
can be asked, so that no form leads to a partner whom the inventory mode keeps away.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Row, and_, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Party
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.asks.contact import Route, find_route
from hub.desk.asks.text import (
    TEXT_LIMIT,
    Answer,
    leaks,
    may_know_person,
    person_facts,
    plain,
    prepared_text,
    read_answer,
    subject_of,
)
from hub.desk.asks.times import after_open_minutes, open_minutes
from hub.desk.asks.views import OPEN, AskBody, seal_answer, seal_body
from hub.desk.asks.ways import WAYS, Way, escalate_minutes, hot_line_of, language_of, ways_of
from hub.desk.cases.case import REASON_LIMIT, NotFoundError, open_case
from hub.desk.record_views import open_inquiry, open_order
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.store.belonging import order_of_case
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.questions import Question, asking
from hub.store.tables import asks, cases, inquiries, orders, shops
from routing.chain import Link, Matter
from routing.contacts import Contact

_TOKEN_LIMIT: Final = 100


class AskRequest(Struct, frozen=True, kw_only=True):
    """One question as an agent sends it. ``text`` ``None`` is the prepared one; ``token`` is the form's own.

    ``reason``: why the receiver's data go out in the clear, where they go at all; without one they are
    masked. ``answer`` is what was said on the telephone; with ``way`` "call" and without an answer the
    question stays open until somebody types it. ``is_hot_line``: the other places of the contact's hot line are
    asked at once, each in its own way and language; a telephone call is to one person.
    """

    matter: Matter
    contact_key: str
    way: Way
    token: str
    text: str | None = None
    reason: str = ""
    answer: str = ""
    is_hot_line: bool = False


class AskError(Exception):
    """The question was not stored. ``key`` is a message key that says why, ``detail`` kinds of data, by commas."""

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.detail = detail


async def ask(services: Services, *, actor: Actor, case_id: int, request: AskRequest) -> int:
    """Store one question and return its id; the same ``token`` again returns the same one.

    The others of a hot line are stored in the same transaction.

    Raises: ForbiddenError; NotFoundError; AskError; ConfigurationError when the routing file is wrong.
    """
    require(actor, Permission.WORK_CASES)
    if not request.token or len(request.token) > _TOKEN_LIMIT:
        raise AskError("notice.wrong_request")
    if (known := await _asked_by_token(services, case_id, request.token)) is not None:
        return known
    case = await open_case(services, case_id=case_id, is_unmasked=False)
    route = await find_route(services, case_id=case_id, matter=request.matter)
    link = _link_of(route, request.contact_key)
    if link is None or link.contact is None:
        raise AskError("notice.ask_not_in_chain")
    if request.way not in ways_of(link.contact, settings=services.settings):
        raise AskError("notice.ask_no_way")
    body = await _body(services, case, link.contact, request)
    answer = _spoken_answer(request, _today(services))
    now = services.now()
    row = new_row(
        services,
        case_id=case_id,
        contact=link.contact,
        minutes=escalate_minutes(link.contact, link, settings=services.settings),
        matter=request.matter,
        way=request.way,
        body=body,
        asked_by=actor.user_id,
    )
    row["token"] = request.token
    others = await _hot_line(services, actor, case, route, link, request)
    if answer is not None:
        row |= {
            **_answered(services, link.contact, asked_at=now, answer=answer, via="agent", by=actor.user_id),
            "answer_read_at": to_ms(now),
        }
    try:
        async with services.database.writing() as connection:
            await connection.execute(asks.insert().values(**row))
            await publish(connection, Topic.CASE, id=case_id)
            await note_person(connection, services, actor=actor, row=row, body=body, reason=request.reason)
            for other, told in others:
                await connection.execute(asks.insert().values(**other))
                await note_person(connection, services, actor=actor, row=other, body=told, reason="")
    except IntegrityError:
        # The same form, sent twice at once.
        if (known := await _asked_by_token(services, case_id, request.token)) is not None:
            return known
        raise
    return int(row["id"])


async def _hot_line(
    services: Services, actor: Actor, case: CaseView, route: Route | None, asked: Link, request: AskRequest
) -> list[tuple[dict[str, Any], AskBody]]:
    """Rows for those of the hot line who are not waited for already; unmasked data go to nobody but the asked one."""
    if not request.is_hot_line or request.way == "call" or route is None or asked.contact is None:
        return []
    case_id = case.row.case_id
    waited_for = await _waited_for(services, case_id, request.matter)
    rows = []
    for link in hot_line_of(route.chain, asked):
        contact = link.contact
        if contact is None or contact.key in waited_for:
            continue
        is_same = language_of(contact) == language_of(asked.contact)
        own = replace(request, contact_key=contact.key, reason="", text=request.text if is_same else None)
        body = await _body(services, case, contact, own)
        row = new_row(
            services,
            case_id=case_id,
            contact=contact,
            minutes=escalate_minutes(contact, link, settings=services.settings),
            matter=request.matter,
            way=ways_of(contact, settings=services.settings)[0],
            body=body,
            asked_by=actor.user_id,
        )
        rows.append((row, body))
    return rows


async def _waited_for(services: Services, case_id: int, matter: Matter) -> frozenset[str]:
    """Keys of those who have an open question about this matter of the case."""
    query = select(asks.c.contact_key).where(
        asks.c.case_id == case_id, asks.c.matter == matter.value, asks.c.state.in_(OPEN)
    )
    async with services.database.reading() as connection:
        return frozenset(await connection.scalars(query))


async def _asked_by_token(services: Services, case_id: int, token: str) -> int | None:
    query = select(asks.c.id).where(asks.c.token == token, asks.c.case_id == case_id)
    async with services.database.reading() as connection:
        return await connection.scalar(query)


def _link_of(route: Route | None, key: str) -> Link | None:
    links = route.chain if route else ()
    return next((link for link in links if link.contact is not None and link.contact.key == key), None)


async def _body(services: Services, case: CaseView, contact: Contact, request: AskRequest) -> AskBody:
    language = language_of(contact)
    parties = await parties_of(services, case.row.case_id)
    prepared = await prepare(services, case, matter=request.matter, language=language, parties=parties)
    text = prepared if request.text is None else plain(request.text, limit=TEXT_LIMIT + 1)
    if not text or len(text) > TEXT_LIMIT:
        raise AskError("notice.ask_text_length")
    # What the prepared text says by chance (a product named like the customer) is no leak.
    if found := set(leaks(text, parties)) - set(leaks(prepared, parties)):
        raise AskError("notice.ask_leak", ",".join(sorted(found)))
    is_masked = not request.reason.strip()
    return AskBody(
        language=language,
        subject=subject_of(case, matter=request.matter, language=language),
        text=text,
        person=_person(parties, contact, request.matter, is_masked=is_masked),
        is_masked=is_masked,
    )


async def prepare(
    services: Services, case: CaseView, *, matter: Matter, language: str, parties: Sequence[Party]
) -> str:
    """:func:`prepared_text`, with carriers by their names where the mall tells them."""
    carriers = {each.code: each.name for each in await services.carriers.of(services, case.row.shop)}
    return prepared_text(case, matter=matter, language=language, parties=parties, carriers=carriers)


def _person(
    parties: tuple[Party, ...], contact: Contact, matter: Matter, *, is_masked: bool
) -> tuple[tuple[str, str], ...]:
    if not may_know_person(contact.role, matter):
        return ()
    return person_facts(parties[0] if parties else None, is_masked=is_masked)


async def parties_of(services: Services, case_id: int) -> tuple[Party, ...]:
    """Everybody whose data must not leave, the receiver first. For comparing and sending: no screen shows them."""
    box, of = services.database.box, {"case_id": case_id}
    async with services.database.reading() as connection, asking(connection) as ask:
        of_order = ask(Question(_ORDERS, of, lambda rows: [open_order(row, box) for row in rows]))
        of_thread = ask(Question(_THREAD, of, lambda rows: [open_inquiry(row, box).writer for row in rows]))
    private, writers = of_order.found, of_thread.found
    people = (*(each.receiver for each in private), *(each.buyer for each in private), *writers)
    return tuple(dict.fromkeys(party for party in people if party is not None))


_of_thread = and_(inquiries.c.shop_id == cases.c.shop_id, inquiries.c.thread_no == cases.c.thread_no)
_ORDERS: Final = select(orders.c.sealed).join(cases, order_of_case()).where(cases.c.id == bindparam("case_id"))
_THREAD: Final = select(inquiries.c.sealed).join(cases, _of_thread).where(cases.c.id == bindparam("case_id"))


def new_row(
    services: Services,
    *,
    case_id: int,
    contact: Contact,
    minutes: int,
    matter: Matter,
    way: Way,
    body: AskBody,
    asked_by: int | None,
    follows_id: int | None = None,
) -> dict[str, Any]:
    """A question as it is stored; after ``minutes`` of the contact's opening time the next one is asked."""
    now, settings = services.now(), services.settings
    # A reminder comes before the next one is asked.
    remind_minutes = min(settings.ask_remind_minutes, minutes // 2)
    is_sent = way != "call"
    secret = secrets.token_urlsafe(32) if is_sent and settings.public_url else None
    body = replace(body, person=body.person if is_sent else (), secret=secret)
    return {
        "id": new_id(),
        "case_id": case_id,
        "contact_key": contact.key,
        "contact_name": contact.name,
        "organisation": contact.organisation,
        "role": contact.role.value,
        "matter": matter.value,
        "channel": way,
        "text_sealed": seal_body(services.database.box, body),
        "state": "open",
        "asked_by": asked_by,
        "asked_at": to_ms(now),
        "send_at": to_ms(now) if is_sent else None,
        "remind_at": to_ms(after_open_minutes(contact, now, remind_minutes)),
        "escalate_at": to_ms(after_open_minutes(contact, now, minutes)),
        "follows_id": follows_id,
        "link_hash": link_hash(secret) if secret else None,
        "link_expires_at": to_ms(now + timedelta(hours=settings.ask_link_hours)) if secret else None,
    }


def link_hash(secret: str) -> bytes:
    """What is kept of a link's secret (256 random bits): it cannot be turned back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def note_person(
    connection: AsyncConnection, services: Services, *, actor: Actor, row: Mapping[str, Any], body: AskBody, reason: str
) -> None:
    """Whoever's data go out, masked or not, stand in the access log before they go."""
    if not body.person or row["channel"] == "call":
        return
    await record_access(
        connection,
        at=services.now(),
        actor=actor,
        action=AccessAction.ASK,
        subject=f"case {row['case_id']}, ask {row['id']}",
        reason="masked" if body.is_masked else " ".join(reason.split())[:REASON_LIMIT],
    )


def _today(services: Services) -> date:
    return services.now().astimezone(services.settings.zone).date()


def _spoken_answer(request: AskRequest, today: date) -> Answer | None:
    if request.way != "call" or not request.answer.strip():
        return None
    return read_answer({"text": request.answer}, matter=request.matter, today=today)


async def answer_as_agent(
    services: Services, *, actor: Actor, case_id: int, ask_id: int, values: dict[str, str]
) -> None:
    """Note what a contact said by telephone, chat or a reply; ``values`` as of :func:`read_answer`.

    A newer answer takes the place of an older one. Raises: ForbiddenError; NotFoundError; WrongAnswerError.
    """
    require(actor, Permission.WORK_CASES)
    row = await _row(services, case_id, ask_id)
    answer = read_answer(values, matter=Matter(row.matter), today=_today(services))
    contact = await contact_named(services, row.contact_key)
    changed = _next_answer(services, contact, row, answer=answer, via="agent", by=actor.user_id)
    changed["answer_read_at"] = to_ms(services.now())
    await _change(services, asks.c.id == ask_id, changed)


def _answered(
    services: Services, contact: Contact | None, *, asked_at: datetime, answer: Answer, via: str, by: int | None
) -> dict[str, Any]:
    now = services.now()
    return {
        "state": "answered",
        "answered_at": to_ms(now),
        "answer_sealed": seal_answer(services.database.box, answer),
        "answered_via": via,
        "answered_by": by,
        "answer_minutes": open_minutes(contact, asked_at, now),
        "send_at": None,
        "remind_at": None,
        "escalate_at": None,
    }


def _next_answer(
    services: Services, contact: Contact | None, row: Row[Any], *, answer: Answer, via: str, by: int | None
) -> dict[str, Any]:
    """The time until the first answer counts; a correction does not make the contact slower."""
    since = time_of(row.sent_at or row.asked_at)
    changed = _answered(services, contact, asked_at=since, answer=answer, via=via, by=by)
    return changed if row.answer_minutes is None else changed | {"answer_minutes": row.answer_minutes}


async def answer_by_link(services: Services, row: Row[Any], answer: Answer) -> bool:
    """Store the answer of whoever has the link; ``False`` when an agent had read an earlier one, or withdrew it."""
    contact = await contact_named(services, row.contact_key)
    changed = _next_answer(services, contact, row, answer=answer, via="link", by=None)
    is_changeable = asks.c.answer_read_at.is_(None) & (asks.c.state != "withdrawn")
    return await _change(services, and_(asks.c.id == row.id, is_changeable), changed) == 1


async def withdraw(services: Services, *, actor: Actor, case_id: int, ask_id: int) -> None:
    """Wait for this answer no longer; its link stops working. Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    await _row(services, case_id, ask_id)
    is_open = and_(asks.c.id == ask_id, asks.c.state.in_(OPEN))
    ended = {"state": "withdrawn", "send_at": None, "remind_at": None, "escalate_at": None}
    if not await _change(services, is_open, ended):
        raise NotFoundError


async def send_again(services: Services, *, actor: Actor, case_id: int, ask_id: int) -> None:
    """Try a message now that could not be sent. Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    row = await _row(services, case_id, ask_id)
    if row.send_error is None or row.channel not in WAYS[:2]:
        raise NotFoundError
    failed = and_(asks.c.id == ask_id, asks.c.state.in_(OPEN), asks.c.send_error.is_not(None))
    await _change(services, failed, {"send_at": to_ms(services.now()), "sends": 0})


async def mark_read(services: Services, *, actor: Actor, case: CaseView) -> None:
    """Whoever owns the case has seen its answers as they stand; without an owner, whoever looks."""
    if case.row.assignee_id not in (None, actor.user_id):
        return
    for seen in case.dossier.asks:
        if seen.is_unread and seen.case_id == case.row.case_id:
            # A link may have changed it since; then it is not read yet.
            is_same = and_(asks.c.id == seen.ask_id, asks.c.answered_at == to_ms(seen.answered_at))
            await _change(services, is_same, {"answer_read_at": to_ms(services.now())})


async def contact_named(services: Services, key: str) -> Contact | None:
    """``None`` for somebody who has left the book since."""
    await services.refresh_routing()
    book = services.routing
    return next((each for each in book.directory.contacts if each.key == key), None) if book else None


async def _row(services: Services, case_id: int, ask_id: int) -> Row[Any]:
    async with services.database.reading() as connection:
        row = (await connection.execute(select(asks).where(asks.c.id == ask_id, asks.c.case_id == case_id))).first()
    if row is None:
        raise NotFoundError
    return row


async def _change(services: Services, which: Any, values: dict[str, Any]) -> int:
    async with services.database.writing() as connection:
        changed = await connection.execute(update(asks).where(which).values(**values).returning(asks.c.case_id))
        of_cases = list(changed.scalars())
        for case_id in set(of_cases):
            await publish(connection, Topic.CASE, id=case_id)
        return len(of_cases)


async def find_by_link(services: Services, secret: str) -> Row[Any] | None:
    """The question that a link answers; ``None`` for a forged, expired or withdrawn one alike."""
    query = select(asks, shops.c.name.label("shop")).select_from(
        asks.join(cases, cases.c.id == asks.c.case_id).join(shops, shops.c.id == cases.c.shop_id)
    )
    is_valid = and_(
        asks.c.link_hash == link_hash(secret),
        asks.c.link_expires_at > to_ms(services.now()),
        asks.c.state != "withdrawn",
    )
    async with services.database.reading() as connection:
        return (await connection.execute(query.where(is_valid))).one_or_none()

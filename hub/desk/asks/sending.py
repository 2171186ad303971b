"""Questions on their way: sent, sent again, reminded of, and passed on to the next when nobody answers.

Everything due stands in the row, so any process may do it: the worker every few seconds, and whoever opens
the case where no worker runs. A message is claimed by one update before it leaves; a process that dies
with it leaves the next try a few minutes later, with the same Message-ID.
"""

from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

import httpx
import structlog
from msgspec import Struct
from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, or_, select, update

from hub.core.model import InventoryMode
from hub.desk.access import command_line_actor
from hub.desk.asks.asking import contact_named, new_row, note_person, parties_of, prepare
from hub.desk.asks.contact import Route, find_route
from hub.desk.asks.text import AskWords, may_know_person, person_facts, subject_of, until_words
from hub.desk.asks.views import AskBody, open_body
from hub.desk.asks.ways import escalate_minutes, language_of, ways_of, webhook_of
from hub.desk.cases.case import open_case
from hub.desk.sending import ChannelError, MailSender, post_document
from hub.desk.services import Services
from hub.store.database import Database, read_rows, time_of, to_ms
from hub.store.live import Topic, publish
from hub.store.shops import ShopRow
from hub.store.tables import asks, cases, shops
from routing.chain import Matter
from routing.contacts import Contact, Role, open_now

log = structlog.get_logger(__name__)

#: tries of one message; the last comes about four hours after the first
MOST_TRIES: Final = 8
#: longer than a try takes, so that nobody else begins the same one
_FIRST_PAUSE: Final = timedelta(minutes=2)
_LONGEST_PAUSE: Final = timedelta(hours=4)
_BATCH: Final = 50
LINK_PATH: Final = "/answers"


class Tended(Struct, kw_only=True):
    """What one look did."""

    sent: int = 0
    failed: int = 0
    reminded: int = 0
    passed_on: int = 0


async def tend(
    services: Services,
    *,
    shop_id: int | None = None,
    case_id: int | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Tended:
    """Do what is due now: of all open cases, of one shop's, or of one case. ``transport`` replaces the network.

    Raises: ConfigurationError when the routing file is wrong.
    """
    done = Tended()
    for row in await _due(services, _is_late, shop_id=shop_id, case_id=case_id):
        if row.escalate_at is not None and row.escalate_at <= _ms(services):
            done.passed_on += await _pass_on(services, row)
        else:
            done.reminded += await _remind(services, row)
    for row in await _due(services, _is_unsent, shop_id=shop_id, case_id=case_id):
        if await _claim(services, row):
            if await _send(services, row, transport):
                done.sent += 1
            else:
                done.failed += 1
    return done


def _ms(services: Services) -> int:
    return round(services.now().timestamp() * 1000)


def _is_late(now: int | BindParameter[Any]) -> ColumnElement[bool]:
    return or_(asks.c.escalate_at <= now, asks.c.remind_at <= now)


def _is_unsent(now: int | BindParameter[Any]) -> ColumnElement[bool]:
    return asks.c.send_at <= now


async def shops_with_asks(database: Database, *, now: datetime) -> list[ShopRow]:
    """Active shops with a question in which something is due."""
    at = round(now.timestamp() * 1000)
    query = (
        select(shops.c.id, shops.c.name, shops.c.mall, shops.c.base_url)
        .distinct()
        .select_from(asks.join(cases, cases.c.id == asks.c.case_id).join(shops, shops.c.id == cases.c.shop_id))
        .where(asks.c.state == "open", cases.c.is_open, shops.c.is_active, or_(_is_late(at), _is_unsent(at)))
        .order_by(shops.c.name)
    )
    async with database.reading() as connection:
        return [
            ShopRow(id=row.id, name=row.name, mall=row.mall, base_url=row.base_url)
            for row in await connection.execute(query)
        ]


async def is_any_due(services: Services, *, case_id: int) -> bool:
    """Whether :func:`tend` would find anything to do: with one statement, as each page of a case asks."""
    async with services.database.reading() as connection:
        return bool(await read_rows(connection, _ANY_DUE, case_id=case_id, now=_ms(services)))


_now: Final[BindParameter[int]] = bindparam("now")
_ANY_DUE: Final = (
    select(asks.c.id)
    .where(asks.c.case_id == bindparam("case_id"), asks.c.state == "open", or_(_is_late(_now), _is_unsent(_now)))
    .limit(1)
)


async def _due(services: Services, is_due: Any, *, shop_id: int | None, case_id: int | None) -> list[Row[Any]]:
    """Open questions of open cases; a case that is closed needs no answer any more."""
    query = (
        select(asks)
        .select_from(asks.join(cases, cases.c.id == asks.c.case_id))
        .where(asks.c.state == "open", cases.c.is_open, is_due(_ms(services)))
        .order_by(asks.c.asked_at)
        .limit(_BATCH)
    )
    if shop_id is not None:
        query = query.where(cases.c.shop_id == shop_id)
    if case_id is not None:
        query = query.where(cases.c.id == case_id)
    async with services.database.reading() as connection:
        return list((await connection.execute(query)).all())


async def _change(services: Services, which: ColumnElement[bool], **values: Any) -> bool:
    """Whether this process was the one that did it."""
    async with services.database.writing() as connection:
        changed = await connection.execute(update(asks).where(which).values(**values).returning(asks.c.case_id))
        of_cases = list(changed.scalars())
        for case_id in of_cases:
            await publish(connection, Topic.CASE, id=case_id)
        return len(of_cases) == 1


async def _remind(services: Services, row: Row[Any]) -> bool:
    """Once. Whoever was asked by telephone is not written to: the case says that an answer is late."""
    now = _ms(services)
    is_first = and_(asks.c.id == row.id, asks.c.state == "open", asks.c.remind_at == row.remind_at)
    if row.sent_at is None and row.channel != "call":
        # Nothing to remind of: the question itself has not left.
        await _change(services, is_first, remind_at=None)
        return False
    send = {} if row.channel == "call" else {"send_at": now, "sends": 0}
    return await _change(services, is_first, remind_at=None, reminded_at=now, **send)


async def _pass_on(services: Services, row: Row[Any]) -> bool:
    """Ask the next of the chain; where there is nobody else, the question stays as it is."""
    matter = Matter(row.matter)
    route = await find_route(services, case_id=row.case_id, matter=matter)
    contact = _next_contact(route, row.contact_key, await _asked_before(services, row), at=services.now())
    still = and_(asks.c.id == row.id, asks.c.state == "open", asks.c.escalate_at == row.escalate_at)
    if contact is None:
        await _change(services, still, escalate_at=None, remind_at=None)
        return False
    way = ways_of(contact, settings=services.settings)[0]
    body = await _body_for(services, row, contact, matter)
    link = next((link for link in route.chain if link.contact == contact), None) if route else None
    follower = new_row(
        services,
        case_id=row.case_id,
        contact=contact,
        minutes=escalate_minutes(contact, link, settings=services.settings),
        matter=matter,
        way=way,
        body=body,
        asked_by=row.asked_by,
        follows_id=row.id,
    )
    async with services.database.writing() as connection:
        passed = await connection.execute(
            update(asks).where(still).values(state="escalated", escalate_at=None, remind_at=None, send_at=None)
        )
        if passed.rowcount != 1:
            return False
        await connection.execute(asks.insert().values(**follower))
        await publish(connection, Topic.CASE, id=row.case_id)
        actor = command_line_actor(login="worker")
        await note_person(connection, services, actor=actor, row=follower, body=body, reason="")
    log.info("asks.passed_on", ask=row.id, to=follower["id"], channel=way)
    return True


async def _asked_before(services: Services, row: Row[Any]) -> frozenset[str]:
    """Keys of everybody who was asked about this matter of the case already."""
    query = select(asks.c.contact_key).where(
        asks.c.case_id == row.case_id, asks.c.matter == row.matter, asks.c.state != "withdrawn"
    )
    async with services.database.reading() as connection:
        return frozenset(await connection.scalars(query))


def _next_contact(route: Route | None, key: str, asked: frozenset[str], *, at: datetime) -> Contact | None:
    """The next of the chain, then the deputies of all who were asked, then the MD, with whom it ends.

    Of these, one who is open now comes first.
    """
    if route is None:
        return None
    chain = [link.contact for link in route.chain]
    keys = [contact.key if contact else None for contact in chain]
    md = _md(route)
    if md is not None and md.key == key and key not in keys:
        return None
    behind = keys.index(key) + 1 if key in keys else 0
    directory = route.directory
    deputies = [
        deputy
        for contact in directory.contacts
        if contact.key in asked
        for deputy in directory.deputies_of(contact, at=at)
    ]
    people = [*chain[behind:], *deputies, md]
    fresh = [contact for contact in people if contact is not None and contact.key not in asked]
    return next((contact for contact in fresh if open_now(contact, at)), fresh[0] if fresh else None)


def _md(route: Route) -> Contact | None:
    """Whoever looks after the partner's goods; of purchased goods the supplier is nobody's business."""
    is_ours = route.mode.mode is InventoryMode.DIRECT_PURCHASE
    codes = () if is_ours or route.mode.partner is None else (route.mode.partner,)
    return route.directory.find(Role.MD, codes=codes, shop=route.shop, mall=route.mall)


async def _body_for(services: Services, row: Row[Any], contact: Contact, matter: Matter) -> AskBody:
    """The same question for somebody else: the words that the agent chose where the language is the same.

    What of the customer went to the first does not go on to the next; only masked data that it needs do.
    """
    asked = open_body(services.database.box, row.text_sealed)
    language = language_of(contact)
    parties = await parties_of(services, row.case_id)
    case = await open_case(services, case_id=row.case_id, is_unmasked=False)
    text = asked.text
    if language != asked.language:
        prepared = await prepare(services, case, matter=matter, language=language, parties=parties)
        text = f"{prepared}\n\n---\n{asked.text}"
    needs_person = may_know_person(contact.role, matter) and parties
    return AskBody(
        language=language,
        subject=subject_of(case, matter=matter, language=language),
        text=text,
        person=person_facts(parties[0], is_masked=True) if needs_person else (),
        before=row.contact_name,
    )


async def _claim(services: Services, row: Row[Any]) -> bool:
    """Take one message; whoever dies with it leaves it to the next try."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**row.sends)
    still = and_(asks.c.id == row.id, asks.c.state == "open", asks.c.send_at == row.send_at)
    return await _change(services, still, send_at=to_ms(services.now() + pause), sends=row.sends + 1)


async def _send(services: Services, row: Row[Any], transport: httpx.AsyncBaseTransport | None) -> bool:
    contact = await contact_named(services, row.contact_key)
    mine = asks.c.id == row.id
    try:
        await _deliver(services, row, contact, transport)
    except ChannelError as error:
        is_over = row.sends + 1 >= MOST_TRIES
        # Somebody else is asked at once when this one cannot be reached at all.
        given_up = {"send_at": None, "escalate_at": _ms(services)} if is_over else {}
        await _change(services, mine, send_error=error.kind, **given_up)
        log.warning("asks.message.failed", ask=row.id, channel=row.channel, kind=error.kind, given_up=is_over)
        return False
    await _change(services, mine, send_at=None, send_error=None, sent_at=row.sent_at or _ms(services))
    return True


async def _deliver(
    services: Services, row: Row[Any], contact: Contact | None, transport: httpx.AsyncBaseTransport | None
) -> None:
    """Raises: ChannelError."""
    if contact is None or row.channel not in ways_of(contact, settings=services.settings):
        # The book has changed since.
        kind = "NoWay"
        raise ChannelError(kind)
    body = open_body(services.database.box, row.text_sealed)
    if row.channel == "mail":
        await MailSender(services.settings).send(_letter(services, row, body, contact))
    else:
        url = webhook_of(contact) or ""
        await post_document(url, _document(services, row, body), transport=transport)


def message_text(services: Services, row: Any, body: AskBody) -> str:
    """The whole message: why it comes again, the question, the customer's data where they are needed, the link."""
    words = AskWords(body.language)
    parts = [words("reminder")] if row.reminded_at is not None else []
    if body.before is not None:
        parts.append(words("escalated", name=body.before))
    parts.append(body.text)
    if body.person:
        facts = "\n".join(f"- {words(f'label.{label}')}: {value}" for label, value in body.person)
        parts.append(f"{words('person')}\n{facts}")
    if body.secret is not None and row.link_expires_at is not None and services.settings.public_url is not None:
        until = time_of(row.link_expires_at).astimezone(services.settings.zone)
        link = f"{services.settings.public_url}{LINK_PATH}/{body.secret}"
        at = until_words(until, services.settings.timezone, words)
        parts.append(f"{words('link')}\n{link}\n{words('expires', at=at)}")
    else:
        parts.append(words("no_link"))
    return "\n\n".join(parts)


def _subject(row: Any, body: AskBody) -> str:
    words = AskWords(body.language)
    if row.reminded_at is not None:
        return words("subject_reminder", subject=body.subject)
    return words("subject_escalated", subject=body.subject) if body.before is not None else body.subject


def _letter(services: Services, row: Row[Any], body: AskBody, contact: Contact) -> EmailMessage:
    letter = EmailMessage()
    try:
        letter["Subject"] = " ".join(_subject(row, body).split())
        letter["From"] = services.settings.smtp_from or ""
        letter["To"] = Address(display_name=" ".join(contact.name.split()), addr_spec=contact.email or "")
        letter["Date"] = formatdate(localtime=False)
        # The same for every try: what arrives twice is known to be one.
        kind = "question" if row.reminded_at is None else "reminder"
        letter["Message-ID"] = f"<ask-{row.id}-{kind}@hub.invalid>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message_text(services, row, body) + "\n")
    except (ValueError, IndexError) as error:
        # An address in the book that is none.
        raise ChannelError(type(error).__name__) from error
    return letter


def _document(services: Services, row: Row[Any], body: AskBody) -> dict[str, Any]:
    """``text`` is what chat tools show; the rest is for programs."""
    return {
        "text": f"{_subject(row, body)}\n\n{message_text(services, row, body)}",
        "event": "ask.reminded" if row.reminded_at is not None else "ask",
        "id": str(row.id),
        "matter": row.matter,
        "asked_at": time_of(row.asked_at).isoformat(),
    }

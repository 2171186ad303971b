"""Guards an answer before it is sent: gathers what the store knows of its place, and asks the policy.

The same check stands behind the reply box, the API and the command line. What blocks is stopped here;
a warning is for a person to read, so that a program passes it and is told.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import or_, select

from hub.core.contract import Manifest
from hub.core.model import Inquiry, Party
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.action import WrongRequestError
from hub.desk.acting.templates import read_templates, shop_language
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.policy.book_rows import Language
from hub.policy.due import CaseKind
from hub.policy.finding import Finding, FindingKind, Level
from hub.policy.guard import AnswerFacts, asks_about_delivery, check_answer, contacts_in, language_of
from hub.policy.guard_personal import Datum, Person, national
from hub.policy.templates import CaseWanted, GuardRow, TemplateTables, may_use
from hub.policy.variables import PERSONAL, fill_personal
from hub.store.database import from_ms
from hub.store.one import find_inquiry
from hub.store.sealed import ORDER_PLACE, OrderPrivate, normal_email, normal_phone, unpack_order
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import cases, lines, orders, promises

_encode = msgspec.json.Encoder().encode


class GuardedText(Struct, frozen=True, kw_only=True):
    """``text`` is what goes to the mall, its personal gaps filled; ``findings`` are places in what was typed."""

    text: str
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_blocking)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_blocking)


class GuardError(WrongRequestError):
    """The answer must not be sent as it is. ``findings`` tell where and what to do; nothing was stored or sent."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        told = "; ".join(f"{finding.kind.value}/{finding.key}: {finding.reason} {finding.fix}" for finding in findings)
        super().__init__(f"the answer guard stops this answer: {told}", field="text")
        self.findings = findings


class UnreadWarningsError(WrongRequestError):
    """Somebody must read these first, and say so by their ``digest``."""

    def __init__(self, findings: tuple[Finding, ...], *, digest: str) -> None:
        super().__init__(f"the answer guard warns of {len(findings)} things: read them first", field="warnings_read")
        self.findings = findings
        self.digest = digest


async def guard_answer(
    services: Services, shop: ShopRow, manifest: Manifest, inquiry: Inquiry, text: str
) -> GuardedText:
    """Check what was typed as the answer to ``inquiry``. Raises: ConfigurationError when the book cannot be read."""
    order = await _order_of(services, shop, inquiry)
    values = {"customer_name": _name_of(inquiry, order.private)}
    tables = (await read_templates(services.database)).tables
    facts = await _facts(services, shop, manifest, inquiry, text, order=order, tables=tables, values=values)
    return GuardedText(text=fill_personal(text, values), findings=check_answer(text, facts))


def counts_of(findings: Iterable[Finding], *, is_forced: bool) -> str | None:
    """What is kept with a sent answer: how many of each kind, never a word of it. ``None`` where nothing was found."""
    counts = Counter(finding.kind.value for finding in findings)
    if not counts and not is_forced:
        return None
    return _encode({"findings": dict(sorted(counts.items())), "forced": is_forced}).decode()


def digest_of(text: str, findings: Iterable[Finding]) -> str:
    """The same for the same warnings about the same words: a tick for one is none for another."""
    told = sorted(f"{finding.kind}/{finding.key}/{text[finding.start : finding.end]}" for finding in findings)
    return hashlib.sha256("\0".join(told).encode(errors="surrogatepass")).hexdigest()[:32]


class _Order(Struct, frozen=True, kw_only=True):
    """``planned``: days of dispatch told to the mall; ``promised``: times told to the customer."""

    private: OrderPrivate
    line_nos: tuple[str, ...] = ()
    tracking_nos: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()


async def _order_of(services: Services, shop: ShopRow, inquiry: Inquiry) -> _Order:
    promised = (
        select(promises.c.due_at)
        .join_from(promises, cases, cases.c.id == promises.c.case_id)
        .where(cases.c.shop_id == shop.id, cases.c.thread_no == inquiry.thread_no, promises.c.state == "open")
    )
    async with services.database.reading() as connection:
        times = [from_ms(at) for (at,) in await connection.execute(promised)]
        row, line_rows = None, []
        if inquiry.order_no is not None:
            of_order = (orders.c.shop_id == shop.id, orders.c.order_no == inquiry.order_no)
            row = (await connection.execute(select(orders).where(*of_order).order_by(orders.c.id).limit(1))).first()
        if row is not None:
            line_rows = list(await connection.execute(select(lines).where(lines.c.order_id == row.id)))
    times += [from_ms(line.planned_ship_at) for line in line_rows]
    return _Order(
        private=_private(services, row),
        line_nos=tuple(line.line_no for line in line_rows),
        tracking_nos=tuple(line.tracking_no for line in line_rows if line.tracking_no),
        times=tuple(at for at in times if at is not None),
    )


def _private(services: Services, row: Any) -> OrderPrivate:
    if row is None or row.sealed is None:
        return OrderPrivate()
    return unpack_order(services.database.box.open(row.sealed, ORDER_PLACE))


def _people(inquiry: Inquiry, private: OrderPrivate) -> list[Party]:
    return [party for party in (private.buyer, private.receiver, inquiry.writer) if party is not None]


def _name_of(inquiry: Inquiry, private: OrderPrivate) -> str | None:
    """Whom the answer speaks to: who bought, else who wrote. A masked name is none."""
    people = [private.buyer, inquiry.writer, private.receiver]
    names = (party.name for party in people if party is not None and party.name)
    return next((name for name in names if not set(name) & set("*•●○")), None)


def _person(inquiry: Inquiry, order: _Order) -> Person:
    people = _people(inquiry, order.private)
    addresses = [party.address for party in people if party.address is not None]
    return Person(
        names=_given(*((party.name, party.name_kana) for party in people)),
        phones=_given(*((party.phone, party.phone_second) for party in people)),
        emails=_given(*((party.email,) for party in people)),
        addresses=_given(*((address.base, address.detail) for address in addresses)),
        member_ids=_given(*((party.member_id,) for party in people)),
        order_nos=_given((inquiry.order_no, *order.line_nos)),
        tracking_nos=order.tracking_nos,
    )


def _given(*groups: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for group in groups for value in group if value))


async def _facts(
    services: Services,
    shop: ShopRow,
    manifest: Manifest,
    inquiry: Inquiry,
    text: str,
    *,
    order: _Order,
    tables: TemplateTables,
    values: Mapping[str, str | None],
) -> AnswerFacts:
    zone = ZoneInfo(manifest.timezone)
    person = _person(inquiry, order)
    wanted = CaseWanted(mall=shop.mall, shop=shop.name, kind=CaseKind(inquiry.kind.value))
    question = f"{inquiry.subject or ''} {inquiry.text}"
    return AnswerFacts(
        mall=shop.mall,
        country=manifest.country,
        is_public=inquiry.is_public,
        languages=_languages(manifest, question),
        limit=manifest.answer_limit,
        person=person,
        today=services.now().astimezone(zone).date(),
        known_dates=frozenset(at.astimezone(zone).date() for at in order.times),
        is_delay=asks_about_delivery(question),
        strangers=await _strangers(services, manifest, text, person),
        filled_later=frozenset(name for name in PERSONAL if values.get(name)),
        banned=tuple(banned for banned in tables.banned_words if may_use(banned, wanted)),
        levels=_levels(tables.guard, wanted),
    )


def _languages(manifest: Manifest, question: str) -> tuple[Language, ...]:
    """What the customer wrote in, and what customers of the mall read."""
    written = language_of(question)
    return tuple(dict.fromkeys(each for each in (written, shop_language(manifest)) if each is not None))


def _levels(rows: Iterable[GuardRow], wanted: CaseWanted) -> dict[FindingKind, Level]:
    """The narrowest row last, so that it counts."""
    mine = sorted((row for row in rows if may_use(row, wanted)), key=lambda row: (row.shop is not None, bool(row.mall)))
    return {row.kind: row.level for row in mine}


async def _strangers(services: Services, manifest: Manifest, text: str, person: Person) -> frozenset[str]:
    """Telephone numbers and mailboxes of the text that other orders were placed with, and this customer not."""
    own = {national(phone) for phone in person.phones} | {mail.strip().lower() for mail in person.emails}
    box = services.database.box
    by_key: dict[bytes, str] = {}
    for found in contacts_in(text):
        if found.datum in (Datum.EMAIL, Datum.MAILBOX):
            value, mail = found.value, normal_email(found.value)
            key = box.blind("email", mail) if mail else None
        else:
            value, phone = national(found.value), normal_phone(found.value, manifest.country)
            key = box.blind("phone", phone) if phone else None
        if key is not None and value not in own:
            by_key[key] = value
    if not by_key:
        return frozenset()
    columns = (orders.c.buyer_phone_idx, orders.c.receiver_phone_idx, orders.c.buyer_email_idx)
    query = select(*columns).where(or_(*(column.in_(by_key) for column in columns))).limit(len(by_key) * 50)
    async with services.database.reading() as connection:
        keys = {key for row in await connection.execute(query) for key in row}
    return frozenset(value for key, value in by_key.items() if key in keys)


async def check_case_answer(
    services: Services, *, actor: Actor, case: CaseView, inquiry_no: str, text: str
) -> GuardedText | None:
    """As an agent types it: the answer to a question of this case. ``None`` where there is no such question.

    Raises: ForbiddenError; ConfigurationError when the book of templates cannot be read.
    """
    require(actor, Permission.WORK_CASES)
    if inquiry_no not in {inquiry.inquiry_no for inquiry in case.dossier.inquiries}:
        return None
    shop = await ShopStore(services.database).named(case.row.shop)
    inquiry = await find_inquiry(services.database, shop.id, inquiry_no)
    if inquiry is None:
        return None
    return await guard_answer(services, shop, services.registry.manifest(shop.mall), inquiry, text.strip())

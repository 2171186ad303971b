"""The sheet of a shop that agents look up: what its mall calls things, its clocks, what its API cannot do.

Supervisors write it in markdown, each change a version that stays. Before anybody has written one (or after
it was emptied) the sheet is made of what the hub itself knows: :class:`SheetFacts`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, Select, literal, select, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Capability, CapabilityState, Manifest, Support
from hub.core.model import LineStatus
from hub.desk.access import Actor, Permission, require
from hub.desk.books.policy import read_policy
from hub.desk.cases.case import NotFoundError
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.shops.abilities import name_key
from hub.desk.views import MallMark
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.policy.switches import clocks_with, switches_at
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.tables import cases, cheat_sheets, claims, lines, shops, users

LOCALES: Final = ("ko", "en")
LONGEST_BODY: Final = 50_000
LONGEST_NOTE: Final = 200
HISTORY: Final = 50
#: records of each state that are looked at for the mall's own words
_LOOKED_AT: Final = 100
_LAST_VERSION: Final = 2**31 - 1


class SheetError(Exception):
    """Nothing was stored. ``key`` is a message key that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = f"notice.sheet_{key}"


class SheetHead(Struct, frozen=True, kw_only=True):
    version: int
    note: str
    author: str | None
    created_at: datetime
    is_empty: bool


class Ability(Struct, frozen=True, kw_only=True):
    """One thing the mall does not do by its API, or does with a warning."""

    name_key: str
    state: CapabilityState


class SheetFacts(Struct, frozen=True, kw_only=True):
    """What the hub knows by itself. ``terms``: our word (message prefix, code) -> the mall's codes met so far."""

    manifest: Manifest | None
    clocks: tuple[MallClock, ...]
    missing: tuple[Ability, ...]
    warned: tuple[Ability, ...]
    terms: Mapping[tuple[str, str], tuple[str, ...]]


class Sheet(Struct, frozen=True, kw_only=True):
    """One version. ``body`` is ``None`` where the sheet is made of ``facts``; ``newest`` is 0 before the first."""

    shop: str
    mark: MallMark
    locale: str
    body: str | None
    head: SheetHead | None
    newest: int
    facts: SheetFacts


async def read_sheet(services: Services, *, actor: Actor, shop: str, locale: str, version: int | None = None) -> Sheet:
    """The newest version, or one of them. Raises: ForbiddenError; NotFoundError for no such shop or version."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        row = await _shop(connection, shop)
        newest = await _newest(connection, row.id, locale)
        found = newest
        if version is not None:
            found = await _version(connection, row.id, locale, version)
        facts = await _facts(services, connection, row)
    return Sheet(
        shop=row.name,
        mark=mall_mark(services.registry, row.mall),
        locale=locale,
        body=found.body if found is not None and found.body else None,
        head=_head(found) if found is not None else None,
        newest=newest.version if newest is not None else 0,
        facts=facts,
    )


async def shop_of_case(services: Services, *, actor: Actor, case_id: int) -> str:
    """Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    query = select(shops.c.name).join(cases, cases.c.shop_id == shops.c.id).where(cases.c.id == case_id)
    async with services.database.reading() as connection:
        name: str | None = await connection.scalar(query)
    if name is None:
        raise NotFoundError
    return name


async def read_sheet_history(services: Services, *, actor: Actor, shop: str, locale: str) -> tuple[SheetHead, ...]:
    """Newest first, at most HISTORY. Raises: ForbiddenError; NotFoundError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        row = await _shop(connection, shop)
        query = _select(row.id, locale).order_by(cheat_sheets.c.version.desc()).limit(HISTORY)
        return tuple(_head(found) for found in await connection.execute(query))


async def write_sheet(
    services: Services, *, actor: Actor, shop: str, locale: str, body: str, note: str, based_on: int
) -> int:
    """Write the next version; an empty ``body`` takes the sheet back to what the hub knows. The same text again
    writes none. Returns the newest version.

    Raises: ForbiddenError; NotFoundError; SheetError without a note, for a text too long, or when somebody else
    has written since version ``based_on``.
    """
    require(actor, Permission.EDIT_BOOKS)
    body = body.replace("\r\n", "\n").replace("\0", "").strip()
    note = " ".join(note.split())[:LONGEST_NOTE]
    if len(body) > LONGEST_BODY:
        raise SheetError("long")
    if not note:
        raise SheetError("note_missing")
    async with services.database.reading() as connection:
        row = await _shop(connection, shop)
        newest = await _newest(connection, row.id, locale)
    number = newest.version if newest is not None else 0
    if (newest.body if newest is not None else "") == body:
        return number
    if number != based_on or locale not in LOCALES:
        raise SheetError("overtaken")
    values = {
        "id": new_id(),
        "shop_id": row.id,
        "locale": locale,
        "version": number + 1,
        "body": body,
        "note": note,
        "author_id": actor.user_id,
        "created_at": to_ms(services.now()),
    }
    try:
        async with services.database.writing() as connection:
            await connection.execute(cheat_sheets.insert().values(values))
    except IntegrityError as error:
        # Two wrote at once: the number tells who was second.
        raise SheetError("overtaken") from error
    return number + 1


async def _shop(connection: AsyncConnection, name: str) -> Row[Any]:
    query: Select[Any] = select(shops.c.id, shops.c.name, shops.c.mall).where(shops.c.name == name, shops.c.is_active)
    row: Row[Any] | None = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


def _select(shop_id: int, locale: str) -> Select[Any]:
    return (
        select(cheat_sheets, users.c.name.label("author"))
        .select_from(cheat_sheets.outerjoin(users, users.c.id == cheat_sheets.c.author_id))
        .where(cheat_sheets.c.shop_id == shop_id, cheat_sheets.c.locale == locale)
    )


async def _newest(connection: AsyncConnection, shop_id: int, locale: str) -> Row[Any] | None:
    query = _select(shop_id, locale).order_by(cheat_sheets.c.version.desc()).limit(1)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def _version(connection: AsyncConnection, shop_id: int, locale: str, version: int) -> Row[Any]:
    row: Row[Any] | None = None
    if 0 < version <= _LAST_VERSION:
        query = _select(shop_id, locale).where(cheat_sheets.c.version == version)
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return row


def _head(row: Row[Any]) -> SheetHead:
    return SheetHead(
        version=row.version,
        note=row.note,
        author=row.author,
        created_at=time_of(row.created_at),
        is_empty=not row.body,
    )


async def _facts(services: Services, connection: AsyncConnection, row: Row[Any]) -> SheetFacts:
    manifest = services.registry.manifests.get(row.mall)
    policy = await read_policy(services.database)
    on = services.now().astimezone(services.settings.zone).date()
    switches = switches_at(policy.tables, shop=row.name, mall=row.mall, on=on)
    clocks = clocks_with(switches, standard_clocks(), mall=row.mall)
    stated = (
        [(each, manifest.capabilities[each]) for each in Capability if each in manifest.capabilities]
        if manifest
        else []
    )
    return SheetFacts(
        manifest=manifest,
        clocks=tuple(clock for clock in clocks if clock.shop in {None, row.name} and clock.holds_on(on)),
        missing=tuple(
            Ability(name_key=name_key(each), state=state) for each, state in stated if state.state is not Support.YES
        ),
        warned=tuple(
            Ability(name_key=name_key(each), state=state)
            for each, state in stated
            if state.state is Support.YES and state.warning
        ),
        terms=await _terms(connection, row.id),
    )


async def _terms(connection: AsyncConnection, shop_id: int) -> dict[tuple[str, str], tuple[str, ...]]:
    """The mall's codes behind our words: of the newest records of each status, so that the cost has an end."""
    looked_at = [
        select(literal("line").label("prefix"), part.c.code, part.c.raw)
        for part in (
            select(lines.c.status.label("code"), lines.c.raw_status.label("raw"))
            .where(lines.c.shop_id == shop_id, lines.c.status == status.value)
            .limit(_LOOKED_AT)
            .subquery()
            for status in LineStatus
        )
    ]
    looked_at += [
        select(literal("state").label("prefix"), part.c.code, part.c.raw)
        for part in (
            select(claims.c.state.label("code"), claims.c.raw_state.label("raw"))
            .where(claims.c.shop_id == shop_id, claims.c.is_open.is_(is_open))
            .limit(_LOOKED_AT)
            .subquery()
            for is_open in (True, False)
        )
    ]
    parts = union_all(*looked_at).subquery()
    query = (
        select(parts.c.prefix, parts.c.code, parts.c.raw).distinct().order_by(parts.c.prefix, parts.c.code, parts.c.raw)
    )
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in await connection.execute(query):
        found[row.prefix, row.code] = (*found.get((row.prefix, row.code), ()), row.raw)
    return found

"""The page of a customer: who is perhaps the same person, everything of theirs over all malls, marks and gifts."""

from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Party
from hub.desk.access import Actor, Permission, require
from hub.desk.care.views import GiftView
from hub.desk.cases.case import NotFoundError, record_unmasking
from hub.desk.customers.gifts import read_gift_history
from hub.desk.customers.history import Entry, Keys, Place, Reader
from hub.desk.customers.identity import (
    Identity,
    Known,
    RecordKind,
    RecordRef,
    Standing,
    is_identity,
    order_columns,
    shared_keys,
)
from hub.desk.customers.known import find_identity, read_known, read_marks_of
from hub.desk.customers.marks import PastMark, read_past_marks
from hub.desk.customers.people import Found, find_identities, read_names
from hub.desk.customers.views import GiftSum, HistoryKind, IdentityView, LinkView, MarkView
from hub.desk.marks import mall_mark
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.store.database import from_ms, time_of
from hub.store.tables import customer_identities, customer_links, orders, users

#: addresses that one person's orders are looked for by
_EMAILS: Final = 5
_LINKS: Final = 50
_undoer = users.alias("undoer")


class CustomerPage(Struct, frozen=True, kw_only=True):
    """``identities``: the subject's first, then the newest first. ``entries`` is one page, each with its standing;
    those of who was split off are left out. ``gifts`` are the newest, ``sums`` of all.
    """

    ref: str
    identities: tuple[IdentityView, ...]
    marks: tuple[MarkView, ...]
    past_marks: tuple[PastMark, ...]
    links: tuple[LinkView, ...]
    entries: tuple[tuple[Entry, Standing], ...]
    next_place: str | None
    gifts: tuple[tuple[GiftView, Standing], ...]
    sums: tuple[GiftSum, ...]
    malls: dict[str, MallMark]
    is_shared: bool
    is_unmasked: bool


async def read_customer_page(
    services: Services,
    *,
    actor: Actor,
    ref: RecordRef,
    after: Place | None = None,
    kind: HistoryKind | None = None,
) -> CustomerPage:
    """Raises: ForbiddenError; NotFoundError where the record is not there, or names nobody."""
    require(actor, Permission.WORK_CASES)
    return await _read(services, ref=ref, after=after, kind=kind, is_unmasked=False)


async def unmask_customer(services: Services, *, actor: Actor, ref: RecordRef, reason: str) -> CustomerPage:
    """The page with personal data in the clear, this once. The access log knows of it first.

    Raises: ForbiddenError; NotFoundError; ValueError without a reason.
    """
    await record_unmasking(services, actor=actor, subject=f"customer {ref}", reason=reason)
    return await _read(services, ref=ref, after=None, kind=None, is_unmasked=True)


async def _read(
    services: Services, *, ref: RecordRef, after: Place | None, kind: HistoryKind | None, is_unmasked: bool
) -> CustomerPage:
    box, malls, curtain = services.database.box, services.registry, Curtain(is_open=is_unmasked)
    async with services.database.reading() as connection:
        subject = await find_identity(connection, ref, box=box)
        if subject is None:
            raise NotFoundError
        known = await read_known(connection, subject)
        keys = Keys(phones=known.phones, emails=await _emails(connection, known))
        found = await find_identities(connection, keys)
        shared = shared_keys(one.identity for one in found)
        by_email = {one.identity for one in found if one.is_by_email}

        def standing(identity: Identity) -> Standing:
            return known.standing(identity, shared=shared, by_email=identity in by_email)

        entries, more = await Reader(connection, keys, malls=malls, after=after, kind=kind).page()
        gifts, sums = await read_gift_history(
            connection, keys, standing=standing, box=box, curtain=curtain, now=services.now()
        )
        near = [one.identity for one in found if standing(one.identity) is Standing.PERHAPS]
        names = await read_names(connection, found, box=box, curtain=curtain)
        views = tuple(
            IdentityView(
                ref=str(one.ref),
                person=names.get(one.ref, NOBODY),
                standing=standing(one.identity).value,
                malls=one.malls,
                orders=one.orders,
                inquiries=one.inquiries,
                last_at=from_ms(one.last_at),
                is_by_email=one.is_by_email,
            )
            for one in found
        )
        return CustomerPage(
            ref=str(ref),
            identities=tuple(sorted(views, key=lambda view: _RANK[view.standing])),
            marks=await read_marks_of(connection, known, near=near, box=box, curtain=curtain, now=services.now()),
            past_marks=await read_past_marks(connection, services, known.person, curtain=curtain),
            links=await _links(connection, known, found),
            entries=tuple((each, how) for each in entries if (how := standing(each.identity)) is not Standing.SPLIT),
            next_place=str(more) if more else None,
            gifts=gifts,
            sums=sums,
            malls={mall: mall_mark(malls, mall) for one in found for mall in one.malls},
            is_shared=bool(shared & {subject.phone, subject.email}),
            is_unmasked=is_unmasked,
        )


NOBODY: Final = Party()
_RANK: Final = {each.value: place for place, each in enumerate(Standing)}


async def _emails(connection: AsyncConnection, known: Known) -> list[bytes]:
    """The person's addresses: of orders under their own numbers and names, not of all who share a number."""
    query = (
        select(orders.c.buyer_email_idx)
        .where(orders.c.id.in_(Keys(phones=known.phones, emails=()).orders()), orders.c.buyer_email_idx.is_not(None))
        .where(is_identity(order_columns(), known.person))
        .distinct()
        .limit(_EMAILS)
    )
    found = [email for email in await connection.scalars(query) if email]
    return list(dict.fromkeys((*known.emails, *found)))


async def _links(connection: AsyncConnection, known: Known, found: Collection[Found]) -> tuple[LinkView, ...]:
    """Decisions about the person, newest first; those taken back stay to be seen."""
    if known.person_id is None:
        return ()
    refs = {one.identity: str(one.ref) for one in found}
    one, other = customer_identities.alias("one"), customer_identities.alias("other")
    members = select(customer_identities.c.id).where(customer_identities.c.person_id == known.person_id)
    names = ("phone_idx", "email_idx", "name_idx")
    query: Select[Any] = (
        select(
            customer_links,
            users.c.name.label("by"),
            _undoer.c.name.label("undoer"),
            *(one.c[name].label(f"one_{name}") for name in names),
            *(other.c[name].label(f"other_{name}") for name in names),
        )
        .select_from(
            customer_links.join(one, one.c.id == customer_links.c.first_id)
            .join(other, other.c.id == customer_links.c.second_id)
            .outerjoin(users, users.c.id == customer_links.c.decided_by)
            .outerjoin(_undoer, _undoer.c.id == customer_links.c.undone_by)
        )
        .where(or_(customer_links.c.first_id.in_(members), customer_links.c.second_id.in_(members)))
        .order_by(customer_links.c.id.desc())
        .limit(_LINKS)
    )
    return tuple(
        LinkView(
            link_id=row.id,
            verdict=row.verdict,
            one=_ref(row, "one", row.first_id, refs),
            other=_ref(row, "other", row.second_id, refs),
            by=row.by,
            at=time_of(row.decided_at),
            undone_by=row.undoer,
            undone_at=from_ms(row.undone_at),
        )
        for row in await connection.execute(query)
    )


def _ref(row: Any, end: str, number: int, refs: dict[Identity, str]) -> str:
    values = row._mapping  # noqa: SLF001  the public way to a column by a made name
    identity = Identity(
        phone=values[f"{end}_phone_idx"], email=values[f"{end}_email_idx"], name=values[f"{end}_name_idx"]
    )
    return refs.get(identity) or str(RecordRef(kind=RecordKind.IDENTITY, id=number))

"""The customer of a case or a call, as its page shows them: other orders with how sure it is, and the marks."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.cases.person import orders_of, summarise
from hub.desk.customers.identity import Identity, RecordRef, Standing, identity_of_order, shared_keys
from hub.desk.customers.known import known_of, person_of, read_marks_of
from hub.desk.customers.views import CustomerView
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import OtherOrder
from hub.store.questions import ask_one, asking


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose page it is. ``phones`` and ``emails`` are all that the record names, the receiver's too."""

    ref: RecordRef
    identity: Identity
    phones: Sequence[bytes]
    emails: Sequence[bytes] = ()
    #: the order on the screen and its twins, by id
    on_screen: Sequence[int] = ()


async def read_customer(
    services: Services, connection: AsyncConnection, *, subject: Subject, curtain: Curtain
) -> tuple[CustomerView, tuple[OtherOrder, ...]]:
    """The newest other orders of who is, or perhaps is, the same person; those that were split off are left out."""
    malls = services.registry
    async with asking(connection) as ask:
        person = ask(person_of(subject.identity))
        found = ask(orders_of(subject.phones, subject.emails, without=subject.on_screen))
    known = await known_of(connection, subject.identity, person.found)
    phones = list(dict.fromkeys((*subject.phones, *known.phones)))
    emails = list(dict.fromkeys((*subject.emails, *known.emails)))
    rows = found.found
    if len(phones) + len(emails) > len({*subject.phones, *subject.emails}):
        # Whoever agents found to be the same person has other numbers too.
        rows = await ask_one(connection, orders_of(phones, emails, without=subject.on_screen))
    identities = {row.id: identity_of_order(row) for row in rows}
    shared = shared_keys((subject.identity, *identities.values()))
    standings = {
        row.id: known.standing(identities[row.id], shared=shared, by_email=row.buyer_email_idx in emails)
        for row in rows
    }
    near = [identity for number, identity in identities.items() if standings[number] is Standing.PERHAPS]
    marks = await read_marks_of(
        connection, known, near=near, box=services.database.box, curtain=curtain, now=services.now()
    )
    kept = [row for row in rows if standings[row.id] is not Standing.SPLIT]
    others = await summarise(connection, kept, phones=frozenset(phones), malls=malls)
    view = CustomerView(
        ref=str(subject.ref),
        marks=marks,
        is_shared=bool(shared & {subject.identity.phone, subject.identity.email}),
        confirmed=len(known.person) - 1,
        split=len(known.split),
    )
    return view, tuple(msgspec.structs.replace(each, standing=standings[each.order_id].value) for each in others)

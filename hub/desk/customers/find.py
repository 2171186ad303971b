"""Customers by a telephone number or an e-mail address, over all malls: who came under it, masked."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from hub.core.model import Party
from hub.desk.access import Actor, Permission, require
from hub.desk.customers.history import Keys
from hub.desk.customers.identity import shared_keys
from hub.desk.customers.people import MOST, find_identities, read_names
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.store.database import time_of
from hub.store.sealed import normal_email, normal_phone

#: countries whose way of writing numbers is understood
_COUNTRIES: Final = ("KR", "JP")


class FindError(ValueError):
    """Nothing was looked for; the message says why and repeats nothing of what was typed."""


class CustomerFound(Struct, frozen=True, kw_only=True):
    """One number or address with one name. ``ref`` names its newest record and opens the customer's page.

    ``is_by_email``: found by the address of an order. ``is_shared``: many names use the number.
    """

    ref: str
    person: Party
    malls: tuple[str, ...]
    orders: int
    inquiries: int
    last_at: datetime
    is_by_email: bool
    is_shared: bool


class CustomersFound(Struct, frozen=True, kw_only=True):
    """The newest first; ``is_cut``: there may be more than are shown."""

    customers: tuple[CustomerFound, ...]
    is_cut: bool


async def find_customers(
    services: Services, *, actor: Actor, phone: str | None = None, email: str | None = None
) -> CustomersFound:
    """Look a number (as Korea or Japan writes it) or an address up, or both: whoever has one of them is found.

    Raises: ForbiddenError; FindError where neither can be one.
    """
    require(actor, Permission.WORK_CASES)
    box = services.database.box
    phones = {each for country in _COUNTRIES if (each := normal_phone(phone, country))} if phone else set()
    address = normal_email(email) if email else None
    if phone and not phones:
        message = "phone: this is no telephone number of Korea or Japan"
        raise FindError(message)
    if email and not address:
        message = "email: this is no e-mail address"
        raise FindError(message)
    if not phones and not address:
        message = "give phone or email"
        raise FindError(message)
    keys = Keys(
        phones=[box.blind("phone", each) for each in sorted(phones)],
        emails=[box.blind("email", address)] if address else [],
    )
    async with services.database.reading() as connection:
        found = await find_identities(connection, keys)
        names = await read_names(connection, found, box=box, curtain=Curtain(is_open=False))
    shared = shared_keys(one.identity for one in found)
    return CustomersFound(
        customers=tuple(
            CustomerFound(
                ref=str(one.ref),
                person=names.get(one.ref) or Party(),
                malls=one.malls,
                orders=one.orders,
                inquiries=one.inquiries,
                last_at=time_of(one.last_at),
                is_by_email=one.is_by_email,
                is_shared=bool(shared & {one.identity.phone, one.identity.email}),
            )
            for one in found
        ),
        is_cut=len(found) == MOST,
    )

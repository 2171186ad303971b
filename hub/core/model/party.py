"""People and places: all of it personal data, encrypted at rest and masked on screen."""

from msgspec import Struct


class Address(Struct, frozen=True, kw_only=True, gc=False):
    """A postal address as the mall gave it; no part is normalised."""

    zip_code: str | None = None
    base: str | None = None
    detail: str | None = None
    country: str | None = None


class Party(Struct, frozen=True, kw_only=True, gc=False):
    """A buyer, receiver or writer. Malls mask or omit any field; ``None`` means not given.

    ``name_kana`` is the reading that Japanese malls send. Phones keep the mall's own spelling,
    normalising happens where they are indexed.
    """

    name: str | None = None
    name_kana: str | None = None
    phone: str | None = None
    phone_second: str | None = None
    email: str | None = None
    member_id: str | None = None
    address: Address | None = None

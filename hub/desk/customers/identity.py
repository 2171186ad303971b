"""Who a record is of, as far as it says so itself, and how sure it is that two are one person.

An identity is a telephone number (an e-mail address where there is none) with the name beside it, both as
blind indexes. Equal identities are one; everything else is "perhaps" until an agent has said more.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, LargeBinary, Row, and_, case, func, literal, or_

from hub.store.tables import callbacks, inquiries, orders

#: with more names than these a number is a firm's or a family's
MOST_NAMES: Final = 3
_NONE: Final = literal(b"", LargeBinary)


class Identity(Struct, frozen=True, kw_only=True):
    """``email`` is set only without ``phone``; b"" where nothing was given."""

    phone: bytes = b""
    email: bytes = b""
    name: bytes = b""

    @property
    def is_known(self) -> bool:
        return bool(self.phone or self.email)


class Standing(StrEnum):
    """How an identity stands to the one on the screen. ``WEAK``: only by a number of many names."""

    SAME = "same"
    CONFIRMED = "confirmed"
    PERHAPS = "perhaps"
    WEAK = "weak"
    SPLIT = "split"

    @property
    def is_sure(self) -> bool:
        return self in {Standing.SAME, Standing.CONFIRMED}


class RecordKind(StrEnum):
    """What a customer can be named by: a record of theirs. ``CALL``: at an agent's telephone."""

    ORDER = "order"
    INQUIRY = "inquiry"
    CALL = "call"
    CALLBACK = "callback"
    IDENTITY = "identity"


class RecordRef(Struct, frozen=True, kw_only=True):
    """``order-12`` in addresses and forms: no name or number stands there."""

    kind: RecordKind
    id: int

    def __str__(self) -> str:
        return f"{self.kind.value}-{self.id}"


def read_ref(text: str) -> RecordRef | None:
    """``None`` for what is no such name."""
    kind, _, number = text.partition("-")
    if kind not in set(RecordKind) or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return RecordRef(kind=RecordKind(kind), id=int(number))


def identity_of_order(row: Row[Any]) -> Identity:
    """The buyer; the receiver where the mall tells nothing of the buyer's number."""
    phone = row.buyer_phone_idx or row.receiver_phone_idx or b""
    email = b"" if phone else row.buyer_email_idx or b""
    return Identity(phone=phone, email=email, name=row.buyer_name_idx or row.receiver_name_idx or b"")


def identity_of_inquiry(row: Row[Any], email: bytes = b"") -> Identity:
    """``email``: the writer's blind index, which is in no column."""
    phone = row.writer_phone_idx or b""
    return Identity(phone=phone, email=b"" if phone else email, name=row.writer_name_idx or b"")


def identity_of_row(row: Row[Any]) -> Identity:
    """Of a row with the columns ``phone_idx``, ``email_idx`` and ``name_idx``."""
    return Identity(phone=row.phone_idx, email=row.email_idx, name=row.name_idx)


Columns = tuple[ColumnElement[bytes], ColumnElement[bytes], ColumnElement[bytes]]


def order_columns() -> Columns:
    """As :func:`identity_of_order`, in a statement: ``phone_idx``, ``email_idx``, ``name_idx``."""
    phone = func.coalesce(orders.c.buyer_phone_idx, orders.c.receiver_phone_idx, _NONE)
    email = case((phone == _NONE, func.coalesce(orders.c.buyer_email_idx, _NONE)), else_=_NONE)
    name = func.coalesce(orders.c.buyer_name_idx, orders.c.receiver_name_idx, _NONE)
    return phone.label("phone_idx"), email.label("email_idx"), name.label("name_idx")


def inquiry_columns() -> Columns:
    phone = func.coalesce(inquiries.c.writer_phone_idx, _NONE)
    name = func.coalesce(inquiries.c.writer_name_idx, _NONE)
    return phone.label("phone_idx"), _NONE.label("email_idx"), name.label("name_idx")


def callback_columns() -> Columns:
    return callbacks.c.caller_idx.label("phone_idx"), _NONE.label("email_idx"), _NONE.label("name_idx")


def is_identity(columns: Columns, identities: Collection[Identity]) -> ColumnElement[bool]:
    """Whether ``columns`` are one of these."""
    phone, email, name = columns
    return or_(*(and_(phone == one.phone, email == one.email, name == one.name) for one in identities))


def shared_keys(found: Iterable[Identity]) -> frozenset[bytes]:
    """Numbers and addresses with more than MOST_NAMES names among ``found``."""
    names: Mapping[bytes, set[bytes]] = defaultdict(set)
    for one in found:
        if one.name:
            names[one.phone or one.email].add(one.name)
    return frozenset(key for key, several in names.items() if len(several) > MOST_NAMES)


class Known(Struct, frozen=True, kw_only=True):
    """What is known of the person on the screen: ``subject`` itself, those that confirmations join with it
    (``person``, the subject among them), and those that agents have split off.
    """

    subject: Identity
    person: frozenset[Identity]
    split: frozenset[Identity] = frozenset()
    person_id: int | None = None

    @property
    def phones(self) -> list[bytes]:
        return sorted({one.phone for one in self.person if one.phone})

    @property
    def emails(self) -> list[bytes]:
        return sorted({one.email for one in self.person if one.email})

    def standing(self, identity: Identity, *, shared: frozenset[bytes], by_email: bool = False) -> Standing:
        """``shared``: of :func:`shared_keys`. ``by_email``: the records have an e-mail address in common."""
        if identity == self.subject:
            return Standing.SAME
        if identity in self.person:
            return Standing.CONFIRMED
        if identity in self.split:
            return Standing.SPLIT
        is_same_name = bool(identity.name) and any(one.name == identity.name for one in self.person)
        keys = {key for one in self.person for key in (one.phone, one.email) if key}
        is_own_key = bool({identity.phone, identity.email} & (keys - shared))
        return Standing.PERHAPS if is_same_name or is_own_key or by_email else Standing.WEAK

"""What screens show of a customer: plain data, masked or knowingly not. No number and no name is a key here."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.core.model import Money, Party


class MarkKind(StrEnum):
    """In the order of lists."""

    ABUSE = "abuse"
    HARD_CASE = "hard_case"


class MarkBadge(Struct, frozen=True, kw_only=True):
    """For a row of a list. Not ``is_sure``: it is of somebody who is perhaps the same person."""

    kind: MarkKind
    is_sure: bool


class MarkView(Struct, frozen=True, kw_only=True):
    """A mark in force. ``until`` is ``None`` where it holds until it is cleared."""

    mark_id: int
    kind: MarkKind
    reason: str
    by: str | None
    at: datetime
    until: datetime | None
    is_sure: bool


class CustomerView(Struct, frozen=True, kw_only=True):
    """The customer of a case. ``ref`` names the record that the customer's page starts from.

    ``is_shared``: many names use the number, so that it joins nobody by itself. ``confirmed`` and ``split`` are
    how many other identities agents have joined with this one, and told apart from it.
    """

    ref: str
    marks: tuple[MarkView, ...] = ()
    is_shared: bool = False
    confirmed: int = 0
    split: int = 0

    @property
    def badges(self) -> tuple[MarkBadge, ...]:
        found = {mark.kind: any(each.is_sure for each in self.marks if each.kind is mark.kind) for mark in self.marks}
        return tuple(MarkBadge(kind=kind, is_sure=found[kind]) for kind in MarkKind if kind in found)


class LinkView(Struct, frozen=True, kw_only=True):
    """One decision about two identities, by their places on the page (``one`` and ``other``: refs)."""

    link_id: int
    verdict: str
    one: str
    other: str
    by: str | None
    at: datetime
    undone_by: str | None
    undone_at: datetime | None


class IdentityView(Struct, frozen=True, kw_only=True):
    """One number or address with one name, and what came under it. ``ref`` names its newest record."""

    ref: str
    person: Party
    standing: str
    malls: tuple[str, ...]
    orders: int
    inquiries: int
    last_at: datetime | None
    is_by_email: bool


class HistoryKind(StrEnum):
    """In the order in which records of one moment stand."""

    ORDER = "order"
    CLAIM = "claim"
    INQUIRY = "inquiry"
    CALL = "call"


class GiftSum(Struct, frozen=True, kw_only=True):
    """What was given in one stretch of twelve months; ``years_ago`` 0 is the newest. ``sure``: to the person
    confirmed, ``total``: to whoever is perhaps the same as well.
    """

    years_ago: int
    sure: Money
    total: Money
    count: int

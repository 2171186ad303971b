"""Rows of the routing book as people write them: flat, one Struct a section, every value as it is typed.

``valid_from`` and ``valid_to`` are days, both inclusive; ``None`` is open on that side. A partner and a
logistics firm are named by the mall's code or by name, as the malls tell them.
"""

from datetime import date

from msgspec import Struct

from hub.core.model import InventoryMode
from routing.matter import Matter, Role


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of a section."""


class RuleEntry(Entry, frozen=True, kw_only=True):
    """All conditions that are set must hold; the first rule that holds decides.

    ``hints`` are "name=value" with a fact of the mall; the value ``*`` asks only that the fact is there.
    """

    name: str
    mode: InventoryMode
    shop: str | None = None
    mall: str | None = None
    supplier: str | None = None
    sku_prefix: str | None = None
    hints: tuple[str, ...] = ()
    partner: str | None = None
    logistics: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class PartnerDefaultEntry(Entry, frozen=True, kw_only=True):
    """How the goods of one partner are kept where no row and no rule says it.

    ``shop`` limits it to one shop, ``mall`` to the shops of one mall.
    """

    partner: str
    mode: InventoryMode
    shop: str | None = None
    mall: str | None = None
    logistics: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class ShopDefaultEntry(Entry, frozen=True, kw_only=True):
    """The last word before "unknown": the mode of a shop, of the shops of a mall, or with neither of every shop."""

    mode: InventoryMode
    shop: str | None = None
    mall: str | None = None
    partner: str | None = None
    logistics: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class ProductEntry(Entry, frozen=True, kw_only=True):
    """One product. It counts under the first code it has: seller SKU, option code, product code.

    The long table of products has the same rows; it is imported apart and comes before those of the book.
    """

    mode: InventoryMode
    seller_sku: str | None = None
    option_code: str | None = None
    product_code: str | None = None
    shop: str | None = None
    partner: str | None = None
    logistics: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class ContactEntry(Entry, frozen=True, kw_only=True):
    """One person in one role.

    ``key`` names the contact inside the book (deputies, absences) and is its name where nothing is given.
    ``hours`` is a text such as "mon-fri 09:00-12:00 13:00-18:00; sat 10:00-14:00"; ``None``: not known.
    ``holidays`` is "KR", "JP" or "open" (works through them), ``None`` the country of ``timezone``.
    ``closed`` are days of rest of this contact alone. ``languages`` are codes, the preferred one first.
    ``escalate_minutes`` of opening time without an answer, ``None``: as the chain says.
    """

    name: str
    role: Role
    key: str | None = None
    organisation: str | None = None
    phone: str | None = None
    chat: str | None = None
    email: str | None = None
    webhook_url: str | None = None
    languages: tuple[str, ...] = ()
    hours: str | None = None
    holidays: str | None = None
    closed: tuple[date, ...] = ()
    timezone: str = "Asia/Seoul"
    deputy: str | None = None
    escalate_minutes: int | None = None
    codes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()

    @property
    def named_key(self) -> str:
        return self.key or self.name


class AbsenceEntry(Entry, frozen=True, kw_only=True):
    """``contact`` (its key) is away from ``absent_from`` to ``absent_to``, both inclusive, by the days of its place.

    ``deputy`` stands in for that time, before the contact's usual deputy.
    """

    contact: str
    absent_from: date
    absent_to: date
    deputy: str | None = None


class ChainEntry(Entry, frozen=True, kw_only=True):
    """Place ``place`` (1, 2, 3 …) in the chain of one mode and matter.

    The rows of one mode and matter together replace what ships for them. ``together``: part of a hot line,
    asked at once with the other such places. ``escalate_minutes`` of opening time until the next is asked.
    ``why`` is told to the agent, in Korean and (``why_en``) in English.
    """

    mode: InventoryMode
    matter: Matter
    place: int
    role: Role
    why: str | None = None
    why_en: str | None = None
    escalate_minutes: int | None = None
    together: bool = False

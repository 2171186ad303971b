"""The rows of the policy book: flat, each with a scope and dates.

In force for a line is the row of the narrowest scope that is valid on the day: shop and brand, shop,
brand and mall, brand, mall, everywhere. A column left empty is not decided by that row; what no row
decides has the default of :class:`hub.policy.switches.Switches`.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct

from hub.core.model import InventoryMode
from hub.policy.card import Request
from hub.policy.due import CaseKind, Since
from hub.policy.grounds import Ground
from hub.policy.stage import Stage


class ReturnWithdrawal(StrEnum):
    """May the customer take a return back?"""

    NO = "no"
    UNTIL_COLLECTED = "until_collected"
    UNTIL_RECEIVED = "until_received"


class Rebilling(StrEnum):
    """An order paid anew for goods that the customer already has; nothing may be sent."""

    OFF = "off"
    WITH_APPROVAL = "with_approval"


class DefectProof(StrEnum):
    PHOTO_FIRST = "photo_first"
    INSPECT_ALWAYS = "inspect_always"


class FlatFee(StrEnum):
    """What becomes of a lump sum that is no actual cost: left out, or shown with a warning."""

    BLOCK = "block"
    WARN = "warn"


class Language(StrEnum):
    KO = "ko"
    JA = "ja"
    EN = "en"


class FeeItem(StrEnum):
    """Actual costs of a return. ``LUMP_SUM`` is what some pages call a cancel fee: no cost of anything."""

    RETURN_SHIPPING = "return_shipping"
    EXCHANGE_SHIPPING = "exchange_shipping"
    FORWARDER_RETURN = "forwarder_return"
    OVERSEAS_RETURN = "overseas_return"
    LUMP_SUM = "lump_sum"


class Gift(StrEnum):
    """What an agent may give."""

    PARTIAL_REFUND = "partial_refund"
    POINTS = "points"
    COUPON = "coupon"
    GIFT = "gift"
    FEE_WAIVED = "fee_waived"


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whom and when a row is for: names as the hub knows them, ``None`` for all; both days count."""

    mall: str | None = None
    shop: str | None = None
    brand: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    note: str | None = None


class SwitchRow(Entry, frozen=True, kw_only=True):
    """The switches. ``delay_points``, in minor units, are a step of the card when goods are late or out of
    stock: an agent gives them. ``return_days``: days that we grant beyond the law's.
    ``return_clause_shown``: the Japanese return clause (返品特約) stands clearly on the product page; then
    ``return_days`` is what it grants, 0 for none. ``delivery_days_from`` and ``…_to``: what a purchase abroad
    normally takes.
    """

    return_withdrawal: ReturnWithdrawal | None = None
    rebill_without_shipment: Rebilling | None = None
    defect_proof: DefectProof | None = None
    delay_message: bool | None = None
    delay_points: int | None = None
    exchange_offered: bool | None = None
    partial_refund_first: bool | None = None
    flat_fee: FlatFee | None = None
    purchase_agency: bool | None = None
    delivery_days_from: int | None = None
    delivery_days_to: int | None = None
    return_days: int | None = None
    return_clause_shown: bool | None = None
    late_interest_percent: int | None = None
    answer_language: Language | None = None


class FeeRow(Entry, frozen=True, kw_only=True):
    """One itemised cost. ``stage`` for purchases abroad. Only what was ``disclosed`` before the purchase can be
    passed on; ``disclosed_where`` is the proof, an address of the product page or the place of a picture.
    """

    item: FeeItem
    amount_minor: int
    currency: str = "KRW"
    stage: Stage | None = None
    disclosed: bool = False
    disclosed_where: str | None = None


class CompensationRow(Entry, frozen=True, kw_only=True):
    """Points when the customer is not at fault, and how much of it the partner bears in this inventory mode."""

    mode: InventoryMode | None = None
    is_on: bool = True
    limit_minor: int | None = None
    currency: str = "KRW"
    partner_percent: int = 0


class LimitRow(Entry, frozen=True, kw_only=True):
    """The most that an agent gives alone; above it a supervisor approves."""

    gift: Gift
    amount_minor: int
    currency: str = "KRW"


class RetentionRow(Entry, frozen=True, kw_only=True):
    """What may be offered to a customer who wants out by a change of mind. Never in place of their right."""

    request: Request
    gift: Gift
    amount_minor: int | None = None
    currency: str = "KRW"
    text_ko: str = ""
    text_en: str = ""
    text_ja: str = ""


class GroundRow(Entry, frozen=True, kw_only=True):
    """Whether we ever refuse on this ground; the law allows it, it does not ask for it."""

    ground: Ground
    is_used: bool = True


class TargetRow(Entry, frozen=True, kw_only=True):
    """Own aims: minutes of opening time, or business days; 0 sets no aim. Hours are minutes after midnight."""

    product_inquiry_minutes: int | None = None
    order_inquiry_minutes: int | None = None
    chat_minutes: int | None = None
    call_minutes: int | None = None
    cancel_business_days: int | None = None
    return_business_days: int | None = None
    exchange_business_days: int | None = None
    claim_business_days: int | None = None
    opens: int | None = None
    closes: int | None = None


class ClockRow(Entry, frozen=True, kw_only=True):
    """A deadline that a mall sets after ``since``: in business days of ``country``, or in hours. It replaces
    the shipped clocks of that mall with the same beginning for the same kinds.
    """

    kinds: tuple[CaseKind, ...]
    since: Since
    business_days: int | None = None
    hours: int | None = None
    country: str = "KR"
    source: str = ""


class DayKind(StrEnum):
    """``HOLIDAY``: a public one, announced after this release; the others are the shop's own."""

    HOLIDAY = "holiday"
    CLOSED = "closed"
    OPENED = "opened"


class DayRow(Entry, frozen=True, kw_only=True):
    """A day that no almanac knows. On a holiday of ``country`` every clock of that country rests; on a ``closed``
    or ``opened`` day only our own aims do, or run: it moves neither the law's clock nor a mall's.
    """

    kind: DayKind
    on: date
    country: str | None = None

    @property
    def is_public(self) -> bool:
        return self.kind is DayKind.HOLIDAY


class BrandRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which products are of a brand: all conditions given must hold. No mall tells the brand of a line."""

    brand: str
    mall: str | None = None
    shop: str | None = None
    sub_shop: str | None = None
    sku_prefix: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    note: str | None = None


class PolicyTables(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole book."""

    switches: tuple[SwitchRow, ...] = ()
    fees: tuple[FeeRow, ...] = ()
    compensation: tuple[CompensationRow, ...] = ()
    limits: tuple[LimitRow, ...] = ()
    retention: tuple[RetentionRow, ...] = ()
    grounds: tuple[GroundRow, ...] = ()
    targets: tuple[TargetRow, ...] = ()
    clocks: tuple[ClockRow, ...] = ()
    days: tuple[DayRow, ...] = ()
    brands: tuple[BrandRow, ...] = ()

"""What was sold, and how its stock is kept."""

from enum import StrEnum

from msgspec import Struct


class InventoryMode(StrEnum):
    """Who owns and holds the stock; decides whom an agent asks."""

    CONSIGNMENT = "consignment"
    DIRECT_PURCHASE = "direct_purchase"
    THIRD_PARTY_LOGISTICS = "third_party_logistics"
    UNKNOWN = "unknown"


class InventoryHint(Struct, frozen=True, kw_only=True, gc=False):
    """A fact of the mall that a routing rule may match, e.g. ``logistics_company`` = ``EX01``.

    Names in use: supplier, supplier_trading, supplier_transaction, logistics_company, logistics_center,
    direct_contract, delivery_attribute, custom_code_1, custom_code_2 (the seller's free codes),
    ships_from_zip, overseas_consignment, wished_delivery (when the customer wants it delivered: day, or
    day and time, as the mall has it); on stock items also item_status, available_date_type and
    available_date_value.
    """

    name: str
    value: str


class Product(Struct, frozen=True, kw_only=True, gc=False):
    """A product as one line names it: ``code`` is the mall's number, ``seller_sku`` the seller's own."""

    name: str
    code: str | None = None
    option: str | None = None
    option_code: str | None = None
    seller_sku: str | None = None
    hints: tuple[InventoryHint, ...] = ()

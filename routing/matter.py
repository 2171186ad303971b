"""What a question is about, and the roles that can be asked."""

from enum import StrEnum


class Matter(StrEnum):
    """What a question is about."""

    STOCK = "stock"
    DISPATCH_DELAY = "dispatch_delay"
    MISSING_PARCEL = "missing_parcel"
    DEFECT = "defect"
    PRODUCT_DETAIL = "product_detail"
    PRICE_PROMOTION = "price_promotion"
    COMPENSATION = "compensation"
    HARD_CASE = "hard_case"
    OTHER = "other"


class Role(StrEnum):
    """Who can be asked: the MD who buys, the partner whose goods they are, logistics that holds them."""

    MD = "md"
    PARTNER = "partner"
    LOGISTICS = "logistics"

"""Canonical records: what every mall's data becomes.

Frozen msgspec Structs. Times are aware UTC datetimes, money is integer minor units with an ISO
currency. A value that the mall did not give is ``None``; a code never seen before is ``UNKNOWN``
with the mall's own word kept beside it.
"""

from hub.core.model.claim import Claim, ClaimKind, ClaimReason, ClaimState, EndedBy, FaultParty
from hub.core.model.identity import ShopRef
from hub.core.model.inquiry import Attachment, Inquiry, InquiryKind, InquiryState, Message, MessageAuthor
from hub.core.model.money import Money, minor_units
from hub.core.model.order import Line, LineStatus, Order, Shipment
from hub.core.model.party import Address, Party
from hub.core.model.product import InventoryHint, InventoryMode, Product

__all__ = [
    "Address",
    "Attachment",
    "Claim",
    "ClaimKind",
    "ClaimReason",
    "ClaimState",
    "EndedBy",
    "FaultParty",
    "Inquiry",
    "InquiryKind",
    "InquiryState",
    "InventoryHint",
    "InventoryMode",
    "Line",
    "LineStatus",
    "Message",
    "MessageAuthor",
    "Money",
    "Order",
    "Party",
    "Product",
    "Shipment",
    "ShopRef",
    "minor_units",
]

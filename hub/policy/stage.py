"""The four delivery stages of a purchase abroad, from facts alone: a missing fact makes the stage unknown."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class StageFact(StrEnum):
    """What an agent, a spreadsheet or another system tells about a line."""

    OVERSEAS_ORDERED = "overseas_ordered"
    OVERSEAS_DISPATCHED = "overseas_dispatched"
    FORWARDER_IN = "forwarder_in"
    FORWARDER_OUT = "forwarder_out"


class Told(Struct, frozen=True, kw_only=True):
    """``at`` is when it happened, aware; ``None``: it is known not to have happened. ``reference`` is its number."""

    at: datetime | None
    reference: str | None = None


class StageFacts(Struct, frozen=True, kw_only=True):
    """``None``: nobody has told; that is not the same as not happened."""

    overseas_ordered: Told | None = None
    overseas_dispatched: Told | None = None
    forwarder_in: Told | None = None
    forwarder_out: Told | None = None
    delivered: Told | None = None


class Stage(StrEnum):
    """Before the order abroad has left; before the forwarder has it; before he sends it; on its way."""

    ORDERED = "1"
    SENT_ABROAD = "2"
    AT_FORWARDER = "3"
    ON_ITS_WAY = "4"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"

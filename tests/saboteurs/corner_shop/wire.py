"""The JSON of the corner shop. Every field may be missing but the number of a record."""

from msgspec import Struct


class ClaimWire(Struct):
    kind: str
    state: str
    asked_at: str
    quantity: int | None = None


class LineWire(Struct):
    no: str
    state: str
    name: str = ""
    quantity: int = 1
    price: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    claims: list[ClaimWire] = []


class OrderWire(Struct):
    no: str
    ordered_at: str
    paid_at: str | None = None
    lines: list[LineWire] = []


class QuestionWire(Struct):
    no: str
    state: str
    kind: str
    asked_at: str
    text: str = ""
    answer: str | None = None


class GoodWire(Struct):
    no: str
    name: str


class CarrierWire(Struct):
    code: str
    name: str


class EventWire(Struct):
    order: str

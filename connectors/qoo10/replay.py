"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.qoo10 import mapping
from hub.core.contract import Reading
from hub.core.model import Claim, Inquiry, Order


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``what`` names the kind of record. Returns what it becomes, and the codes that no table holds."""
    unknown: Counter[str] = Counter()
    raw = msgspec.json.encode(case["wire"])
    reading: Reading
    match case["what"]:
        case "order":
            reading = mapping.read_listed_order(raw, unknown=unknown)
        case "line":
            reading = mapping.read_whole_line(raw, unknown=unknown)
        case "claim":
            reading = mapping.read_claim(raw, unknown=unknown)
        case _:
            reading = mapping.read_inquiry(raw, unknown=unknown)
    return reading.record, unknown

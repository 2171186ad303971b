"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall.

Cases of writes hold the calls themselves: whoever replays them opens the connector with ``CREDENTIALS``
and ``BASE_URL`` over a transport of its own.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from connectors.qoo10 import mapping
from connectors.qoo10.client import DEFAULT_BASE_URL
from hub.core.contract import Reading
from hub.core.model import Claim, Inquiry, Order

CREDENTIALS: dict[str, Any] = {"seller_key": "S5bnEXAMPLE_g_2_AbCd"}
BASE_URL: str = DEFAULT_BASE_URL


def sign_in(request: httpx.Request) -> httpx.Response | None:  # noqa: ARG001
    """Answers calls that ask for a token; with a ready seller key there are none."""
    return None


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

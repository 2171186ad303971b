"""Reads one recorded case as the connector would, without a mall."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from hub.core.model import Claim, Inquiry, Order

from . import mapping


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    unknown: Counter[str] = Counter()
    read = mapping.read_order if case["record"] == "order" else mapping.read_question
    return read(msgspec.json.encode(case["wire"]), unknown).record, unknown

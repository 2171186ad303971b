"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.smartstore import mapping
from connectors.smartstore.leaves import Unknowns
from hub.core.model import Claim, Inquiry, Order

_READERS = {"order": mapping.read_detail, "inquiry": mapping.read_inquiry, "qna": mapping.read_qna}


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``record`` names the kind of record. Returns what it becomes, and the codes that no table holds."""
    unknown = Unknowns()
    reading = _READERS[case["record"]](msgspec.json.encode(case["wire"]), unknown)
    return reading.record, unknown

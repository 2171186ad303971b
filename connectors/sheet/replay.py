"""Reads one recorded case (``cases/*.json``) as the connector would: a layout and one row of a file."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.sheet.mapping import RowReader, Terms
from hub.core.files import Layout
from hub.core.model import Claim, Inquiry, Order


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``wire`` holds the cells by heading, ``layout`` how they are meant. Returns the record and unknown words."""
    unknown: Counter[str] = Counter()
    layout = msgspec.convert(case["layout"], Layout)
    terms = Terms(zone=ZoneInfo(case.get("timezone", "Asia/Seoul")), currency=case.get("currency", "KRW"))
    reader = RowReader(layout, headings=tuple(case["wire"]), terms=terms, unknown=unknown)
    return reader.read(1, tuple(case["wire"].values())).record, unknown

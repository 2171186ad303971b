"""Reads one recorded case as the connector would, without a mall; opens a shop for the recorded writes."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from hub.core.events import Delivery
from hub.core.model import Claim, Inquiry, Order

from . import mapping

CREDENTIALS: dict[str, Any] = {"user": "corner", "secret": "corner-secret-0001"}
BASE_URL = "https://api.corner.example"
EVENT = Delivery(
    headers={"x-key": CREDENTIALS["secret"]},
    body=b'{"order": "O7"}',
    received_at=datetime(2026, 11, 22, 3, tzinfo=UTC),
)


def sign_in(request: httpx.Request) -> httpx.Response | None:
    if request.url.path != "/token":
        return None
    return httpx.Response(200, json={"token": "corner-token-0001", "ends_at": "2099-01-01T00:00:00Z"})


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    unknown: Counter[str] = Counter()
    read = mapping.read_order if case["record"] == "order" else mapping.read_question
    return read(msgspec.json.encode(case["wire"]), unknown).record, unknown

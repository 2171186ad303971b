"""Reads one recorded case (``cases/*.json``) as the connector would, without the platform."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec

from connectors.talktalk.kept import Told, conversation_of
from connectors.talktalk.mapping import read_conversation, readings_of
from hub.core.model import Claim, Inquiry, Order

CREDENTIALS: dict[str, Any] = {"authorization": "ct_wc8b1i_ExampleKeyOfNobody", "account_id": "wc8b1i"}
BASE_URL = "https://gw.talk.naver.com"


def sign_in(_request: httpx.Request) -> httpx.Response | None:
    """There is no sign-in: the key is sent with each call."""
    return None


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``wire`` is what came: ``at`` and ``event``. Returns the newest inquiry, and the codes that no table holds."""
    unknown: dict[str, int] = {}

    def count(code: str) -> None:
        unknown[code] = unknown.get(code, 0) + 1

    items = [
        Told(at=datetime.fromisoformat(each["at"]), key=f"event-{number}", body=msgspec.json.encode(each["event"]))
        for number, each in enumerate(case["wire"], start=1)
    ]
    users = [each["event"]["user"] for each in case["wire"] if "user" in each["event"]]
    found = read_conversation(items, silence=timedelta(hours=24), count=count)
    readings = readings_of(found, conversation=conversation_of(users[0]), profile={})
    record = readings[-1].record if readings else None
    return record, unknown

"""Every file of connectors/smartstore/cases/write_*.json: one write, every call of it, and what it comes to."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.smartstore import MANIFEST
from connectors.smartstore.replay import BASE_URL, CREDENTIALS, sign_in
from hub.core.contract import Answer, Capability, LineAction, ShopContext, Support
from hub.core.model import ShopRef

from .conftest import Secrets

FOLDER = Path(__file__).parents[3] / "connectors" / "smartstore" / "cases"


class Case(msgspec.Struct, forbid_unknown_fields=True):
    source: str
    confidence: str
    what: str
    write: Capability
    now: datetime
    exchanges: list[dict[str, Any]]
    outcome: str
    mall_message: str | None
    action: LineAction | None = None
    answer: Answer | None = None


CASES = {path.stem: msgspec.json.decode(path.read_bytes(), type=Case) for path in sorted(FOLDER.glob("write_*.json"))}


@pytest.mark.parametrize("name", CASES)
async def test_write(name: str):
    case = CASES[name]
    left = list(case.exchanges)

    def mall(request: httpx.Request) -> httpx.Response:
        signed_in = sign_in(request)
        if signed_in is not None:
            return signed_in
        exchange = left.pop(0)
        wanted, given = exchange["request"], exchange["response"]
        assert (request.method, request.url.path) == (wanted["method"], wanted["path"])
        assert dict(request.url.params) == wanted.get("query", {})
        assert (msgspec.json.decode(request.content) if request.content else None) == wanted.get("json")
        return httpx.Response(given["status"], json=given["json"])

    context = ShopContext(
        shop=ShopRef(name="test-smartstore", mall="smartstore"),
        base_url=BASE_URL,
        credentials=CREDENTIALS,
        secrets=Secrets(),
        now=lambda: case.now,
        sleep=asyncio.sleep,
        transport=httpx.MockTransport(mall),
    )
    connector = MANIFEST.open(context)
    result = await getattr(connector, case.write.value)(case.action or case.answer)
    await connector.aclose()

    assert left == []
    (line,) = result.lines
    assert (result.outcome, line.outcome, line.mall_message) == (case.outcome, case.outcome, case.mall_message)
    assert result.readings
    assert case.confidence in {"sure", "likely", "guess"}


def test_every_write_has_a_case():
    reads = {capability for capability in Capability if capability.value.startswith("read_")}
    reads |= {Capability.CHECK, Capability.LIST_CARRIERS}
    writes = {found for found, state in MANIFEST.capabilities.items() if state.state is Support.YES} - reads

    assert {case.write for case in CASES.values()} == writes

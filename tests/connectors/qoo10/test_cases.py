"""Every file in connectors/qoo10/cases maps exactly as it says; every write sends exactly what its case says."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

import connectors.qoo10.mapping as mapping
from connectors.qoo10 import MANIFEST
from connectors.qoo10.replay import BASE_URL, CREDENTIALS, sign_in
from hub.core.contract import Answer, LineAction, ShopContext, Support, WriteResult
from hub.core.model import ShopRef
from tests.connectors.qoo10.conftest import Clock, Secrets

FILES = sorted((Path(mapping.__file__).parent / "cases").glob("*.json"))
CASES = [path for path in FILES if not path.stem.startswith("write_")]
WRITES = [path for path in FILES if path.stem.startswith("write_")]
READERS = {
    "order": mapping.read_listed_order,
    "line": mapping.read_whole_line,
    "claim": mapping.read_claim,
    "inquiry": mapping.read_inquiry,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_maps_as_written(path: Path):
    case = _case(path)
    unknown: Counter[str] = Counter()

    reading = READERS[case["what"]](msgspec.json.encode(case["wire"]), unknown=unknown)

    assert (reading.error, sorted(unknown)) == (case.get("error"), case.get("unknown", []))
    if "canonical" in case:
        assert msgspec.json.decode(msgspec.json.encode(reading.record)) == case["canonical"]
    assert case["source"]
    assert case["confidence"] in {"sure", "likely", "guess"}


def test_there_are_cases():
    assert len(CASES) >= 8


def _case(path: Path) -> dict[str, Any]:
    return msgspec.json.decode(path.read_bytes())


class Script(httpx.AsyncBaseTransport):
    """Answers the exchanges of a case in their order; any other call fails the test."""

    def __init__(self, exchanges: list[dict[str, Any]]) -> None:
        self.left = list(exchanges)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        token = sign_in(request)
        if token is not None:
            return token
        wanted = self.left.pop(0)
        told = wanted["request"]
        assert (request.method, request.url.path) == (told["method"], told["path"])
        assert dict(parse_qsl(body.decode(), keep_blank_values=True)) == told["form"]
        return httpx.Response(wanted["response"]["status"], json=wanted["response"]["json"])


@pytest.mark.parametrize("path", WRITES, ids=lambda path: path.stem)
async def test_a_write_goes_as_written(path: Path):
    case = _case(path)
    script, clock = Script(case["exchanges"]), Clock()
    clock.at = datetime.fromisoformat(case["now"])
    connector = MANIFEST.open(
        ShopContext(
            shop=ShopRef(name="case", mall=MANIFEST.mall),
            base_url=BASE_URL,
            credentials=CREDENTIALS,
            secrets=Secrets(),
            now=clock,
            sleep=clock.sleep,
            transport=script,
        )
    )
    write: Callable[[Any], Awaitable[WriteResult]] = getattr(connector, case["write"])
    kind, name = (Answer, "answer") if "answer" in case else (LineAction, "action")

    result = await write(msgspec.convert(case[name], type=kind))

    assert script.left == []
    assert (result.outcome, result.lines[0].mall_message) == (case["outcome"], case["mall_message"])
    assert case["source"]
    assert case["confidence"] in {"sure", "likely", "guess"}


def test_every_write_of_the_mall_has_a_case():
    told = {_case(path)["write"] for path in WRITES}
    can = {each for each, stated in MANIFEST.capabilities.items() if stated.state is Support.YES}

    assert told == {each for each in can if not each.startswith(("read_", "list_")) and each != "check"}
    assert {path.stem.removeprefix("write_") for path in WRITES} >= told
    assert urlsplit(BASE_URL).scheme == "https"

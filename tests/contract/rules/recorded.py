"""Recorded cases of writes: each call that a connector makes, to the letter, and what the mall answers to it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec

from hub.core.contract import Answer, Capability, LineAction, Outcome, ShopContext
from hub.core.errors import MallError, OutcomeUnknownError
from hub.core.model import ShopRef
from tests.contract.rules.deeds import WRITES
from tests.contract.rules.rule import rule
from tests.contract.street import Clock, Secrets
from tests.contract.subject import Subject

PREFIX = "write_"
_CONFIDENCE = {"sure", "likely", "guess"}


class Script(httpx.AsyncBaseTransport):
    """The mall of one case: answers the calls that are written down, in their order, and no other."""

    def __init__(self, exchanges: list[dict[str, Any]], subject: Subject, *, where: str) -> None:
        self._left = list(exchanges)
        self._sign_in = subject.sign_in
        self._where = where
        self.wrong: list[str] = []

    @property
    def left(self) -> int:
        return len(self._left)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        signed_in = self._sign_in(request)
        if signed_in is not None:
            return signed_in
        if not self._left:
            self._complain(f"a call too many: {request.method} {request.url.path}")
        exchange = self._left.pop(0)
        for difference in _differences(exchange["request"], request, body):
            self._complain(difference)
        answer = exchange["response"]
        if answer is None:
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(answer["status"], json=answer["json"], headers=answer.get("headers"))

    def _complain(self, what: str) -> None:
        # Kept as well: whoever catches every error must not hide it.
        self.wrong.append(f"{self._where}: {what}")
        raise AssertionError(self.wrong[-1])


def _differences(wanted: dict[str, Any], request: httpx.Request, body: bytes) -> Iterator[str]:
    told = f"{wanted['method']} {wanted['path']}"
    if (request.method, request.url.path) != (wanted["method"], wanted["path"]):
        yield f"sent {request.method} {request.url.path} where {told} is written"
    if "query" in wanted:
        query = dict(request.url.params)
        if query != {name: str(value) for name, value in wanted["query"].items()}:
            yield f"{told}: query {query} where {wanted['query']} is written"
    if "json" in wanted:
        sent = msgspec.json.decode(body) if body else None
        if sent != wanted["json"]:
            yield f"{told}: sent {sent} where {wanted['json']} is written"
    elif "form" in wanted:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if form != {name: str(value) for name, value in wanted["form"].items()}:
            yield f"{told}: sent {form} where {wanted['form']} is written"
    elif body:
        yield f"{told}: its body is not written down"


async def replay_write(subject: Subject, case: dict[str, Any], *, where: str) -> tuple[Outcome, str | None]:
    """Do the write of ``case`` against its script. Returns the outcome and the first words said about it.

    Raises: AssertionError for a call that differs from what is written, is missing or is one too many.
    """
    assert subject.credentials is not None, "replay.py has no CREDENTIALS"
    assert subject.base_url is not None, "replay.py has no BASE_URL"
    script = Script(case["exchanges"], subject, where=where)
    clock = Clock()
    clock.hub_time = datetime.fromisoformat(case["now"])
    connector = subject.manifest.open(
        ShopContext(
            shop=ShopRef(name="recorded", mall=subject.manifest.mall),
            base_url=subject.base_url,
            credentials=subject.credentials,
            secrets=Secrets(),
            now=clock.now,
            sleep=clock.sleep,
            transport=script,
        )
    )
    about = msgspec.convert(case["answer"], Answer) if "answer" in case else msgspec.convert(case["action"], LineAction)
    try:
        result = await getattr(connector, case["write"])(about)
        outcome = result.outcome
        said = next((line.mall_message for line in result.lines if line.mall_message), None)
    except MallError as error:
        outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.REFUSED
        said = error.mall_message or error.message
    finally:
        await connector.aclose()
    assert script.wrong == []
    assert script.left == 0, f"{where}: {script.left} written calls were not made"
    return outcome, said


@rule(Capability.ANSWER_INQUIRY)
async def cases_cover_what_is_written(subject: Subject) -> None:
    """Every write has a recorded case; each call goes as written, and its answer is understood as the case says."""
    written = set()
    for path in sorted((subject.folder / "cases").glob(f"{PREFIX}*.json")):
        case = json.loads(path.read_bytes())
        assert case["source"].strip(), path.name
        assert case["confidence"] in _CONFIDENCE, path.name
        assert path.stem.startswith(PREFIX + case["write"]), f"{path.name} is a case of {case['write']}"
        assert subject.can(Capability(case["write"])), f"{path.name}: the manifest denies it"
        outcome, said = await replay_write(subject, case, where=path.name)
        assert outcome == case["outcome"], f"{path.name}: {outcome}, {said}"
        if case["mall_message"] is not None or outcome is Outcome.DONE:
            assert said == case["mall_message"], path.name
        written.add(Capability(case["write"]))
    missing = {capability for capability in WRITES if subject.can(capability)} - written
    assert not missing, f"no case of {sorted(missing)}"

"""Acting: once, visible afterwards, honest about what is not known."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from hub.core.contract import Answer, Capability, LineAction, Outcome, WriteResult
from hub.core.errors import MallError
from hub.core.model import Claim, ClaimKind, ClaimReason, ClaimState, Inquiry, LineStatus, Order
from tests.contract.rules.rule import rule
from tests.contract.street import Call, Street
from tests.contract.subject import Subject

Act = Callable[[], Awaitable[WriteResult]]
_ANSWER = "안녕하세요. 내일 출고됩니다."


class Scene:
    """A street on which one write is due. ``send`` does it; ``effect`` tells what the mall then holds."""

    def __init__(self, subject: Subject, capability: Capability) -> None:
        self.street = Street(subject, orders=40)
        self.capability = capability
        self.moment = self.street.world.now()

    async def prepare(self, connector: Any) -> Act:
        self.street.clock.pass_time(timedelta(minutes=5))
        self.moment = self.street.world.now()
        if self.capability is Capability.ANSWER_INQUIRY:
            return await self._answer(connector)
        return await self._decide(connector)

    async def _answer(self, connector: Any) -> Act:
        street = self.street
        street.world.ask(
            street.shop, subject="언제 와요?", text="배송이 궁금합니다", order=street.world.orders(street.shop)[-1]
        )
        street.clock.pass_time(timedelta(minutes=5))
        book = await street.read(connector)
        inquiry = next(found for found in book.inquiries.values() if found.asked_at == self.moment)
        return lambda: connector.answer_inquiry(Answer(inquiry=inquiry, text=_ANSWER, author="김상담"))

    async def _decide(self, connector: Any) -> Act:
        street = self.street
        line = next(
            line
            for order in reversed(street.world.orders(street.shop))
            for line in order.lines
            if line.plain_status(self.moment) is LineStatus.PREPARING and not line.claims
        )
        street.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "마음이 바뀌었어요")
        street.clock.pass_time(timedelta(minutes=5))
        book = await street.read(connector)
        claim = next(found for found in book.claims.values() if found.requested_at == self.moment)
        decision = LineAction(
            order_no=claim.order_no, line=book.lines[claim.line_no], claim=claim, text="이미 포장했습니다"
        )
        return lambda: getattr(connector, self.capability.value)(decision)

    def effect(self) -> Any:
        """State of the thing acted on, in the mall's truth."""
        truth = self.street.mall.truth()
        if self.capability is Capability.ANSWER_INQUIRY:
            return next(row["state"] for row in truth.inquiries if row["asked_at"] == self.moment)
        return next(row["state"] for row in truth.claims if row["requested_at"] == self.moment)


WRITES = (Capability.ANSWER_INQUIRY, Capability.APPROVE_CANCEL, Capability.REFUSE_CANCEL)
DECIDED = {
    Capability.ANSWER_INQUIRY: {"answered"},
    Capability.APPROVE_CANCEL: {ClaimState.APPROVED, ClaimState.ACCEPTED, ClaimState.REFUNDING, ClaimState.DONE},
    Capability.REFUSE_CANCEL: {ClaimState.REJECTED},
}


def _writes(subject: Subject) -> list[Capability]:
    return [capability for capability in WRITES if subject.can(capability)]


async def _post_of(subject: Subject, capability: Capability) -> tuple[str, str]:
    """Method and path of the call that acts, found by doing it once on a street of its own."""
    scene = Scene(subject, capability)
    async with scene.street.open() as connector:
        send = await scene.prepare(connector)
        scene.street.wire.calls.clear()
        scene.street.wire.is_watched = True
        await send()
    acting = [call for call in scene.street.wire.calls if call.acted]
    assert len(acting) == 1, f"{capability}: {len(acting)} calls changed the mall"
    return acting[0].method, acting[0].path


def _posts(scene: Scene, post: tuple[str, str]) -> int:
    return sum(1 for call in scene.street.wire.calls if (call.method, call.path) == post)


def _state_read(result: WriteResult, moment: datetime) -> set[str]:
    """States of the thing acted on, as the result's readings show them."""
    records = [reading.record for reading in result.readings]
    claims = [record for record in records if isinstance(record, Claim)]
    claims += [claim for record in records if isinstance(record, Order) for claim in record.claims]
    states = {str(claim.state) for claim in claims if claim.requested_at == moment}
    return states | {str(found.state) for found in records if isinstance(found, Inquiry)}


@rule(Capability.ANSWER_INQUIRY)
async def effect_is_read_back(subject: Subject) -> None:
    """A write that is DONE is true at the mall, and the readings of the result show it."""
    for capability in _writes(subject):
        scene = Scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            assert scene.effect() not in DECIDED[capability]
            result = await send()
            assert result.outcome is Outcome.DONE
            assert all(line.outcome is Outcome.DONE for line in result.lines)
            assert scene.effect() in DECIDED[capability]
            assert scene.effect() in _state_read(result, scene.moment)


@rule(Capability.ANSWER_INQUIRY)
async def repeated_write_acts_once(subject: Subject) -> None:
    """The same write asked for twice, also by another process, is sent to the mall once."""
    for capability in _writes(subject):
        post = await _post_of(subject, capability)
        scene = Scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()
            first = await send()
            second = await send()
            assert first.outcome is Outcome.DONE
            assert second.outcome in {Outcome.REFUSED, Outcome.DONE}
            assert _posts(scene, post) == 1


@rule(Capability.ANSWER_INQUIRY)
async def lost_answer_is_settled_by_reading(subject: Subject) -> None:
    """The mall acted, its answer never came: read back and DONE, or UNKNOWN; never sent again."""
    for capability in _writes(subject):
        post = await _post_of(subject, capability)
        for is_readable in (True, False):
            scene = Scene(subject, capability)
            async with scene.street.open() as connector:
                send = await scene.prepare(connector)
                _lose(scene, post, is_readable=is_readable)
                result = await send()
                assert result.outcome in ({Outcome.DONE, Outcome.UNKNOWN} if is_readable else {Outcome.UNKNOWN})
                assert _posts(scene, post) == 1
                assert scene.effect() in DECIDED[capability]


def _lose(scene: Scene, post: tuple[str, str], *, is_readable: bool) -> None:
    """Let the acting call through but not its answer; what follows fails too unless ``is_readable``."""
    wire = scene.street.wire
    wire.calls.clear()

    def after(call: Call, response: httpx.Response) -> httpx.Response:
        if (call.method, call.path) == post or (not is_readable and _posts(scene, post)):
            raise httpx.ReadTimeout("no answer")
        return response

    wire.after = after


@rule(Capability.ANSWER_INQUIRY)
async def unsure_write_is_not_called_done(subject: Subject) -> None:
    """The call timed out and the mall did nothing: not DONE, and sent once."""
    for capability in _writes(subject):
        post = await _post_of(subject, capability)
        scene = Scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()

            def swallow(call: Call, post: tuple[str, str] = post) -> httpx.Response | None:
                if (call.method, call.path) == post:
                    raise httpx.ReadTimeout("no answer")
                return None

            scene.street.wire.before = swallow
            result = await send()
            assert result.outcome in {Outcome.UNKNOWN, Outcome.REFUSED}
            assert _posts(scene, post) == 1


@rule(Capability.ANSWER_INQUIRY)
async def refused_write_is_sent_once(subject: Subject) -> None:
    """The mall says no: that is said on, and not asked again."""
    for capability in _writes(subject):
        post = await _post_of(subject, capability)
        scene = Scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()

            def refuse(call: Call, post: tuple[str, str] = post) -> httpx.Response | None:
                if (call.method, call.path) == post:
                    body = b'{"error": {"code": 422, "message": "refused"}, "code": "REFUSED", "message": "refused"}'
                    return httpx.Response(400, headers={"content-type": "application/json"}, content=body)
                return None

            scene.street.wire.before = refuse
            try:
                outcome: Outcome | None = (await send()).outcome
            except MallError:
                outcome = None
            assert outcome is not Outcome.DONE
            assert _posts(scene, post) == 1


@rule(Capability.CHECK)
async def check_is_harmless_and_helps(subject: Subject) -> None:
    """On a healthy shop every item is fine and nothing changes; with wrong credentials some item says what to do."""
    street = Street(subject, orders=15)
    street.wire.is_watched = True
    async with street.open() as connector:
        items = await connector.check()
    assert items
    assert [item.name for item in items if not item.is_ok] == []
    assert not [call for call in street.wire.calls if call.acted]
    assert len({item.name for item in items}) == len(items)

    credentials = {
        name: _other(value) if isinstance(value, str) and _is_secret(subject, name) else value
        for name, value in street.table["credentials"].items()
    }
    wrong = Street(subject, orders=15)
    async with wrong.open(credentials=credentials) as connector:
        items = await connector.check()
    failed = [item for item in items if not item.is_ok]
    assert failed
    assert all(item.fix.strip() for item in failed)


def _other(secret: str) -> str:
    """As long as the secret and of its shape, but another one."""
    middle = len(secret) // 2
    return secret[:middle] + ("A" if secret[middle] != "A" else "B") + secret[middle + 1 :]


def _is_secret(subject: Subject, name: str) -> bool:
    return "SecretStr" in str(subject.manifest.credentials.model_fields[name].annotation)


@rule()
async def admin_link_is_safe(subject: Subject) -> None:
    """An https address of one host whatever the number holds: nothing of it changes the address."""
    evil = '../../x?y=1#z&a="<b>\u202e\n@evil.example'
    street = Street(subject, orders=5)
    async with street.open() as connector:
        links = [
            connector.admin_link(),
            connector.admin_link(order_no="20261118-1"),
            connector.admin_link(order_no=evil),
            connector.admin_link(order_no=evil, line_no=evil),
        ]
    home = urlsplit(links[0] or "")
    assert home.hostname
    for link in links:
        parts = urlsplit(link or "")
        assert parts.scheme == "https"
        assert parts.netloc == home.netloc
        assert "evil.example" not in (link or "").replace("%40evil.example", "")
        assert not {*'<>"\n\u202e'} & {*(link or "")}

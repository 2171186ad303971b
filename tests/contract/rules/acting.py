"""Acting: once, visible afterwards, honest about what is not known."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from hub.core.contract import Capability, Outcome, WriteResult
from hub.core.errors import MallError, OutcomeUnknownError
from tests.contract.rules.deeds import LINE_DEEDS, UNREADABLE, WRITES, Act, Scene
from tests.contract.rules.rule import rule
from tests.contract.street import Call, Street
from tests.contract.subject import Subject

#: a mall may rightly refuse some lines before anything is sent (another's warehouse, another's payment)
_CHOICES = 6


@dataclass(frozen=True)
class Trial:
    """What doing a write once has shown: the line that takes it, and method and path of the call that acts."""

    choice: int
    post: tuple[str, str]

    def scene(self, subject: Subject, capability: Capability) -> Scene:
        return Scene(subject, capability, choice=self.choice)


#: by identity of the subject, which is kept here so that no other one can have it
_TRIALS: dict[int, tuple[Subject, dict[Capability, Trial]]] = {}


async def trials(subject: Subject) -> dict[Capability, Trial]:
    """One trial of every write that the subject declares, made on streets of their own and remembered."""
    if id(subject) not in _TRIALS:
        made = {capability: await _try(subject, capability) for capability in WRITES if subject.can(capability)}
        _TRIALS[id(subject)] = (subject, made)
    return _TRIALS[id(subject)][1]


async def _try(subject: Subject, capability: Capability) -> Trial:
    said: list[str] = []
    for choice in range(_CHOICES):
        scene = Scene(subject, capability, choice=choice)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()
            scene.street.wire.is_watched = True
            result = await of_mall(send)
        acting = [call for call in scene.street.wire.calls if call.acted]
        if acting:
            assert len(acting) == 1, f"{capability}: {len(acting)} calls changed the mall"
            return Trial(choice, (acting[0].method, acting[0].path))
        said += [line.mall_message or str(line.outcome) for line in result.lines]
    message = f"{capability}: no call changed the mall: {said}"
    raise AssertionError(message)


async def of_mall(send: Act) -> WriteResult:
    """As the hub takes it: a mall's error is no crash but a refusal, or an unknown outcome."""
    try:
        return await send()
    except MallError as error:
        outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.REFUSED
        return WriteResult(outcome=outcome)


def _posts(scene: Scene, post: tuple[str, str]) -> int:
    return sum(1 for call in scene.street.wire.calls if (call.method, call.path) == post)


@rule(Capability.ANSWER_INQUIRY)
async def effect_is_read_back(subject: Subject) -> None:
    """A write that is DONE is true at the mall, and the readings of the result show it."""
    for capability, trial in (await trials(subject)).items():
        scene = trial.scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            assert not scene.is_done(), f"{capability}: stands before it was done"
            result = await send()
            assert result.outcome is Outcome.DONE, f"{capability}: {result.lines}"
            assert all(line.outcome is Outcome.DONE for line in result.lines)
            assert scene.is_done(), f"{capability}: the mall holds {scene.effect()}"
            if capability in LINE_DEEDS and LINE_DEEDS[capability].effect in UNREADABLE:
                continue
            shown = scene.shown(result)
            assert scene.effect() in shown, f"{capability}: read back {shown}, the mall holds {scene.effect()}"


@rule(Capability.ANSWER_INQUIRY)
async def repeated_write_acts_once(subject: Subject) -> None:
    """The same write asked for twice, also by another process, is sent to the mall once."""
    for capability, trial in (await trials(subject)).items():
        scene = trial.scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()
            first = await send()
            scene.street.clock.pass_time(scene.pause)
            second = await of_mall(send)
            assert first.outcome is Outcome.DONE
            assert second.outcome in {Outcome.REFUSED, Outcome.DONE}, capability
            assert _posts(scene, trial.post) == 1, f"{capability}: sent {_posts(scene, trial.post)} times"


@rule(Capability.ANSWER_INQUIRY)
async def lost_answer_is_settled_by_reading(subject: Subject) -> None:
    """The mall acted, its answer never came: read back and DONE, or UNKNOWN; never sent again."""
    for capability, trial in (await trials(subject)).items():
        for is_readable in (True, False):
            scene = trial.scene(subject, capability)
            async with scene.street.open() as connector:
                send = await scene.prepare(connector)
                lose_answer(scene, trial.post, is_readable=is_readable)
                result = await of_mall(send)
                allowed = {Outcome.DONE, Outcome.UNKNOWN} if is_readable else {Outcome.UNKNOWN}
                assert result.outcome in allowed, f"{capability}: {result.outcome}"
                assert _posts(scene, trial.post) == 1, f"{capability}: sent {_posts(scene, trial.post)} times"
                assert scene.is_done(), capability


def lose_answer(scene: Scene, post: tuple[str, str], *, is_readable: bool) -> None:
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
    for capability, trial in (await trials(subject)).items():
        scene = trial.scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()

            def swallow(call: Call, post: tuple[str, str] = trial.post) -> httpx.Response | None:
                if (call.method, call.path) == post:
                    raise httpx.ReadTimeout("no answer")
                return None

            scene.street.wire.before = swallow
            result = await of_mall(send)
            assert result.outcome in {Outcome.UNKNOWN, Outcome.REFUSED}, f"{capability}: {result.outcome}"
            assert _posts(scene, trial.post) == 1, f"{capability}: sent {_posts(scene, trial.post)} times"


@rule(Capability.ANSWER_INQUIRY)
async def refused_write_is_sent_once(subject: Subject) -> None:
    """The mall says no: that is said on, and not asked again."""
    for capability, trial in (await trials(subject)).items():
        scene = trial.scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            scene.street.wire.calls.clear()

            def refuse(call: Call, post: tuple[str, str] = trial.post) -> httpx.Response | None:
                if (call.method, call.path) == post:
                    body = b'{"error": {"code": 422, "message": "refused"}, "code": "REFUSED", "message": "refused"}'
                    return httpx.Response(400, headers={"content-type": "application/json"}, content=body)
                return None

            scene.street.wire.before = refuse
            assert (await of_mall(send)).outcome is not Outcome.DONE, capability
            assert _posts(scene, trial.post) == 1, f"{capability}: sent {_posts(scene, trial.post)} times"


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

"""Looking at a write whose outcome is not known: what the mall shows decides, and nothing is ever sent."""

from typing import Any

import msgspec

from hub.core.contract import Capability, Outcome, WriteResult
from tests.contract.rules.acting import lose_answer, of_mall, trials
from tests.contract.rules.deeds import Scene
from tests.contract.rules.rule import rule
from tests.contract.subject import Subject


@rule(Capability.ANSWER_INQUIRY)
async def look_never_sends(subject: Subject) -> None:
    """Of what was not done a look says so or does not know, what was done it finds; neither changes the mall."""
    for capability, trial in (await trials(subject)).items():
        scene = trial.scene(subject, capability)
        async with scene.street.open() as connector:
            send = await scene.prepare(connector)
            undone = await _look(scene, connector)
            assert undone.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}, f"{capability}: {undone.outcome}, not done"
            assert not scene.is_done(), f"{capability}: the look did it"

            lose_answer(scene, trial.post, is_readable=False)
            await of_mall(send)
            scene.street.wire.after = lambda _, response: response
            scene.street.clock.pass_time(scene.pause)
            done = await _look(scene, connector)
            assert done.outcome in {Outcome.DONE, Outcome.UNKNOWN}, f"{capability}: {done.lines}, done at the mall"


async def _look(scene: Scene, connector: Any) -> WriteResult:
    wire = scene.street.wire
    wire.calls.clear()
    wire.is_watched = True
    about = msgspec.structs.replace(scene.about, is_only_look=True)
    result = await of_mall(lambda: getattr(connector, scene.capability.value)(about))
    acted = [(call.method, call.path) for call in wire.calls if call.acted]
    assert acted == [], f"{scene.capability}: looking sent {acted}"
    wire.is_watched = False
    return result

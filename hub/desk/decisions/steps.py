"""What a decision still asks for before it may be carried out in a mall's own admin."""

from collections.abc import Collection
from typing import Final

from hub.desk.access import Actor
from hub.desk.acting.action import Action
from hub.desk.decisions.decision import DecisionView, TickView, read_decisions, read_ticks
from hub.desk.services import Services
from hub.policy.card import Card, Request, Step

#: the step that carries the decision out; what stands behind it is done afterwards
_CARRIED_OUT: Final = frozenset({"mall_api", "mall_admin"})
_KIND: Final = {
    Request.CANCEL: "cancel",
    Request.RETURN: "return",
    Request.WITHDRAW_RETURN: "return",
    Request.EXCHANGE: "exchange",
}


class StepsOpenError(Exception):
    """The decision's own steps are not done. ``steps`` are their words, as they were decided."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        super().__init__(f"{len(steps)} steps are open")
        self.steps = steps


async def require_steps_done(
    services: Services, *, actor: Actor, case_id: int, action: Action, line_nos: Collection[str]
) -> None:
    """Hold ``action`` back while the newest decision on one of these lines (none: on any) has open steps before it.

    Raises: ForbiddenError; StepsOpenError.
    """
    made = await read_decisions(services, actor=actor, case_id=case_id)
    if not made:
        return
    ticks = await read_ticks(services, actor=actor, case_id=case_id)
    found = [
        step.text
        for decision in newest_of_lines(made)
        if _KIND.get(decision.card.request) == action.value.rpartition("-")[2]
        and (not line_nos or decision.line_no in line_nos)
        for step in open_before(decision.card, ticks, line_no=decision.line_no)
    ]
    if found:
        raise StepsOpenError(tuple(dict.fromkeys(found)))


def newest_of_lines(made: Collection[DecisionView]) -> tuple[DecisionView, ...]:
    """``made`` is newest first."""
    newest: dict[str, DecisionView] = {}
    for decision in made:
        newest.setdefault(decision.line_no, decision)
    return tuple(newest.values())


def open_before(card: Card, ticks: Collection[TickView], *, line_no: str) -> tuple[Step, ...]:
    """The required steps before the one that carries ``card`` out which nobody has ticked."""
    done = {tick.step for tick in ticks if tick.line_no == line_no}
    before: list[Step] = []
    for step in card.steps:
        if step.key in _CARRIED_OUT:
            break
        if step.required and step.key not in done:
            before.append(step)
    return tuple(before)

"""What can be done about a case: for its claims, its lines and its question, the impossible with the reason.

Whether an action fits is judged by what the hub knows; the connector reads the fresh state again
before it sends anything.
"""

from collections.abc import Iterable, Iterator

from hub.core.contract import Capability, CapabilityState, Manifest, Support
from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.desk.access import Actor, Permission
from hub.desk.acting.action import STEP_BEFORE, Action, fields_of, is_going_on, must_confirm, needs_of
from hub.desk.services import Services
from hub.desk.views import CaseView, ClaimView, InquiryView, LineView, Offer, OfferLine

_S = ClaimState
_WAITING = frozenset({_S.REQUESTED})
_TAKEN = frozenset({_S.APPROVED, _S.ACCEPTED, _S.COLLECTING})
_BACK = frozenset({_S.COLLECTED, _S.INSPECTING, _S.REFUNDING})
_BEFORE_THE_END = _WAITING | _TAKEN | frozenset({_S.COLLECTED, _S.INSPECTING})
#: the states of a claim in which an action makes sense
_CLAIM_STATES = {
    Action.APPROVE_CANCEL: _WAITING,
    Action.REFUSE_CANCEL: _WAITING,
    Action.ACCEPT_RETURN: _WAITING,
    Action.ACCEPT_EXCHANGE: _WAITING,
    Action.COLLECT_RETURN: _TAKEN,
    Action.COLLECT_EXCHANGE: _TAKEN,
    Action.HOLD_RETURN: _BEFORE_THE_END,
    Action.HOLD_EXCHANGE: _BEFORE_THE_END,
    Action.RELEASE_RETURN: frozenset({_S.HOLD}),
    Action.RELEASE_EXCHANGE: frozenset({_S.HOLD}),
    Action.REFUSE_RETURN: _BEFORE_THE_END,
    Action.REFUSE_EXCHANGE: _BEFORE_THE_END,
    Action.COMPLETE_RETURN: _BACK,
    Action.REDELIVER_EXCHANGE: _BACK,
    Action.COMPLETE_EXCHANGE: frozenset({_S.RESHIPPING}),
}
_UNSENT = frozenset({LineStatus.PAID, LineStatus.PREPARING})
_SENT = frozenset({LineStatus.DISPATCHED, LineStatus.DELIVERED})
_ANY = frozenset(LineStatus)
#: the states of a line in which an action makes sense
_LINE_STATES = {
    Action.CONFIRM: frozenset({LineStatus.PAID}),
    Action.DISPATCH: _UNSENT,
    Action.DELAY: _UNSENT,
    Action.MOVE_DELIVERY: _UNSENT,
    Action.SELLER_CANCEL: _UNSENT,
    Action.FILE_RETURN: _SENT,
    Action.FILE_EXCHANGE: _SENT,
    Action.MEMO: _ANY,
    Action.GIVE_POINTS: _ANY,
}
#: an open claim must be decided before these
_NOT_BESIDE_A_CLAIM = frozenset(_LINE_STATES) - {Action.MEMO, Action.GIVE_POINTS}
#: what only the logistics firm may do where the mall has the contract with it
_OF_LOGISTICS = frozenset({Action.CONFIRM, Action.DISPATCH})
#: what makes sense only where the customer has chosen a day of delivery
_OF_WISHES = frozenset({Action.MOVE_DELIVERY})
_CLAIM_KINDS = (ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.EXCHANGE)


def offers_of(services: Services, *, actor: Actor, case: CaseView) -> tuple[Offer, ...]:
    """Claims first, then lines, then the question. None for a mall whose connector is gone."""
    manifest = services.registry.manifests.get(case.row.mark.mall)
    if manifest is None:
        return ()
    desk = _Offers(manifest, actor, case)
    return (*desk.for_claims(), *desk.for_lines(), *desk.for_inquiry())


def waiting_inquiry(case: CaseView) -> InquiryView | None:
    """The question an answer goes to: the newest unanswered one of the thread, else its newest.

    One that the mall has no more only where it has none of the thread.
    """
    thread = [inquiry for inquiry in case.dossier.inquiries if inquiry.thread_no == case.thread_no]
    there = [inquiry for inquiry in thread if inquiry.vanished_at is None]
    waiting = [inquiry for inquiry in there if inquiry.state != "answered"]
    return max(waiting or there or thread, key=lambda inquiry: inquiry.asked_at, default=None)


def answer_limit(services: Services, case: CaseView) -> int:
    """Most characters of an answer that the mall takes."""
    manifest = services.registry.manifests.get(case.row.mark.mall)
    return manifest.answer_limit if manifest else 0


def why_not_attached(services: Services, case: CaseView) -> CapabilityState | None:
    """The way that exists, where an answer cannot carry files; ``None`` where the mall says nothing of it."""
    manifest = services.registry.manifests.get(case.row.mark.mall)
    stated = manifest.capabilities.get(Capability.SEND_ATTACHMENT) if manifest else None
    return stated if stated is not None and stated.state is not Support.YES else None


class _Offers:
    def __init__(self, manifest: Manifest, actor: Actor, case: CaseView) -> None:
        self._manifest = manifest
        self._actor = actor
        self._case = case
        self._steps = [step for step in case.dossier.steps if step.undone_at is None]
        order = case.dossier.order
        self._lines = {line.line_no: line for line in order.lines} if order else {}

    def for_claims(self) -> Iterator[Offer]:
        """Claims of one kind in one state share their actions, whatever number of lines they are on."""
        groups: dict[tuple[ClaimKind, ClaimState], list[ClaimView]] = {}
        for claim in self._case.dossier.claims:
            kind, state = ClaimKind(claim.kind), ClaimState(claim.state)
            if kind in _CLAIM_KINDS and is_going_on(state):
                groups.setdefault((kind, state), []).append(claim)
        for (kind, state), claims in groups.items():
            for action in _CLAIM_STATES:
                if action.claim_kind is kind and (stated := self._stated(action)):
                    why_not = None if self._fits(action, state) else f"state.{action.value.partition('-')[0]}"
                    lines = [_claim_line(claim, self._lines.get(claim.line_no)) for claim in claims]
                    yield self._offer(action, stated, "claim", lines, why_not, kind=kind.value, state=state.value)

    def for_lines(self) -> Iterator[Offer]:
        if not self._lines:
            return
        claimed = {claim.line_no for claim in self._case.dossier.claims if claim.is_open}
        for action, states in _LINE_STATES.items():
            stated = self._stated(action)
            lines = [line for line in self._lines.values() if action not in _OF_WISHES or line.wished_delivery]
            if stated is None or not lines:
                continue
            in_state = [line for line in lines if _is_in(line.status, states)]
            fitting = [line for line in in_state if action not in _OF_LOGISTICS or not line.is_sent_by_logistics]
            free = [line for line in fitting if action not in _NOT_BESIDE_A_CLAIM or line.line_no not in claimed]
            why_not = None
            if not free:
                why_not = "line.logistics" if in_state else f"line.{action.value}"
                why_not = "action.claim_open" if fitting else why_not
            shown = [_offer_line(line) for line in free or fitting or in_state or lines]
            yield self._offer(action, stated, "line", shown, why_not)

    def for_inquiry(self) -> Iterator[Offer]:
        inquiry = waiting_inquiry(self._case)
        if inquiry is None:
            return
        why_not = None if inquiry.vanished_at is None else "inquiry.vanished"
        for action in (Action.ANSWER_INQUIRY, Action.CHANGE_ANSWER):
            stated = self._stated(action)
            is_fitting = action is Action.ANSWER_INQUIRY or inquiry.state == "answered"
            if stated is not None and is_fitting:
                yield self._offer(action, stated, "inquiry", (), why_not, inquiry=inquiry)

    def _stated(self, action: Action) -> CapabilityState | None:
        """What the mall says of it. ``None``: the hub cannot do it yet and knows no other way."""
        stated = self._manifest.capabilities.get(action.capability)
        if stated is None or (stated.state is Support.PLANNED and not stated.instead):
            return None
        return stated

    def _fits(self, action: Action, state: ClaimState) -> bool:
        states = _CLAIM_STATES[action]
        before = STEP_BEFORE.get(action)
        while before is not None and not self._can(before):
            states |= _CLAIM_STATES[before]
            before = STEP_BEFORE.get(before)
        # What a state never seen before allows, the mall itself must say.
        return state in states or state is ClaimState.UNKNOWN

    def _can(self, action: Action) -> bool:
        stated = self._manifest.capabilities.get(action.capability)
        return stated is not None and stated.state is Support.YES

    def _offer(
        self,
        action: Action,
        stated: CapabilityState,
        group: str,
        lines: Iterable[OfferLine],
        why_not: str | None,
        *,
        kind: str | None = None,
        state: str | None = None,
        inquiry: InquiryView | None = None,
    ) -> Offer:
        lines = tuple(lines)
        if stated.state is not Support.YES:
            # Where it would make no sense now, nobody needs the way to the admin either.
            why_not = why_not or "action.mall_cannot"
        elif not self._actor.may(Permission.WORK_CASES):
            why_not = "action.no_right"
        numbers = {line.line_no for line in lines}
        return Offer(
            action=action.value,
            group=group,
            is_allowed=why_not is None,
            must_confirm=must_confirm(action, stated),
            why_not=why_not,
            instead=stated.instead,
            instead_ko=stated.instead_ko,
            warning=stated.warning,
            warning_ko=stated.warning_ko,
            needs=needs_of(action, stated),
            fields=fields_of(action, stated),
            lines=lines,
            kind=kind,
            state=state,
            link=inquiry.link if inquiry else self._link(lines),
            order_no=self._case.row.order_no,
            inquiry_no=inquiry.inquiry_no if inquiry else None,
            steps=tuple(
                step
                for step in self._steps
                if step.action == action.value and (step.line_no in numbers or inquiry is not None)
            ),
        )

    def _link(self, lines: tuple[OfferLine, ...]) -> str | None:
        line = self._lines.get(lines[0].line_no) if lines else None
        return (line.link if line else None) or self._case.dossier.link


def _is_in(status: str, states: frozenset[LineStatus]) -> bool:
    return status == LineStatus.UNKNOWN or LineStatus(status) in states


def _claim_line(claim: ClaimView, line: LineView | None) -> OfferLine:
    if line is None:
        return OfferLine(line_no=claim.line_no, product_name="", option=None, quantity=claim.quantity or 1)
    quantity = claim.quantity or line.quantity
    return OfferLine(line_no=line.line_no, product_name=line.product_name, option=line.option, quantity=quantity)


def _offer_line(line: LineView) -> OfferLine:
    left = line.quantity if line.remaining_quantity is None else line.remaining_quantity
    return OfferLine(line_no=line.line_no, product_name=line.product_name, option=line.option, quantity=left)

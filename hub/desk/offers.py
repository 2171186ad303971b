"""What can be done about a case: every action of its kind, for each line or question that still waits."""

from hub.desk.access import Actor
from hub.desk.act import IRREVERSIBLE, Action, ActionChoice, allowed_actions
from hub.desk.services import Services
from hub.desk.views import CaseView, ClaimView, InquiryView, Offer


def offers_of(services: Services, *, actor: Actor, case: CaseView) -> tuple[Offer, ...]:
    """The impossible ones are listed too, with the reason. None for a mall whose connector is gone."""
    manifest = services.registry.manifests.get(case.row.mark.mall)
    if manifest is None:
        return ()
    offers: list[Offer] = []
    for claim in case.dossier.claims:
        if claim.is_open and claim.kind == case.row.kind:
            choices = allowed_actions(manifest, case_kind=claim.kind, state=claim.state, actor=actor)
            offers += [_claim_offer(choice, case, claim) for choice in choices]
    inquiry = waiting_inquiry(case)
    if inquiry is not None:
        choices = allowed_actions(manifest, case_kind=inquiry.kind, state=inquiry.state, actor=actor)
        offers += [_inquiry_offer(choice, inquiry) for choice in choices]
    return tuple(offers)


def waiting_inquiry(case: CaseView) -> InquiryView | None:
    """The question an answer goes to: the newest unanswered one of the thread, else its newest."""
    thread = [inquiry for inquiry in case.dossier.inquiries if inquiry.thread_no == case.thread_no]
    waiting = [inquiry for inquiry in thread if inquiry.state != "answered"]
    return max(waiting or thread, key=lambda inquiry: inquiry.asked_at, default=None)


def answer_limit(services: Services, case: CaseView) -> int:
    """Most characters of an answer that the mall takes."""
    manifest = services.registry.manifests.get(case.row.mark.mall)
    return manifest.answer_limit if manifest else 0


def _claim_offer(choice: ActionChoice, case: CaseView, claim: ClaimView) -> Offer:
    lines = case.dossier.order.lines if case.dossier.order else ()
    line = next((line for line in lines if line.line_no == claim.line_no), None)
    return Offer(
        action=choice.action.value,
        is_allowed=choice.is_allowed,
        is_irreversible=choice.action in IRREVERSIBLE,
        why_not=choice.why_not,
        instead=choice.instead,
        instead_ko=choice.instead_ko,
        link=(line.link if line else None) or case.dossier.link,
        order_no=case.row.order_no,
        line_no=claim.line_no,
        product_name=line.product_name if line else None,
    )


def _inquiry_offer(choice: ActionChoice, inquiry: InquiryView) -> Offer:
    return Offer(
        action=choice.action.value,
        is_allowed=choice.is_allowed,
        is_irreversible=choice.action is Action.ANSWER_INQUIRY and inquiry.is_public,
        why_not=choice.why_not,
        instead=choice.instead,
        instead_ko=choice.instead_ko,
        link=inquiry.link,
        inquiry_no=inquiry.inquiry_no,
    )

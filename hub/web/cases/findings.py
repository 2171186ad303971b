"""What the answer guard found, as the reply box shows it, and a template taken by a link."""

from typing import Final

from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.acting.answer_guard import digest_of
from hub.desk.acting.offers import waiting_inquiry
from hub.desk.acting.templates import template_choices
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.policy.finding import Finding
from hub.web.cases.acting import ActForm

_EXCERPT: Final = 40


class FindingView(Struct, frozen=True, kw_only=True):
    """``start`` and ``end`` count code points of what was typed; ``words`` are the ones meant."""

    level: str
    words: str
    reason: str
    fix: str
    source: str
    start: int
    end: int


class FindingsView(Struct, frozen=True, kw_only=True):
    """``digest`` names the warnings: a tick for these is none for others. ``is_read``: it was given."""

    findings: tuple[FindingView, ...]
    digest: str
    is_blocking: bool
    is_read: bool = False


def findings_view(text: str, findings: tuple[Finding, ...], *, locale: str, read: str = "") -> FindingsView:
    """Blocking ones first, each with the words it is about and what to do in the reader's language."""
    text = text.strip()
    shown = sorted(findings, key=lambda finding: not finding.is_blocking)
    warnings = tuple(finding for finding in findings if not finding.is_blocking)
    digest = digest_of(text, warnings)
    return FindingsView(
        findings=tuple(_view(text, finding, locale) for finding in shown),
        digest=digest,
        is_blocking=len(warnings) < len(findings),
        is_read=bool(warnings) and read == digest,
    )


def _view(text: str, finding: Finding, locale: str) -> FindingView:
    reason, fix = finding.told(locale)
    words = " ".join(text[finding.start : finding.end].split())
    return FindingView(
        level=finding.level.value,
        words=words if len(words) <= _EXCERPT else f"{words[:_EXCERPT]}…",
        reason=reason,
        fix=fix,
        source=finding.source,
        start=finding.start,
        end=finding.end,
    )


async def chosen_template(services: Services, *, actor: Actor, case: CaseView, template_id: str) -> ActForm | None:
    """A template taken by a link, as if it had been typed. ``None`` for one that the case does not have."""
    inquiry = waiting_inquiry(case)
    if inquiry is None or not template_id:
        return None
    choices = await template_choices(services, actor=actor, case=case)
    choice = next((choice for choice in choices if choice.id == template_id), None)
    if choice is None:
        return None
    return ActForm(action="answer-inquiry", inquiry_no=inquiry.inquiry_no, text=choice.text, template_id=choice.id)

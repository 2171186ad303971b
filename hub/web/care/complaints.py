"""The forms of a complaint on its case: its steps in their order, and the mark of a hard case."""

from typing import Annotated, Any

from litestar import Controller, Response, post
from msgspec import Struct

from hub.desk.care.complaints import ComplaintError, StepGiven, mark_hard, record_step
from hub.desk.care.promise_times import PromiseTimeError, read_due
from hub.desk.care.promises import PromiseError
from hub.desk.care.views import ComplaintStep
from hub.desk.services import Services
from hub.web.auth import Form
from hub.web.care.again import again_with_typed
from hub.web.cases.acting import Notice
from hub.web.cases.page import AT_CASE, Case
from hub.web.forms import row_id


class StepForm(Struct, kw_only=True):
    step: str = ""
    text: str = ""
    cause: str = ""
    due: str = ""
    owner_id: str = ""
    early: str = ""
    token: str = ""


class HardForm(Struct, kw_only=True):
    text: str = ""
    clear: str = ""


def _step(services: Services, form: StepForm) -> StepGiven:
    """Raises: ComplaintError, PromiseTimeError."""
    if form.step not in set(ComplaintStep):
        raise ComplaintError("wrong")
    step = ComplaintStep(form.step)
    due = None
    if step is ComplaintStep.PREVENTION and form.due.strip():
        due = read_due(form.due, now=services.now(), zone=services.settings.zone)
    return StepGiven(
        step=step,
        text=form.text,
        cause=form.cause,
        due_at=due,
        owner_id=row_id(form.owner_id) if form.owner_id else None,
        is_early=bool(form.early),
        token=form.token or None,
    )


class ComplaintController(Controller):
    path = "/cases/{case_id:int}/complaint"
    dependencies = AT_CASE

    @post("/")
    async def step(
        self,
        at: Case,
        data: Annotated[StepForm, Form],
    ) -> Response[Any]:
        try:
            await record_step(at.services, actor=at.actor, case_id=at.case_id, given=_step(at.services, data))
        except (ComplaintError, PromiseError, PromiseTimeError) as error:
            missing = error.missing if isinstance(error, ComplaintError) else None
            words = (("missing", f"@complaint_step.{missing}"),) if missing else ()
            notice = Notice(key=error.key, tone="due" if missing else "wrong", words=words)
            return await again_with_typed(at, "complaint", "step", data, notice)
        return await at.changed("complaint_kept")

    @post("/hard")
    async def hard(
        self,
        at: Case,
        data: Annotated[HardForm, Form],
    ) -> Response[Any]:
        try:
            await mark_hard(at.services, actor=at.actor, case_id=at.case_id, text=data.text, is_hard=not data.clear)
        except ComplaintError as error:
            return await again_with_typed(at, "complaint", "hard", data, error.key)
        return await at.changed("complaint_kept")

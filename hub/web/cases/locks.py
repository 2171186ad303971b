"""Who works on the open case: taken by opening it, kept while the page shows life, asked for, handed over."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.acting.action import Action
from hub.desk.acting.drafts import DraftTooLongError, read_drafts, save_draft
from hub.desk.services import Services
from hub.desk.worklist.locks import (
    AskedError,
    HeldError,
    LockState,
    LockView,
    answer_asker,
    ask_for,
    give_back,
    keep,
    override,
    read_lock,
    require_unheld,
)
from hub.web.auth import HOME, Form
from hub.web.cases.acting import ActForm, Notice, held_by
from hub.web.cases.page import AtCase, back_to, show_again, show_changed
from hub.web.cases.work_list import PageRequest, filter_values, filters_in
from hub.web.render import Given, Pages, Renderer, is_swap, query_string

#: the page of a draft that was sent by a plain form
_FORM: Final = "form"


class ScreenForm(Struct, kw_only=True):
    """``screen``: a name of its own that an open page gave itself."""

    screen: str = ""


class AnswerForm(Struct, kw_only=True):
    grant: str = ""


class DraftForm(Struct, kw_only=True):
    screen: str = ""
    text: str = ""
    template_id: str = ""
    token: str = ""
    replaces: str = ""


async def held_notice(at: AtCase) -> Notice | None:
    """Why this person can do nothing about the case now."""
    try:
        await require_unheld(at.services, actor=at.actor, case_ids=[at.case_id])
    except HeldError as error:
        return held_by(error)
    return None


async def keep_answer(services: Services, actor: Actor, case_id: int, form: ActForm) -> None:
    """An answer that was not sent stays as a draft."""
    if form.action == Action.ANSWER_INQUIRY and form.text.strip():
        try:
            await save_draft(services, actor=actor, case_id=case_id, screen=_FORM, text=form.text)
        except DraftTooLongError:
            # The page itself still shows it.
            return


class LockController(Controller):
    path = "/cases/{case_id:int}/lock"

    @get("/")
    async def bar(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        """The bar as it is now; looking takes nothing."""
        lock = await read_lock(services, actor=request.user, case_id=case_id)
        return _bar(request, pages, case_id, lock)

    @post("/keep", status_code=200)
    async def keep(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[ScreenForm, Form],
    ) -> Response[Any]:
        """A sign of life of an open page: it takes the case if that is free."""
        lock = await keep(services, actor=request.user, case_id=case_id, screen=data.screen or None)
        return _bar(request, pages, case_id, lock)

    @post("/leave", status_code=204)
    async def leave(
        self, request: PageRequest, services: Given, case_id: FromPath[int], data: Annotated[ScreenForm, Form]
    ) -> None:
        """A page is left: the case is given back, unless another page of this person shows life."""
        await give_back(services, actor=request.user, case_id=case_id, screen=data.screen)

    @post("/take")
    async def take(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        lock = await keep(services, actor=request.user, case_id=case_id)
        return await _shown(request, services, pages, case_id, lock)

    @post("/give-back")
    async def give_back(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        await give_back(services, actor=request.user, case_id=case_id)
        if not is_swap(request):
            # Going back to the case would take it again.
            return Redirect(f"{HOME}{query_string(filter_values(filters_in(request)))}", status_code=303)
        return await show_changed(request, services, pages, case_id, "lock_given")

    @post("/ask")
    async def ask(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        try:
            lock = await ask_for(services, actor=request.user, case_id=case_id)
        except AskedError as error:
            notice = Notice(key="notice.lock_asked_by", tone="due", words=(("name", error.name),))
            return await show_again(request, services, pages, case_id, notice)
        return await _shown(request, services, pages, case_id, lock)

    @post("/answer")
    async def answer(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[AnswerForm, Form],
    ) -> Response[Any]:
        """Whoever keeps the case goes on typing: only the bar changes."""
        lock = await answer_asker(services, actor=request.user, case_id=case_id, is_granted=bool(data.grant))
        if data.grant:
            return await show_changed(request, services, pages, case_id, "lock_handed")
        return _bar(request, pages, case_id, lock) if is_swap(request) else back_to(request, case_id, "lock_kept")

    @post("/override")
    async def override(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        lock = await override(services, actor=request.user, case_id=case_id)
        return await _shown(request, services, pages, case_id, lock)


class DraftController(Controller):
    path = "/cases/{case_id:int}/draft"

    @post("/", status_code=200)
    async def save(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[DraftForm, Form],
    ) -> Response[Any]:
        """Keep what stands in the reply box; says when it was kept, or nothing where nothing is left to keep."""
        try:
            await save_draft(
                services,
                actor=request.user,
                case_id=case_id,
                screen=data.screen or _FORM,
                text=data.text,
                template_id=data.template_id,
                token=data.token[:64],
                replaces=int(data.replaces) if _is_id(data.replaces) else None,
            )
        except DraftTooLongError:
            return pages.page(request, "partials/draft_state.html", status=422, drafts=(), is_too_long=True)
        drafts = await read_drafts(services, actor=request.user, case_id=case_id)
        own = tuple(draft for draft in drafts if draft.screen == data.screen)
        return pages.page(request, "partials/draft_state.html", drafts=own, is_too_long=False)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _bar(request: PageRequest, pages: Renderer, case_id: int, lock: LockView) -> Response[Any]:
    if not is_swap(request):
        return Redirect(f"/cases/{case_id}{query_string(filter_values(filters_in(request)))}", status_code=303)
    return pages.page(
        request,
        "partials/lock.html",
        lock=lock,
        base=f"/cases/{case_id}",
        address=filter_values(filters_in(request)),
    )


async def _shown(
    request: PageRequest, services: Services, pages: Renderer, case_id: int, lock: LockView
) -> Response[Any]:
    if lock.state is LockState.MINE:
        return await show_changed(request, services, pages, case_id, "lock_taken")
    if lock.is_asker:
        return await show_changed(request, services, pages, case_id, "lock_asked")
    held = Notice(key="notice.taken_by", tone="due", detail=lock.holder)
    return await show_again(request, services, pages, case_id, held)

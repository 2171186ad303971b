"""Asking contacts from a case: the forms beside each contact, and what becomes of a question."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, post
from litestar.params import FromPath
from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.asks.asking import AskError, AskRequest, answer_as_agent, ask, send_again, withdraw
from hub.desk.asks.text import WrongAnswerError
from hub.desk.asks.ways import WAYS
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.ask_panel import SEND_PATIENCE, look_after
from hub.web.cases.page import show_again, show_changed
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages
from hub.web.words import Words
from routing.chain import Matter


class AskForm(Struct, kw_only=True):
    """``clear``: send the receiver's data unmasked, which needs a ``reason``. ``hot_line``: ask all of it at once."""

    matter: str = ""
    contact: str = ""
    way: str = ""
    token: str = ""
    text: str = ""
    clear: str = ""
    reason: str = ""
    answer: str = ""
    hot_line: str = ""


class AskAnswerForm(Struct, kw_only=True):
    choice: str = ""
    on: str = ""
    text: str = ""


def _request(form: AskForm) -> AskRequest:
    """Raises: AskError for a form that no page of ours made."""
    if form.matter not in set(Matter) or form.way not in WAYS:
        raise AskError("notice.wrong_request")
    if form.clear and not form.reason.strip():
        raise AskError("notice.ask_reason")
    return AskRequest(
        matter=Matter(form.matter),
        contact_key=form.contact,
        way=form.way,
        token=form.token,
        text=form.text,
        reason=form.reason if form.clear else "",
        answer=form.answer if form.way == "call" else "",
        is_hot_line=bool(form.hot_line),
    )


def _refused(error: AskError, actor: Actor) -> Notice:
    words = Words(actor.locale)
    what = ", ".join(words(f"person.{each}") for each in error.detail.split(",")) if error.detail else ""
    return Notice(key=error.key, tone="wrong", detail=what)


_NO_ANSWER: Final = Notice(key="notice.ask_answer_empty", tone="wrong")


class AskController(Controller):
    path = "/cases/{case_id:int}/asks"

    @post("/")
    async def ask(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[AskForm, Form],
    ) -> Response[Any]:
        try:
            await ask(services, actor=request.user, case_id=case_id, request=_request(data))
        except AskError as error:
            return await show_again(request, services, pages, case_id, _refused(error, request.user))
        except WrongAnswerError:
            return await show_again(request, services, pages, case_id, _NO_ANSWER)
        await look_after(services, case_id, patience=SEND_PATIENCE)
        return await show_changed(request, services, pages, case_id, "asked")

    @post("/{ask_id:int}/answer")
    async def answer(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        ask_id: FromPath[int],
        data: Annotated[AskAnswerForm, Form],
    ) -> Response[Any]:
        values = {"choice": data.choice, "on": data.on, "text": data.text}
        try:
            await answer_as_agent(services, actor=request.user, case_id=case_id, ask_id=ask_id, values=values)
        except WrongAnswerError:
            return await show_again(request, services, pages, case_id, _NO_ANSWER)
        return await show_changed(request, services, pages, case_id, "ask_answered")

    @post("/{ask_id:int}/withdraw")
    async def withdraw(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int], ask_id: FromPath[int]
    ) -> Response[Any]:
        await withdraw(services, actor=request.user, case_id=case_id, ask_id=ask_id)
        return await show_changed(request, services, pages, case_id, "ask_withdrawn")

    @post("/{ask_id:int}/send")
    async def send(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int], ask_id: FromPath[int]
    ) -> Response[Any]:
        await send_again(services, actor=request.user, case_id=case_id, ask_id=ask_id)
        await look_after(services, case_id, patience=SEND_PATIENCE)
        return await show_changed(request, services, pages, case_id, "ask_again")

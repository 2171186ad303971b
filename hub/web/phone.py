"""The agent's telephone on every page: who rings, what is known of the caller, the note after the call."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.desk.access import Role
from hub.desk.people import read_people
from hub.desk.phone.agents import PAUSE_REASONS, read_agents, read_own_agent
from hub.desk.phone.notes import NoteError, dismiss, end_rest, flag_abuse, note_topic, read_rest
from hub.desk.phone.pauses import pause_phone, resume_phone
from hub.desk.phone.pop import read_pop
from hub.desk.phone.seats import give_phone
from hub.desk.phone.topics import TOPICS
from hub.desk.services import Services
from hub.web.auth import Form
from hub.web.cases.work_list import PageRequest
from hub.web.more_pages import PersonForm
from hub.web.render import Given, Pages, is_swap

_LONGEST: Final = 200


class TopicForm(Struct, kw_only=True):
    topic: str = ""


class AbuseForm(Struct, kw_only=True):
    """``ends``: the call is ended and a rest begins."""

    text: str = ""
    ends: str = ""


class PauseForm(Struct, kw_only=True):
    reason: str = ""


class SeatForm(Struct, kw_only=True):
    """``member``: MEMBER or PBX/MEMBER; empty: no telephone."""

    login: str = ""
    member: str = ""


class PhoneController(Controller):
    path = "/phone"

    @get("/")
    async def phone(self, request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
        """The bar for any page; as a page of its own where no script fetches it."""
        return await _shown(request, services, pages)

    @get("/agents")
    async def agents(self, request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
        return pages.page(request, "partials/phone_agents.html", agents=await read_agents(services, actor=request.user))

    @post("/seat")
    async def seat(
        self, request: PageRequest, services: Given, pages: Pages, data: Annotated[SeatForm, Form]
    ) -> Response[Any]:
        """Whose telephone is whose; from the people page."""
        try:
            await give_phone(services, actor=request.user, login=data.login[:_LONGEST], member=data.member[:_LONGEST])
        except ConfigurationError as error:
            people = await read_people(services, actor=request.user)
            return pages.page(
                request,
                "pages/people.html",
                status=422,
                people=people,
                roles=tuple(Role),
                wrong=None,
                wrong_phone=str(error),
                typed=PersonForm(),
            )
        return Redirect("/people", status_code=303)

    @post("/{call_id:int}/topic")
    async def topic(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        call_id: FromPath[int],
        data: Annotated[TopicForm, Form],
    ) -> Response[Any]:
        try:
            if data.topic:
                await note_topic(services, actor=request.user, call_id=call_id, topic=data.topic)
            else:
                await dismiss(services, actor=request.user, call_id=call_id)
        except NoteError as error:
            return await _shown(request, services, pages, wrong=error.key)
        return await _after(request, services, pages)

    @post("/{call_id:int}/abuse")
    async def abuse(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        call_id: FromPath[int],
        data: Annotated[AbuseForm, Form],
    ) -> Response[Any]:
        try:
            await flag_abuse(services, actor=request.user, call_id=call_id, text=data.text, ends=bool(data.ends))
        except NoteError as error:
            return await _shown(request, services, pages, wrong=error.key)
        return await _after(request, services, pages)

    @post("/pause")
    async def pause(
        self, request: PageRequest, services: Given, pages: Pages, data: Annotated[PauseForm, Form]
    ) -> Response[Any]:
        try:
            await pause_phone(services, actor=request.user, reason=data.reason)
        except NoteError as error:
            return await _shown(request, services, pages, wrong=error.key)
        return await _after(request, services, pages)

    @post("/resume")
    async def resume(self, request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
        try:
            await resume_phone(services, actor=request.user)
        except NoteError as error:
            return await _shown(request, services, pages, wrong=error.key)
        return await _after(request, services, pages)

    @post("/rest-over")
    async def rest_over(self, request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
        try:
            await end_rest(services, actor=request.user)
        except NoteError as error:
            return await _shown(request, services, pages, wrong=error.key)
        return await _after(request, services, pages)


async def _after(request: PageRequest, services: Services, pages: Pages) -> Response[Any]:
    return await _shown(request, services, pages) if is_swap(request) else Redirect("/phone", status_code=303)


async def _shown(request: PageRequest, services: Services, pages: Pages, wrong: str = "") -> Response[Any]:
    is_part = is_swap(request)
    async with services.database.one_look():
        return pages.page(
            request,
            "partials/phone.html" if is_part else "pages/phone.html",
            status=422 if wrong else 200,
            agents=() if is_part else await read_agents(services, actor=request.user),
            own=await read_own_agent(services, actor=request.user),
            pop=await read_pop(services, actor=request.user),
            rest=await read_rest(services, actor=request.user),
            topics=TOPICS,
            pause_reasons=PAUSE_REASONS,
            wrong=wrong,
        )

"""Where a contact answers a question without an account: ``/answers/{secret}``.

The address is the key, so it stands in no log and no error: whatever breaks is answered here. Looking at the
page changes nothing (mail scanners and chat previews open every link); only a form that is sent answers.
The secret itself proves who sends it and no cookie is read, so there is nothing that another site could
misuse. A forged, an expired and a withdrawn link get the same page.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from sqlalchemy import Row

from hub.core.redact import mask_text
from hub.desk.asks.asking import answer_by_link, contact_named, find_by_link
from hub.desk.asks.sending import LINK_PATH
from hub.desk.asks.text import (
    ANSWER_LIMIT,
    CHOICES,
    DATED,
    LANGUAGES,
    Answer,
    AskWords,
    WrongAnswerError,
    read_answer,
    until_words,
)
from hub.desk.asks.views import open_answer, open_body
from hub.desk.services import Services
from hub.store.database import from_ms, time_of
from hub.web.auth import address_of
from hub.web.render import Given, Pages, Renderer
from routing.chain import Matter

log = structlog.get_logger(__name__)

BODY_LIMIT: Final = 64_000
#: of one network address a minute, and of one link an hour
_LOOKS: Final = 120
_ANSWERS: Final = 30
_SECRET_LIMIT: Final = 100
_HEADERS: Final = {
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cache-control": "no-store",
}

AnswerRequest = Request[Any, Any, State]


class Limiter:
    """So many in a stretch of time for each key, in this process; it forgets what is over."""

    def __init__(self, *, limit: int, span: timedelta, most: int = 10_000) -> None:
        self._limit = limit
        self._span = span
        self._most = most
        self._counts: dict[str, tuple[datetime, int]] = {}

    def allows(self, key: str, *, at: datetime) -> bool:
        """Count one more and say whether it is within the limit."""
        since, count = self._counts.get(key, (at, 0))
        if at - since >= self._span:
            since, count = at, 0
        if key not in self._counts and len(self._counts) >= self._most:
            self._counts = {each: seen for each, seen in self._counts.items() if at - seen[0] < self._span}
            if len(self._counts) >= self._most:
                # Flooded with keys: nobody new until some are over.
                return False
        self._counts[key] = (since, count + 1)
        return count < self._limit


def answer_pages() -> list[ControllerRouterHandler]:
    """The two handlers of the page, with limits of their own."""
    looks = Limiter(limit=_LOOKS, span=timedelta(minutes=1))
    answers = Limiter(limit=_ANSWERS, span=timedelta(hours=1))

    async def guarded(request: AnswerRequest, services: Services, work: Callable[[], Any]) -> Any:
        if not looks.allows(address_of(request) or "", at=services.now()):
            return _plain(429, {"retry-after": "60"})
        try:
            response = await work()
        except Exception:
            # Answered here: whoever answers elsewhere logs the address, and the address is the key.
            log.exception("web.answer.failed")
            return _plain(500, {})
        response.headers.update(_HEADERS)
        return response

    @get(f"{LINK_PATH}/{{secret:str}}", exclude_from_auth=True, exclude_from_csrf=True, name="answer")
    async def answer_page(
        request: AnswerRequest, services: Given, pages: Pages, secret: FromPath[str]
    ) -> Response[Any]:
        async def work() -> Response[Any]:
            row = await find_by_link(services, secret[:_SECRET_LIMIT])
            return _gone(request, pages) if row is None else await _page(request, services, pages, row)

        response: Response[Any] = await guarded(request, services, work)
        return response

    @post(f"{LINK_PATH}/{{secret:str}}", exclude_from_auth=True, exclude_from_csrf=True, name="answer_form")
    async def answer_form(
        request: AnswerRequest, services: Given, pages: Pages, secret: FromPath[str]
    ) -> Response[Any]:
        async def work() -> Response[Any]:
            values = await _form(request)
            row = await find_by_link(services, secret[:_SECRET_LIMIT])
            if row is None:
                return _gone(request, pages)
            if not answers.allows(str(row.id), at=services.now()):
                return _plain(429, {"retry-after": "3600"})
            return await _take(request, services, pages, row, values)

        response: Response[Any] = await guarded(request, services, work)
        return response

    return [answer_page, answer_form]


async def _take(
    request: AnswerRequest, services: Services, pages: Renderer, row: Row[Any], values: dict[str, str]
) -> Response[Any]:
    contact = await contact_named(services, row.contact_key)
    zone = ZoneInfo(contact.timezone) if contact else services.settings.zone
    today = services.now().astimezone(zone).date()
    try:
        answer = read_answer(values, matter=Matter(row.matter), today=today)
    except WrongAnswerError as error:
        return await _page(request, services, pages, row, values=values, wrong=error)
    await answer_by_link(services, row, answer)
    # Where it was read meanwhile the page says so; reloading it sends nothing again.
    return Redirect(request.url.path, status_code=303)


async def _page(
    request: AnswerRequest,
    services: Services,
    pages: Renderer,
    row: Row[Any],
    *,
    values: dict[str, str] | None = None,
    wrong: WrongAnswerError | None = None,
) -> Response[Any]:
    """The question without the customer's data, the usual answers as buttons, and what was answered before."""
    box = services.database.box
    body = open_body(box, row.text_sealed)
    given = open_answer(box, row.answer_sealed) if row.answered_at is not None else None
    words = AskWords(body.language)
    zone = services.settings.zone
    expires = from_ms(row.link_expires_at) or services.now()
    return pages.page(
        request,
        "pages/answer.html",
        status=422 if wrong is not None else 200,
        w=words,
        shop=row.shop,
        matter=row.matter,
        asked_at=until_words(time_of(row.asked_at).astimezone(zone), zone.key, words),
        until=until_words(expires.astimezone(zone), zone.key, words),
        question=mask_text(body.text),
        choices=CHOICES[Matter(row.matter)],
        has_date=bool(DATED & set(CHOICES[Matter(row.matter)])),
        given=given,
        given_text=_shown(given, words),
        is_read=row.answer_read_at is not None,
        values=values or {},
        wrong=words(wrong.key, **wrong.words) if wrong is not None else None,
        limit=ANSWER_LIMIT,
    )


def _shown(answer: Answer | None, words: AskWords) -> str:
    if answer is None:
        return ""
    choice = words(f"choice.{answer.choice}") if answer.choice else ""
    return " · ".join(filter(None, (choice, str(answer.on) if answer.on else "", answer.text)))


def _gone(request: AnswerRequest, pages: Renderer) -> Response[Any]:
    """In every language: nothing is known of who holds it."""
    return pages.page(
        request, "pages/answer_gone.html", status=404, languages=[AskWords(language) for language in LANGUAGES]
    )


def _plain(status: int, headers: dict[str, str]) -> Response[Any]:
    return Response(b"", status_code=status, media_type="text/plain", headers={**_HEADERS, **headers})


async def _form(request: AnswerRequest) -> dict[str, str]:
    """The fields of the form; none of what is no form or is too long, which is then an empty answer."""
    if request.content_type[0] != "application/x-www-form-urlencoded":
        return {}
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_LIMIT:
                return {}
        return dict(parse_qsl(body.decode(), max_num_fields=20))
    except (ClientException, UnicodeDecodeError, ValueError):
        return {}

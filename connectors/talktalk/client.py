"""The one call of TalkTalk that the hub makes: send an event into a conversation.

Source: Naver TalkTalk Chat Bot API V1, sending API and its result codes; confidence: sure. No limit of
calls is published; five a second is our own restraint (confidence: guess).
"""

from collections.abc import Generator
from typing import Final

import httpx
import msgspec

from connectors.talktalk.vocabulary import OK, WRONG_KEY
from connectors.talktalk.wire import ResultWire
from hub.core.errors import AccessError, MallError, RateLimitedError, RejectedByMallError, UnavailableError
from hub.core.http import Limits, MallHttp, Rate, html_error

RATE: Final = Rate(per_second=5.0, capacity=10.0, source="none published; our own restraint (guess)")
_PATH: Final = "/chatbot/v1/event"
_HEADERS: Final = {"Content-Type": "application/json;charset=UTF-8"}
_WAIT_SECONDS: Final = 5.0

_decode = msgspec.json.Decoder(ResultWire).decode


class KeyAuth(httpx.Auth):
    """The key as it is: no "Bearer" before it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._key
        yield request


class TalktalkClient:
    def __init__(self, http: MallHttp) -> None:
        self._http = http

    async def send_text(self, *, user: str, text: str, notification: bool) -> None:
        """Raises: RejectedByMallError with the platform's words; AccessError; OutcomeUnknownError."""
        body = {
            "event": "send",
            "user": user,
            "textContent": {"text": text},
            "options": {"notification": notification},
        }
        content = msgspec.json.encode(body)
        await self._http.write("POST", _PATH, operation="send", content=content, headers=_HEADERS)

    async def try_key(self) -> None:
        """An event that names neither a kind nor a person: nobody is written to, and a wrong key is still refused.

        Raises: AccessError for a wrong key. That the key is looked at before the body is a guess.
        """
        try:
            await self._http.read("POST", _PATH, operation="try_key", content=b"{}", headers=_HEADERS)
        except RejectedByMallError:
            return


def classify(response: httpx.Response) -> MallError | None:
    """``None`` only when the platform says that it took the event."""
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError("too many calls", wait_seconds=_retry_after(response), status=status)
    if status >= 500:
        return UnavailableError("the platform failed", status=status)
    if (page := html_error(response)) is not None:
        return page
    result = _result(response)
    code, words = _code(result), _words(result)
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} or code == WRONG_KEY:
        return AccessError("the key was refused", status=status, mall_code=code, mall_message=words)
    if status >= 400:
        return RejectedByMallError("refused", status=status, mall_code=code, mall_message=words or f"HTTP {status}")
    if result is None or (result.success is None and code is None):
        return UnavailableError("the answer is none of TalkTalk's", status=status)
    if _is_true(result.success) and code in {None, OK}:
        return None
    if result.success is None and code == OK:
        return None
    return RejectedByMallError("refused", status=status, mall_code=code, mall_message=words or f"resultCode {code}")


def read_limits(_response: httpx.Response) -> Limits | None:
    """The platform tells nothing of its limits."""
    return None


def _result(response: httpx.Response) -> ResultWire | None:
    try:
        return _decode(response.content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _code(result: ResultWire | None) -> str | None:
    if result is None or isinstance(result.result_code, bool) or not isinstance(result.result_code, str | int):
        return None
    return str(result.result_code).zfill(2)


def _words(result: ResultWire | None) -> str | None:
    return result.result_message if result is not None and isinstance(result.result_message, str) else None


def _is_true(value: object) -> bool:
    return value is True or value == "true"


def _retry_after(response: httpx.Response) -> float:
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else _WAIT_SECONDS

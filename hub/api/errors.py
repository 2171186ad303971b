"""Every error is ``{"error": {"code", "message"}}``; the code is for programs, the message for their authors."""

from typing import Any, Final

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException
from msgspec import Struct

from hub.api.shapes import to_json
from hub.core.errors import ConfigurationError, MallError, NotFoundAtMallError, UnsupportedByMallError
from hub.desk.access import ForbiddenError
from hub.desk.acting.act import ReusedTokenError
from hub.desk.acting.action import WrongRequestError
from hub.desk.cases.case import NotFoundError
from hub.desk.cases.notes import NoteError
from hub.desk.customers.links import LinkError
from hub.desk.customers.marks import MarkError
from hub.desk.worklist.assign import TakenError
from hub.desk.worklist.locks import AskedError, HeldError

log = structlog.get_logger(__name__)

_CODES: Final = {
    400: "wrong_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "wrong_media_type",
}

#: why something was not stored, by the key that the screens have words for
_REASONS: Final = {
    "customer_is_same": "both records say themselves that they are of one person",
    "customer_joined": "other decisions make these one person; take one of those back first",
    "customer_told_apart": "other decisions tell these apart; take one of those back first",
    "customer_too_many": "this would join more identities than a person has",
    "mark_without_end": "days: abuse is not marked without an end",
    "mark_days": "days: more or fewer than a mark may last",
    "mark_reason_missing": "reason: a mark is set and cleared with a reason",
    "mark_reason_long": "reason: it is too long",
    "note_empty": "text: it is empty",
    "note_long": "text: it is too long",
}

AnyRequest = Request[Any, Any, Any]


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """``fix`` says what to do, where there is something to do."""

    code: str
    message: str
    fix: str | None = None


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    error: ErrorDetail


class BadQueryError(ValueError):
    """A parameter of the address makes no sense; the message names it."""


def _answer(status: int, code: str, message: str, fix: str | None = None) -> Response[bytes]:
    detail = ErrorDetail(code=code, message=message, fix=fix)
    return Response(to_json(ErrorAnswer(error=detail)), status_code=status, media_type=MediaType.JSON)


def http_error(_: AnyRequest, error: HTTPException) -> Response[bytes]:
    """What the framework refuses: no such path, wrong parameters, no session, no token."""
    code = _CODES.get(error.status_code, "wrong_request" if error.status_code < 500 else "failed")
    if code == "forbidden":
        # The only one the framework raises: a POST without its token.
        return _answer(403, "csrf", "send the value of the cookie hub_csrf in the header x-csrftoken")
    wrong = [item for item in error.extra if isinstance(item, dict)] if isinstance(error.extra, list) else []
    if error.status_code == 401:
        return _answer(401, "not_signed_in", "there is no session; sign in at /sign-in")
    named = "; ".join(f"{item.get('key', '')}: {item.get('message', '')}" for item in wrong)
    return _answer(error.status_code, code, named or (error.detail if error.status_code < 500 else "failed"))


def _forbidden(_: AnyRequest, error: ForbiddenError) -> Response[bytes]:
    return _answer(403, "forbidden", str(error))


def _not_found(_: AnyRequest, error: Exception) -> Response[bytes]:
    return _answer(404, "not_found", str(error) or "there is no such thing")


def _wrong(_: AnyRequest, error: Exception) -> Response[bytes]:
    return _answer(400, "wrong_request", str(error))


def _held(_: AnyRequest, error: HeldError) -> Response[bytes]:
    return _answer(409, "held", str(error), "Ask them to give the case back, or wait until they have.")


def _taken(_: AnyRequest, error: TakenError | AskedError) -> Response[bytes]:
    if isinstance(error, TakenError):
        return _answer(409, "taken", f"{error.name} has this case", "Ask them or a supervisor to give it.")
    return _answer(409, "asked", f"{error.name} has asked for this case already", "Ask again in a minute.")


def _refused(_: AnyRequest, error: LinkError | MarkError | NoteError) -> Response[bytes]:
    return _answer(400, "wrong_request", _REASONS[error.key.removeprefix("notice.")])


def _reused(_: AnyRequest, error: ReusedTokenError) -> Response[bytes]:
    return _answer(409, "reused_token", str(error), "Choose a new token to send this as well.")


def _misconfigured(_: AnyRequest, error: ConfigurationError) -> Response[bytes]:
    return _answer(409, "configuration", error.what, error.fix)


def _unsupported(_: AnyRequest, error: UnsupportedByMallError) -> Response[bytes]:
    return _answer(409, "unsupported", error.message, error.instead)


def _mall(_: AnyRequest, error: MallError) -> Response[bytes]:
    return _answer(502, "mall", error.message)


def _failed(request: AnyRequest, error: Exception) -> Response[bytes]:
    log.error("api.request.failed", path=request.url.path, exc_info=error)
    return _answer(500, "failed", "this is a fault of the hub; its log says more")


HANDLERS: Final[dict[int | type[Exception], Any]] = {
    HTTPException: http_error,
    NotAuthorizedException: http_error,
    ForbiddenError: _forbidden,
    NotFoundError: _not_found,
    NotFoundAtMallError: _not_found,
    HeldError: _held,
    TakenError: _taken,
    AskedError: _taken,
    LinkError: _refused,
    MarkError: _refused,
    NoteError: _refused,
    ReusedTokenError: _reused,
    WrongRequestError: _wrong,
    BadQueryError: _wrong,
    ConfigurationError: _misconfigured,
    UnsupportedByMallError: _unsupported,
    MallError: _mall,
    Exception: _failed,
}

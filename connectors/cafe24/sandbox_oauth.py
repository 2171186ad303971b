"""The sign-in of the emulated Cafe24: an owner who consents at once, codes, tokens, revocation.

Source: Cafe24 developer guide, OAuth 2.0: the code lives one minute, the token call is a form with
Basic authentication; confidence: sure. Text of token errors and of a denied consent: likely.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from connectors.cafe24.sandbox_http import SCOPES, Json, Tokens
from hub.sandbox.asgi import Request, Response

_ROOT = "/api/v2/oauth/"
_CODE_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    redirect_uri: str
    scopes: frozenset[str]
    until: datetime


class OAuth:
    """``is_denied``: the owner says no. ``withheld``: scopes that the app was not registered with."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._codes: dict[str, _Code] = {}
        self._made = 0
        self.is_denied = False
        self.withheld: set[str] = set()

    def answer(self, request: Request) -> Response | None:
        """``None`` for a path that is none of the sign-in's."""
        step = (request.method, request.path.removeprefix(_ROOT))
        if step == ("GET", "authorize"):
            return self._authorize(request)
        if step == ("POST", "token"):
            return self._refused(request) or self._token(request.form())
        if step == ("POST", "revoke"):
            return self._refused(request) or self._revoke(request.form())
        return None

    def _authorize(self, request: Request) -> Response:
        """The page on which the owner consents; this one has pressed the button already."""
        query = request.query
        back = query.get("redirect_uri", "")
        if query.get("client_id") != self._tokens.client_id or not urlsplit(back).hostname:
            return _error("invalid_request", "Unknown client_id or redirect_uri")
        state = {"state": query["state"]} if "state" in query else {}
        scopes = frozenset(re.split(r"[\s,]+", query.get("scope", "").strip()))
        if self.is_denied:
            return _to(back, {"error": "access_denied", "error_description": "The owner did not agree.", **state})
        if query.get("response_type") != "code" or not scopes <= SCOPES:
            return _to(back, {"error": "invalid_scope", "error_description": "Unknown scope.", **state})
        self._made += 1
        code = f"cD{self._made}.{self._tokens.mall_id}"
        self._codes[code] = _Code(
            redirect_uri=back, scopes=scopes - self.withheld, until=self._tokens.now() + _CODE_LIFE
        )
        return _to(back, {"code": code, **state})

    def _refused(self, request: Request) -> Response | None:
        expected = base64.b64encode(f"{self._tokens.client_id}:{self._tokens.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return _error("invalid_client", "Client authentication failed", status=401)
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _error("invalid_request", "The body must be form-urlencoded")
        return None

    def _token(self, form: dict[str, str]) -> Response:
        grant = form.get("grant_type")
        if grant == "refresh_token":
            if not self._tokens.accepts(form.get("refresh_token", "")):
                return _error("invalid_grant", "Invalid refresh_token")
            self._tokens.refreshes += 1
            return Response(content=self._tokens.issue())
        if grant == "authorization_code":
            code = self._codes.pop(form.get("code", ""), None)  # whatever becomes of it, it works once
            if code is None or code.until < self._tokens.now() or code.redirect_uri != form.get("redirect_uri"):
                return _error("invalid_grant", "Invalid authorization_code")
            self._tokens.scopes = set(code.scopes)
            return Response(content=self._tokens.issue())
        return _error("unsupported_grant_type", "Unknown grant_type")

    def _revoke(self, form: dict[str, str]) -> Response:
        self._tokens.revoke(form.get("token", ""))
        return Response()


def _to(address: str, values: Json) -> Response:
    sign = "&" if urlsplit(address).query else "?"
    return Response(status=302, headers={"Location": f"{address}{sign}{urlencode(values)}"})


def _error(error: str, description: str, *, status: int = 400) -> Response:
    return Response(status=status, content={"error": error, "error_description": description})

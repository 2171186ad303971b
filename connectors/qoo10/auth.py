"""The seller authorization key: given ready, or issued with the API key and kept for a year.

Source: CertificationAPI.CreateCertificationKey (QAPI 1.0), seller system guides for the one year;
confidence: sure for the call, likely for the life.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta

import httpx
import msgspec
from msgspec import Struct

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.settings import Qoo10Credentials
from connectors.qoo10.wire import decode_envelope, text
from hub.core.contract import SecretStore
from hub.core.errors import AccessError, MalformedResponseError, MallTimeoutError, UnavailableError
from hub.core.http import TokenAuth

HEADER = "GiosisCertificationKey"
LIFE = timedelta(days=365)


class IssuedKey(Struct, frozen=True, kw_only=True):
    """What the secret store keeps: the key verbatim and when Qoo10 will end it (aware UTC)."""

    key: str
    ends_at: datetime

    def __repr__(self) -> str:
        return f"IssuedKey(ends_at={self.ends_at.isoformat()})"


class SellerKey(httpx.Auth):
    """A ready key: it cannot be renewed here, so a refusal goes to a person."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def ends_at(self) -> datetime | None:
        """When the key ends: not known, Qoo10 told it to whoever had it issued."""
        return None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers[HEADER] = self._key
        yield request


class IssuedKeyAuth(TokenAuth):
    """Has a key issued when there is none or Qoo10 refuses it; once, never in a loop.

    A new key that is refused at its first use is not replaced by another one: the refusal goes to
    the caller, so a locked account gets no storm of logins.
    """

    def __init__(
        self,
        *,
        credentials: Qoo10Credentials,
        secrets: SecretStore,
        client: httpx.AsyncClient,
        take: Callable[[], Awaitable[object]],
        now: Callable[[], datetime],
    ) -> None:
        """``client`` sends without auth; ``take`` waits for a place in the shop's rate."""
        super().__init__(secrets=secrets, name="seller_key")
        self._credentials = credentials
        self._client = client
        self._take = take
        self._now = now
        self._is_untried = False

    async def ends_at(self) -> datetime | None:
        return _decode(await self.token()).ends_at

    async def fetch(self, stored: str | None) -> str:  # noqa: ARG002  a refused key is of no use for a new one
        """Raises: AccessError when Qoo10 issues none; UnavailableError or MallTimeoutError to try later."""
        key = await self._issue()
        self._is_untried = True
        return msgspec.json.encode(IssuedKey(key=key, ends_at=self._now() + LIFE)).decode()

    async def _issue(self) -> str:
        api_key, password = self._credentials.api_key, self._credentials.password
        if api_key is None or password is None:
            raise AccessError("no API key to have a seller authorization key issued with")
        await self._take()
        try:
            response = await self._client.post(
                codes.CREATE_KEY,
                data={
                    "user_id": self._credentials.user_id or "",
                    "pwd": password.get_secret_value(),
                    "returnType": "application/json",
                },
                headers={HEADER: api_key.get_secret_value(), "QAPIVersion": "1.0"},
            )
        except httpx.TransportError as error:
            message = f"no seller authorization key: the connection broke ({type(error).__name__})"
            raise MallTimeoutError(message, operation=codes.CREATE_KEY) from error
        if response.status_code != httpx.codes.OK:
            message = "no seller authorization key: the mall is not available"
            raise UnavailableError(message, status=response.status_code, operation=codes.CREATE_KEY)
        return _key_in(response)

    def is_fresh(self, token: str) -> bool:
        try:
            return _decode(token).ends_at > self._now()
        except msgspec.MsgspecError:
            return False

    def apply(self, request: httpx.Request, token: str) -> None:
        request.headers[HEADER] = _decode(token).key

    async def is_refused(self, response: httpx.Response) -> bool:
        try:
            code = decode_envelope(response.content).code
        except (ValueError, MalformedResponseError):
            return False
        if code not in codes.KEY_REFUSED:
            self._is_untried = False
            return False
        return not self._is_untried


def _decode(token: str) -> IssuedKey:
    return msgspec.json.decode(token, type=IssuedKey)


def _key_in(response: httpx.Response) -> str:
    try:
        envelope = decode_envelope(response.content)
    except ValueError as error:
        message = "no seller authorization key: the answer is no JSON"
        raise UnavailableError(message, status=response.status_code, operation=codes.CREATE_KEY) from error
    if envelope.code != 0:
        raise AccessError(
            "Qoo10 issued no seller authorization key: check api_key, user_id and password",
            operation=codes.CREATE_KEY,
            mall_code=str(envelope.code),
            mall_message=envelope.message,
        )
    try:
        key = text(msgspec.json.decode(envelope.result, type=str))
    except msgspec.MsgspecError:
        key = None
    if key is None or not key.isascii() or not key.isprintable():
        raise MalformedResponseError("the issued key is no text", path="ResultObject", operation=codes.CREATE_KEY)
    return key

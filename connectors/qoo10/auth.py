"""The seller authorization key: given ready, or issued with the API key and kept for a year.

Source: CertificationAPI.CreateCertificationKey (QAPI 1.0), seller system guides for the one year;
confidence: sure for the call, likely for the life.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta

import httpx
import msgspec
from msgspec import Struct, structs

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.mapping import ZONE
from connectors.qoo10.settings import Qoo10Credentials
from connectors.qoo10.wire import decode_envelope, text
from hub.core.contract import SecretStore
from hub.core.errors import AccessError, MalformedResponseError, MallTimeoutError, UnavailableError
from hub.core.http import TokenAuth

HEADER = "GiosisCertificationKey"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
LIFE = timedelta(days=365)


#: after Qoo10 has issued none it is not asked again for this long: every feed of a run would, and lock the account
_QUIET = timedelta(minutes=1)
#: after a new key was refused no other is asked for, until a person has had the time to act
_PATIENCE = timedelta(days=1)


class IssuedKey(Struct, frozen=True, kw_only=True):
    """What the secret store keeps: the key verbatim and when Qoo10 will end it (aware UTC).

    ``useless_at``: when it was refused although it was new, so that another one would be too.
    """

    key: str
    ends_at: datetime
    useless_at: datetime | None = None

    def __repr__(self) -> str:
        return f"IssuedKey(ends_at={self.ends_at.isoformat()})"


class SellerKey(httpx.Auth):
    """A ready key: it cannot be renewed here, so a refusal goes to a person."""

    def __init__(self, key: str, *, issued_on: date | None = None) -> None:
        self._key = key
        self._issued_on = issued_on

    async def ends_at(self) -> datetime | None:
        """When the key ends; ``None`` where nobody said on which day (of Japan) it was issued."""
        if self._issued_on is None:
            return None
        return datetime.combine(self._issued_on, time(), tzinfo=ZONE).astimezone(UTC) + LIFE

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers[HEADER] = self._key
        yield request


class IssuedKeyAuth(TokenAuth):
    """Has a key issued when there is none or Qoo10 refuses it; once, never in a loop.

    A new key that is refused at its first use is not replaced by another one, not by the next run
    either: the refusal goes to the caller, so a locked account gets no storm of logins.
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
        self._not_issued: tuple[datetime, AccessError] | None = None

    async def ends_at(self) -> datetime | None:
        return _decode(await self.token()).ends_at

    async def fetch(self, stored: str | None) -> str:  # noqa: ARG002  a refused key is of no use for a new one
        """Raises: AccessError when Qoo10 issues none; UnavailableError or MallTimeoutError to try later."""
        if self._not_issued is not None and self._now() < self._not_issued[0] + _QUIET:
            raise self._not_issued[1]
        try:
            key = await self._issue()
        except AccessError as error:
            self._not_issued = self._now(), error
            raise
        self._not_issued, self._is_untried = None, True
        return _encode(IssuedKey(key=key, ends_at=self._now() + LIFE))

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
                headers={HEADER: api_key.get_secret_value(), "QAPIVersion": "1.0", "Content-Type": FORM},
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
        held = None if self._token is None else _decode(self._token)
        if held is None:
            return False
        if code not in codes.KEY_REFUSED:
            self._is_untried = False
            if held.useless_at is not None:
                await self._mark(held, useless_at=None)
            return False
        if self._is_untried and held.useless_at is None:
            await self._mark(held, useless_at=self._now())
            return False
        is_useless = held.useless_at is not None and self._now() < held.useless_at + _PATIENCE
        return not is_useless or await self._is_replaced(held)

    async def _mark(self, held: IssuedKey, *, useless_at: datetime | None) -> None:
        """Note what the key is worth for whoever comes later, unless another one has taken its place."""
        async with self._secrets.lock(self._name):
            if not await self._is_replaced(held):
                self._token = _encode(structs.replace(held, useless_at=useless_at))
                await self._secrets.put(self._name, self._token)

    async def _is_replaced(self, held: IssuedKey) -> bool:
        """Whether another process holds another key by now."""
        stored = await self._secrets.get(self._name)
        return stored is not None and _decode(stored).key != held.key


def _encode(key: IssuedKey) -> str:
    return msgspec.json.encode(key).decode()


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

"""OAuth 2.0 of Cafe24: a rotating refresh token with exactly one refresher."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

import httpx
import msgspec
from msgspec import Meta, Struct

from connectors.cafe24.settings import Cafe24Credentials
from hub.core.contract import SecretStore
from hub.core.errors import AccessError, MallTimeoutError, OutcomeUnknownError, RateLimitedError, UnavailableError
from hub.core.http import TokenAuth

KST = ZoneInfo("Asia/Seoul")
TOKEN_NAME = "token"  # noqa: S105  # the name of the state, not a secret
TOKEN_PATH = "/api/v2/oauth/token"  # noqa: S105
#: a token that ends sooner than this is renewed before use
MARGIN = timedelta(minutes=5)
#: documented life of an access token, used when the answer does not tell (confidence: sure)
ACCESS_LIFE = timedelta(hours=2)


class TokenAnswer(Struct, frozen=True):
    """POST /oauth/token. Times are KST without offset; there is no expires_in (confidence: likely)."""

    access_token: Annotated[str, Meta(min_length=1)]
    refresh_token: str | None = None
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None
    issued_at: str | None = None
    scopes: list[str] | str | None = None


class TokenState(Struct, frozen=True, kw_only=True):
    """What is kept in the secret store. ``seed`` marks the credentials it grew from: the configured refresh
    token, or that there was none when the owner consented in the browser.
    """

    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    seed: str = ""
    renewed_at: datetime | None = None


_state_decoder = msgspec.json.Decoder(TokenState)
_answer_decoder = msgspec.json.Decoder(TokenAnswer, strict=False)


@lru_cache(maxsize=8)
def read_state(text: str) -> TokenState | None:
    """Back from the store; ``None`` when another version wrote it."""
    try:
        return _state_decoder.decode(text)
    except msgspec.MsgspecError:
        return None


class Cafe24Auth(TokenAuth):
    """Bearer token, renewed by the refresh token before it ends or when it is refused.

    The answer to a refresh carries a new refresh token and ends the old one at once: the pair is in
    the store before anything uses it. When the answer is lost, a person must consent again.
    Source: Cafe24 developer guide, OAuth 2.0 and refresh token; confidence: sure.
    """

    def __init__(
        self,
        *,
        secrets: SecretStore,
        credentials: Cafe24Credentials,
        client: httpx.AsyncClient,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(secrets=secrets, name=TOKEN_NAME)
        self._credentials = credentials
        self._client = client
        self._now = now
        seed = credentials.refresh_token.get_secret_value() if credentials.refresh_token is not None else ""
        self._seed_mark = hashlib.sha256(seed.encode()).hexdigest()[:16]

    def is_fresh(self, token: str) -> bool:
        state = read_state(token)
        # A changed seed means that a person consented again: the stored pair is of the old consent.
        if state is None or state.seed != self._seed_mark:
            return False
        return self._now() + _margin(state) < state.expires_at

    def apply(self, request: httpx.Request, token: str) -> None:
        state = read_state(token)
        if state is not None:
            request.headers["Authorization"] = f"Bearer {state.access_token}"

    async def state(self) -> TokenState | None:
        """The token in use, renewed first when it is old."""
        return read_state(await self.token())

    async def stored(self) -> TokenState | None:
        """The pair that is kept, however old; ``None`` when there is none of this consent. No call."""
        text = await self._secrets.get(TOKEN_NAME)
        state = read_state(text) if text is not None else None
        return state if state is not None and state.seed == self._seed_mark else None

    async def renew(self) -> TokenState | None:
        """Trade the pair for a new one although it may be young. Raises as :meth:`fetch`."""
        return read_state(await self.token(refused=await self._secrets.get(TOKEN_NAME)))

    async def redeem(self, *, code: str, redirect_uri: str) -> TokenState:
        """Trade a code for a pair, once; the pair is kept before anything else happens.

        Raises: AccessError when the mall refuses the code, OutcomeUnknownError when the answer was lost,
        TransientMallError when the mall was not reached or did not look at it.
        """
        async with self._secrets.lock(TOKEN_NAME):
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
            try:
                response = await self._post(form)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise UnavailableError("could not reach the mall", operation="consent") from error
            except httpx.TransportError as error:
                raise _lost("the answer did not come") from error
            status = response.status_code
            if status == httpx.codes.TOO_MANY_REQUESTS:
                raise RateLimitedError("the token endpoint asks for a pause", wait_seconds=5.0, operation="consent")
            if httpx.codes.BAD_REQUEST <= status < httpx.codes.INTERNAL_SERVER_ERROR:
                message = "the mall does not accept the code: it lives one minute and works once"
                raise AccessError(message, operation="consent", status=status, mall_code=_oauth_error(response))
            try:
                answer = _answer_decoder.decode(response.content if response.is_success else b"")
            except msgspec.MsgspecError as error:
                raise _lost("the answer is not readable") from error
            if not answer.refresh_token:
                raise _lost("the answer holds no refresh token")
            state = self._state_of(answer, refresh_token=answer.refresh_token)
            kept = msgspec.json.encode(state).decode()
            await self._secrets.put(TOKEN_NAME, kept)
            self._token = kept
            return state

    async def fetch(self, stored: str | None) -> str:
        """Trade the newest refresh token for a new pair.

        Raises: AccessError when the mall does not accept it (a person must consent again),
        TransientMallError when the mall could not be asked.
        """
        used = self._refresh_token(stored)
        response = await self._ask(used)
        try:
            answer = _answer_decoder.decode(response.content)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if (said := _oauth_error(response)) is not None:
                raise _not_accepted(response.status_code, said) from error
            message = "the answer of the token endpoint is not readable"
            raise UnavailableError(message, operation="token", status=response.status_code) from error
        # An answer that names no new refresh token leaves the old one in use.
        return msgspec.json.encode(self._state_of(answer, refresh_token=answer.refresh_token or used)).decode()

    def _refresh_token(self, stored: str | None) -> str:
        state = read_state(stored) if stored is not None else None
        if state is not None and state.seed == self._seed_mark:
            return state.refresh_token
        if self._credentials.refresh_token is None:
            message = "nobody has consented yet: let the mall's owner consent on the shop's page of the desk"
            raise AccessError(message, operation="token")
        return self._credentials.refresh_token.get_secret_value()

    async def _post(self, form: dict[str, str]) -> httpx.Response:
        basic = httpx.BasicAuth(self._credentials.client_id, self._credentials.client_secret.get_secret_value())
        return await self._client.post(TOKEN_PATH, data=form, auth=basic)

    async def _ask(self, refresh_token: str) -> httpx.Response:
        try:
            response = await self._post({"grant_type": "refresh_token", "refresh_token": refresh_token})
        except httpx.TransportError as error:
            message = f"the token endpoint did not answer ({type(error).__name__})"
            raise MallTimeoutError(message, operation="token") from error
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise RateLimitedError("the token endpoint asks for a pause", wait_seconds=5.0, operation="token")
        is_transient = status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT
        if is_transient or response.is_redirect:
            raise UnavailableError("the token endpoint is not available", operation="token", status=status)
        if status >= httpx.codes.BAD_REQUEST:
            raise _not_accepted(status, _oauth_error(response))
        return response

    def _state_of(self, answer: TokenAnswer, *, refresh_token: str) -> TokenState:
        now = self._now()
        scopes = answer.scopes or ()
        if isinstance(scopes, str):
            scopes = scopes.replace(",", " ").split()
        return TokenState(
            access_token=answer.access_token,
            refresh_token=refresh_token,
            expires_at=_end(answer, now=now),
            refresh_expires_at=_expiry(answer.refresh_token_expires_at, issued_at=answer.issued_at, now=now),
            scopes=tuple(scopes),
            seed=self._seed_mark,
            renewed_at=now,
        )


def _margin(state: TokenState) -> timedelta:
    """How long before its end a token is renewed: a quarter of a life that is short."""
    if state.renewed_at is None:
        return MARGIN
    return min(MARGIN, (state.expires_at - state.renewed_at) / 4)


def _not_accepted(status: int, said: str | None) -> AccessError:
    """What a person must do, by the mall's own word for it."""
    if said == "invalid_client":
        message = "client_id or client_secret is not accepted: take both from the app in the developer centre"
    else:
        message = (
            "the refresh token is no longer accepted: the mall owner must consent again (re-consent) on the "
            "shop's page of the desk, or a new refresh_token go into the shop's credentials"
        )
    return AccessError(message, operation="token", status=status, mall_code=said)


def _end(answer: TokenAnswer, *, now: datetime) -> datetime:
    """When a new access token ends; one that would be over already tells of a wrong clock, not of its life."""
    end = _expiry(answer.expires_at, issued_at=answer.issued_at, now=now)
    return end if end is not None and end > now else now + ACCESS_LIFE


def _lost(why: str) -> OutcomeUnknownError:
    message = f"{why}: whether the mall gave its consent is not known, the owner must consent again"
    return OutcomeUnknownError(message, operation="consent")


def _expiry(text: str | None, *, issued_at: str | None, now: datetime) -> datetime | None:
    """When a token ends on our own clock.

    The mall's own life time (end minus issue) is counted from now, so that a wrong clock on either
    side does no harm; without an issue time the naive KST end is taken as it is.
    """
    end, issued = _kst(text), _kst(issued_at)
    if end is None:
        return None
    return now + (end - issued) if issued is not None and issued < end else end


def _kst(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=KST)


class _OAuthError(Struct):
    error: str | None = None


def _oauth_error(response: httpx.Response) -> str | None:
    try:
        found = msgspec.json.decode(response.content, type=_OAuthError)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found.error

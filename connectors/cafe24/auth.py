"""OAuth 2.0 of Cafe24: a rotating refresh token with exactly one refresher."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import httpx
import msgspec
from msgspec import Struct

from connectors.cafe24.settings import Cafe24Credentials
from hub.core.contract import SecretStore
from hub.core.errors import AccessError, MallTimeoutError, RateLimitedError, UnavailableError
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

    access_token: str
    refresh_token: str
    expires_at: str | None = None
    refresh_token_expires_at: str | None = None
    issued_at: str | None = None
    scopes: list[str] | str | None = None


class TokenState(Struct, frozen=True, kw_only=True):
    """What is kept in the secret store. ``seed`` marks the configured refresh token it grew from."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    seed: str = ""


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
        seed = credentials.refresh_token.get_secret_value()
        self._seed_mark = hashlib.sha256(seed.encode()).hexdigest()[:16]

    def is_fresh(self, token: str) -> bool:
        state = read_state(token)
        # A changed seed means that a person consented again: the stored pair is of the old consent.
        return state is not None and state.seed == self._seed_mark and self._now() + MARGIN < state.expires_at

    def apply(self, request: httpx.Request, token: str) -> None:
        state = read_state(token)
        if state is not None:
            request.headers["Authorization"] = f"Bearer {state.access_token}"

    async def state(self) -> TokenState | None:
        """The token in use, renewed first when it is old."""
        return read_state(await self.token())

    async def fetch(self, stored: str | None) -> str:
        """Trade the newest refresh token for a new pair.

        Raises: AccessError when the mall does not accept it (a person must consent again),
        TransientMallError when the mall could not be asked.
        """
        response = await self._ask(self._refresh_token(stored))
        try:
            answer = _answer_decoder.decode(response.content)
        except msgspec.MsgspecError as error:
            message = "the answer of the token endpoint is not readable"
            raise UnavailableError(message, operation="token", status=response.status_code) from error
        state = self._state_of(answer)
        return msgspec.json.encode(state).decode()

    def _refresh_token(self, stored: str | None) -> str:
        state = read_state(stored) if stored is not None else None
        if state is not None and state.seed == self._seed_mark:
            return state.refresh_token
        return self._credentials.refresh_token.get_secret_value()

    async def _ask(self, refresh_token: str) -> httpx.Response:
        basic = httpx.BasicAuth(self._credentials.client_id, self._credentials.client_secret.get_secret_value())
        try:
            response = await self._client.post(
                TOKEN_PATH, data={"grant_type": "refresh_token", "refresh_token": refresh_token}, auth=basic
            )
        except httpx.TransportError as error:
            message = f"the token endpoint did not answer ({type(error).__name__})"
            raise MallTimeoutError(message, operation="token") from error
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise RateLimitedError("the token endpoint asks for a pause", wait_seconds=5.0, operation="token")
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or response.is_redirect:
            raise UnavailableError("the token endpoint is not available", operation="token", status=status)
        if status >= httpx.codes.BAD_REQUEST:
            message = (
                "the refresh token is no longer accepted: the mall owner must consent again (re-consent) "
                "and the new refresh_token go into the shop's credentials"
            )
            raise AccessError(message, operation="token", status=status, mall_code=_oauth_error(response))
        return response

    def _state_of(self, answer: TokenAnswer) -> TokenState:
        now = self._now()
        scopes = answer.scopes or ()
        if isinstance(scopes, str):
            scopes = scopes.replace(",", " ").split()
        return TokenState(
            access_token=answer.access_token,
            refresh_token=answer.refresh_token,
            expires_at=_expiry(answer.expires_at, issued_at=answer.issued_at, now=now) or now + ACCESS_LIFE,
            refresh_expires_at=_expiry(answer.refresh_token_expires_at, issued_at=answer.issued_at, now=now),
            scopes=tuple(scopes),
            seed=self._seed_mark,
        )


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
    except msgspec.MsgspecError:
        return None
    return found.error

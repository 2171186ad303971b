"""The token of one application: a bcrypt signature buys a bearer token.

Source: Naver Commerce API, 인증 (authentication); confidence: sure.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import bcrypt
import httpx
import msgspec
from msgspec import Struct

from connectors.smartstore.settings import SmartstoreCredentials
from hub.core.contract import SecretStore
from hub.core.errors import AccessError, MallError, UnavailableError
from hub.core.http import TokenAuth

TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105  an address, not a secret
#: the mall hands out the same token while it has at least this long to live, then a new one
RENEW_SECONDS = 1800
#: a token that is short-lived from the start is still not fetched for each request
SHORT_LIVED_REUSE_SECONDS = 60
#: a life beyond a year is no life that this mall gives (3 hours)
_LONGEST_LIFE_SECONDS = 366 * 24 * 3600

_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SALT_LENGTH = 29


class _Held(Struct, frozen=True):
    """The saved state: epoch seconds and the token itself."""

    fetched_at: float
    expires_at: float
    access_token: str


class _Granted(Struct, frozen=True):
    access_token: str
    expires_in: float | str


def canonical_salt(secret: str) -> bytes:
    """The salt inside ``secret`` with the stray bits of its last character cleared.

    22 characters of 6 bits hold 132 bits where bcrypt uses 128; the official sample secret has such
    stray bits, and bcrypt 4 and later refuse it. The hash is the same.
    Raises: AccessError when the secret is no bcrypt salt (cut by a shell or a dotenv reader, mostly).
    """
    salt = secret[:_SALT_LENGTH]
    if len(salt) < _SALT_LENGTH or not salt.startswith("$2") or salt[-1] not in _BCRYPT_ALPHABET:
        message = "client_secret is not complete: it must look like $2a$04$ and 22 more characters"
        raise AccessError(message)
    last = _BCRYPT_ALPHABET[_BCRYPT_ALPHABET.index(salt[-1]) & 0b110000]
    return (salt[:-1] + last).encode("ascii", "replace")


def sign(*, client_id: str, client_secret: str, timestamp: int) -> str:
    """``client_secret_sign`` for ``timestamp`` (Unix milliseconds). Takes about 1 ms at the usual cost of 4."""
    salt = canonical_salt(client_secret)
    try:
        hashed = bcrypt.hashpw(f"{client_id}_{timestamp}".encode(), salt)
    except ValueError:
        message = "client_secret is no bcrypt salt, or client_id is too long"
        raise AccessError(message) from None
    return base64.b64encode(hashed).decode()


class NaverAuth(TokenAuth):
    """Fetches by form body only: fields in the address or a JSON body cost the application its quota."""

    def __init__(
        self,
        *,
        credentials: SmartstoreCredentials,
        secrets: SecretStore,
        now: Callable[[], datetime],
        client: httpx.AsyncClient,
        classify: Callable[[httpx.Response], MallError | None],
    ) -> None:
        """``client`` has no auth of its own; it is closed by :meth:`aclose`."""
        account = f"{credentials.client_id}|{credentials.type}|{credentials.account_id or ''}"
        # New credentials must not meet the token of the old ones.
        super().__init__(secrets=secrets, name=f"access_token:{sha256(account.encode()).hexdigest()[:12]}")
        self._credentials = credentials
        self._now = now
        self._client = client
        self._classify = classify

    async def fetch(self, stored: str | None) -> str:  # noqa: ARG002  there is no refresh token
        """Raises AccessError when the mall refuses the application, UnavailableError when it cannot be reached."""
        now = self._now().timestamp()
        timestamp = int(now * 1000)
        credentials = self._credentials
        form = {
            "client_id": credentials.client_id,
            "timestamp": str(timestamp),
            "grant_type": "client_credentials",
            "client_secret_sign": sign(
                client_id=credentials.client_id,
                client_secret=credentials.client_secret.get_secret_value(),
                timestamp=timestamp,
            ),
            "type": credentials.type,
        }
        if credentials.type == "SELLER" and credentials.account_id:
            form["account_id"] = credentials.account_id
        try:
            response = await self._client.post(TOKEN_PATH, data=form)
        except httpx.TransportError as error:
            # Not a time-out of the call that waits for the token: that one was never sent.
            message = f"no token: {type(error).__name__}"
            raise UnavailableError(message, operation="token") from error
        refusal = self._classify(response)
        if refusal is not None:
            raise _as_token_error(refusal)
        granted = _read_grant(response.content)
        held = _Held(now, now + float(granted.expires_in), granted.access_token)
        return msgspec.json.encode(held).decode()

    def is_fresh(self, token: str) -> bool:
        held = _read_held(token)
        if held is None:
            return False
        now = self._now().timestamp()
        left = held.expires_at - now
        return left >= RENEW_SECONDS or (left > 0 and 0 <= now - held.fetched_at < SHORT_LIVED_REUSE_SECONDS)

    def apply(self, request: httpx.Request, token: str) -> None:
        held = _read_held(token)
        if held is not None:
            request.headers["Authorization"] = f"Bearer {held.access_token}"

    async def aclose(self) -> None:
        await self._client.aclose()


def _read_held(state: str) -> _Held | None:
    try:
        return msgspec.json.decode(state, type=_Held)
    except msgspec.MsgspecError:
        return None


def _read_grant(body: bytes) -> _Granted:
    try:
        granted = msgspec.json.decode(body, type=_Granted)
        if not granted.access_token or not 0 < float(granted.expires_in) < _LONGEST_LIFE_SECONDS:
            raise ValueError  # noqa: TRY301  answered below with the others
    except (msgspec.MsgspecError, ValueError):
        # The body may hold a token: nothing of it goes into the error.
        message = "the token answer is not of the documented shape"
        raise UnavailableError(message, operation="token") from None
    return granted


def _as_token_error(error: MallError) -> MallError:
    """What the token call refuses is a matter of credentials, whatever code it wears."""
    error.operation = "token"
    if error.mall_code == "GW.IP_NOT_ALLOWED":
        return error  # it says itself what to do, and the credentials may be right
    if error.status is not None and 400 <= error.status < 500 and error.status not in {408, 429}:
        return AccessError(
            "the mall refused to give a token: check client_id, client_secret, type and the server's clock",
            operation="token",
            status=error.status,
            mall_code=error.mall_code,
            mall_message=error.mall_message,
            request_id=error.request_id,
        )
    return error

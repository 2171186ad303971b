"""The calls of the corner shop: sends and pages, knows no meaning."""

from datetime import datetime

import httpx
import msgspec

from hub.core.contract import SecretStore, ShopContext
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    MallTimeoutError,
    NotFoundAtMallError,
    RateLimitedError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.http import Limits, MallHttp, Rate, TokenAuth, html_error, make_client

from .mapping import SEOUL
from .settings import CornerCredentials

DEFAULT_BASE_URL = "https://api.corner.example"
PAGE = 10
RATE = Rate(per_second=5, capacity=10, source="Corner shop API, limits; confidence: sure")


class Rows(msgspec.Struct):
    """One page: the records as they came, and the number after which the next page starts."""

    rows: list[msgspec.Raw]
    after: str | None = None


class _Done(msgspec.Struct):
    ok: bool
    why: str = ""


class _Token(msgspec.Struct):
    token: str
    ends_at: datetime


def classify(response: httpx.Response) -> MallError | None:
    if (page := html_error(response)) is not None:
        return page
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimitedError("too fast", wait_seconds=1.0, status=status)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return AccessError("refused", status=status)
    if status == httpx.codes.NOT_FOUND:
        return NotFoundAtMallError("no such record", status=status)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError("server error", status=status)
    if status >= httpx.codes.BAD_REQUEST:
        return RejectedByMallError("refused", status=status)
    try:
        msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return UnavailableError("a broken body", status=status)
    return None


def no_limits(_response: httpx.Response) -> Limits | None:
    """The corner shop tells nothing in its headers."""
    return None


class CornerAuth(TokenAuth):
    def __init__(self, context: ShopContext, credentials: CornerCredentials, *, secrets: SecretStore) -> None:
        super().__init__(secrets=secrets, name="token")
        self._credentials = credentials
        self._now = context.now
        self._client = make_client(base_url=context.base_url or DEFAULT_BASE_URL, transport=context.transport)

    async def fetch(self, stored: str | None) -> str:
        del stored
        body = {"user": self._credentials.user, "secret": self._credentials.secret.get_secret_value()}
        try:
            response = await self._client.post("/token", json=body)
        except httpx.TransportError as error:
            raise MallTimeoutError("no token in time") from error
        if (refused := classify(response)) is not None:
            raise refused
        return response.text

    def is_fresh(self, token: str) -> bool:
        return msgspec.json.decode(token, type=_Token).ends_at > self._now()

    def apply(self, request: httpx.Request, token: str) -> None:
        request.headers["Authorization"] = f"Bearer {msgspec.json.decode(token, type=_Token).token}"

    async def aclose(self) -> None:
        await self._client.aclose()


class CornerClient:
    def __init__(self, context: ShopContext) -> None:
        credentials = CornerCredentials.read(context.credentials, where=f"shop {context.shop.name}")
        self._auth = CornerAuth(context, credentials, secrets=context.secrets)
        self.http = MallHttp(
            shop=context.shop.name,
            client=make_client(
                base_url=context.base_url or DEFAULT_BASE_URL, auth=self._auth, transport=context.transport
            ),
            rate=RATE,
            classify=classify,
            read_limits=no_limits,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )

    async def rows(self, kind: str, *, after: str, since: datetime) -> Rows:
        """A page of "orders" or "questions" made since ``since``, by number; they follow ``after``."""
        params = {"after": after, "since": since.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M:%S")}
        response = await self.http.read("GET", f"/{kind}", operation=f"{kind}.list", params=params)
        try:
            return msgspec.json.decode(response.content, type=Rows)
        except msgspec.MsgspecError as error:
            raise MalformedResponseError("no list", operation=f"{kind}.list") from error

    async def one(self, kind: str, number: str) -> bytes:
        """Raises: NotFoundAtMallError."""
        response = await self.http.read("GET", f"/{kind}/{number}", operation=f"{kind}.one")
        return response.content

    async def all_rows(self, kind: str) -> Rows:
        """A list that comes whole: "carriers" or "goods"."""
        response = await self.http.read("GET", f"/{kind}", operation=f"{kind}.list")
        return msgspec.json.decode(response.content, type=Rows)

    async def redeem(self, code: str) -> None:
        """Raises: AccessError for a code that the shop did not give, or gave before."""
        await self.http.write("POST", "/consent", operation="consent", json={"code": code})

    async def write(self, path: str, body: dict[str, str]) -> None:
        """Raises: RejectedByMallError, also when the refusal stands inside an HTTP 200."""
        response = await self.http.write("POST", path, operation=path.rsplit("/", 1)[-1], json=body)
        told = msgspec.json.decode(response.content, type=_Done)
        if not told.ok:
            raise RejectedByMallError("refused", mall_message=told.why)

    async def aclose(self) -> None:
        await self.http.aclose()
        await self._auth.aclose()

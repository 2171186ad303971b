"""The gateway of the emulated SmartStore: calls and replies, tokens, limits per API, the day of penalty.

Source: Naver Commerce API 2.73, authentication, rate limit and trouble-shooting pages; operator
posts of August 2026 on the penalty. Confidence: sure; the body of a refused token call: guess.
"""

import base64
import binascii
import re
import secrets as random_text
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import bcrypt
import msgspec
from litestar.types import HTTPScope, Receive, Send

from connectors.smartstore import sandbox_render as render
from hub.sandbox.kit import LeakyBucket, SandboxOptions
from hub.sandbox.world import World

TOKEN_LIFE = timedelta(seconds=10_800)
#: a token with less life than this is replaced by a new one at the next token call
TOKEN_RENEWAL = timedelta(minutes=30)
_CLOCK_SKEW_MS = 5 * 60_000
#: calls per second and API, the usual rate of own-store apps; the burst is twice the rate
_RATE = 2.0
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_FORM = "application/x-www-form-urlencoded"


class Call(NamedTuple):
    """``path`` is without the ``/external`` prefix; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]


class Reply(NamedTuple):
    status: int
    content: Any
    headers: tuple[tuple[str, str], ...] = ()


class Problem(Exception):  # noqa: N818 - a reply on its way out, not a failure of the emulator
    """Raised anywhere in a handler; ``content`` lacks the trace id and time that every error body carries."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: tuple[tuple[str, str], ...] = (), **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.content: dict[str, Any] = {"code": code, "message": message, **more}


def moment_of(text: str) -> datetime:
    """A time as the mall wants it sent: ``yyyy-MM-dd'T'HH:mm:ss.SSSXXX``, milliseconds and offset included.

    Raises: ValueError; also for a plus that was not sent as %2B and arrives as a blank.
    """
    if not _MOMENT.fullmatch(text):
        message = "not of the documented form"
        raise ValueError(message)
    return datetime.fromisoformat(text)


async def read_call(scope: HTTPScope, receive: Receive) -> Call:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message["body"]
        if not message["more_body"]:
            break
    path = scope["path"]
    return Call(
        method=scope["method"],
        path=path.removeprefix("/external"),
        query=parse_qs(scope["query_string"].decode(), keep_blank_values=True),
        headers={name.decode().lower(): value.decode() for name, value in scope["headers"]},
        body=body,
    )


async def send_reply(send: Send, reply: Reply) -> None:
    body = msgspec.json.encode(reply.content)
    headers = [(b"content-type", b"application/json;charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Gate:
    """Lets a call through or refuses it. ``violations`` counts token calls that break the standard."""

    def __init__(self, world: World, *, client_id: str, client_secret: str, options: SandboxOptions) -> None:
        self._world = world
        self._client_id = client_id
        self._secret = client_secret.encode()
        self._options = options
        self._tokens: dict[str, datetime] = {}
        self._newest: str | None = None
        self._buckets: dict[str, LeakyBucket] = {}
        self._penalty_days: set[date] = set()
        self._last_penalised_call: datetime | None = None
        self.violations: Counter[str] = Counter()
        self.tokens_issued = 0
        self._rate = options.rate_per_second or _RATE
        self._burst = options.burst or max(1, round(self._rate * 2))

    # -- tokens

    def issue_token(self, call: Call) -> Reply:
        fields = self._token_fields(call)
        self._check_token_fields(fields)
        now = self._world.now()
        if self._newest is None or self._tokens[self._newest] - now < TOKEN_RENEWAL:
            self._newest = random_text.token_urlsafe(18)
            self._tokens[self._newest] = now + TOKEN_LIFE
            self.tokens_issued += 1
        left = int((self._tokens[self._newest] - now).total_seconds())
        return Reply(200, {"access_token": self._newest, "expires_in": left - 1, "token_type": "Bearer"})

    def _token_fields(self, call: Call) -> dict[str, str]:
        fields: dict[str, str] = {name: values[-1] for name, values in call.query.items()}
        if fields:
            self._note("fields in the query")
        if call.headers.get("content-type", "").split(";")[0].strip() == _FORM:
            fields |= {name: values[-1] for name, values in parse_qs(call.body.decode()).items()}
        else:
            self._note("body is no form")
            try:
                fields |= msgspec.json.decode(call.body or b"{}", type=dict[str, str])
            except msgspec.MsgspecError as error:
                raise Problem(400, "BAD_REQUEST", "요청 본문을 읽을 수 없습니다.") from error
        return fields

    def _check_token_fields(self, fields: Mapping[str, str]) -> None:
        if fields.get("grant_type") != "client_credentials":
            self._note("grant_type missing")
        kind = fields.get("type", "SELF")
        if kind == "SELF" and fields.get("account_id"):
            self._note("account_id with SELF")
        if kind not in ("SELF", "SELLER") or (kind == "SELLER" and not fields.get("account_id")):
            raise _bad_token_field("type" if kind not in ("SELF", "SELLER") else "account_id")
        if fields.get("client_id") != self._client_id:
            raise _bad_token_field("client_id")
        stamp = fields.get("timestamp", "")
        now_ms = self._world.now().timestamp() * 1000
        if not stamp.isdecimal() or abs(now_ms - int(stamp)) > _CLOCK_SKEW_MS:
            raise _bad_token_field("timestamp")
        try:
            sent = base64.b64decode(fields.get("client_secret_sign", ""), validate=True)
        except binascii.Error as error:
            raise _bad_token_field("client_secret_sign") from error
        if sent != bcrypt.hashpw(f"{self._client_id}_{stamp}".encode(), self._secret):
            raise _bad_token_field("client_secret_sign")

    def _note(self, violation: str) -> None:
        self.violations[violation] += 1
        self._penalty_days.add(self._world.now().astimezone(render.KST).date())

    def expire_tokens(self) -> None:
        """Make every token die now, as after a change of the app's secret."""
        self._tokens.clear()
        self._newest = None

    # -- every other call

    def admit(self, call: Call, api: str) -> tuple[tuple[str, str], ...]:
        """Check the token and the limits of one API. Returns the limit headers of the answer.

        Raises: Problem 401 GW.AUTHN, 429 GW.QUOTA_LIMIT, 429 GW.RATE_LIMIT.
        """
        now = self._world.now()
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._tokens.get(token, now) <= now:
            raise Problem(401, "GW.AUTHN", "유효하지 않은 인증입니다.")
        if not self._options.enforce_limits:
            return ()
        self._check_penalty(now)
        bucket = self._buckets.get(api)
        if bucket is None:
            bucket = self._buckets[api] = self._make_bucket()
        is_in = bucket.pour()
        left = max(0, int(self._burst - bucket.level()))
        headers = (
            ("GNCP-GW-RateLimit-Replenish-Rate", f"{self._rate:g}"),
            ("GNCP-GW-RateLimit-Burst-Capacity", str(self._burst)),
            ("GNCP-GW-RateLimit-Remaining", str(left)),
        )
        if not is_in:
            raise Problem(429, "GW.RATE_LIMIT", "요청이 많아 일시적으로 사용할 수 없습니다.", headers=headers)
        return headers

    def _make_bucket(self) -> LeakyBucket:
        clock = self._options.clock
        if clock is not None:
            return LeakyBucket(capacity=self._burst, per_second=self._rate, clock=clock)
        # The World's clock knows whole seconds: one second's worth more keeps the count from being early.
        return LeakyBucket(
            capacity=self._burst + self._rate,
            per_second=self._rate,
            clock=lambda: self._world.now().timestamp(),
        )

    def _check_penalty(self, now: datetime) -> None:
        """One call per hour on the day after a non-standard token call."""
        if now.astimezone(render.KST).date() - timedelta(days=1) not in self._penalty_days:
            return
        last = self._last_penalised_call
        if last is None or now - last >= timedelta(hours=1):
            self._last_penalised_call = now
            return
        quota = (
            ("GNCP-GW-Quota-Period", "HOURS"),
            ("GNCP-GW-Quota-Limit", "1"),
            ("GNCP-GW-Quota-Remaining", "0"),
        )
        raise Problem(429, "GW.QUOTA_LIMIT", "호출 한도를 초과했습니다.", headers=quota)


def _bad_token_field(name: str) -> Problem:
    # Which envelope a refused token call has is a guess; the field's name alone is what a reader needs.
    invalid = [{"name": name, "type": "BadRequest", "message": f"{name} 항목이 유효하지 않습니다."}]
    return Problem(400, "BAD_REQUEST", "잘못된 요청입니다.", invalidInputs=invalid)

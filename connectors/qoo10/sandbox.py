"""The emulated Qoo10 Japan: the seller methods of QAPI over the World's facts.

Written from the API's reference alone; it shares no code with the connector that reads it.
Left out: reports, changes of items, XML answers, calls by GET.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from connectors.qoo10 import sandbox_render as render
from connectors.qoo10.sandbox_forms import BadKey, Failure, Params, read_window, wrong_argument
from connectors.qoo10.sandbox_goods import goods_methods
from connectors.qoo10.sandbox_messages import MessageBook, message_row
from connectors.qoo10.sandbox_truth import truth
from connectors.qoo10.sandbox_writes import Writes
from hub.core.model import LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.kit import LeakyBucket, Row, SandboxOptions, Truth
from hub.sandbox.world import World

SERVICE = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi"
API_KEY = "hub-sandbox-api-key"
USER_ID = "demo_shop"
PASSWORD = "sandbox-pw-1"  # noqa: S105 - invented, opens nothing
_KEY_LIFE = timedelta(days=365)
_LONGEST_REPLY = 4000
#: SearchCondition of orders -> when that happened to a line
_ORDER_TIMES: dict[str, Callable[[OrderFact, LineFact, datetime], datetime | None]] = {
    "1": lambda order, _line, _now: order.ordered_at,
    "2": lambda order, _line, now: render.paid_at(order, now),
    "3": lambda _order, line, now: line.at_of(LineStatus.DISPATCHED, now),
    "4": lambda _order, line, now: line.at_of(LineStatus.DELIVERED, now),
}
_CLAIM_TIMES: dict[str, Callable[[OrderFact, render.ShownClaim], datetime | None]] = {
    "1": lambda order, _claim: order.ordered_at,
    "2": lambda _order, claim: claim.requested_at,
    "3": lambda _order, claim: claim.ended_at,
}


def build(world: World, *, shop: str, options: SandboxOptions) -> "Qoo10":
    return Qoo10(world, shop=shop, options=options)


class Qoo10:
    """``calls`` counts methods that got in; ``keys_issued`` the seller keys; ``seller_key`` is one that works."""

    mall = "qoo10"

    def __init__(self, world: World, *, shop: str, options: SandboxOptions) -> None:
        self.shop = shop
        self._world = world
        self._options = options
        self._book = MessageBook(world, shop)
        self._writes = Writes(world, shop)
        self._keys: dict[str, datetime] = {}
        self._empty_lists = 0
        self.calls: Counter[str] = Counter()
        self.keys_issued = 0
        self.seller_key = self._new_key()
        self._bucket = self._make_bucket()
        self._methods: dict[str, Callable[[Params], Any]] = {
            "shippingbasic.getshippinginfo_v3": self._orders_v3,
            "shippingbasic.getshippinginfo_v2": self._orders_v2,
            "shippingbasic.getshippingandclaiminfobyorderno_v2": self._single_order,
            "shippingbasic.getclaiminfo_v3": self._claims,
            "cscenter.getinquirymessage": self._messages,
            "cscenter.setinquirymessage": self._reply,
            **self._writes.methods,
            **goods_methods(world, shop),
        }
        self._classes = {name.split(".")[0] for name in self._methods} | {"certificationapi"}

    def shop_table(self, base_url_root: str) -> Row:
        credentials: Row = {"api_key": API_KEY, "user_id": USER_ID, "password": PASSWORD}
        if self._options.rate_per_second is not None:
            # This mall tells its limit nowhere: who made it faster must say so.
            credentials["calls_per_second"] = self._options.rate_per_second
        return {
            "name": self.shop,
            "mall": self.mall,
            "base_url": f"{base_url_root.rstrip('/')}{SERVICE}",
            "credentials": credentials,
        }

    def truth(self) -> Truth:
        return truth(self._world, shop=self.shop, book=self._book, seed=self._options.seed)

    def expire_keys(self) -> None:
        """End the life of every seller key, as a year or a change of the password does."""
        self._keys = dict.fromkeys(self._keys, self._world.now())

    # -- transport

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        if scope["method"] != "POST" or not scope["path"].startswith(f"{SERVICE}/"):
            await _send(send, 404, b"<html><body>Not Found</body></html>", b"text/html")
            return
        if not self._has_room():
            await _send(send, 429, b"<html><body>Too Many Requests</body></html>", b"text/html")
            return
        fields = {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        answer = self._answer(scope["path"].removeprefix(f"{SERVICE}/"), fields, headers.get("giosiscertificationkey"))
        if isinstance(answer, str):
            await _send(send, 200, answer.encode(), b"text/plain; charset=utf-8")
        else:
            await _send(send, 200, msgspec.json.encode(answer), b"application/json; charset=utf-8")

    def _make_bucket(self) -> LeakyBucket | None:
        """The mall publishes no limit: there is none unless the options name one. Its true answer is unknown."""
        rate = self._options.rate_per_second
        if rate is None or not self._options.enforce_limits:
            return None
        burst = self._options.burst or max(1, round(rate))
        if self._options.clock is not None:
            return LeakyBucket(capacity=burst, per_second=rate, clock=self._options.clock)
        # The World's clock knows whole seconds: one second's worth more keeps the count from being early.
        return LeakyBucket(capacity=burst + rate, per_second=rate, clock=lambda: self._world.now().timestamp())

    def _has_room(self) -> bool:
        return self._bucket is None or self._bucket.pour()

    def _answer(self, name: str, fields: Params, key: str | None) -> dict[str, Any] | str:
        """The envelope, or the plain text of a service or method that does not exist. HTTP 200 in any case."""
        service, _, method = name.partition(".")
        if service.lower() not in self._classes:
            return f"Can't find service Name {service}"
        try:
            if name.lower() == "certificationapi.createcertificationkey":
                return _success(self._create_key(fields, key))
            handler = self._methods.get(name.lower())
            if handler is None:
                return f"Can't find method Info {method}"
            self._check_key(key)
            if "null" in fields.values():
                raise BadKey(-90001, "存在しないAPIです。")  # noqa: TRY301 - users met this answer to a null value
            self.calls[name] += 1
            content = handler(fields)
            # Plain writes have no ResultObject at all, reads without rows a null one.
            has_object = content is not None or not method.lower().startswith("set")
            return _success(content) if has_object else {"ResultCode": 0, "ResultMsg": "SUCCESS"}
        except Failure as failure:
            return {"ResultObject": None, "ResultCode": failure.code, "ResultMsg": str(failure)}
        except BadKey as refusal:
            return {"ErrorCode": refusal.code, "ErrorMsg": str(refusal)}

    # -- keys

    def _create_key(self, fields: Params, key: str | None) -> str:
        if key != API_KEY:
            raise BadKey(-90001, "存在しないAPIです。")
        if (fields.get("user_id"), fields.get("pwd")) != (USER_ID, PASSWORD):
            raise Failure(-10001, "ユーザー情報を確認してください。")
        self.seller_key = self._new_key()
        return self.seller_key

    def _new_key(self) -> str:
        self.keys_issued += 1
        part = f"{self.keys_issued:04d}".join(("S5bnSandBox", "AbCdEfGh"))
        key = f"{part}_g_2_{part}_w_{part}_g_1_{part}_g_3_"
        self._keys[key] = self._world.now() + _KEY_LIFE
        return key

    def _check_key(self, key: str | None) -> None:
        if not key:
            raise Failure(-10000, "販売者認証キーを確認してください。")
        ends_at = self._keys.get(key)
        if ends_at is None:
            raise BadKey(-90001, "存在しないAPIです。")
        if ends_at <= self._world.now():
            raise BadKey(-90004, "販売者認証キーの有効期限が切れています。")

    # -- reads

    def _orders_v3(self, fields: Params) -> list[Any] | None:
        asked = {
            "status": fields.get("ShippingStatus", ""),
            "condition": fields.get("SearchCondition", ""),
            "start": fields.get("SearchStartDate", ""),
            "end": fields.get("SearchEndDate", ""),
        }
        seed = self._options.seed
        rows = []
        for order, line in self._listed(**asked):
            row = render.order_row(order, line, self._world.now(), seed=seed)
            rows.append(render.small_keys(row) if render.Shapes(line.number, seed).has_small_keys else row)
        return self._list(rows, "GetShippingInfo_v3")

    def _orders_v2(self, fields: Params) -> list[Any] | None:
        asked = {
            "status": fields.get("ShippingStat", ""),
            "condition": fields.get("search_condition", ""),
            "start": fields.get("search_Sdate", ""),
            "end": fields.get("search_Edate", ""),
        }
        now, seed = self._world.now(), self._options.seed
        rows = [render.old_row(render.order_row(order, line, now, seed=seed)) for order, line in self._listed(**asked)]
        return self._list(rows, "GetShippingInfo_v2")

    def _listed(self, *, status: str, condition: str, start: str, end: str) -> Iterator[tuple[OrderFact, LineFact]]:
        """Lines in one status; no status means the first three, and cancelled lines are in none."""
        since, until = read_window(start, end, code=-10001)
        time_of = _ORDER_TIMES.get(condition or "1")
        if time_of is None or status not in ("", "0", "1", "2", "3", "4", "5"):
            raise Failure(-10001, "検索条件を確認してください。")
        wanted = {1, 2, 3} if status in ("", "0") else {int(status)}
        now = self._world.now()
        for order in self._world.orders(self.shop):
            for line in order.lines:
                at = time_of(order, line, now)
                if at is None or not since <= at <= until:
                    continue
                if render.status_code(line, now) in wanted and render.is_listed(line, now):
                    yield order, line

    def _single_order(self, fields: Params) -> list[Any] | None:
        found = self._writes.find(fields.get("OrderNo", ""))
        rows = [render.single_row(*found, self._world.now(), seed=self._options.seed)] if found else []
        return self._list(rows, "GetShippingAndClaimInfoByOrderNo_V2")

    def _claims(self, fields: Params) -> list[Any] | None:
        since, until = read_window(
            fields.get("search_Sdate", ""), fields.get("search_Edate", ""), code=-10002, code_of_long=-10003
        )
        time_of = _CLAIM_TIMES.get(fields.get("search_condition") or "2")
        wanted = fields.get("ClaimStat", "")
        if time_of is None or (wanted and not wanted.isdecimal()):
            raise Failure(-10001, "検索条件を確認してください。")
        now, seed = self._world.now(), self._options.seed
        rows = []
        for order in self._world.orders(self.shop):
            for line in order.lines:
                for claim in render.claims_shown(line, now):
                    at = time_of(order, claim)
                    if at is None or not since <= at <= until or (wanted and int(wanted) != claim.code):
                        continue
                    row = render.claim_row(order, line, claim, now, seed=seed)
                    rows.append(render.small_keys(row) if render.Shapes(line.number, seed).has_small_keys else row)
        return self._list(rows, "GetClaimInfo_V3")

    def _messages(self, fields: Params) -> list[Any] | None:
        since, until = read_window(
            fields.get("search_start_dt", ""), fields.get("search_end_dt", ""), code=-10001, longest=None
        )
        wanted = fields.get("proc_status", "")
        if wanted not in ("", "S1", "S2", "S3"):
            raise Failure(-10001, "検索条件を確認してください。")
        now = self._world.now()
        rows = [
            message_row(message, now, seed=self._options.seed)
            for message in self._book.messages()
            if since <= message.sent_at <= until and wanted in ("", message.status)
        ]
        return self._list(rows, "GetInquiryMessage")

    def _list(self, rows: list[Any], method: str) -> list[Any] | None:
        """Without rows the answer is null one time and an empty list the next."""
        if rows:
            return self._options.rows.spoil(rows, path=method)
        self._empty_lists += 1
        return [] if (self._empty_lists + self._options.seed) % 2 else None

    # -- writes

    def _reply(self, fields: Params) -> dict[str, int]:
        """Not idempotent: a second answer to the same message is posted beside the first."""
        contents = fields.get("contents", "")
        numbers = fields.get("question_no", ""), fields.get("seq_no", "")
        if not contents.strip() or len(contents) > _LONGEST_REPLY or not all(map(str.isdecimal, numbers)):
            raise wrong_argument()
        message = self._book.find(fields.get("inq_type", ""), int(numbers[0]), int(numbers[1]))
        if message is None:
            raise Failure(-10002, "失敗しました。")
        return {"SEQ_NO": self._book.answer(message, contents)}


def _success(content: Any) -> dict[str, Any]:
    return {"ResultObject": content, "ResultCode": 0, "ResultMsg": "SUCCESS"}


async def _send(send: Send, status: int, body: bytes, content_type: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})

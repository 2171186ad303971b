"""The emulated Naver SmartStore: one own-store app of the Commerce API over the World's facts.

Written from the API's reference alone; it shares no code with the connector that reads it.
Left out: places of stock, TalkTalk.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from connectors.smartstore import sandbox_render as render
from connectors.smartstore.sandbox_claims import ClaimDesk
from connectors.smartstore.sandbox_feed import ChangeFeed, feed_row, unix_ms
from connectors.smartstore.sandbox_gate import Call, Gate, Problem, Reply, moment_of, read_call, send_reply
from connectors.smartstore.sandbox_inquiries import (
    Question,
    QuestionBook,
    answer_id,
    category,
    inquiry_row,
    question_row,
)
from connectors.smartstore.sandbox_lists import Lists
from connectors.smartstore.sandbox_notes import Notes
from connectors.smartstore.sandbox_truth import truth
from connectors.smartstore.sandbox_writes import LineDesk
from hub.core.model import ClaimKind, ClaimState, InquiryKind, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.kit import Row, SandboxOptions, Truth
from hub.sandbox.world import World

CLIENT_ID = "3xAmpLeApp0001"
#: a bcrypt salt of the lowest cost; the mall's secrets look like this
CLIENT_SECRET = "$2a$04$hubSandboxSmartStore.u"  # noqa: S105 - invented, opens nothing
_DAY_MS = 24 * 3600 * 1000
_FEED_CAP = 300
_LINES_PER_QUERY = 300
_PRODUCT_ORDERS = "/v1/pay-order/seller/product-orders"
#: rangeType of the conditional search -> when that happened to a line
_RANGES: dict[str, Callable[[OrderFact, LineFact, datetime], datetime | None]] = {
    "PAYED_DATETIME": render.paid_at,
    "ORDERED_DATETIME": lambda order, _line, _now: order.ordered_at,
    "DISPATCHED_DATETIME": lambda _order, line, now: render.dispatched_at(line, now),
    "PURCHASE_DECIDED_DATETIME": lambda _order, line, now: line.at_of(LineStatus.PURCHASE_CONFIRMED, now),
    "CLAIM_REQUESTED_DATETIME": lambda _order, line, now: _claim_time(line, None, now),
    "CLAIM_COMPLETED_DATETIME": lambda _order, line, now: _claim_time(line, ClaimState.DONE, now),
    "COLLECT_COMPLETED_DATETIME": lambda _order, line, now: _claim_time(line, ClaimState.COLLECTED, now),
}

Handler = Callable[..., Any]


def build(world: World, *, shop: str, options: SandboxOptions) -> "SmartStore":
    return SmartStore(world, shop=shop, options=options)


class SmartStore:
    """``gate`` counts violations and tokens; ``calls`` lists method and path of every call that got in."""

    mall = "smartstore"

    def __init__(self, world: World, *, shop: str, options: SandboxOptions) -> None:
        self.shop = shop
        self._world = world
        self._options = options
        self._notes = Notes()
        self._feed = ChangeFeed(world, shop, self._notes)
        self._book = QuestionBook(world, shop)
        self._desk = LineDesk(world, shop, self._notes)
        claims = ClaimDesk(world, self._desk, self._notes)
        lists = Lists(world, shop)
        self._trace = 0
        self.gate = Gate(world, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, options=options)
        self.calls: list[str] = []
        line = r"(?P<line>[^/]+)"
        of_line = f"{_PRODUCT_ORDERS}/{line}/claim"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("GET", f"{_PRODUCT_ORDERS}/last-changed-statuses", self._read_feed),
                ("POST", f"{_PRODUCT_ORDERS}/query", self._read_details),
                ("GET", _PRODUCT_ORDERS, self._search_lines),
                ("GET", r"/v1/pay-order/seller/orders/(?P<order>[^/]+)/product-order-ids", self._line_ids),
                ("POST", f"{_PRODUCT_ORDERS}/confirm", self._desk.confirm),
                ("POST", f"{_PRODUCT_ORDERS}/dispatch", self._desk.dispatch),
                ("POST", f"{_PRODUCT_ORDERS}/{line}/delay", self._desk.delay),
                ("POST", f"{_PRODUCT_ORDERS}/{line}/hope-delivery/change", self._desk.change_hope_date),
                ("POST", f"{of_line}/cancel/request", self._desk.request_cancel),
                ("POST", f"{of_line}/cancel/approve", self._desk.approve_cancel),
                ("POST", f"{of_line}/return/request", claims.request_return),
                ("POST", f"{of_line}/return/approve", claims.approve_return),
                ("POST", f"{of_line}/return/holdback", claims.hold(ClaimKind.RETURN)),
                ("POST", f"{of_line}/return/holdback/release", claims.release(ClaimKind.RETURN)),
                ("POST", f"{of_line}/return/reject", claims.reject(ClaimKind.RETURN)),
                ("POST", f"{of_line}/exchange/collect/approve", claims.collect_exchange),
                ("POST", f"{of_line}/exchange/dispatch", claims.send_again),
                ("POST", f"{of_line}/exchange/holdback", claims.hold(ClaimKind.EXCHANGE)),
                ("POST", f"{of_line}/exchange/holdback/release", claims.release(ClaimKind.EXCHANGE)),
                ("POST", f"{of_line}/exchange/reject", claims.reject(ClaimKind.EXCHANGE)),
                ("GET", "/v1/pay-user/inquiries", self._read_inquiries),
                ("POST", r"/v1/pay-merchant/inquiries/(?P<number>\d+)/answer", self._answer_inquiry),
                ("PUT", r"/v1/pay-merchant/inquiries/(?P<number>\d+)/answer/(?P<answer>\d+)", self._edit_answer),
                ("GET", "/v1/contents/qnas", self._read_questions),
                ("PUT", r"/v1/contents/qnas/(?P<number>\d+)", self._answer_question),
                ("GET", "/v1/contents/qnas/templates", lists.templates),
                ("GET", "/v1/seller/channels", lists.channels),
                ("GET", "/v1/logistics/logistics-companies", lists.logistics_companies),
            )
        ]

    def shop_table(self, base_url_root: str) -> Row:
        return {
            "name": self.shop,
            "mall": self.mall,
            "base_url": f"{base_url_root.rstrip('/')}/external",
            "credentials": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "type": "SELF"},
        }

    def truth(self) -> Truth:
        return truth(self._world, shop=self.shop, book=self._book, notes=self._notes)

    # -- transport

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        call = await read_call(scope, receive)
        self._trace += 1
        trace = f"sandbox-{self._trace:08d}"
        try:
            reply = self._answer(call, trace)
        except Problem as problem:
            stamps = {"timestamp": render.stamp(self._world.now()), "traceId": trace}
            reply = Reply(problem.status, problem.content | stamps, problem.headers)
        standard = (("GNCP-GW-Trace-ID", trace), ("GNCP-GW-HttpClient-ResponseTime", "7"))
        await send_reply(send, reply._replace(headers=standard + reply.headers))

    def _answer(self, call: Call, trace: str) -> Reply:
        if (call.method, call.path) == ("POST", "/v1/oauth2/token"):
            return self.gate.issue_token(call)
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(call.path)
            if match and method == call.method:
                headers = self.gate.admit(call, f"{method} {pattern.pattern}")
                self.calls.append(f"{call.method} {call.path}")
                content = handler(call, **match.groupdict())
                if call.path.startswith("/v1/pay-order/"):
                    content = {"timestamp": render.stamp(self._world.now()), "traceId": trace, "data": content}
                return Reply(200, content, headers)
        raise Problem(404, "GW.NOT_FOUND", "요청한 API를 찾을 수 없습니다.")

    # -- orders

    def _read_feed(self, call: Call) -> dict[str, Any]:
        now_ms = unix_ms(self._world.now())
        start = unix_ms(_moment(call, "lastChangedFrom"))
        asked_end = call.one("lastChangedTo")
        end = unix_ms(_moment(call, "lastChangedTo")) if asked_end else min(start + _DAY_MS, now_ms)
        limit = _whole(call, "limitCount", default=_FEED_CAP, least=1, most=_FEED_CAP)
        if end < start:
            raise _bad("lastChangedTo")
        if end - start > _DAY_MS or end > now_ms + 60_000:
            raise Problem(400, "104139", "조회 기간을 초과했습니다.")
        wanted, sequence = call.one("lastChangedType"), call.one("moreSequence")
        rows = [
            event
            for event in self._feed.window(start, end)
            if (not wanted or event.change == wanted) and (event.shown_ms > start or event.line_id >= sequence)
        ]
        given, left = rows[:limit], rows[limit:]
        data: dict[str, Any] = {"count": len(given), "lastChangeStatuses": [feed_row(event) for event in given]}
        if left:
            first = datetime.fromtimestamp(left[0].shown_ms / 1000, UTC)
            data["more"] = {"moreFrom": render.stamp(first), "moreSequence": left[0].line_id}
        return data

    def _read_details(self, call: Call) -> list[Any]:
        body = _json(call)
        numbers = body.get("productOrderIds")
        if not isinstance(numbers, list) or not 1 <= len(numbers) <= _LINES_PER_QUERY:
            raise _bad("productOrderIds")
        now = self._world.now()
        found = [self._desk.find(number) for number in dict.fromkeys(map(str, numbers))]
        rows = [render.detail(order, line, now, self._notes) for order, line in filter(None, found)]
        Random(f"{self._options.seed} {numbers[0]}").shuffle(rows)
        return self._options.rows.spoil(rows, path=call.path)

    def _search_lines(self, call: Call) -> dict[str, Any]:
        start = _moment(call, "from")
        end = _moment(call, "to") if call.one("to") else start + timedelta(days=1)
        if end < start or end - start > timedelta(days=1):
            raise Problem(400, "104139", "조회 기간을 초과했습니다.")
        time_of = _RANGES.get(call.one("rangeType", "PAYED_DATETIME"))
        if time_of is None:
            raise _bad("rangeType")
        page = _whole(call, "page", default=1, least=1, most=1_000_000)
        size = _whole(call, "pageSize", default=300, least=1, most=300)
        found = sorted(self._lines_between(time_of, start, end, call), key=lambda hit: hit[:2])
        contents = [
            {"productOrderId": number, "content": render.detail(order, line, self._world.now(), self._notes)}
            for _, number, order, line in found[(page - 1) * size : page * size]
        ]
        pagination = {"page": page, "size": size, "hasNext": len(found) > page * size}
        return {"contents": self._options.rows.spoil(contents, path=call.path), "pagination": pagination}

    def _lines_between(
        self, time_of: Handler, start: datetime, end: datetime, call: Call
    ) -> Iterable[tuple[datetime, str, OrderFact, LineFact]]:
        now = self._world.now()
        statuses = _listed(call, "productOrderStatuses")
        claim_statuses = _listed(call, "claimStatuses")
        placed = call.one("placeOrderStatusType")
        for order in self._world.orders(self.shop):
            for line in order.lines:
                at = time_of(order, line, now)
                if at is None or not start <= at <= end:
                    continue
                if statuses and render.line_code(line, now) not in statuses:
                    continue
                if placed and (placed == "OK") is not render.is_placed(line, now):
                    continue
                claims = render.claims_shown(line, now)
                if claim_statuses and not (claims and render.claim_code(claims[-1], now) in claim_statuses):
                    continue
                yield at, render.line_id(order, line), order, line

    def _line_ids(self, _call: Call, order: str) -> list[str]:
        try:
            fact = self._world.order(int(order[8:]) - render.ORDER_BASE)
        except (KeyError, ValueError):
            fact = None
        if fact is None or fact.shop != self.shop or render.order_id(fact) != order:
            raise Problem(400, "100003", "존재하지 않는 주문입니다.")
        return [render.line_id(fact, line) for line in fact.lines]

    # -- inquiries

    def _read_inquiries(self, call: Call) -> dict[str, Any]:
        start, end = _user_day(call, "startSearchDate"), _user_day(call, "endSearchDate")
        if end < start or (end - start).days > 365:
            raise _user_problem("4003", "endSearchDate", "조회 기간은 365일을 넘을 수 없습니다.")
        page = _user_whole(call, "page", default=1, least=1, most=1_000_000)
        size = _user_whole(call, "size", default=10, least=10, most=200)
        answered = _answered(call)
        if answered is None and call.one("answered"):
            raise _user_problem("4001", "answered", "true 또는 false만 가능합니다.")
        wanted = call.one("category")
        found = [
            question
            for question in self._book.questions(InquiryKind.ORDER_INQUIRY)
            if start <= question.day <= end and (not wanted or category(question) == wanted)
        ]
        found, total = _filtered(found, answered)
        rows = [inquiry_row(question) for question in found[(page - 1) * size : page * size]]
        pages = -(-total // size)
        sort = {"sorted": True, "unsorted": False, "empty": False}
        return {
            "totalPages": pages,
            "totalElements": total,
            "first": page == 1,
            "last": page >= pages,
            "number": page - 1,
            "numberOfElements": len(rows),
            "size": size,
            "empty": not rows,
            "pageable": {
                "pageNumber": page - 1,
                "pageSize": size,
                "offset": (page - 1) * size,
                "paged": True,
                "unpaged": False,
                "sort": sort,
            },
            "sort": sort,
            "content": self._options.rows.spoil(rows, path=call.path),
        }

    def _answer_inquiry(self, call: Call, number: str) -> dict[str, Any]:
        question = self._book.find(InquiryKind.ORDER_INQUIRY, int(number))
        text = _json(call, code="ERR-NC-101001").get("answerComment")
        if question is None:
            raise Problem(400, "ERR-NC-101004", "존재하지 않거나 삭제된 문의입니다.")
        if not isinstance(text, str) or not text.strip():
            raise Problem(400, "ERR-NC-101001", "답변 내용을 입력해 주세요.")
        if question.answers:
            raise Problem(400, "ERR-NC-101010", "이미 답변이 등록된 문의입니다.")
        answer = self._book.answer(question, text)
        return {"data": {"inquiryNo": question.number, "inquiryCommentNo": answer_id(answer)}}

    def _edit_answer(self, call: Call, number: str, answer: str) -> dict[str, Any]:
        question = self._book.find(InquiryKind.ORDER_INQUIRY, int(number))
        text = _json(call, code="ERR-NC-101001").get("answerComment")
        if not isinstance(text, str) or not text.strip():
            raise Problem(400, "ERR-NC-101001", "답변 내용을 입력해 주세요.")
        for given in question.answers if question else ():
            if answer_id(given) == int(answer):
                given.text = text
                return {"data": {"inquiryNo": int(number), "inquiryCommentNo": answer_id(given)}}
        raise Problem(400, "ERR-NC-101004", "존재하지 않거나 삭제된 문의입니다.")

    def _read_questions(self, call: Call) -> dict[str, Any]:
        try:
            start, end = _moment(call, "fromDate"), _moment(call, "toDate")
            page = _whole(call, "page", default=1, least=1, most=1_000_000)
            size = _whole(call, "size", default=100, least=1, most=100)
        except Problem as problem:
            invalid = [{"name": problem.content["message"], "type": "NotNull", "message": "필수 값입니다."}]
            raise Problem(400, "BAD_REQUEST", "잘못된 요청입니다.", invalidInputs=invalid) from problem
        found = [
            question
            for question in self._book.questions(InquiryKind.PRODUCT_INQUIRY)
            if start <= question.asked_at <= end
        ]
        found, total = _filtered(found, _answered(call))
        rows = [question_row(question) for question in found[(page - 1) * size : page * size]]
        pages = -(-total // size)
        return {
            "contents": self._options.rows.spoil(rows, path=call.path),
            "page": page,
            "size": size,
            "totalElements": total,
            "totalPages": pages,
            "sort": {"sorted": True, "fields": [{"name": "createDate", "direction": "desc"}]},
            "first": page == 1,
            "last": page >= pages,
        }

    def _answer_question(self, call: Call, number: str) -> dict[str, Any]:
        question = self._book.find(InquiryKind.PRODUCT_INQUIRY, int(number))
        text = _json(call, code="BAD_REQUEST").get("commentContent")
        if question is None:
            raise Problem(404, "NOT_FOUND", "존재하지 않는 문의입니다.", invalidInputs=[])
        if not isinstance(text, str) or not text.strip():
            invalid = [{"name": "commentContent", "type": "NotBlank", "message": "필수 값입니다."}]
            raise Problem(400, "BAD_REQUEST", "잘못된 요청입니다.", invalidInputs=invalid)
        if question.answers:
            question.answers[0].text = text
        else:
            self._book.answer(question, text)
        return {}


def _claim_time(line: LineFact, state: ClaimState | None, now: datetime) -> datetime | None:
    """When the newest claim was requested, or reached ``state``."""
    claims = render.claims_shown(line, now)
    if not claims:
        return None
    if state is None:
        return claims[-1].requested_at
    return next((step.at for step in claims[-1].steps if step.state is state and step.at <= now), None)


def _filtered(found: list[Question], answered: bool | None) -> tuple[list[Question], int]:
    """Newest first, with how many there are."""
    if answered is not None:
        found = [question for question in found if bool(question.answers) is answered]
    found.sort(key=lambda question: (question.asked_at, question.number), reverse=True)
    return found, len(found)


def _answered(call: Call) -> bool | None:
    return {"true": True, "false": False}.get(call.one("answered"))


def _listed(call: Call, name: str) -> frozenset[str]:
    """A list in the query: repeated keys, or one comma-joined value."""
    return frozenset(part for value in call.query.get(name, ()) for part in value.split(",") if part)


def _bad(name: str) -> Problem:
    return Problem(400, "4000", name)


def _json(call: Call, *, code: str = "4000") -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Problem(400, code, "요청 본문을 읽을 수 없습니다.") from error


def _moment(call: Call, name: str) -> datetime:
    try:
        return moment_of(call.one(name))
    except ValueError as error:
        raise _bad(name) from error


def _whole(call: Call, name: str, *, default: int, least: int, most: int) -> int:
    text = call.one(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _bad(name)
    return int(text)


def _user_problem(code: str, name: str, message: str) -> Problem:
    return Problem(400, code, message, invalidInputs=[{"name": name, "message": message}])


def _user_day(call: Call, name: str) -> date:
    try:
        return date.fromisoformat(call.one(name))
    except ValueError as error:
        raise _user_problem("4001", name, "필수 값이 없거나 형식이 다릅니다.") from error


def _user_whole(call: Call, name: str, *, default: int, least: int, most: int) -> int:
    try:
        return _whole(call, name, default=default, least=least, most=most)
    except Problem as problem:
        raise _user_problem("4001", name, "허용 범위를 벗어났습니다.") from problem

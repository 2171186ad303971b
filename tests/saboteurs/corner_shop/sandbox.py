"""The emulated corner shop: renders the World, checks token and rate, applies writes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.core.model import ClaimState, LineStatus
from hub.sandbox.asgi import Request, Response, app_of
from hub.sandbox.facts import InquiryFact, LineFact, OrderFact
from hub.sandbox.kit import LeakyBucket, Row, SandboxOptions, Truth, claim_row, inquiry_row, line_row
from hub.sandbox.world import World

_PAGE = 10
_LIFE = timedelta(hours=1)
_USER, _SECRET = "corner", "corner-secret-0001"
_ZONE = ZoneInfo("Asia/Seoul")


def build(world: World, *, shop: str, options: SandboxOptions) -> "CornerShop":
    return CornerShop(world, shop=shop, options=options)


class CornerShop:
    mall = "corner_shop"

    def __init__(self, world: World, *, shop: str, options: SandboxOptions) -> None:
        self.shop = shop
        self.app = app_of(self._answer)
        self._world = world
        self._rows = options.rows
        self._tokens: dict[str, datetime] = {}
        clock = options.clock or (lambda: world.now().timestamp())
        rate = options.rate_per_second or 5.0
        self._bucket = LeakyBucket(capacity=options.burst or 10, per_second=rate, clock=clock)
        self._has_limits = options.enforce_limits

    def shop_table(self, base_url_root: str) -> Row:
        credentials = {"user": _USER, "secret": _SECRET}
        return {"name": self.shop, "mall": self.mall, "base_url": base_url_root, "credentials": credentials}

    # -- calls

    def _answer(self, request: Request) -> Response:
        if request.path == "/token":
            return self._token(request)
        ends_at = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if ends_at is None or ends_at <= self._world.now():
            return Response(status=401, content={"error": "token"})
        if self._has_limits and not self._bucket.pour():
            return Response(status=429, content={"error": "rate"})
        try:
            return self._route(request)
        except (KeyError, ValueError):
            return Response(status=404, content={"error": "no such record"})

    def _token(self, request: Request) -> Response:
        if request.json() != {"user": _USER, "secret": _SECRET}:
            return Response(status=401, content={"error": "secret"})
        token = f"corner-token-{len(self._tokens) + 1:04d}"
        self._tokens[token] = self._world.now() + _LIFE
        return Response(content={"token": token, "ends_at": self._tokens[token]})

    def _route(self, request: Request) -> Response:
        kind, *rest = request.path.strip("/").split("/")
        if kind == "carriers":
            return Response(
                content={"rows": [{"code": "CJ", "name": "CJ Logistics"}, {"code": "HJ", "name": "Hanjin"}]}
            )
        if kind == "goods":
            goods = self._world.goods(self.shop)
            return Response(content={"rows": [{"no": f"G{item.number}", "name": item.name} for item in goods]})
        if kind == "consent":
            # Nobody ever consents in this emulation: every code is a wrong one.
            return Response(status=403, content={"error": "code"})
        facts: Sequence[Any] = self._world.orders(self.shop) if kind == "orders" else self._world.inquiries(self.shop)
        if not rest:
            return self._list(kind, facts, request)
        number = int(rest[0][1:])
        if request.method == "POST":
            return self._write(kind, number, request)
        if kind == "orders":
            return Response(content=_order(self._world.order(number), self._world))
        return Response(content=_question(self._world.inquiry(number), self._world))

    def _list(self, kind: str, facts: Sequence[Any], request: Request) -> Response:
        render = _order if kind == "orders" else _question
        since = datetime.strptime(request.query["since"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_ZONE)
        after = int(request.query["after"][1:] or 0) if request.query["after"] else 0
        left = sorted((fact for fact in facts if fact.number > after and _made_at(fact) >= since), key=_number)
        page = left[:_PAGE]
        rows = self._rows.spoil([render(fact, self._world) for fact in page], path=request.path)
        more = len(left) > _PAGE
        return Response(content={"rows": rows, "after": f"x{page[-1].number}" if more else None})

    def _write(self, kind: str, number: int, request: Request) -> Response:
        if kind == "questions":
            self._world.answer(self._world.inquiry(number), request.json()["text"], "corner")
            return Response(content={"ok": True})
        return self._write_line(self._world.line(number), request)

    def _write_line(self, line: LineFact, request: Request) -> Response:
        """A refusal stands inside an HTTP 200."""
        what, world = request.path.rsplit("/", 1)[-1], self._world
        claim = world.open_claim(line)
        if what == "dispatch":
            if line.plain_status(world.now()) is not LineStatus.PREPARING or claim is not None:
                return Response(content={"ok": False, "why": "보낼 수 없는 상태입니다"})
            world.dispatch(line, request.json()["carrier"], request.json()["tracking"])
        elif claim is None:
            return Response(content={"ok": False, "why": "요청이 없습니다"})
        else:
            state = ClaimState.REJECTED if what == "refuse" else ClaimState.DONE
            world.move_claim(line, claim, state, "seller")
        return Response(content={"ok": True})

    # -- truth

    def truth(self) -> Truth:
        world = self._world
        orders = world.orders(self.shop)
        pairs = [(order, line) for order in orders for line in order.lines]
        inquiries = [_question(fact, world) | {"fact": fact} for fact in world.inquiries(self.shop)]
        return Truth(
            lines=tuple(self._line_truth(order, line) for order, line in pairs),
            claims=tuple(row for order, line in pairs for row in self._claim_truths(order, line)),
            inquiries=tuple(
                inquiry_row(
                    shop=self.shop, mall=self.mall, inquiry_no=row["no"], thread_no=row["no"],
                    kind=row["fact"].kind.value, state="answered" if row["state"] == "DONE" else "unanswered",
                    asked_at=row["fact"].asked_at, text=row["text"], answer=row["answer"],
                )
                for row in inquiries
            ),
        )  # fmt: skip

    def _line_truth(self, order: OrderFact, line: LineFact) -> Row:
        status = line.status(self._world.now())
        return line_row(
            shop=self.shop, mall=self.mall, order_no=f"O{order.number}", line_no=f"L{line.number}",
            status=status.value, raw_status=status.value.upper(), held=False, quantity=line.quantity,
            product_name=line.item.name, amount_minor=line.amount, currency="KRW", ordered_at=order.ordered_at,
            paid_at=order.paid_at if self._world.was_paid(order) else None,
            carrier=line.carrier if _is_sent(line, self._world) else None,
            tracking_no=line.tracking_no if _is_sent(line, self._world) else None,
        )  # fmt: skip

    def _claim_truths(self, order: OrderFact, line: LineFact) -> list[Row]:
        rows = []
        for claim in self._world.claims_of(line):
            step = claim.step_at(self._world.now())
            assert step is not None
            rows.append(
                claim_row(
                    shop=self.shop, mall=self.mall, order_no=f"O{order.number}", line_no=f"L{line.number}",
                    kind=claim.kind.value, state=step.state.value, raw_state=step.state.value.upper(),
                    quantity=claim.quantity, requested_at=claim.requested_at,
                )
            )  # fmt: skip
        return rows


def _is_sent(line: LineFact, world: World) -> bool:
    return line.at_of(LineStatus.DISPATCHED, world.now()) is not None


def _number(fact: OrderFact | InquiryFact) -> int:
    return fact.number


def _made_at(fact: OrderFact | InquiryFact) -> datetime:
    return fact.ordered_at if isinstance(fact, OrderFact) else fact.asked_at


def _local(at: datetime) -> str:
    return at.astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _order(fact: OrderFact, world: World) -> Row:
    paid_at = fact.paid_at if world.was_paid(fact) else None
    return {
        "no": f"O{fact.number}",
        "ordered_at": _local(fact.ordered_at),
        "paid_at": _local(paid_at) if paid_at else None,
        "lines": [
            {
                "no": f"L{line.number}",
                "state": line.status(world.now()).value.upper(),
                "name": line.item.name,
                "quantity": line.quantity,
                "price": f"{line.amount}.00",
                "carrier": line.carrier if _is_sent(line, world) else None,
                "tracking": line.tracking_no if _is_sent(line, world) else None,
                "claims": [_claim(claim, world) for claim in world.claims_of(line)],
            }
            for line in fact.lines
        ],
    }


def _claim(claim: Any, world: World) -> Row:
    return {
        "kind": claim.kind.value.upper(),
        "state": claim.step_at(world.now()).state.value.upper(),
        "asked_at": _local(claim.requested_at),
        "quantity": claim.quantity,
    }


def _question(fact: InquiryFact, world: World) -> Row:
    answers = world.said(fact.answers)
    return {
        "no": f"Q{fact.number}",
        "state": "DONE" if answers else "OPEN",
        "kind": "ORDER" if fact.order else "ITEM",
        "asked_at": _local(fact.asked_at),
        "text": fact.text,
        "answer": answers[-1].text if answers else None,
    }

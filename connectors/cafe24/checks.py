"""Trying each permission of a shop without changing anything."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connectors.cafe24.client import Cafe24Client
from connectors.cafe24.consent import NEEDED, OPTIONAL
from connectors.cafe24.decoding import decode
from connectors.cafe24.inquiry_feed import InquiryFeed
from connectors.cafe24.refund_feed import DATE_TYPES
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import code, whole
from connectors.cafe24.wire import shop_decoder
from hub.core.contract import CheckItem
from hub.core.errors import MallError, NotFoundAtMallError

#: seconds; more would make windows and tokens wrong
CLOCK_TOLERANCE = 120
_RECONSENT = (
    "Let the mall owner consent on the shop's page of the desk, or put a new refresh_token into the credentials "
    "(상담 화면의 연동 상태에서 '동의 받기'를 누르거나 새 refresh_token을 등록하세요)."
)
_NOT_A_SHOP = (
    "Remove it from shop_no, or create it at the mall (설정의 shop_no에서 빼거나 쇼핑몰에서 멀티쇼핑몰을 확인하세요)."
)
_ADD_SCOPE = (
    "Add the scope {scope} to the app in the developer centre and let the mall owner consent again "
    "(개발자센터에서 {scope} 권한을 추가하고 다시 동의를 받으세요)."
)


class Checker:
    def __init__(
        self,
        client: Cafe24Client,
        *,
        credentials: Cafe24Credentials,
        inquiries: InquiryFeed,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._inquiries = inquiries
        self._now = now

    async def run(self) -> tuple[CheckItem, ...]:
        """Token, every reading permission that is used, the shop numbers, the writing scopes, the clock."""
        token, scopes = await self._token()
        if not token.is_ok:
            return (token,)
        items = [token]
        date: str | None = None
        for shop_no in self._credentials.shop_no:
            item, date = await self._orders(shop_no, date)
            items.append(item)
        items.append(await self._boards())
        items.append(await self._refunds())
        items.append(await self._shops(scopes))
        items += [await self._tried(scope, scopes, call) for scope, call in self._readings()]
        items += [_scope(scope, scopes) for scope in NEEDED if scope.startswith("mall.write_")]
        items.append(_scope("mall.read_mileage", scopes))
        items.append(self._clock(date))
        return tuple(items)

    async def _token(self) -> tuple[CheckItem, tuple[str, ...]]:
        try:
            state = await self._client.auth.state()
        except MallError as error:
            return CheckItem(name="token", is_ok=False, detail=str(error), fix=_RECONSENT), ()
        ends = state.refresh_expires_at.isoformat() if state is not None and state.refresh_expires_at else "unknown"
        detail = f"refresh token ends {ends}"
        return CheckItem(name="token", is_ok=True, detail=detail), state.scopes if state is not None else ()

    async def _orders(self, shop_no: int, date: str | None) -> tuple[CheckItem, str | None]:
        name = f"mall.read_order (shop_no {shop_no})"

        async def call() -> str:
            nonlocal date
            date = await self._client.server_date(shop_no=shop_no, now=self._now())
            return "orders can be read"

        return await _try(name, "mall.read_order", call), date

    async def _boards(self) -> CheckItem:
        async def call() -> str:
            boards = [board for board in await self._inquiries.boards() if board.no is not None]
            now = self._now()
            for board in boards:
                await self._client.articles(
                    shop_no=board.shop_no, board_no=board.no or 0, since=now, until=now, offset=0
                )
            return f"boards: {', '.join(f'{board.no} ({board.kind})' for board in boards)}"

        return await _try("mall.read_community", "mall.read_community", call)

    async def _refunds(self) -> CheckItem:
        async def call() -> str:
            now, shop_no = self._now(), self._credentials.shop_no[0]
            for date_type in DATE_TYPES:
                await self._client.refunds(
                    shop_no=shop_no, date_type=date_type, since=now - timedelta(days=1), until=now, offset=0
                )
            return "refunds can be listed"

        return await _try("refunds", "mall.read_order", call, optional="refunds show when their order is read again")

    async def _shops(self, scopes: tuple[str, ...]) -> CheckItem:
        """Which shop numbers the mall has: those that are configured, and those that nobody reads."""
        configured = set(self._credentials.shop_no)
        strange: list[int] = []

        async def call() -> str:
            page = await self._client.listed("shops", {})
            shops = [decode(shop_decoder, row) for row in page.rows]
            numbers = {number: shop for shop in shops if (number := whole(shop.shop_no, path="shop_no")) is not None}
            strange.extend(sorted(configured - numbers.keys()))
            unread = [
                str(number)
                for number, shop in sorted(numbers.items())
                if number not in configured and code(shop.active) != "F"
            ]
            detail = f"read: {', '.join(map(str, sorted(configured & numbers.keys())))}"
            return f"{detail}; not in shop_no: {', '.join(unread)}" if unread else detail

        item = await self._tried("mall.read_store", scopes, call)
        if not strange:
            return item
        wrong = ", ".join(map(str, strange))
        return CheckItem(name=item.name, is_ok=False, detail=f"the mall has no shop_no {wrong}", fix=_NOT_A_SHOP)

    def _readings(self) -> tuple[tuple[str, Callable[[], Awaitable[str]]], ...]:
        shop_no = self._credentials.shop_no[0]

        def listing(name: str) -> Callable[[], Awaitable[str]]:
            async def call() -> str:
                await self._client.listed(name, {"shop_no": shop_no, "limit": 1})
                return f"{name} can be read"

            return call

        return (
            ("mall.read_shipping", listing("carriers")),
            ("mall.read_supply", listing("suppliers")),
            ("mall.read_product", listing("products")),
        )

    async def _tried(self, scope: str, scopes: tuple[str, ...], call: Callable[[], Awaitable[str]]) -> CheckItem:
        """A scope that is known to be missing is not tried."""
        if scopes and scope not in scopes:
            return _scope(scope, scopes)
        return await _try(scope, scope, call, optional="this mall does not offer it")

    def _clock(self, date: str | None) -> CheckItem:
        try:
            mall_now = parsedate_to_datetime(date) if date else None
        except ValueError:
            mall_now = None
        if mall_now is None or mall_now.tzinfo is None:
            return CheckItem(name="clock", is_ok=True, detail="the mall does not tell its time")
        skew = abs((self._now() - mall_now).total_seconds())
        return CheckItem(
            name="clock",
            is_ok=skew <= CLOCK_TOLERANCE,
            detail=f"{skew:.0f} s apart",
            fix="" if skew <= CLOCK_TOLERANCE else "Set this machine's clock by NTP (서버 시각을 NTP로 맞추세요).",
        )


async def _try(name: str, scope: str, call: Callable[[], Awaitable[str]], *, optional: str = "") -> CheckItem:
    """``optional``: what a mall without the endpoint means; the rest works without it."""
    try:
        return CheckItem(name=name, is_ok=True, detail=await call())
    except MallError as error:
        if optional and isinstance(error, NotFoundAtMallError):
            return CheckItem(name=name, is_ok=True, detail=optional)
        return CheckItem(name=name, is_ok=False, detail=str(error), fix=_ADD_SCOPE.format(scope=scope))


def _scope(scope: str, scopes: tuple[str, ...]) -> CheckItem:
    """Writing is not tried: the token's own list of scopes tells. ``detail`` names what does not work."""
    if not scopes:
        return CheckItem(name=scope, is_ok=True, detail="not told by the mall; the first write will show")
    if scope in scopes:
        return CheckItem(name=scope, is_ok=True)
    stopped = ", ".join(capability.value for capability in NEEDED.get(scope, ()))
    # An owner may keep back what the shop can do without: told, but nothing is broken.
    is_kept_back = scope in OPTIONAL
    return CheckItem(
        name=scope,
        is_ok=is_kept_back,
        detail=f"not granted; does not work: {stopped}",
        fix=_ADD_SCOPE.format(scope=scope),
    )

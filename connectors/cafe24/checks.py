"""Trying each permission of a shop without changing anything."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

from connectors.cafe24.client import Cafe24Client
from connectors.cafe24.inquiry_feed import InquiryFeed
from connectors.cafe24.settings import Cafe24Credentials
from hub.core.contract import CheckItem
from hub.core.errors import MallError

#: seconds; more would make windows and tokens wrong
CLOCK_TOLERANCE = 120
_RECONSENT = (
    "Let the mall owner consent again and put the new refresh_token into the credentials "
    "(쇼핑몰 운영자가 앱 권한에 다시 동의한 뒤 새 refresh_token을 등록하세요)."
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
        """Token, both reading permissions of every shop number, both writing scopes, the clock."""
        token, scopes = await self._token()
        if not token.is_ok:
            return (token,)
        items = [token]
        date: str | None = None
        for shop_no in self._credentials.shop_no:
            item, date = await self._orders(shop_no, date)
            items.append(item)
        items.append(await self._boards())
        items += [_scope(scope, scopes) for scope in ("mall.write_order", "mall.write_community")]
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


async def _try(name: str, scope: str, call: Callable[[], Awaitable[str]]) -> CheckItem:
    try:
        return CheckItem(name=name, is_ok=True, detail=await call())
    except MallError as error:
        return CheckItem(name=name, is_ok=False, detail=str(error), fix=_ADD_SCOPE.format(scope=scope))


def _scope(scope: str, scopes: tuple[str, ...]) -> CheckItem:
    """Writing is not tried: the token's own list of scopes tells."""
    if not scopes:
        return CheckItem(name=scope, is_ok=True, detail="not told by the mall; the first write will show")
    is_ok = scope in scopes
    return CheckItem(name=scope, is_ok=is_ok, fix="" if is_ok else _ADD_SCOPE.format(scope=scope))

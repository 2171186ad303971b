"""Trying each permission without touching anything: what ``hub shop check`` shows."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connectors.smartstore.auth import NaverAuth
from connectors.smartstore.client import SmartstoreClient
from connectors.smartstore.leaves import KST
from hub.core.contract import CheckItem
from hub.core.errors import MallError

#: a token request is valid for 5 minutes, so a clock this far off is close to trouble
_SKEW = timedelta(seconds=60)

_FIX_CREDENTIALS = (
    "커머스API센터의 애플리케이션 ID·시크릿($ 포함 전체)과 서버 시각을 확인하세요. / "
    "Check application ID and secret (whole, $ included) in the Commerce API centre, and this server's clock."
)
_FIX_IP = (
    "커머스API센터 > 애플리케이션 > API호출 IP에 이 서버의 공인 IP를 등록하세요. / "
    "Register this server's public address as API호출 IP of the application."
)
_FIX_QUOTA = (
    "비정상 토큰 요청으로 호출량이 제한되었습니다. 잘못된 요청이 없는 날의 다음 날 아침에 자동 해제됩니다. / "
    "The quota was cut after a malformed token request; it lifts by itself the morning after a day without one."
)
_FIX_CLOCK = "서버 시각을 NTP로 맞추세요. / Set this server's clock by NTP."


async def probe(client: SmartstoreClient, auth: NaverAuth, *, now: Callable[[], datetime]) -> tuple[CheckItem, ...]:
    """Token, each API group by one small reading, and the clock. A refused token ends the list: all else would fail."""
    try:
        await auth.token()
    except MallError as error:
        return (_failed("token", error, _FIX_CREDENTIALS),)
    mall_time: str | None = None

    async def orders() -> None:
        nonlocal mall_time
        until = now() - timedelta(minutes=2)
        page = await client.changed(since=until - timedelta(minutes=5), until=until, more=None)
        mall_time = page.mall_time

    async def inquiries() -> None:
        today = now().astimezone(KST).date()
        await client.inquiries(first=today, last=today, page=1)

    async def questions() -> None:
        await client.qnas(since=now() - timedelta(hours=1), until=now(), page=1)

    items = [CheckItem(name="token", is_ok=True)]
    items.append(await _tried("orders", orders, _group_fix("주문 판매자")))
    items.append(await _tried("inquiries", inquiries, _group_fix("문의")))
    items.append(await _tried("product questions", questions, _group_fix("문의")))
    items.append(_clock(mall_time, now()))
    return tuple(items)


async def _tried(name: str, call: Callable[[], Awaitable[None]], fix: str) -> CheckItem:
    try:
        await call()
    except MallError as error:
        return _failed(name, error, fix)
    return CheckItem(name=name, is_ok=True)


def _failed(name: str, error: MallError, fix: str) -> CheckItem:
    if error.mall_code == "GW.IP_NOT_ALLOWED":
        fix = _FIX_IP
    elif error.mall_code == "GW.QUOTA_LIMIT":
        fix = _FIX_QUOTA
    return CheckItem(name=name, is_ok=False, detail=str(error), fix=fix)


def _group_fix(group: str) -> str:
    return (
        f"커머스API센터 > 애플리케이션에서 API그룹 '{group}'을 추가하세요. / "
        f"Add the API group '{group}' to the application in the Commerce API centre."
    )


def _clock(mall_time: str | None, now: datetime) -> CheckItem:
    try:
        told = datetime.fromisoformat(mall_time or "")
        skew = (told if told.tzinfo else told.replace(tzinfo=KST)) - now
    except ValueError:
        return CheckItem(name="clock", is_ok=True, detail="the mall told no time to compare with")
    seconds = round(skew.total_seconds())
    is_ok = abs(skew) <= _SKEW
    return CheckItem(name="clock", is_ok=is_ok, detail=f"{seconds} s", fix="" if is_ok else _FIX_CLOCK)

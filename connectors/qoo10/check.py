"""A harmless test of one shop: its key, each permission, its clock; with what to do in Korean and English."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.client import Qoo10Client
from hub.core.contract import CheckItem
from hub.core.errors import MallError

#: days before a key's end from which the check asks for a new one
KEY_WARNING = timedelta(days=60)
#: more than this between the clocks and the newest orders fall out of the windows
CLOCK_TOLERANCE = timedelta(minutes=2)

_FIX_KEY = (
    "QSM에서 API 권한과 판매자 인증키(1년 유효, QSM 비밀번호를 바꾸면 무효)를 확인하고 shop 파일의 credentials를 "
    "고치세요. / Check the API permission and the seller authorization key in QSM (it lives one year and ends with a "
    "change of the QSM password), then correct the shop's credentials."
)
_FIX_LATER = "잠시 후 다시 시도하세요. / Try again later."
_FIX_CLOCK = "이 컴퓨터의 시계를 NTP로 맞추세요. / Set this machine's clock by NTP."
_FIX_END = (
    "판매자 인증키를 새로 발급받아 등록하세요(유효기간 1년, Qoo10은 알려 주지 않음). / "
    "Have a new seller authorization key issued: it lives one year and Qoo10 sends no warning."
)


async def check_shop(client: Qoo10Client, *, now: Callable[[], datetime]) -> tuple[CheckItem, ...]:
    """Read one day of each feed; nothing is changed at the mall."""
    until, since = now(), now() - timedelta(days=1)
    items = [
        await _try("orders", client.orders("2", codes.BY_ORDER_DATE, since, until)),
        await _try("claims", client.claims(codes.BY_REQUEST_DATE, since, until)),
        await _try("inquiries", client.inquiries("S1", since, until)),
    ]
    items.append(await _key_item(client, now()))
    if client.mall_time is not None:
        items.append(_clock_item(now() - client.mall_time))
    return tuple(items)


async def _try(name: str, call: Awaitable[list[bytes]]) -> CheckItem:
    try:
        rows = await call
    except MallError as error:
        fix = _FIX_KEY if error.kind in ("access", "rejected", "unsupported") else _FIX_LATER
        return CheckItem(name=name, is_ok=False, detail=str(error), fix=fix)
    return CheckItem(name=name, is_ok=True, detail=f"{len(rows)} rows in 24 hours")


async def _key_item(client: Qoo10Client, now: datetime) -> CheckItem:
    try:
        ends_at = await client.auth.ends_at()
    except MallError as error:
        return CheckItem(name="key", is_ok=False, detail=str(error), fix=_FIX_KEY)
    if ends_at is None:
        return CheckItem(name="key", is_ok=True, detail="given ready-made: its end is not known here", fix=_FIX_END)
    detail = f"ends in {(ends_at - now).days} days"
    is_ok = ends_at - now > KEY_WARNING
    return CheckItem(name="key", is_ok=is_ok, detail=detail, fix="" if is_ok else _FIX_END)


def _clock_item(skew: timedelta) -> CheckItem:
    is_ok = abs(skew) <= CLOCK_TOLERANCE
    detail = f"{skew.total_seconds():+.0f} s against the mall"
    return CheckItem(name="clock", is_ok=is_ok, detail=detail, fix="" if is_ok else _FIX_CLOCK)

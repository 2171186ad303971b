"""Why an action was not done, or not known to be, where the mall itself said nothing: in Korean and in English.

Such a sentence is stored with the action beside those of the malls, so it holds both languages, as the
connectors' own do.
"""

from collections.abc import Mapping
from typing import Final

from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    MallTimeoutError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedByMallError,
    TransientMallError,
    UnavailableError,
    UnsupportedByMallError,
)

#: what a cancelled action says
CANCELLED: Final = "보내기 전에 취소했습니다. / cancelled before sending"
NEVER_SHOWN: Final = (
    "몰이 접수했지만 한 시간이 지나도 반영되지 않습니다. 몰 어드민에서 확인하세요."
    " / the mall accepted it and does not show it after an hour: look in its admin"
)
BROKEN_OFF: Final = (
    "몰에 보내는 중에 프로그램이 종료되어 결과를 아직 모릅니다."
    " / the process ended while the mall was asked; the outcome is not known yet"
)
#: by the kind of the error; nothing of these was done, but where it says so
_KOREAN: Final[Mapping[str, str]] = {
    MallError.kind: "몰에서 알 수 없는 오류가 났습니다.",
    TransientMallError.kind: "몰에 연결하지 못해 보내지 못했습니다.",
    RateLimitedError.kind: "몰의 호출 한도에 걸려 보내지 못했습니다. 잠시 뒤 다시 하세요.",
    UnavailableError.kind: "몰의 서버에 문제가 있어 처리하지 못했습니다.",
    MallTimeoutError.kind: "몰이 시간 안에 답하지 않아 처리하지 못했습니다.",
    AccessError.kind: "몰이 인증 정보나 권한을 받아들이지 않았습니다. 관리자에게 알려 주세요.",
    RejectedByMallError.kind: "몰이 이유를 말하지 않고 거절했습니다.",
    NotFoundAtMallError.kind: "몰에 그런 주문이나 문의가 없습니다.",
    UnsupportedByMallError.kind: "이 몰은 API로 할 수 없습니다.",
    MalformedResponseError.kind: "몰이 보낸 내용을 읽지 못했습니다.",
    OutcomeUnknownError.kind: "보냈지만 몰의 답을 받지 못해 결과를 아직 모릅니다.",
}


def said_of(error: MallError) -> str:
    """The mall's own words where it gave any; else ours, with the technical reason behind them."""
    if isinstance(error, RejectedByMallError) and error.mall_message:
        return error.mall_message
    return f"{_KOREAN[error.kind]} / {error.message}"


def said_of_broken(error: Exception) -> str:
    """Of a fault of the hub's own. Its text may quote data; its type may not."""
    return f"허브에서 문제가 생겼습니다. / internal: {type(error).__name__}"

"""What a shop without an API can do here, and where a person does the rest."""

from collections.abc import Mapping
from typing import Final

from hub.core.contract import Capability, CapabilityState, Support

_YES: Final = CapabilityState(state=Support.YES)
#: the levels at which a capability is there (connectors/sheet/README.md)
_DONE: Final = {
    Capability.READ_ORDERS: _YES,
    Capability.READ_INQUIRIES: _YES,
    Capability.CHECK: _YES,
    Capability.IMPORT_FILES: _YES,
    Capability.EXPORT_FILES: _YES,
}


def _no(instead: str, instead_ko: str) -> CapabilityState:
    return CapabilityState(state=Support.NO, instead=instead, instead_ko=instead_ko)


_BY_HAND: Final = _no(
    "Do it in the mall's admin; the next file shows it.", "쇼핑몰 관리자에서 처리하세요. 다음 파일에 반영됩니다."
)
_READ_AGAIN: Final = _no(
    "Download a newer file in the mall's admin and upload it on the Files page.",
    "쇼핑몰 관리자에서 새 파일을 내려받아 파일 화면에 올리세요.",
)
_NO_API: Final = _no("The mall has no API that could tell it.", "이 쇼핑몰에는 이를 알려 주는 API가 없습니다.")
_OTHERS: Final = {
    Capability.READ_CLAIMS: _no(
        "Claims come with the orders: in columns of their own, in the state's word, or in a file of claims.",
        "클레임은 주문 파일의 열이나 상태, 또는 클레임 파일로 함께 읽습니다.",
    ),
    Capability.READ_ONE_ORDER: _READ_AGAIN,
    Capability.READ_ONE_INQUIRY: _READ_AGAIN,
    Capability.ANSWER_INQUIRY: _no(
        "Write the answer down on the Files page and upload the exported file, or enter it in the mall's admin.",
        "파일 화면에 답변을 적고 내보낸 파일을 쇼핑몰에 올리거나, 쇼핑몰 관리자에 직접 입력하세요.",
    ),
    Capability.DISPATCH: _no(
        "Write the number down on the Files page and upload the exported file, or enter it in the mall's admin.",
        "파일 화면에 송장번호를 적고 내보낸 파일을 쇼핑몰에 올리거나, 쇼핑몰 관리자에 직접 입력하세요.",
    ),
    Capability.LIST_CARRIERS: _NO_API,
    Capability.READ_CATALOGUE: _NO_API,
    Capability.RECEIVE_EVENTS: _NO_API,
    Capability.CONSENT: _no("There is no account to consent with.", "동의를 받을 계정이 없습니다."),
}
#: no write may be left out: what is neither read nor written down for a file is done in the mall's admin
CAPABILITIES: Final[Mapping[Capability, CapabilityState]] = {
    capability: _DONE.get(capability) or _OTHERS.get(capability, _BY_HAND) for capability in Capability
}

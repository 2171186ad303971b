"""What TalkTalk can do: a chat, and nothing of a shop's orders."""

from collections.abc import Mapping
from typing import Final

from hub.core.contract import Capability, CapabilityState, Support

_YES: Final = CapabilityState(state=Support.YES)
_NO_ORDERS: Final = CapabilityState(
    state=Support.NO,
    instead="A chat knows no orders: work on the order in the shop where it was placed",
    instead_ko="톡톡에는 주문이 없습니다: 주문을 받은 쇼핑몰의 주문에서 처리하세요",
)
_SENT_IS_SENT: Final = CapabilityState(
    state=Support.NO,
    instead="A message cannot be changed once sent: send another, or use partner.talk.naver.com",
    instead_ko="보낸 메시지는 고칠 수 없습니다: 새 메시지를 보내거나 톡톡 파트너센터를 이용하세요",
)
_TEXT_ONLY: Final = CapabilityState(
    state=Support.NO,
    instead="The hub sends text; a picture needs a public address, and the hub publishes none: partner.talk.naver.com",
    instead_ko="허브는 글만 보냅니다. 사진은 공개된 주소가 있어야 보낼 수 있으니 톡톡 파트너센터에서 보내세요",
)
_NO_CONSENT: Final = CapabilityState(
    state=Support.NO,
    instead="No consent by browser: the key is made in the partner centre, 개발자도구 > 챗봇API 설정 > 보내기 API",
    instead_ko="브라우저 동의가 없습니다: 파트너센터 > 개발자도구 > 챗봇API 설정 > 보내기 API에서 인증 키를 만드세요",
)

_STATED: Final = {
    Capability.READ_INQUIRIES: _YES,
    Capability.READ_ONE_INQUIRY: _YES,
    Capability.ANSWER_INQUIRY: _YES,
    Capability.RECEIVE_EVENTS: _YES,
    Capability.CHECK: _YES,
    Capability.CHANGE_ANSWER: _SENT_IS_SENT,
    Capability.SEND_ATTACHMENT: _TEXT_ONLY,
    Capability.CONSENT: _NO_CONSENT,
}
CAPABILITIES: Final[Mapping[Capability, CapabilityState]] = {
    capability: _STATED.get(capability, _NO_ORDERS) for capability in Capability
}

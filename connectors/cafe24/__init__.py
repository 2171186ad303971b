"""Cafe24: the seller's own mall in Korea."""

from connectors.cafe24.connector import open_shop
from connectors.cafe24.settings import Cafe24Credentials
from hub.core.contract import Capability, CapabilityState, Feed, Manifest, Support

_YES = CapabilityState(state=Support.YES)


def _warned(warning: str, warning_ko: str) -> CapabilityState:
    return CapabilityState(state=Support.YES, warning=warning, warning_ko=warning_ko)


def _hold(menu: str, menu_ko: str) -> CapabilityState:
    """The API knows no call to hold a return or exchange, or to free it."""
    return CapabilityState(
        state=Support.NO,
        instead=f"in the mall's admin: Orders > {menu}, choose the order, then hold or release it",
        instead_ko=f"쇼핑몰 관리자 > 주문 > {menu_ko}에서 해당 주문을 선택해 보류 또는 보류 해제",
    )


_RETURNS = _hold("Cancel/Exchange/Return/Refund > Returns", "취소/교환/반품/환불 > 반품관리")
_EXCHANGES = _hold("Cancel/Exchange/Return/Refund > Exchanges", "취소/교환/반품/환불 > 교환관리")
_FILED = _warned(
    "A pickup at the receiver's address is asked for; one that went to the courier is not called back by withdrawing.",
    "수령지로 수거신청이 함께 접수됩니다. 택배사에 전달된 수거는 철회해도 취소되지 않습니다.",
)

MANIFEST = Manifest(
    mall="cafe24",
    title="Cafe24",
    title_ko="카페24 자사몰",
    letter="C",
    colour="#1b5fd9",
    timezone="Asia/Seoul",
    default_base_url=None,
    capabilities={
        Capability.READ_ORDERS: _YES,
        Capability.READ_INQUIRIES: _YES,
        Capability.READ_ONE_ORDER: _YES,
        Capability.READ_ONE_INQUIRY: _YES,
        Capability.CHECK: _YES,
        Capability.ANSWER_INQUIRY: _YES,
        Capability.CHANGE_ANSWER: _YES,
        Capability.SEND_ATTACHMENT: CapabilityState(
            state=Support.NO,
            instead=(
                "The API takes only the address of a file that is public on the web, and the hub publishes none: "
                "attach it in the mall's admin, Board > Posts, at the answer"
            ),
            instead_ko=(
                "API는 웹에 공개된 파일의 주소만 받는데 허브는 파일을 공개하지 않습니다. "
                "쇼핑몰 관리자 > 게시판 > 게시물 관리의 답변에 직접 첨부하세요."
            ),
        ),
        Capability.CONFIRM: _YES,
        Capability.DISPATCH: _YES,
        Capability.DELAY: _YES,
        Capability.SELLER_CANCEL: _warned(
            "The seller cancels a paid order; the refund is then closed in the mall's admin.",
            "판매자 사유로 주문을 취소합니다. 환불은 쇼핑몰 관리자에서 마무리해야 합니다.",
        ),
        Capability.APPROVE_CANCEL: _YES,
        Capability.REFUSE_CANCEL: _YES,
        Capability.ACCEPT_RETURN: _YES,
        Capability.COLLECT_RETURN: _YES,
        Capability.HOLD_RETURN: _RETURNS,
        Capability.RELEASE_RETURN: _RETURNS,
        Capability.REFUSE_RETURN: _YES,
        Capability.COMPLETE_RETURN: _warned(
            "The return is closed and the customer is refunded; nothing takes it back.",
            "반품완료로 처리되어 고객에게 환불됩니다. 되돌릴 수 없습니다.",
        ),
        Capability.ACCEPT_EXCHANGE: _YES,
        Capability.COLLECT_EXCHANGE: _YES,
        Capability.HOLD_EXCHANGE: _EXCHANGES,
        Capability.RELEASE_EXCHANGE: _EXCHANGES,
        Capability.REFUSE_EXCHANGE: _YES,
        Capability.REDELIVER_EXCHANGE: _YES,
        Capability.COMPLETE_EXCHANGE: _YES,
        Capability.FILE_RETURN: _FILED,
        Capability.FILE_EXCHANGE: _FILED,
        Capability.MEMO: _YES,
        Capability.GIVE_POINTS: _warned(
            "Points are money: what is given cannot be taken back from the desk.",
            "적립금은 현금과 같습니다. 지급 후에는 상담 화면에서 회수할 수 없습니다.",
        ),
        Capability.MOVE_DELIVERY: CapabilityState(
            state=Support.NO,
            instead="The API shows the day that the customer wishes for and the hub changes none: Orders, in the admin",
            instead_ko="희망 배송일 변경은 지원하지 않습니다. 쇼핑몰 관리자 > 주문에서 처리하세요.",
        ),
        Capability.LIST_CARRIERS: _YES,
        Capability.READ_CATALOGUE: _YES,
        Capability.RECEIVE_EVENTS: _YES,
        Capability.CONSENT: _YES,
    },
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    vanishing_feeds=frozenset({Feed.INQUIRIES}),
    credentials=Cafe24Credentials,
    open=open_shop,
)

__all__ = ["MANIFEST"]

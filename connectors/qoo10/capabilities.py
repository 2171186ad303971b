"""What this mall's API can do, and where in QSM a person does the rest.

Source: the seller's method list of 2026-06; what is absent from it does not exist: likely.
"""

from collections.abc import Mapping

from hub.core.contract import Capability, CapabilityState, Support

QSM = "https://qsm.qoo10.jp/GMKT.INC.Gsm.Web"
DELIVERY_PAGE = f"{QSM}/Delivery/DeliveryManagement.aspx"
CLAIM_PAGE = f"{QSM}/Claim/ClaimManagement.aspx"
HOME_PAGE = f"{QSM}/Default.aspx"

_YES = CapabilityState(state=Support.YES)
_CLAIM_MENU = "QSM > 配送/キャンセル/未受取 > キャンセル/返品/未受取"
_DELIVERY_MENU = "QSM > 配送/キャンセル/未受取 > 配送管理"


def _in_claims(english: str, korean: str) -> CapabilityState:
    return CapabilityState(
        state=Support.NO,
        instead=f"{english} {_CLAIM_MENU}: {CLAIM_PAGE}",
        instead_ko=f"{korean} {_CLAIM_MENU} (클레임 관리)",
    )


def _elsewhere(english: str, korean: str) -> CapabilityState:
    return CapabilityState(state=Support.NO, instead=english, instead_ko=korean)


_RETURN = _in_claims(
    "The API has no write for returns: accept, refuse, receive and refund them in QSM.",
    "API에 반품 처리 기능이 없습니다. 승인·거절·수거·환불은 QSM에서 하세요.",
)
_EXCHANGE = _in_claims(
    "The API only accepts an exchange and sends the replacement: do the rest in QSM.",
    "API로는 교환 승인과 재배송만 됩니다. 나머지는 QSM에서 하세요.",
)
_FILE = _in_claims(
    "The API files no claim for the customer: the customer asks on Qoo10 (購入履歴), the seller handles it in QSM.",
    "API로 고객 대신 접수할 수 없습니다. 고객이 Qoo10 구매내역(購入履歴)에서 신청하고, 처리는 QSM에서 하세요.",
)

CAPABILITIES: Mapping[Capability, CapabilityState] = {
    Capability.READ_ORDERS: _YES,
    Capability.READ_CLAIMS: _YES,
    Capability.READ_INQUIRIES: _YES,
    Capability.READ_ONE_ORDER: _YES,
    Capability.READ_ONE_INQUIRY: _YES,
    Capability.CHECK: _YES,
    Capability.ANSWER_INQUIRY: _YES,
    Capability.CONFIRM: _YES,
    Capability.DISPATCH: _YES,
    Capability.DELAY: _YES,
    Capability.SELLER_CANCEL: CapabilityState(
        state=Support.YES,
        warning=(
            "Irreversible, and booked as the seller's fault: it counts in the shop's cancel rate. Only for "
            "out_of_stock and late; a customer's cancel is decided in QSM."
        ),
        warning_ko=(
            "되돌릴 수 없고 판매자 귀책으로 기록되어 취소율에 반영됩니다. "
            "품절(out_of_stock)과 배송 지연(late)에만 쓰고, 고객이 요청한 취소는 QSM에서 처리하세요."
        ),
    ),
    Capability.APPROVE_CANCEL: _in_claims(
        "Approve in QSM. The API's SetCancelProcess books a seller's reason and is no approval of a buyer's request.",
        "QSM에서 승인하세요. API의 SetCancelProcess는 판매자 사유(품절 등)로 기록되어 취소율에 불리하므로 "
        "구매자 요청의 승인이 아닙니다.",
    ),
    Capability.REFUSE_CANCEL: _in_claims(
        "The API has no refusal: enter carrier and tracking number in QSM and refuse.",
        "API로 거절할 수 없음. QSM에서 송장(택배사, 운송장 번호)을 입력하고 거절하세요.",
    ),
    Capability.ACCEPT_RETURN: _RETURN,
    Capability.COLLECT_RETURN: _RETURN,
    Capability.HOLD_RETURN: _RETURN,
    Capability.RELEASE_RETURN: _RETURN,
    Capability.REFUSE_RETURN: _RETURN,
    Capability.COMPLETE_RETURN: _RETURN,
    Capability.ACCEPT_EXCHANGE: _YES,
    Capability.REDELIVER_EXCHANGE: _YES,
    Capability.COLLECT_EXCHANGE: _EXCHANGE,
    Capability.HOLD_EXCHANGE: _EXCHANGE,
    Capability.RELEASE_EXCHANGE: _EXCHANGE,
    Capability.REFUSE_EXCHANGE: _EXCHANGE,
    Capability.COMPLETE_EXCHANGE: _EXCHANGE,
    Capability.FILE_RETURN: _FILE,
    Capability.FILE_EXCHANGE: _FILE,
    Capability.MEMO: _elsewhere(
        f"The API keeps no memo on an order: write it in {_DELIVERY_MENU}: {DELIVERY_PAGE}",
        f"API에 주문 메모 기능이 없습니다. {_DELIVERY_MENU} (배송 관리)에 적으세요.",
    ),
    Capability.GIVE_POINTS: _elsewhere(
        f"The API gives no points: agree on a coupon or a partial refund and do it in QSM: {HOME_PAGE}",
        "API로 포인트를 줄 수 없습니다. 쿠폰이나 부분 환불로 합의하고 QSM에서 처리하세요.",
    ),
    Capability.MOVE_DELIVERY: _elsewhere(
        "The API shows the day that the customer wishes for and changes none: agree on another by message.",
        "희망 배송일은 조회만 됩니다. 고객과 메시지로 협의하세요.",
    ),
    Capability.CHANGE_ANSWER: _elsewhere(
        f"The API posts answers and changes none: correct it in QSM, inquiries (お問い合わせ): {HOME_PAGE}",
        "API로 등록한 답변은 고칠 수 없습니다. QSM 문의 관리(お問い合わせ)에서 정정하세요.",
    ),
    Capability.SEND_ATTACHMENT: _elsewhere(
        f"The API knows no files, neither in questions nor in answers: use QSM, inquiries (お問い合わせ): {HOME_PAGE}",
        "API는 문의와 답변의 첨부 파일을 다루지 않습니다. QSM 문의 관리(お問い合わせ)에서 보고 첨부하세요.",
    ),
    Capability.LIST_CARRIERS: _YES,
    Capability.READ_CATALOGUE: _YES,
    Capability.RECEIVE_EVENTS: _elsewhere(
        "Qoo10 sends nothing by itself: shops are read on schedule.",
        "Qoo10은 알림(웹훅)을 보내지 않습니다. 주기적으로 읽습니다.",
    ),
    Capability.CONSENT: _elsewhere(
        "Qoo10 works with a seller authorization key, without consent in a browser: "
        f"ask for API access by ticket in QSM (Qoo10へのお問い合わせ > システム > API・FTP・QSM権限): {HOME_PAGE}",
        "브라우저 동의 없이 판매자 인증키로 동작합니다. "
        "QSM 문의(Qoo10へのお問い合わせ > システム > API・FTP・QSM権限)로 API 권한을 신청하세요.",
    ),
}

"""What SmartStore's API can do, and where a person does the rest.

Source: Naver Commerce API 2.73.0 (confidence: sure that no such call is documented); the menu names of
the seller centre are not part of it (confidence: likely).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.core.contract import Capability, CapabilityState, Support

_YES = CapabilityState(state=Support.YES)
_HOLD = CapabilityState(state=Support.YES, takes=("fee",))
_CENTRE = "https://sell.smartstore.naver.com"


def _no(instead: str, instead_ko: str) -> CapabilityState:
    return CapabilityState(state=Support.NO, instead=instead, instead_ko=instead_ko)


CAPABILITIES: Final[Mapping[Capability, CapabilityState]] = MappingProxyType(
    {
        Capability.READ_ORDERS: _YES,
        Capability.READ_INQUIRIES: _YES,
        Capability.READ_ONE_ORDER: _YES,
        Capability.READ_ONE_INQUIRY: _YES,
        Capability.CHECK: _YES,
        Capability.LIST_CARRIERS: _YES,
        Capability.ANSWER_INQUIRY: _YES,
        Capability.CHANGE_ANSWER: _YES,
        Capability.SEND_ATTACHMENT: _no(
            "The API knows no files, neither in questions nor in answers. By hand: "
            f"seller centre {_CENTRE} > 문의/리뷰관리.",
            f"API는 문의와 답변의 첨부 파일을 다루지 않습니다. 직접 처리: 판매자센터({_CENTRE}) > 문의/리뷰관리.",
        ),
        Capability.CONFIRM: _YES,
        Capability.DISPATCH: _YES,
        Capability.DELAY: _YES,
        Capability.MOVE_DELIVERY: _YES,
        Capability.SELLER_CANCEL: CapabilityState(
            state=Support.YES,
            warning=(
                "The mall cancels and refunds at once. A cancel for the seller's fault (out of stock, late) counts "
                "against the shop as penalty points."
            ),
            warning_ko=(
                "즉시 취소·환불됩니다. 판매자 귀책(품절, 배송지연 등) 취소는 판매관리 페널티 점수가 부과될 수 있습니다."
            ),
        ),
        Capability.APPROVE_CANCEL: _YES,
        Capability.REFUSE_CANCEL: CapabilityState(
            state=Support.YES,
            needs=("carrier", "tracking_no"),
            warning=(
                "The mall refuses a cancel only by dispatching the line: the goods count as sent with this parcel at "
                "once, and nothing takes it back. Press only when the parcel really leaves."
            ),
            warning_ko=(
                "취소 거부는 발송처리로만 됩니다. 입력한 송장으로 즉시 발송처리되며 되돌릴 수 없으니, "
                "실제로 발송한 경우에만 진행하세요."
            ),
        ),
        Capability.ACCEPT_RETURN: _no(
            "A return is taken in without the seller's accepting. Complete, hold or refuse it. "
            f"The list: seller centre {_CENTRE} > 판매관리 > 반품 관리.",
            "반품은 접수 승인 단계가 없습니다. 반품 완료, 보류, 거부 중에서 처리하세요. "
            f"목록: 판매자센터({_CENTRE}) > 판매관리 > 반품 관리.",
        ),
        Capability.COLLECT_RETURN: _no(
            "The API cannot say that returned goods have come back; the carrier's scan does. By hand: "
            f"seller centre {_CENTRE} > 판매관리 > 반품 관리 > 수거 완료처리. Completing the return works without it.",
            "반품 수거완료 API는 없고 택배사 추적으로 반영됩니다. 직접 처리: "
            f"판매자센터({_CENTRE}) > 판매관리 > 반품 관리 > 수거 완료처리. 수거완료 없이도 반품 완료는 가능합니다.",
        ),
        Capability.HOLD_RETURN: _HOLD,
        Capability.RELEASE_RETURN: _YES,
        Capability.REFUSE_RETURN: _YES,
        Capability.COMPLETE_RETURN: CapabilityState(
            state=Support.YES,
            warning="The mall refunds at once, even if the goods are not back yet; nothing takes it back.",
            warning_ko="상품 회수 여부와 관계없이 즉시 환불되며 되돌릴 수 없습니다.",
        ),
        Capability.FILE_RETURN: _YES,
        Capability.ACCEPT_EXCHANGE: _no(
            "An exchange is taken in without the seller's accepting: say that the goods have come back "
            f"(collect exchange), or hold or refuse it. The list: seller centre {_CENTRE} > 판매관리 > 교환 관리.",
            "교환은 접수 승인 단계가 없습니다. 수거 완료, 보류, 거부 중에서 처리하세요. "
            f"목록: 판매자센터({_CENTRE}) > 판매관리 > 교환 관리.",
        ),
        Capability.COLLECT_EXCHANGE: _YES,
        Capability.HOLD_EXCHANGE: _HOLD,
        Capability.RELEASE_EXCHANGE: _YES,
        Capability.REFUSE_EXCHANGE: _YES,
        Capability.REDELIVER_EXCHANGE: _YES,
        Capability.COMPLETE_EXCHANGE: _no(
            "The mall ends an exchange by itself once the replacement is delivered. "
            f"Its state: seller centre {_CENTRE} > 판매관리 > 교환 관리.",
            "교환은 재배송이 끝나면 쇼핑몰이 자동으로 완료합니다. "
            f"상태 확인: 판매자센터({_CENTRE}) > 판매관리 > 교환 관리.",
        ),
        Capability.FILE_EXCHANGE: _no(
            "No call opens an exchange for the buyer. The buyer asks for it in Naver Pay > 주문내역 > 교환요청; "
            "or file a return.",
            "구매자를 대신한 교환 접수 API는 없습니다. 구매자가 네이버페이 주문내역 > 교환요청에서 신청하도록 "
            "안내하거나 반품으로 접수하세요.",
        ),
        Capability.MEMO: _no(
            "The API keeps no memo. Write a note on the case in the hub.",
            "주문 메모 API는 없습니다. 허브의 케이스 메모에 남기세요.",
        ),
        Capability.GIVE_POINTS: _no(
            f"The API gives no points. By hand: seller centre {_CENTRE} > 고객혜택관리 > 혜택 등록.",
            f"포인트 지급 API는 없습니다. 판매자센터({_CENTRE}) > 고객혜택관리 > 혜택 등록에서 지급하세요.",
        ),
        Capability.READ_CATALOGUE: _no(
            "Who owns and holds the stock stands on each line: logistics firm, direct contract, delivery attribute. "
            "Map products to partners by seller product code under routing.",
            "재고 주체는 상품주문마다 물류사·직계약·배송 속성으로 표시됩니다. "
            "위탁·사입 구분은 판매자 상품 코드로 라우팅 설정에 등록하세요.",
        ),
        Capability.RECEIVE_EVENTS: _no(
            "The mall sends no events for orders or inquiries: the hub asks every few minutes.",
            "주문·문의 웹훅이 없어 허브가 몇 분마다 조회합니다.",
        ),
        Capability.CONSENT: _no(
            "No consent is asked for: the application's ID and secret stand in the Commerce API centre "
            "(https://apicenter.commerce.naver.com) > 내 스토어 애플리케이션.",
            "동의 절차가 없습니다. 커머스API센터(https://apicenter.commerce.naver.com) > 내 스토어 애플리케이션의 "
            "애플리케이션 ID와 시크릿을 사용합니다.",
        ),
    }
)

"""Every code table of SmartStore.

Source: Naver Commerce API (커머스API) documentation 2.73.0, enumerations of the order group;
confidence: sure for the codes, the canonical side is our reading. A code that stands in no table
becomes ``UNKNOWN`` with the mall's word kept.
"""

from types import MappingProxyType
from typing import Final

from hub.core.contract import HoldReason
from hub.core.model import ClaimKind, ClaimReason, ClaimState, FaultParty, LineStatus

#: productOrderStatus; PAYED is split by placeOrderStatus in the mapping
LINE_STATUS: Final = MappingProxyType(
    {
        "PAYMENT_WAITING": LineStatus.PENDING_PAYMENT,
        "PAYED": LineStatus.PAID,
        "DELIVERING": LineStatus.DISPATCHED,
        "DELIVERED": LineStatus.DELIVERED,
        "PURCHASE_DECIDED": LineStatus.PURCHASE_CONFIRMED,
        "EXCHANGED": LineStatus.EXCHANGED,
        "CANCELED": LineStatus.CANCELLED,
        "RETURNED": LineStatus.RETURNED,
        "CANCELED_BY_NOPAYMENT": LineStatus.CANCELLED,
    }
)

#: placeOrderStatus: whether the seller has confirmed the order (발주확인)
PLACE_ORDER_STATUS: Final = frozenset({"NOT_YET", "OK", "CANCEL"})
PLACED: Final = "OK"

#: giftReceivingStatus of a gift whose receiver has not given an address yet
NO_ADDRESS_YET: Final = "WAIT_FOR_RECEIVING"

#: deliveryAttributeType of lines for which the buyer chooses a day of delivery; the second kind takes no time of it
WISHED_DELIVERY: Final = frozenset({"HOPE", "HOPE_SELLER_GUARANTEE"})
WISHED_BY_DAY: Final = frozenset({"HOPE_SELLER_GUARANTEE"})

CLAIM_KIND: Final = MappingProxyType(
    {
        "CANCEL": ClaimKind.CANCEL,
        "RETURN": ClaimKind.RETURN,
        "EXCHANGE": ClaimKind.EXCHANGE,
        "PURCHASE_DECISION_HOLDBACK": ClaimKind.CONFIRM_HOLD,
        "ADMIN_CANCEL": ClaimKind.ADMIN_CANCEL,
    }
)

#: claimStatus. *_REJECT covers both "the seller refused" and "the buyer withdrew"; the mall does not tell which.
CLAIM_STATE: Final = MappingProxyType(
    {
        "CANCEL_REQUEST": ClaimState.REQUESTED,
        "CANCELING": ClaimState.REFUNDING,
        "CANCEL_DONE": ClaimState.DONE,
        "CANCEL_REJECT": ClaimState.REJECTED,
        "RETURN_REQUEST": ClaimState.REQUESTED,
        "EXCHANGE_REQUEST": ClaimState.REQUESTED,
        "COLLECTING": ClaimState.COLLECTING,
        "COLLECT_DONE": ClaimState.COLLECTED,
        "EXCHANGE_REDELIVERING": ClaimState.RESHIPPING,
        "RETURN_DONE": ClaimState.DONE,
        "EXCHANGE_DONE": ClaimState.DONE,
        "RETURN_REJECT": ClaimState.REJECTED,
        "EXCHANGE_REJECT": ClaimState.REJECTED,
        "PURCHASE_DECISION_HOLDBACK": ClaimState.HOLD,
        "PURCHASE_DECISION_HOLDBACK_REDELIVERING": ClaimState.RESHIPPING,
        "PURCHASE_DECISION_REQUEST": ClaimState.REQUESTED,
        "PURCHASE_DECISION_HOLDBACK_RELEASE": ClaimState.DONE,
        "ADMIN_CANCELING": ClaimState.REFUNDING,
        "ADMIN_CANCEL_DONE": ClaimState.DONE,
        "ADMIN_CANCEL_REJECT": ClaimState.REJECTED,
    }
)

#: a buyer's cancel that waits for the seller; CANCELING also stays behind after a failed refund (likely)
CANCEL_APPROVABLE: Final = frozenset({"CANCEL_REQUEST", "CANCELING"})

#: a buyer's cancel that dispatching the line still withdraws; CANCELING is being refunded
CANCEL_REFUSABLE: Final = frozenset({"CANCEL_REQUEST"})

CLAIM_REASON: Final = MappingProxyType(
    {
        "INTENT_CHANGED": ClaimReason.CHANGE_OF_MIND,
        "SIMPLE_INTENT_CHANGED": ClaimReason.CHANGE_OF_MIND,
        "COLOR_AND_SIZE": ClaimReason.CHANGE_OF_MIND,
        "GIFT_INTENT_CHANGED": ClaimReason.CHANGE_OF_MIND,
        "WRONG_ORDER": ClaimReason.WRONG_ORDER,
        "MISTAKE_ORDER": ClaimReason.WRONG_ORDER,
        "DELAYED_DELIVERY": ClaimReason.LATE,
        "DELAYED_DELIVERY_BY_PURCHASER": ClaimReason.LATE,
        "NOT_YET_DELIVERY": ClaimReason.LATE,
        "NOT_YET_RECEIVE": ClaimReason.LATE,
        "SOLD_OUT": ClaimReason.OUT_OF_STOCK,
        "OUT_OF_STOCK": ClaimReason.OUT_OF_STOCK,
        "BROKEN": ClaimReason.DAMAGED,
        "BROKEN_AND_BAD": ClaimReason.DEFECT,
        "WRONG_DELIVERY": ClaimReason.WRONG_ITEM,
        "WRONG_OPTION": ClaimReason.WRONG_ITEM,
        "WRONG_DELAYED_DELIVERY": ClaimReason.WRONG_ITEM,
        "DROPPED_DELIVERY": ClaimReason.MISSING_PART,
        "UNDER_QUANTITY": ClaimReason.MISSING_PART,
        "INCORRECT_INFO": ClaimReason.NOT_AS_DESCRIBED,
        "INCORRECT_INFO_BY_PURCHASER": ClaimReason.NOT_AS_DESCRIBED,
        "PRODUCT_UNSATISFIED": ClaimReason.OTHER,
        "PRODUCT_UNSATISFIED_BY_PURCHASER": ClaimReason.OTHER,
        "ETC": ClaimReason.OTHER,
        "NOT_YET_DISCUSSION": ClaimReason.OTHER,
        "SALE_INTENT_CHANGED": ClaimReason.OTHER,
        "NOT_YET_PAYMENT": ClaimReason.OTHER,
        "RECEIVING_DUE_DATE_OVER": ClaimReason.OTHER,
        "RECEIVER_MISMATCHED": ClaimReason.OTHER,
        "GIFT_REFUSAL": ClaimReason.OTHER,
        "MINOR_RESTRICTED": ClaimReason.OTHER,
        "RECEIVING_BLOCKED": ClaimReason.OTHER,
        "ASYNC_FAIL_PAYMENT": ClaimReason.OTHER,
        "ASYNC_LONG_WAIT_PAYMENT": ClaimReason.OTHER,
    }
)

#: the reasons that the mall takes from a seller who cancels: any other, ETC too, is refused with 400 (sure)
CANCEL_REASON_SENT: Final = MappingProxyType(
    {
        ClaimReason.OUT_OF_STOCK: "SOLD_OUT",
        ClaimReason.LATE: "DELAYED_DELIVERY",
        ClaimReason.NOT_AS_DESCRIBED: "INCORRECT_INFO",
        ClaimReason.CHANGE_OF_MIND: "INTENT_CHANGED",
        ClaimReason.WRONG_ORDER: "WRONG_ORDER",
    }
)
#: for a return four more; a defect has no word of its own there and goes as broken (our reading)
RETURN_REASON_SENT: Final = MappingProxyType(
    {
        **CANCEL_REASON_SENT,
        ClaimReason.DEFECT: "BROKEN",
        ClaimReason.DAMAGED: "BROKEN",
        ClaimReason.WRONG_ITEM: "WRONG_DELIVERY",
        ClaimReason.MISSING_PART: "DROPPED_DELIVERY",
    }
)

#: delayedDispatchReason; what stands in no row is the goods being made ready
DELAY_REASON_SENT: Final = MappingProxyType(
    {
        ClaimReason.CHANGE_OF_MIND: "CUSTOMER_REQUEST",
        ClaimReason.WRONG_ORDER: "CUSTOMER_REQUEST",
        ClaimReason.OTHER: "ETC",
    }
)
#: told when the agent gives no words
DELAY_WORDS: Final = MappingProxyType(
    {"PRODUCT_PREPARE": "상품 준비 중", "CUSTOMER_REQUEST": "고객 요청", "ETC": "기타"}
)

#: who a reason speaks against: the buyer's five reasons, and those for which the seller's side answers
#: to the buyer even where the carrier did it (our reading; confidence: guess). The rest stays unknown.
FAULT_PARTY: Final = MappingProxyType(
    dict.fromkeys(
        ("INTENT_CHANGED", "SIMPLE_INTENT_CHANGED", "COLOR_AND_SIZE", "WRONG_ORDER", "MISTAKE_ORDER"),
        FaultParty.CUSTOMER,
    )
    | dict.fromkeys(
        (
            "DELAYED_DELIVERY",
            "NOT_YET_DELIVERY",
            "NOT_YET_RECEIVE",
            "SOLD_OUT",
            "OUT_OF_STOCK",
            "SALE_INTENT_CHANGED",
            "BROKEN",
            "BROKEN_AND_BAD",
            "WRONG_DELIVERY",
            "WRONG_OPTION",
            "WRONG_DELAYED_DELIVERY",
            "DROPPED_DELIVERY",
            "UNDER_QUANTITY",
            "INCORRECT_INFO",
        ),
        FaultParty.SELLER,
    )
)

#: holdbackStatus; only HOLDBACK stops a claim
HOLDBACK_STATUS: Final = frozenset({"HOLDBACK", "RELEASED"})
HELD_BACK: Final = "HOLDBACK"

#: holdbackReason. EXTRAFEEE really has three E's, EXCHANGE_EXTRAFEE two.
HOLDBACK_REASON: Final = frozenset(
    {
        "RETURN_DELIVERYFEE",
        "EXTRAFEEE",
        "RETURN_DELIVERYFEE_AND_EXTRAFEEE",
        "RETURN_PRODUCT_NOT_DELIVERED",
        "ETC",
        "EXCHANGE_DELIVERYFEE",
        "EXCHANGE_EXTRAFEE",
        "EXCHANGE_PRODUCT_READY",
        "EXCHANGE_PRODUCT_NOT_DELIVERED",
        "EXCHANGE_HOLDBACK",
        "SELLER_CONFIRM_NEED",
        "PURCHASER_CONFIRM_NEED",
        "SELLER_REMIT",
        "ETC2",
    }
)

#: holdbackClassType of a return and of an exchange; what stands in no row goes as ETC
RETURN_HOLD_SENT: Final = MappingProxyType(
    {
        HoldReason.FEE_UNPAID: "RETURN_DELIVERYFEE",
        HoldReason.EXTRA_FEE: "EXTRAFEEE",
        HoldReason.NOT_RECEIVED: "RETURN_PRODUCT_NOT_DELIVERED",
    }
)
#: the fee of the way back and another beside it
RETURN_HOLD_BOTH_FEES: Final = "RETURN_DELIVERYFEE_AND_EXTRAFEEE"
EXCHANGE_HOLD_SENT: Final = MappingProxyType(
    {
        HoldReason.FEE_UNPAID: "EXCHANGE_DELIVERYFEE",
        HoldReason.EXTRA_FEE: "EXCHANGE_EXTRAFEE",
        HoldReason.NOT_RECEIVED: "EXCHANGE_PRODUCT_NOT_DELIVERED",
        HoldReason.NOT_READY: "EXCHANGE_PRODUCT_READY",
    }
)

#: deliveryCompanyCode of the usual carriers, out of about 190; the most used first.
#: HYUNDAI is Lotte and KGB is Logen: the codes are older than the firms' names.
CARRIERS: Final = MappingProxyType(
    {
        "CJGLS": "CJ대한통운",
        "HANJIN": "한진택배",
        "HYUNDAI": "롯데택배",
        "KGB": "로젠택배",
        "EPOST": "우체국택배",
        "KDEXP": "경동택배",
        "DAESIN": "대신택배",
        "ILYANG": "일양로지스",
        "CHUNIL": "천일택배",
        "HDEXP": "합동택배",
        "KUNYOUNG": "건영택배",
        "CVSNET": "GS Postbox 택배",
        "CUPARCEL": "CU 편의점택배",
        "HOMEPICK": "홈픽택배",
        "SLX": "SLX택배",
        "YONGMA": "용마로지스",
        "TEAMFRESH": "팀프레시",
        "KURLY": "컬리넥스트마일",
        "LGE": "LG전자",
        "SELC": "삼성전자",
        "TODAYPICKUP": "카카오T당일배송",
        "GS더프레시": "GS더프레시",
        "EMS": "EMS",
        "DHL": "DHL",
        "FEDEX": "FedEx",
        "UPS": "UPS",
        "USPS": "USPS",
        "SFEX": "SF Express",
        "KOREXG": "CJ대한통운 국제특송",
        "HLCGLOBAL": "롯데글로벌 국제특송",
        "REGISTPOST": "우편등기",
        "GENERALPOST": "일반우편",
        "CH1": "기타택배",
    }
)

#: codes of the order group that say "no" for good, whatever the HTTP status (it is 400 or 500)
NOT_FOUND_CODES: Final = frozenset({"100001", "100003", "101009", "4040", "NOT_FOUND", "ERR-NC-101004"})
ACCESS_CODES: Final = frozenset({"GW.AUTHN", "GW.AUTHZ", "GW.IP_NOT_ALLOWED", "UNAUTHORIZED", "FORBIDDEN"})
SERVER_CODES: Final = frozenset({"5000", "5001", "9999", "INTERNAL_SERVER_ERROR", "ERR-NC-101006", "server_error"})

"""Every code table of Cafe24.

Source: Cafe24 Admin API, version 2026-03-01, Orders and Claims; confidence: sure for the codes and
their meaning, likely for the canonical word chosen where the comment says so.
"""

from msgspec import Struct

from hub.core.model import ClaimKind, ClaimReason, ClaimState, FaultParty, InquiryKind, InquiryState, LineStatus

CANCEL, RETURN, EXCHANGE = ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.EXCHANGE

#: shipping hold: the line is prepared, but stopped
HELD_STATUS = "N22"
#: the replacement that an accepted exchange created: a new line, never a claim itself
REPLACEMENT_STATUS = "N01"

PLAIN_STATUS: dict[str, LineStatus] = {
    "N00": LineStatus.PENDING_PAYMENT,
    "N02": LineStatus.PENDING_PAYMENT,
    "N03": LineStatus.PENDING_PAYMENT,
    "N01": LineStatus.PREPARING,
    "N10": LineStatus.PREPARING,
    "N20": LineStatus.PREPARING,
    "N21": LineStatus.PREPARING,
    "N22": LineStatus.PREPARING,
    "N30": LineStatus.DISPATCHED,
    "N40": LineStatus.DELIVERED,
    "N50": LineStatus.PURCHASE_CONFIRMED,
}

#: claims that moved the line for good, whether the money is already back or not
FINAL_STATUS: dict[str, LineStatus] = {
    **dict.fromkeys(("C40", "C41", "C42", "C43", "C47", "C48", "C49"), LineStatus.CANCELLED),
    **dict.fromkeys(("R40", "R41", "R42", "R43"), LineStatus.RETURNED),
    "E40": LineStatus.EXCHANGED,
}

#: an order that was never paid: cancelled, but nobody asked for anything
UNPAID_CANCELS = frozenset({"C47", "C48", "C49"})

KIND_OF_LETTER: dict[str, ClaimKind] = {"C": CANCEL, "R": RETURN, "E": EXCHANGE}

CLAIM_STATE: dict[str, ClaimState] = {
    "C00": ClaimState.REQUESTED,
    "C10": ClaimState.APPROVED,
    "C11": ClaimState.REJECTED,
    "C34": ClaimState.REFUNDING,
    "C35": ClaimState.REFUNDING,  # refunded, the cancel itself not yet closed
    "C36": ClaimState.HOLD,
    "C40": ClaimState.DONE,
    # Cancelled while the money is still owed: somebody has to act, so it is not done (likely).
    "C41": ClaimState.REFUNDING,
    "C42": ClaimState.REFUNDING,
    "C43": ClaimState.HOLD,
    "C47": ClaimState.DONE,
    "C48": ClaimState.DONE,
    "C49": ClaimState.DONE,
    "R00": ClaimState.REQUESTED,
    "R10": ClaimState.ACCEPTED,
    "R11": ClaimState.REJECTED,
    "R12": ClaimState.HOLD,
    "R13": ClaimState.COLLECTED,  # accepted, collected automatically: 반품접수 - 수거완료(자동)
    "R20": ClaimState.COLLECTED,
    "R30": ClaimState.COLLECTING,
    "R31": ClaimState.INSPECTING,  # collected and being processed (likely)
    "R34": ClaimState.REFUNDING,
    "R36": ClaimState.HOLD,
    "R40": ClaimState.DONE,
    "R41": ClaimState.REFUNDING,
    "R42": ClaimState.REFUNDING,
    "R43": ClaimState.HOLD,
    "E00": ClaimState.REQUESTED,
    "E10": ClaimState.ACCEPTED,
    "E11": ClaimState.REJECTED,
    "E12": ClaimState.HOLD,
    "E13": ClaimState.COLLECTED,
    "E20": ClaimState.RESHIPPING,  # the replacement is being prepared (likely)
    "E30": ClaimState.COLLECTING,
    "E31": ClaimState.COLLECTED,
    "E32": ClaimState.HOLD,  # waits for the customer's extra payment (likely)
    "E33": ClaimState.RESHIPPING,  # extra payment came (likely)
    "E34": ClaimState.REFUNDING,
    "E35": ClaimState.REFUNDING,
    "E36": ClaimState.HOLD,
    "E40": ClaimState.DONE,
}

#: ``naver_pay_claim_status``: Naver Pay keeps claims of its own, while the item's status stays a plain one
NAVER_CLAIM: dict[str, tuple[ClaimKind, ClaimState]] = {
    "CANCEL_REQUEST": (CANCEL, ClaimState.REQUESTED),
    "CANCELING": (CANCEL, ClaimState.REFUNDING),
    "CANCEL_DONE": (CANCEL, ClaimState.DONE),
    "CANCEL_REJECT": (CANCEL, ClaimState.REJECTED),
    "RETURN_REQUEST": (RETURN, ClaimState.REQUESTED),
    "RETURN_DONE": (RETURN, ClaimState.DONE),
    "RETURN_REJECT": (RETURN, ClaimState.REJECTED),
    "EXCHANGE_REQUEST": (EXCHANGE, ClaimState.REQUESTED),
    "EXCHANGE_REDELIVERING": (EXCHANGE, ClaimState.RESHIPPING),
    "EXCHANGE_DONE": (EXCHANGE, ClaimState.DONE),
    "EXCHANGE_REJECT": (EXCHANGE, ClaimState.REJECTED),
    "ADMIN_CANCELING": (ClaimKind.ADMIN_CANCEL, ClaimState.REFUNDING),
    "ADMIN_CANCEL_DONE": (ClaimKind.ADMIN_CANCEL, ClaimState.DONE),
    "ADMIN_CANCEL_REJECT": (ClaimKind.ADMIN_CANCEL, ClaimState.REJECTED),
    # The same two words serve returns and exchanges: of which kind is not told.
    "COLLECTING": (ClaimKind.UNKNOWN, ClaimState.COLLECTING),
    "COLLECT_DONE": (ClaimKind.UNKNOWN, ClaimState.COLLECTED),
    "PURCHASE_DECISION_HOLDBACK": (ClaimKind.CONFIRM_HOLD, ClaimState.HOLD),
    "PURCHASE_DECISION_HOLDBACK_REDELIVERING": (ClaimKind.CONFIRM_HOLD, ClaimState.RESHIPPING),
    "PURCHASE_DECISION_HOLDBACK_RELEASE": (ClaimKind.CONFIRM_HOLD, ClaimState.DONE),
}
#: its words that tell of no claim: steps of the order, and of taking it
NAVER_NO_CLAIM = frozenset(
    {
        "PAYMENT_WAITING", "PAYED", "DELIVERING", "DELIVERED", "PURCHASE_DECIDED", "PURCHASE_DECISION_REQUEST",
        "EXCHANGED", "CANCELED", "RETURNED", "CANCELED_BY_NOPAYMENT", "NOT_YET", "OK", "CANCEL",
    }
)  # fmt: skip

#: ``request_undone`` of an item after a withdrawal
KIND_OF_UNDONE: dict[str, ClaimKind] = {"CANCELLATION": CANCEL, "RETURN": RETURN, "EXCHANGE": EXCHANGE}


class Reason(Struct, frozen=True):
    """``fault`` only where the words themselves say whose it is."""

    reason: ClaimReason
    fault: FaultParty = FaultParty.UNKNOWN


_LATE = Reason(ClaimReason.LATE, FaultParty.SELLER)
_MIND = Reason(ClaimReason.CHANGE_OF_MIND, FaultParty.CUSTOMER)
_DEFECT = Reason(ClaimReason.DEFECT, FaultParty.SELLER)
_WRONG_ITEM = Reason(ClaimReason.WRONG_ITEM, FaultParty.SELLER)
_OTHER = Reason(ClaimReason.OTHER)

#: codes of the seller, on the claim resource
SELLER_REASONS: dict[str, Reason] = {
    "A": _MIND,
    "B": _LATE,
    "C": _OTHER,  # area not served
    "D": Reason(ClaimReason.DAMAGED, FaultParty.SELLER),  # bad packing
    "E": _OTHER,  # dissatisfied: does not say with what
    "F": Reason(ClaimReason.NOT_AS_DESCRIBED, FaultParty.SELLER),
    "G": _OTHER,  # bad service
    "H": Reason(ClaimReason.OUT_OF_STOCK, FaultParty.SELLER),
    "I": _OTHER,
    "J": _WRONG_ITEM,  # wrong delivery
    "K": _DEFECT,
    "L": _OTHER,  # export or customs
}

#: codes of the buyer, on the item. A request that the seller files for the customer bears a seller's
#: code there; the two sets do not contradict each other, so the item's table holds both.
BUYER_REASONS: dict[str, Reason] = {
    **SELLER_REASONS,
    "O": _MIND,
    "P": _OTHER,  # dissatisfied: does not say with what
    "V": _DEFECT,
    "W": _WRONG_ITEM,  # delivery error
}

#: reasons that the calls which make a claim take; they leave out J and K, so wrong goods and defects are
#: "other" with their words beside them
POST_REASON: dict[ClaimReason, str] = {
    ClaimReason.CHANGE_OF_MIND: "A",
    ClaimReason.WRONG_ORDER: "A",
    ClaimReason.LATE: "B",
    ClaimReason.DAMAGED: "D",
    ClaimReason.NOT_AS_DESCRIBED: "F",
    ClaimReason.OUT_OF_STOCK: "H",
    ClaimReason.DEFECT: "I",
    ClaimReason.WRONG_ITEM: "I",
    ClaimReason.MISSING_PART: "I",
    ClaimReason.OTHER: "I",
}

#: reasons of a return or exchange that is filed for the customer: A mind, E dissatisfied, K defective,
#: J delivery error, I other
FILED_REASON: dict[ClaimReason, str] = {
    ClaimReason.CHANGE_OF_MIND: "A",
    ClaimReason.WRONG_ORDER: "A",
    ClaimReason.NOT_AS_DESCRIBED: "E",
    ClaimReason.DEFECT: "K",
    ClaimReason.DAMAGED: "K",
    ClaimReason.WRONG_ITEM: "J",
    ClaimReason.MISSING_PART: "J",
    ClaimReason.LATE: "I",
    ClaimReason.OUT_OF_STOCK: "I",
    ClaimReason.OTHER: "I",
}

#: 51 no longer wanted, 53 wrong goods ordered, 54 dissatisfied, 55 late, 56 sold out, 60 not as described
NAVER_CANCEL_REASON: dict[ClaimReason, str] = {
    ClaimReason.CHANGE_OF_MIND: "51",
    ClaimReason.WRONG_ORDER: "53",
    ClaimReason.LATE: "55",
    ClaimReason.OUT_OF_STOCK: "56",
    ClaimReason.NOT_AS_DESCRIBED: "60",
    ClaimReason.DAMAGED: "54",
    ClaimReason.DEFECT: "54",
    ClaimReason.WRONG_ITEM: "54",
    ClaimReason.MISSING_PART: "54",
    ClaimReason.OTHER: "54",
}

#: what stands as the reason where the agent wrote none
REASON_WORDS: dict[ClaimReason, str] = {
    ClaimReason.CHANGE_OF_MIND: "고객 변심",
    ClaimReason.WRONG_ORDER: "주문 착오",
    ClaimReason.LATE: "배송 지연",
    ClaimReason.OUT_OF_STOCK: "품절",
    ClaimReason.DEFECT: "상품 불량",
    ClaimReason.DAMAGED: "상품 파손",
    ClaimReason.WRONG_ITEM: "오배송",
    ClaimReason.MISSING_PART: "구성품 누락",
    ClaimReason.NOT_AS_DESCRIBED: "상품 정보 상이",
    ClaimReason.OTHER: "기타",
}

INQUIRY_STATE: dict[str, InquiryState] = {
    "N": InquiryState.UNANSWERED,
    "P": InquiryState.IN_PROGRESS,
    "C": InquiryState.ANSWERED,
}

#: urgent inquiries use other letters
URGENT_STATE: dict[str, InquiryState] = {
    "F": InquiryState.UNANSWERED,
    "I": InquiryState.IN_PROGRESS,
    "T": InquiryState.ANSWERED,
}

#: ``deleted`` of a post: T deleted, B not filed yet (등록전)
DELETED, DRAFT = "T", "B"

#: the usual board of reviews: it may bear the type of product questions, but asks nothing
REVIEW_BOARD = 4
#: board types that hold questions
INQUIRY_BOARD_TYPES: dict[str, InquiryKind] = {
    "5": InquiryKind.PRODUCT_INQUIRY,
    "7": InquiryKind.ORDER_INQUIRY,
}
#: usual numbers, for a mall that lists no boards (confidence: likely)
USUAL_BOARDS: dict[int, InquiryKind] = {6: InquiryKind.PRODUCT_INQUIRY, 9: InquiryKind.ORDER_INQUIRY}

#: market_id of an order placed in the mall itself
OWN_MARKET = "self"
#: order_place_id (and market_id) of the markets that the hub reads itself, in the hub's words
#: (shopn = Naver SmartStore; confidence: sure)
MALL_OF_MARKET = {"shopn": "smartstore"}
#: order_place_id of an order placed by Naver Pay (네이버페이 주문형)
NAVER_PAY_PLACE = "NCHECKOUT"
#: what the name of a Kakao payment holds, in lower case (confidence: guess)
KAKAO_WORDS = ("kakao", "카카오")
#: filters of GET /orders that together see every dated change; order_date first, it brings new orders
CHANGE_DATES = (
    "order_date",
    "pay_date",
    "shipbegin_date",
    "shipend_date",
    "cancel_request_date",
    "cancel_accept_date",
    "cancel_complete_date",
    "return_request_date",
    "return_accept_date",
    "return_complete_date",
    "exchange_request_date",
    "exchange_accept_date",
    "exchange_complete_date",
    "purchaseconfirmation_date",
)

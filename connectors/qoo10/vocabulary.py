"""Every code table of Qoo10 Japan, with its source.

Sources: the QAPI method tables (GetShippingInfo_v3, GetClaimInfo_V3, CSCenter, Claim; version 1.0,
2026-06) and independent public clients that agree with them; confidence: sure unless said otherwise.
"""

import re
import unicodedata
from functools import lru_cache

from hub.core.errors import AccessError, MallError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import ClaimKind, ClaimReason, ClaimState, FaultParty, InquiryKind, InquiryState, LineStatus

# --- methods ---------------------------------------------------------------------------------

CREATE_KEY = "CertificationAPI.CreateCertificationKey"
LIST_ORDERS = "ShippingBasic.GetShippingInfo_v3"
ONE_ORDER = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2"
LIST_CLAIMS = "ShippingBasic.GetClaimInfo_V3"
LIST_INQUIRIES = "CSCenter.GetInquiryMessage"
ANSWER_INQUIRY = "CSCenter.SetInquiryMessage"
CONFIRM_ORDER = "ShippingBasic.SetSellerCheckYN_V2"
SEND_PARCEL = "ShippingBasic.SetSendingInfo"
CANCEL_ORDER = "Claim.SetCancelProcess"
ACCEPT_EXCHANGE = "Claim.SetClaimAccept"
REDELIVER = "Claim.SetClaimRedelivery"
LIST_ITEMS = "ItemsLookup.GetAllGoodsInfo"
ONE_ITEM = "ItemsLookup.GetItemDetailInfo"
ITEM_OPTIONS = "ItemsLookup.GetGoodsInventoryInfo"

#: QAPIVersion of the methods that are not 1.0
VERSIONS = {ONE_ITEM: "1.2"}

# --- order status, sent as "Seller confirm(3)" or "3" -------------------------------------------

LINE_STATUS = {
    "1": LineStatus.PENDING_PAYMENT,
    "2": LineStatus.PAID,
    "3": LineStatus.PREPARING,
    "4": LineStatus.DISPATCHED,
    "5": LineStatus.DELIVERED,
}
#: statuses that prove that the parcel left
SENT = frozenset({"4", "5"})

#: AvailableSendType: 0 normal, 1 reservation (four and more days of preparation), 2 reservation (day of release),
#: 3 same day
IS_RESERVED = {"0": False, "1": True, "2": True, "3": False}

BY_ORDER_DATE, BY_PAYMENT_DATE, BY_SHIPPING_DATE, BY_DELIVERED_DATE = "1", "2", "3", "4"

# --- claims --------------------------------------------------------------------------------------

#: ClaimStat -> kind and state. 2 and 13 are named after their Japanese words (キャンセル中, 再配送中):
#: likely. 13 is the last step the mall shows of an exchange, its arrival is never told.
CLAIM_STATUS = {
    "1": (ClaimKind.CANCEL, ClaimState.REQUESTED),
    "2": (ClaimKind.CANCEL, ClaimState.REFUNDING),
    "3": (ClaimKind.CANCEL, ClaimState.DONE),
    "4": (ClaimKind.RETURN, ClaimState.REQUESTED),
    "5": (ClaimKind.RETURN, ClaimState.COLLECTING),
    "6": (ClaimKind.RETURN, ClaimState.DONE),
    "11": (ClaimKind.EXCHANGE, ClaimState.REQUESTED),
    "12": (ClaimKind.EXCHANGE, ClaimState.ACCEPTED),
    "13": (ClaimKind.EXCHANGE, ClaimState.RESHIPPING),
    "14": (ClaimKind.NON_RECEIPT, ClaimState.DONE),
    "15": (ClaimKind.NON_RECEIPT, ClaimState.DONE),
    "16": (ClaimKind.CANCEL, ClaimState.DONE),
}
PARTLY_REFUNDED = "15"
#: claims that end the line, whatever its delivery status says
LINE_STATUS_OF_CLAIM = {"3": LineStatus.CANCELLED, "16": LineStatus.CANCELLED, "6": LineStatus.RETURNED}

BY_REQUEST_DATE, BY_COMPLETION_DATE = "2", "3"

_LAST_NUMBER = re.compile(r"(\d{1,4})(?:\.0+)?[)）]?\s*$")


@lru_cache(maxsize=512)
def number_in(text: str) -> str | None:
    """The code inside a status text: "Seller confirm(3)" -> "3", "05" -> "5"; ``None`` when there is none."""
    found = _LAST_NUMBER.search(text)
    return str(int(found.group(1))) if found else None


# --- reasons: free text, so only words that can mean one thing; confidence: likely -----------------

_REASON_WORDS = (
    (ClaimReason.WRONG_ORDER, ("注文間違い", "注文ミス", "間違えて注文", "誤注文", "注文を間違え", "選択ミス")),
    (
        ClaimReason.CHANGE_OF_MIND,
        (
            "サイズが合わない",
            "サイズ違い",
            "気が変わ",
            "不要になった",
            "必要なくなった",
            "お客様都合",
            "イメージと違",
            "イメージ違い",
        ),
    ),
    (ClaimReason.LATE, ("配送遅延", "発送遅延", "配送が遅", "発送が遅", "届くのが遅", "到着が遅")),
    (ClaimReason.OUT_OF_STOCK, ("在庫切れ", "品切れ", "欠品", "在庫なし", "在庫不足")),
    (ClaimReason.DEFECT, ("不良", "故障", "欠陥", "動かない", "動作しない")),
    (ClaimReason.DAMAGED, ("破損", "汚損", "壊れて", "割れて")),
    (ClaimReason.WRONG_ITEM, ("誤配送", "誤送", "違う商品", "別の商品", "商品違い", "商品が違")),
    (ClaimReason.MISSING_PART, ("部品不足", "付属品", "数量不足", "入っていない", "不足している", "部品が足りない")),
    (ClaimReason.NOT_AS_DESCRIBED, ("説明と違", "説明と異な", "記載と違", "写真と違")),
    (ClaimReason.OTHER, ("その他",)),
)
_FAULT_WORDS = (
    (FaultParty.SELLER, ("販売者の責任", "販売者責任", "販売者都合", "出品者の責任", "出品者都合")),
    (FaultParty.CUSTOMER, ("購入者の責任", "購入者責任", "購入者都合", "お客様都合", "お客様の都合")),
)
_LONGEST_REASON = 500


@lru_cache(maxsize=4096)
def reason_of(text: str) -> ClaimReason:
    """The reason that a text names. Words of two reasons, or of none, are ``UNKNOWN``: never a guess."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_REASON])
    found = {reason for reason, words in _REASON_WORDS if any(word in plain for word in words)}
    if len(found) > 1:
        found.discard(ClaimReason.OTHER)
    return found.pop() if len(found) == 1 else ClaimReason.UNKNOWN


@lru_cache(maxsize=4096)
def fault_of(text: str) -> FaultParty:
    """Whose fault the text says it is, in QSM's own words; ``UNKNOWN`` when it does not say."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST_REASON])
    found = {party for party, words in _FAULT_WORDS if any(word in plain for word in words)}
    return found.pop() if len(found) == 1 else FaultParty.UNKNOWN


# --- writes on lines -------------------------------------------------------------------------------

#: CancelReason of SetCancelProcess; every one is booked as the seller's. 1 (order change) and 2 (area not
#: deliverable) exist too, but no reason of the hub means them: they are chosen in QSM.
CANCEL_REASON = {ClaimReason.OUT_OF_STOCK: "", ClaimReason.LATE: "3"}
#: DelayType of SetSellerCheckYN_V2: 1 goods in preparation, 3 the customer's wish, 4 other; 2 (made to order)
#: is meant by no reason of the hub. Which reason means which type is our choice (likely).
DELAY_TYPE = {
    ClaimReason.OUT_OF_STOCK: "1",
    ClaimReason.LATE: "1",
    ClaimReason.CHANGE_OF_MIND: "3",
}
OTHER_DELAY = "4"
#: SellerMemo and DelayMemo, ShippingCorp, TrackingNo: longest text
MEMO_LIMIT, CARRIER_LIMIT, TRACKING_LIMIT = 1000, 200, 50
#: Carriers are names, not codes; these were seen in use (likely), the whole list is not published.
CARRIERS = (
    "佐川急便",
    "ヤマト宅急便",
    "ゆうパック",
    "ゆうパケット",
    "ネコポス",
    "クリックポスト",
    "クロネコDM便",
    "コンビニ等受取",
    "福山通運",
    "西濃運輸",
    "Qxpress",
)

# --- goods -----------------------------------------------------------------------------------------

#: ItemStatus in the order in which goods are asked for: on sale, waiting, stopped, in review, restricted, rejected
ITEM_STATUSES = ("S2", "S1", "S3", "S0", "S5", "S8")

# --- inquiries ---------------------------------------------------------------------------------

INQUIRY_STATUSES = ("S1", "S2", "S3")
INQUIRY_STATE = {
    "S1": InquiryState.UNANSWERED,
    "S2": InquiryState.IN_PROGRESS,
    "S3": InquiryState.ANSWERED,
}
#: INQ_TYPE -> kind and whether others can read it; the meaning of the types is a guess (nowhere stated)
INQUIRY_TYPE = {
    "MSG": (InquiryKind.ORDER_INQUIRY, False),
    "HELP": (InquiryKind.ORDER_INQUIRY, False),
    "ITEM": (InquiryKind.PRODUCT_INQUIRY, True),
}
ANSWER_LIMIT = 4000

# --- errors: codes change their meaning from method to method -----------------------------------

#: the seller authorization key is wrong or has ended; -90001 ("no such API") is what a wrong key really gets
KEY_REFUSED = frozenset({-10000, -90001, -90004, -90005})
_NOT_AUTHORISED = frozenset({-90002, -90003})
_NOT_FOUND = frozenset({(ONE_ORDER, -10001), (ONE_ORDER, -10002), (ONE_ITEM, -10001), (ITEM_OPTIONS, -10001)})
#: what a published code of a write means, for an answer that comes without words
_MEANING = {
    (CONFIRM_ORDER, -10001): "the order number or a field is wrong",
    (SEND_PARCEL, -10001): "the order number or a field is wrong",
    (CANCEL_ORDER, -10001): "the order number is wrong",
    (CANCEL_ORDER, -10002): "there is no such order",
    (CANCEL_ORDER, -10003): "the seller's data are wrong",
    (CANCEL_ORDER, -10004): "the order's status does not allow a cancel",
    (ACCEPT_EXCHANGE, -10002): "there is no such order",
    (ACCEPT_EXCHANGE, -10003): "the seller's data are wrong",
    (REDELIVER, -10002): "there is no such order",
    (REDELIVER, -10003): "the seller's data are wrong",
    (ANSWER_INQUIRY, -10001): "a field is wrong",
    (ANSWER_INQUIRY, -10002): "the answer was not posted",
}


def error_of(method: str, code: int, text: str | None) -> MallError:
    """The error that ``code`` means in answer to ``method``. ``text`` is the mall's own message."""
    kind: type[MallError]
    if code in KEY_REFUSED:
        kind, message = AccessError, "Qoo10 refuses the seller authorization key; `hub shop check` says what to do"
    elif code in _NOT_AUTHORISED:
        kind, message = AccessError, "Qoo10 does not allow this key to do this: ask for the right by ticket in QSM"
    elif (method, code) in _NOT_FOUND:
        kind, message = NotFoundAtMallError, "Qoo10 knows no such number"
    else:
        kind, message = RejectedByMallError, "Qoo10 refused the call"
        if (method, code) in _MEANING:
            message = f"{message}: {_MEANING[method, code]}"
    return kind(message, status=200, mall_code=str(code), mall_message=text)

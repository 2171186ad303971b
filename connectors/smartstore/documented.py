"""Fields that the mall documents and the hub has no use for: seeing one of them is no news.

Source: Naver Commerce API 2.73.0, order detail, inquiries and product questions (confidence: sure; the
pairs of first and remaining amounts: likely). What stands neither here nor in ``wire.py`` is new.
"""

from collections.abc import Iterable, Iterator
from typing import Final


def _under(prefix: str, names: Iterable[str]) -> Iterator[str]:
    return (f"{prefix}.{name}" for name in names)


_ORDER: Final = (
    "paymentDueDate",
    "ordererNo",
    "payLocationType",
    "generalPaymentAmount",
    "naverMileagePaymentAmount",
    "chargeAmountPaymentAmount",
    "checkoutAccumulationPaymentAmount",
    "payLaterPaymentAmount",
    "orderDiscountAmount",
    "isDeliveryMemoParticularInput",
    "isMembershipSubscribed",
)
_CODES: Final = (
    "originalProductId",
    "groupProductId",
    "merchantChannelId",
    "mallId",
    "itemNo",
    "optionCode",
    "productClass",
    "packageNumber",
    "skuMappings",
    "freeGift",
)
_DELIVERY_TERMS: Final = (
    "shippingStartDate",
    "delayedDispatchDetailedReason",
    "deliveryFeeAmount",
    "deliveryDiscountAmount",
    "sectionDeliveryFee",
    "deliveryPolicyType",
    "shippingFeeType",
    "expectedDeliveryMethod",
    "expectedDeliveryCompany",
    "arrivalGuaranteeDate",
    "deliveryTagType",
    "storageType",
    "individualCustomUniqueCode",
)
#: each also as what it was first (initial…) and what is left of it (remain…)
_PAIRED: Final = (
    "PaymentAmount",
    "ProductAmount",
    "ProductDiscountAmount",
    "SellerBurdenDiscountAmount",
    "ProductImediateDiscountAmount",
    "SellerBurdenImediateDiscountAmount",
    "ProductImmediateDiscountAmount",
    "SellerBurdenImmediateDiscountAmount",
    "ProductMultiplePurchaseDiscountAmount",
    "SellerBurdenMultiplePurchaseDiscountAmount",
)
_AMOUNTS: Final = (
    "unitPrice",
    "optionPrice",
    "taxType",
    "expectedSettlementAmount",
    "paymentCommission",
    "saleCommission",
    "channelCommission",
    "knowledgeShoppingSellingInterlockCommission",
    "commissionRatingType",
    "commissionPrePayStatus",
    "appliedCoupons",
    "appliedCardPromotion",
    "inflowPath",
    "inflowPathAdd",
    "totalProductAmount",
    *(name[0].lower() + name[1:] for name in _PAIRED),
    *(f"{pair}{name}" for pair in ("initial", "remain") for name in _PAIRED),
)
_ADDRESS: Final = (
    "addressType",
    "city",
    "state",
    "isRoadNameAddress",
    "pickupLocationType",
    "pickupLocationContent",
    "entryMethod",
    "entryMethodContent",
)
_PLACE: Final = (
    *_ADDRESS,
    "name",
    "tel1",
    "tel2",
    "baseAddress",
    "detailedAddress",
    "country",
    "logisticsCenterId",
)
_HOPE: Final = ("additionalFee", "changeReason", "changer")
_DELIVERY: Final = (
    "deliveryMethod",
    "deliveryStatus",
    "isWrongTrackingNumber",
    "wrongTrackingNumberType",
    "wrongTrackingNumberRegisteredDate",
)
_CLAIM: Final = (
    "requestChannel",
    "refundExpectedDate",
    "refundStandbyReason",
    "refundStandbyStatus",
    "collectAddress",
    "returnReceiveAddress",
    "collectDeliveryMethod",
    "collectStatus",
    "collectStartTime",
    "collectEndTime",
    "collectSlotId",
    "claimDeliveryFeeDemandAmount",
    "claimDeliveryFeePayMethod",
    "claimDeliveryFeePayMeans",
    "claimDeliveryFeeDiscountAmount",
    "claimDeliveryFeeProductOrderIds",
    "claimDeliveryFeeSupportType",
    "claimDeliveryFeeSupportAmount",
    "remoteAreaCostChargeAmount",
    "etcFeeDemandAmount",
    "etcFeePayMethod",
    "etcFeePayMeans",
    "holdbackDetailedReason",
    "holdbackConfigurer",
    "holdbackReleaser",
    "returnImageUrl",
    "exchangeImageUrl",
    "reDeliveryMethod",
    "reDeliveryStatus",
    "reDeliveryAddress",
)
_CLAIM_PLACES: Final = (
    "currentClaim.cancel",
    "currentClaim.return",
    "currentClaim.exchange",
    "beforeClaim.exchange",
    "completedClaims",
)

#: of one element of product-orders/query; the last three are the sections that ended on 2026-10-28
DETAIL: Final = frozenset(
    (
        *_under("order", _ORDER),
        *_under("productOrder", (*_CODES, *_DELIVERY_TERMS, *_AMOUNTS)),
        *_under("productOrder.hopeDelivery", _HOPE),
        *_under("productOrder.shippingAddress", _ADDRESS),
        *_under("productOrder.takingAddress", _PLACE),
        *_under("delivery", _DELIVERY),
        *(path for place in _CLAIM_PLACES for path in _under(place, _CLAIM)),
        "cancel",
        "return",
        "exchange",
    )
)
INQUIRY: Final = frozenset({"productOrderOption", "answerTemplateNo"})
QNA: Final[frozenset[str]] = frozenset()

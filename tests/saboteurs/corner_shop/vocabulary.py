"""Every code table of the corner shop (invented; confidence: sure)."""

from hub.core.model import ClaimKind, ClaimState, InquiryKind, InquiryState, LineStatus

LINE_STATUS = {status.value.upper(): status for status in LineStatus if status is not LineStatus.UNKNOWN}
CLAIM_KIND = {kind.value.upper(): kind for kind in ClaimKind if kind is not ClaimKind.UNKNOWN}
CLAIM_STATE = {state.value.upper(): state for state in ClaimState if state is not ClaimState.UNKNOWN}
INQUIRY_KIND = {"ITEM": InquiryKind.PRODUCT_INQUIRY, "ORDER": InquiryKind.ORDER_INQUIRY}
INQUIRY_STATE = {"OPEN": InquiryState.UNANSWERED, "DONE": InquiryState.ANSWERED}

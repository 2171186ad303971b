"""What a case is about, as routing has it: of one case on its page, and of many in a statement.

A case that is marked as hard has its hot line. Else the reasons of its open claims tell, and where they do not,
its kind.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from hub.core.model import ClaimReason
from hub.desk.care.views import MARKED, ComplaintStep
from hub.store.tables import cases, claims, complaint_steps
from routing.chain import Matter

OF_KIND: Final = {
    "cancel": Matter.STOCK,
    "exchange": Matter.STOCK,
    "return": Matter.DEFECT,
    "order_inquiry": Matter.DISPATCH_DELAY,
    "product_inquiry": Matter.PRODUCT_DETAIL,
    "non_receipt": Matter.MISSING_PARCEL,
}
OF_REASON: Final = {
    ClaimReason.LATE: Matter.DISPATCH_DELAY,
    ClaimReason.OUT_OF_STOCK: Matter.STOCK,
    ClaimReason.DEFECT: Matter.DEFECT,
    ClaimReason.DAMAGED: Matter.DEFECT,
    ClaimReason.WRONG_ITEM: Matter.DEFECT,
    ClaimReason.MISSING_PART: Matter.DEFECT,
}
#: those that a case can be about before anybody has chosen another
TOLD: Final = tuple(
    matter for matter in Matter if matter in {*OF_KIND.values(), *OF_REASON.values(), Matter.HARD_CASE, Matter.OTHER}
)


def is_about(matters: Collection[Matter]) -> ColumnElement[bool]:
    """Whether a row of ``cases`` is about one of these. A case with claims for several reasons is about each."""
    reasons = [reason.value for reason, matter in OF_REASON.items() if matter in matters]
    kinds = [kind for kind, matter in OF_KIND.items() if matter in matters]
    by_kind: ColumnElement[bool] = cases.c.kind.in_(kinds)
    if Matter.OTHER in matters:
        by_kind = or_(by_kind, cases.c.kind.not_in(list(OF_KIND)))
    told = [reason.value for reason in OF_REASON]
    about = or_(_has_open_claim(reasons), and_(by_kind, not_(_has_open_claim(told)))) & not_(_is_hard())
    return or_(_is_hard(), about) if Matter.HARD_CASE in matters else about


def _has_open_claim(reasons: Collection[str]) -> ColumnElement[bool]:
    return exists(
        select(claims.c.id).where(
            claims.c.shop_id == cases.c.shop_id,
            claims.c.order_no == cases.c.order_no,
            claims.c.sub_shop == cases.c.sub_shop,
            claims.c.kind == cases.c.kind,
            claims.c.is_open,
            claims.c.reason.in_(list(reasons)),
        )
    )


def _is_hard() -> ColumnElement[bool]:
    """Its newest mark as a hard case is none that was cleared."""
    later = complaint_steps.alias("later")
    is_mark = complaint_steps.c.step == ComplaintStep.HARD_CASE.value
    newer = select(later.c.id).where(
        later.c.case_id == complaint_steps.c.case_id,
        later.c.step == ComplaintStep.HARD_CASE.value,
        later.c.id > complaint_steps.c.id,
    )
    return exists(
        select(complaint_steps.c.id).where(
            complaint_steps.c.case_id == cases.c.id,
            is_mark,
            complaint_steps.c.cause == MARKED,
            ~exists(newer.correlate(complaint_steps)),
        )
    )

"""On what ground a customer's wish may be refused, and what each ground must be proved with.

Source: Act on Consumer Protection in Electronic Commerce (Korea), articles 17 and 18, its Enforcement
Decree, article 21, and Act on Specified Commercial Transactions (Japan), article 15-3. The seller proves
(17(5)): a ground without its proofs refuses nothing, it makes the card ask. None of this is legal advice.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Ground(StrEnum):
    """Reasons to refuse that somebody must prove."""

    DAMAGED_BY_CUSTOMER = "damaged_by_customer"
    USED = "used"
    TIME_PASSED = "time_passed"
    UNSEALED_COPYABLE = "unsealed_copyable"
    DIGITAL_BEGUN = "digital_begun"
    MADE_TO_ORDER = "made_to_order"
    DISPATCHED = "dispatched"
    WINDOW_OVER = "window_over"
    RETURN_CLAUSE = "return_clause"


class Proof(StrEnum):
    """What a ground is proved with."""

    NOTICE = "notice"
    CONSENT = "consent"
    PHOTOS = "photos"
    INSPECTION = "inspection"
    BEGUN = "begun"
    ORDER_RECORD = "order_record"
    WAYBILL = "waybill"
    DISPATCH_TIME = "dispatch_time"
    DELIVERY_DATE = "delivery_date"
    CLAUSE = "clause"


#: what each ground needs, all of it. Source: Korean law as named above; DISPATCHED and, in Japan,
#: MADE_TO_ORDER are the grounds that Qoo10 knows. Opening the box to look is no ground (17(2)1).
NEEDED: Final[Mapping[Ground, tuple[Proof, ...]]] = {
    Ground.DAMAGED_BY_CUSTOMER: (Proof.PHOTOS, Proof.INSPECTION),
    Ground.USED: (Proof.PHOTOS, Proof.NOTICE),
    Ground.TIME_PASSED: (Proof.DELIVERY_DATE, Proof.NOTICE),
    Ground.UNSEALED_COPYABLE: (Proof.PHOTOS, Proof.NOTICE),
    Ground.DIGITAL_BEGUN: (Proof.BEGUN, Proof.NOTICE),
    Ground.MADE_TO_ORDER: (Proof.ORDER_RECORD, Proof.NOTICE, Proof.CONSENT),
    Ground.DISPATCHED: (Proof.WAYBILL, Proof.DISPATCH_TIME),
    Ground.WINDOW_OVER: (Proof.DELIVERY_DATE,),
    Ground.RETURN_CLAUSE: (Proof.DELIVERY_DATE, Proof.CLAUSE),
}
#: grounds of Korean law that take the right of withdrawal away, with the rule that says so
LEGAL: Final[Mapping[Ground, str]] = {
    Ground.DAMAGED_BY_CUSTOMER: "kr.law.17-2-1",
    Ground.USED: "kr.law.17-2-2",
    Ground.TIME_PASSED: "kr.law.17-2-3",
    Ground.UNSEALED_COPYABLE: "kr.law.17-2-4",
    Ground.DIGITAL_BEGUN: "kr.law.17-2-5",
    Ground.MADE_TO_ORDER: "kr.law.17-2-6",
}


class Weighed(Struct, frozen=True, kw_only=True):
    """One alleged ground. ``missing``: not yet known; ``failed``: known not to be there, so the ground is gone."""

    ground: Ground
    missing: tuple[Proof, ...]
    failed: tuple[Proof, ...]

    @property
    def is_proved(self) -> bool:
        return not self.missing and not self.failed


def weigh(ground: Ground, *, held: Collection[Proof], denied: Collection[Proof] = ()) -> Weighed:
    """Compare what a ground needs with what is ``held`` and what is known to be absent (``denied``)."""
    needed = NEEDED[ground]
    return Weighed(
        ground=ground,
        missing=tuple(proof for proof in needed if proof not in held and proof not in denied),
        failed=tuple(proof for proof in needed if proof in denied),
    )

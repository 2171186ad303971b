"""How much of a compensation a partner bears, and whether an agent may give it alone."""

from typing import Final

from msgspec import Struct

from hub.core.model import InventoryMode
from hub.policy.book_rows import CompensationRow, Gift
from hub.policy.switches import Switches

#: goods that we own have no partner
_SHARED: Final = frozenset({InventoryMode.CONSIGNMENT, InventoryMode.THIRD_PARTY_LOGISTICS})


class Share(Struct, frozen=True, kw_only=True):
    """``partner_minor`` and ``our_minor`` add up to the amount, whatever is rounded."""

    partner_minor: int
    our_minor: int


def share_of(amount_minor: int, *, mode: InventoryMode, switches: Switches) -> Share:
    """The partner's part in whole minor units, rounded towards nothing: the odd unit is ours."""
    row = switches.share(mode)
    percent = row.partner_percent if row is not None and mode in _SHARED else 0
    theirs = abs(amount_minor) * percent // 100 * (1 if amount_minor >= 0 else -1)
    return Share(partner_minor=theirs, our_minor=amount_minor - theirs)


def needs_approval(amount_minor: int, *, gift: Gift, currency: str, mode: InventoryMode, switches: Switches) -> bool:
    """Whether a supervisor must agree: without a limit of the policy an agent gives nothing alone."""
    limit = switches.limit(gift, currency)
    if limit is None or amount_minor > limit.amount_minor:
        return True
    share = switches.share(mode)
    is_capped = gift is Gift.POINTS and share is not None and share.currency == currency
    return bool(is_capped and share and (not share.is_on or amount_minor > _most(share, amount_minor)))


def _most(row: CompensationRow, amount_minor: int) -> int:
    """The most points by the policy; where it names none, as many as asked for."""
    return amount_minor if row.limit_minor is None else row.limit_minor

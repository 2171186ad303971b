"""What a call was about: a fixed tree, two keys deep, so that months can be compared.

A topic is ``matter.reason``. The matters of the order line and the reasons for which a customer could not order alone
are those that ``ivr.topics`` counts by.
"""

from collections.abc import Mapping
from typing import Final

from ivr.topics import ORDER_REASONS

TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "order_help": ORDER_REASONS,
    "delivery": ("where_is_it", "late", "lost", "change_address"),
    "cancel": ("asks_cancel", "cancel_status", "refund_when"),
    "return": ("asks_return", "collection", "refund_when"),
    "exchange": ("asks_exchange", "exchange_status"),
    "product": ("stock", "details", "use", "defect"),
    "payment": ("receipt", "coupon_points", "double_charge"),
    "complaint": ("staff", "goods", "procedure"),
    "other": ("wrong_number", "silent_call", "else"),
}
#: written where a call was ended for abuse and nothing else was noted
ABUSE: Final = "abuse"


def is_topic(text: str) -> bool:
    matter, _, reason = text.partition(".")
    return reason in TOPICS.get(matter, ())

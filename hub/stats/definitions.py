"""What each figure means, in a sentence; screens have their own words under ``stats.define.<name>``."""

from typing import Final

DEFINITIONS: Final = {
    "inquiries": "Written inquiries on the day they were asked, calls on the day they entered, each counted once.",
    "offered": "Ended calls to the line that was dialled, in the hour they entered, with any result.",
    "answered": "An agent spoke with the caller at least once.",
    "abandoned_notice": "The caller hung up during the announcements before the menu.",
    "abandoned_menu": "The caller hung up in the menu.",
    "abandoned_queue": "The caller hung up while waiting in the queue.",
    "abandoned_short": "The part of abandoned_queue that waited less than five seconds.",
    "left_queue": "The call left the queue without an agent and without hanging up: timeout, key, empty queue.",
    "not_joined": "The queue took no more callers: full, or nobody signed in.",
    "closed": "Outside opening hours, on a holiday or while the line was closed by hand.",
    "ivr_giveup": "The menu ended the call after no or wrong keys.",
    "callback_requested": "The caller asked to be called back.",
    "transferred_out": "The part of answered that was handed on after an agent had answered.",
    "unknown_did": "A number that belongs to no mall and no line.",
    "system_lost": "The records show no end of the call: a restart, or four hours of silence.",
}

#: of the report per 100 order lines
RATE_DEFINITIONS: Final = {
    "order_lines": "Lines ordered in the span; an order that two shops delivered counts once, where it was placed.",
    "inquiries": "Written inquiries asked in the span, without those on copies of an order.",
    "claims": "Cancels, returns and exchanges requested in the span, without those on copies of an order.",
    "inquiries_per_100": "Inquiries for each 100 order lines of the same span.",
    "claims_per_100": "Claims for each 100 order lines of the same span.",
}

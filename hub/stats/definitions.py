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

#: of the figures per line; ``{within}`` seconds and ``{hours}`` are filled in with the terms they were counted by
LINE_DEFINITIONS: Final = {
    "offered_in_hours": "Offered calls without those that came when the line was closed or to no line.",
    "offered_queue": "Calls that tried a queue, those that it did not take included; each call once.",
    "answered_in_time": "Answered after waiting {within} seconds or less.",
    "abandoned_in_time": "The part of abandoned_queue that waited {within} seconds or less.",
    "with_topic": "Answered calls whose agent noted what they were about.",
    "topic_order": "Answered calls that were about placing an order.",
    "topic_inquiry": "Answered calls that were about anything else a line is for.",
    "misdialled": "Answered calls whose topic belongs to the other line than the one that was dialled.",
    "order_assist": "Answered calls of the order line that could not order by web or app, for whatever reason.",
    "caller_known": "The caller's number stood in an order of any mall that was placed before the call.",
    "caller_new": "The caller's number stood in no order that was placed before the call.",
    "caller_withheld": "The call showed no number that can be looked up.",
    "unreached": "Hung up in notice, menu or queue, left the queue, was not let in, or gave up in the menu.",
    "repeated": "The same number had called the same mall without reaching an agent in the {hours} hours before.",
    "recovered": "The part of unreached whose number was answered by the same mall within {hours} hours.",
    "answer_rate": "answered ÷ offered_queue.",
    "abandon_rate": "abandoned_queue ÷ offered_queue.",
    "asa_seconds": "Average speed of answer: seconds waited by answered calls ÷ answered.",
    "ata_seconds": "Average time to abandon: seconds waited by abandoned_queue ÷ abandoned_queue.",
    "aht_seconds": "Average handling time: seconds of talk and hold ÷ answered calls; after-call work is not recorded.",
    "transfer_rate": "transferred_out ÷ answered.",
    "misdial_rate": "misdialled ÷ with_topic.",
    "order_assist_share": "order_assist ÷ answered, of the order line alone.",
    "formula": "Which of the four formulas of the service level was used.",
    "within_seconds": "Up to how many seconds of waiting count as in time.",
}

#: by formula
SERVICE_LEVEL_DEFINITIONS: Final = {
    "offered": "answered_in_time ÷ offered_queue.",
    "without_abandoned": "answered_in_time ÷ (offered_queue − abandoned_queue).",
    "without_early": "answered_in_time ÷ (offered_queue − abandoned_in_time).",
    "with_early": "(answered_in_time + abandoned_in_time) ÷ offered_queue.",
}

TOPIC_DEFINITIONS: Final = {
    "topic": "What the agent noted; absent: nothing.",
    "topic_line": "The line that the topic belongs to; absent: not known, or no line's.",
    "is_misdialled": "The topic belongs to the other line than the one that was dialled.",
    "answered": "An agent spoke with the caller at least once.",
}

STAFFING_DEFINITIONS: Final = {
    "hour": "Hour of the day, by the centre's clock.",
    "calls": "Calls that tried a queue in this hour of all days of the span.",
    "days": "Days of the span on which the line had calls.",
    "calls_per_hour": "calls ÷ days, or the number that was asked about.",
    "handling_seconds": "Mean talking time of the line plus after-call work as given, or the number asked about.",
    "traffic": "Erlang: calls_per_hour × handling_seconds ÷ 3600.",
    "needed": "The fewest agents whose service level reaches the target, by Erlang C.",
    "agents": "Agents that the following figures are for.",
    "on_roster": "agents ÷ (1 − shrinkage), rounded up.",
    "waiting": "Share of calls that wait.",
    "service_level": "Share of calls answered within the target's seconds.",
    "asa_seconds": "Mean wait of all calls; absent where more comes than can be taken.",
    "occupancy": "Share of an agent's time spent on calls, by Erlang C: traffic ÷ agents.",
    "measured_hours": "Hours of these days of which the records know when everybody who spoke for the line was there.",
    "occupancy_ready": "Measured in those hours: seconds on calls ÷ seconds signed in and not paused.",
    "occupancy_signed_in": "Measured in those hours: seconds on calls ÷ seconds signed in.",
}

ORDER_LINE_DEFINITIONS: Final = {
    "answered": "Answered calls to the order line.",
    "noted": "The part of answered whose matter the agent noted.",
    "assist": "The part of answered that could not order by web or app (web error, payment error, cannot use the web).",
    "share": "assist ÷ answered; a call without a noted matter counts as one that could.",
}

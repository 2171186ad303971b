"""What the words of a disposition mean for the two lines.

A topic is ``matter`` or ``matter.reason`` in lower case, as the agent noted it. Taking or helping with an order is what
the order line is for; every other matter belongs to the inquiry line, but for those that belong to none.
"""

from typing import Final

#: matters of the order line
ORDER_MATTERS: Final = ("order", "order_help")
#: matters of no line: they count neither for nor against the line that was dialled
NO_LINE_MATTERS: Final = ("other", "wrong_number", "abuse")
#: reasons for which a customer could not order by web or app
ASSIST_REASONS: Final = ("web_error", "payment_error", "cannot_use_web")
#: further reasons to telephone an order
ORDER_REASONS: Final = (*ASSIST_REASONS, "asks_before_buying", "prefers_phone")
ASSIST_TOPICS: Final = tuple(f"{matter}.{reason}" for matter in ORDER_MATTERS for reason in ASSIST_REASONS)


def matter_of(topic: str) -> str:
    return topic.partition(".")[0]


def line_of_topic(topic: str | None) -> str | None:
    """``order``, ``inquiry``, or ``None`` where the topic is not known or belongs to no line."""
    matter = matter_of(topic) if topic else ""
    if not matter or matter in NO_LINE_MATTERS:
        return None
    return "order" if matter in ORDER_MATTERS else "inquiry"

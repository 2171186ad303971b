"""What figures can be broken down by."""

from collections.abc import Iterable, Sequence
from enum import StrEnum


class Dimension(StrEnum):
    MALL = "mall"
    SHOP = "shop"
    CHANNEL = "channel"
    LINE = "line"
    CHOSEN_LINE = "chosen_line"
    HANDLING_LINE = "handling_line"
    TOPIC = "topic"
    DAY = "day"
    HOUR = "hour"
    WEEK = "week"
    MONTH = "month"


#: in the order of the columns of a report
INQUIRY_DIMENSIONS = (Dimension.DAY, Dimension.MALL, Dimension.SHOP, Dimension.CHANNEL)
#: a week is named by its Monday
INQUIRY_TIMES = (Dimension.MONTH, Dimension.WEEK, Dimension.DAY, Dimension.HOUR)
CALL_DIMENSIONS = (
    Dimension.MALL,
    Dimension.LINE,
    Dimension.CHOSEN_LINE,
    Dimension.HANDLING_LINE,
    Dimension.TOPIC,
    Dimension.DAY,
    Dimension.HOUR,
)


def read_dimensions(
    text: str | None, *, allowed: Sequence[Dimension], default: Iterable[Dimension]
) -> tuple[Dimension, ...]:
    """``"mall,hour"`` as dimensions in the report's order; absent means ``default``.

    Raises: ValueError naming the wrong word and those that exist.
    """
    chosen = set(default)
    if text is not None and text.strip():
        chosen = set()
        for word in text.split(","):
            name = word.strip().lower()
            if name not in {dimension.value for dimension in allowed}:
                message = f"{name!r} is no dimension of this report; there are: {', '.join(allowed)}"
                raise ValueError(message)
            chosen.add(Dimension(name))
    return tuple(dimension for dimension in allowed if dimension in chosen)

import pytest

from ivr.topics import line_of_topic


@pytest.mark.parametrize(
    ("topic", "line"),
    [
        ("order", "order"),
        ("order_help.web_error", "order"),
        ("order.asks_before_buying", "order"),
        ("order_status", "inquiry"),
        ("delivery", "inquiry"),
        ("delivery.late", "inquiry"),
        ("other", None),
        ("abuse.threat", None),
        ("", None),
        (None, None),
    ],
)
def test_a_topic_belongs_to_a_line(topic: str | None, line: str | None):
    assert line_of_topic(topic) == line

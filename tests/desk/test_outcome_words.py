"""What the hub itself says of an action reads in Korean and in English; what a mall says stays as it said it."""

import re

import pytest

from hub.core import errors
from hub.core.errors import MallError, RateLimitedError, RejectedByMallError
from hub.desk.acting.outcome_words import BROKEN_OFF, CANCELLED, NEVER_SHOWN, said_of, said_of_broken

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, MallError)]


def is_in_both(text: str) -> bool:
    korean, _, english = text.partition(" / ")
    return (
        bool(re.search("[가-힣]", korean)) and bool(re.search("[a-z]", english)) and not re.search("[가-힣]", english)
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_a_mall_has_a_sentence(kind: type[MallError]) -> None:
    more = {"wait_seconds": 1.0} if kind is RateLimitedError else {}

    said = said_of(kind("the technical reason", **more))

    assert is_in_both(said)
    assert said.endswith(" / the technical reason")


@pytest.mark.parametrize("text", [CANCELLED, NEVER_SHOWN, BROKEN_OFF, said_of_broken(KeyError("010-1234-5678"))])
def test_what_the_hub_says_by_itself_is_in_both_languages(text: str) -> None:
    assert is_in_both(text)
    assert "010" not in text


def test_the_words_of_a_mall_stay_as_they_are() -> None:
    assert said_of(RejectedByMallError("no", mall_message="이미 발송된 주문")) == "이미 발송된 주문"

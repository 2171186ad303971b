"""Errors tell what a person needs, and every kind has a word and a sentence of its own."""

import pytest

from hub.core import errors
from hub.core.errors import ConfigurationError, MallError, RateLimitedError, UnsupportedByMallError


def _kinds(base: type[MallError]) -> list[type[MallError]]:
    return [base, *(found for each in base.__subclasses__() for found in _kinds(each))]


# Connectors and the kernel derive private ones; these are what callers tell apart.
KINDS = [kind for kind in _kinds(MallError) if kind.__module__ == errors.__name__]


def test_kinds_and_sentences_are_unique():
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    assert len({kind.agent_message for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_tree_at_the_top_of_the_module_names_every_kind(kind: type[MallError]):
    assert kind.__name__ in (errors.__doc__ or "")


def test_an_error_tells_where_it_happened_and_leaves_out_what_it_does_not_know():
    error = MallError("broken", shop="main", operation="read_orders", status=500, mall_message="고객 홍길동")

    assert str(error) == "broken (shop=main, operation=read_orders, status=500)"
    assert str(MallError("broken")) == "broken"


def test_extra_facts_stay_with_their_error():
    assert RateLimitedError("wait", wait_seconds=7.0, status=429).wait_seconds == 7.0
    assert UnsupportedByMallError("no", instead="주문 > 취소 관리").instead == "주문 > 취소 관리"
    assert str(ConfigurationError("wrong", fix="do this")) == "wrong\n  do this"

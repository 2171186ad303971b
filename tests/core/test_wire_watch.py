"""Fields that no wire type declares are counted, cheaply and safely."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Raw, Struct

from hub.core.wire_watch import MORE, MOST_NAMES, WireWatch


class Goods(Struct, rename="camel"):
    item_no: str = ""
    price: Annotated[int, Meta(ge=0)] | None = None


class Buyer(Struct):
    name: str | None = None
    extra: Any = None


class Parcel(Struct):
    no: str = ""
    inside: list["Parcel"] | None = None
    around: "Parcel | None" = None


class Sale(Struct):
    sale_no: str = ""
    buyer: Buyer | None = None
    goods: list[Goods | str] | Goods | None = None
    by_shelf: dict[str, Goods] | None = None
    parcel: Parcel | None = None
    pair: tuple[Goods, ...] = ()
    kept: Raw | None = None


def _seen(record: object, *, known: frozenset[str] = frozenset(), shape: type[Struct] = Sale) -> dict[str, int]:
    counts: dict[str, int] = {}
    WireWatch(counts).look(msgspec.json.encode(record), shape=shape, where="sale", known=known)
    return counts


@pytest.mark.parametrize(
    ("record", "new"),
    [
        ({"sale_no": "1", "buyer": {"name": "x"}, "goods": [{"itemNo": "1", "price": 2}]}, set()),
        ({"sale_no": "1", "colour": "red"}, {"colour"}),
        ({"buyer": {"nick": "x"}}, {"buyer.nick"}),
        ({"buyer": None, "goods": None}, set()),
        ({"goods": [{"item_no": 1}, "text", {"itemNo": 1, "tax": 3}]}, {"goods.item_no", "goods.tax"}),
        ({"goods": {"tax": 3}}, {"goods.tax"}),
        ({"by_shelf": {"A1": {"tax": 3}, "A2": {}}}, {"by_shelf.tax"}),
        ({"parcel": {"inside": [{"inside": [{"seal": 1}]}]}}, {"parcel.inside.inside.seal"}),
        ({"parcel": {"around": {"around": {"seal": 1}}}}, {"parcel.around.around.seal"}),
        ({"pair": [{"tax": 1}]}, {"pair.tax"}),
        ({"buyer": {"extra": {"anything": 1}}, "kept": {"anything": 1}}, set()),
        ({"goods": 7, "buyer": "text"}, set()),
        (["no object"], set()),
    ],
)
def test_a_field_is_new_when_the_shape_does_not_declare_it(record: object, new: set[str]) -> None:
    assert set(_seen(record)) == {f"new_field:sale.{path}" for path in new}


def test_a_documented_field_without_use_is_not_new() -> None:
    record = {"colour": 1, "buyer": {"fax": 1, "colour": 2}, "goods": [{"fax": 1}]}

    assert _seen(record, known=frozenset({"*.colour", "buyer.fax"})) == {"new_field:sale.goods.fax": 1}


def test_a_field_counts_once_for_each_record_looked_at() -> None:
    assert _seen({"goods": [{"tax": 1}, {"tax": 2}, {"tax": 3}]}) == {"new_field:sale.goods.tax": 1}


def test_the_first_record_and_then_one_in_fifty_is_looked_at_apart_for_each_place() -> None:
    counts: dict[str, int] = {}
    watch = WireWatch(counts)

    for number in range(101):
        watch.look(msgspec.json.encode({f"field_{chr(97 + number % 26)}": 1}), shape=Sale, where="sale")
    watch.look(b'{"colour": 1}', shape=Sale, where="refund")

    assert counts == {
        "new_field:sale.field_a": 1,
        "new_field:sale.field_y": 1,
        "new_field:sale.field_w": 1,
        "new_field:refund.colour": 1,
    }


def test_ten_thousand_new_names_stay_a_short_list() -> None:
    counts = _seen({f"f{'abcdefghij'[n % 10]}{'x' * (n % 35)}_{n % 300}": n for n in range(10_000)})

    assert len(counts) == MOST_NAMES + 1
    assert counts[MORE] > 200


def test_the_name_of_a_field_is_shortened_and_holds_no_number_of_a_person() -> None:
    counts = _seen({"n" * 500: 1, "010-1234-5678": 1, "<script>\u0000": 1, "colour.red": 1})

    assert set(counts) == {
        f"new_field:sale.{'n' * 40}",
        "new_field:sale.010-#-#",
        "new_field:sale.#script#",
        "new_field:sale.colour#red",
    }


@pytest.mark.parametrize(
    "raw", [b"{", b"", b'{"sale_no": "\xff"}', b"[" * 100_000], ids=["cut", "empty", "bytes", "deep"]
)
def test_what_is_no_json_is_left_to_the_reader(raw: bytes) -> None:
    counts: dict[str, int] = {}

    WireWatch(counts).look(raw, shape=Sale, where="sale")

    assert counts == {}


def test_a_raw_slice_of_a_page_is_taken_as_it_is() -> None:
    counts: dict[str, int] = {}
    rows = msgspec.json.decode(b'[{"colour": 1}]', type=list[Raw])

    WireWatch(counts).look(rows[0], shape=Sale, where="sale")

    assert counts == {"new_field:sale.colour": 1}

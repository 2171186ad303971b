"""Every record in connectors/cafe24/cases: what the mall sends and what it must become (writes: tests/contract)."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from connectors.cafe24 import mapping
from connectors.cafe24.inquiry_mapping import Board, map_thread
from connectors.cafe24.wire import article_decoder, order_decoder
from hub.core.model import Inquiry, InquiryKind, Order

CASES = sorted((Path(mapping.__file__).parent / "cases").glob("[0-9]*.json"))


class Case(msgspec.Struct, forbid_unknown_fields=True):
    record: str
    source: str
    confidence: str
    what: str
    wire: msgspec.Raw
    canonical: msgspec.Raw
    unknown_codes: dict[str, int]


def read(case: Case, codes: Counter[str]) -> Order | Inquiry:
    if case.record == "order":
        return mapping.map_order(order_decoder.decode(case.wire), codes=codes)
    root, *posts = [article_decoder.decode(row) for row in msgspec.json.decode(case.wire, type=list[msgspec.Raw])]
    kind = InquiryKind.ORDER_INQUIRY if root.board_no == 9 else InquiryKind.PRODUCT_INQUIRY
    board = Board(shop_no=1, no=root.board_no, kind=kind)
    return map_thread(root, posts, board=board, mall_id="demomall", codes=codes)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = msgspec.json.decode(path.read_bytes(), type=Case)
    codes: Counter[str] = Counter()

    record = read(case, codes)

    assert record == msgspec.json.decode(case.canonical, type=type(record))
    assert dict(codes) == case.unknown_codes
    assert case.source
    assert case.what
    assert case.confidence in {"sure", "likely", "guess"}


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 8

"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.cafe24 import mapping
from connectors.cafe24.inquiry_mapping import Board, map_thread
from connectors.cafe24.values import whole
from connectors.cafe24.vocabulary import USUAL_BOARDS
from connectors.cafe24.wire import article_decoder, order_decoder
from hub.core.model import Claim, Inquiry, InquiryKind, Order


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``record`` is "order", else a thread of posts. Returns what it becomes, and the codes that no table holds."""
    codes: Counter[str] = Counter()
    if case["record"] == "order":
        return mapping.map_order(order_decoder.decode(msgspec.json.encode(case["wire"])), codes=codes), codes
    root, *posts = [article_decoder.decode(msgspec.json.encode(row)) for row in case["wire"]]
    number = whole(root.board_no, path="board_no") or 0
    board = Board(shop_no=1, no=number, kind=USUAL_BOARDS.get(number, InquiryKind.PRODUCT_INQUIRY))
    return map_thread(root, posts, board=board, mall_id="demomall", codes=codes), codes

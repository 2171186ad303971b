"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall.

``CREDENTIALS``, ``BASE_URL`` and ``sign_in`` open a shop for the recorded writes (``cases/write_*.json``).
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from connectors.cafe24 import mapping
from connectors.cafe24.inquiry_mapping import Board, map_thread
from connectors.cafe24.values import whole
from connectors.cafe24.vocabulary import USUAL_BOARDS
from connectors.cafe24.wire import article_decoder, order_decoder
from hub.core.events import Delivery
from hub.core.model import Claim, Inquiry, InquiryKind, Order

BASE_URL = "http://127.0.0.1:9101"
CREDENTIALS: dict[str, Any] = {
    "mall_id": "demomall",
    "client_id": "recorded-client",
    "client_secret": "recorded-secret",
    "refresh_token": "recorded-refresh-token",
    "webhook_key": "recorded-webhook-key",
    "boards": [{"no": 9, "kind": "order_inquiry"}],
}
#: a return was asked for. Source: Cafe24 webhook reference, event 90027; confidence: sure, its header likely
EVENT = Delivery(
    headers={"content-type": "application/json", "x-api-key": "recorded-webhook-key"},
    body=msgspec.json.encode(
        {
            "event_no": 90027,
            "resource": {
                "mall_id": "demomall",
                "event_shop_no": "1",
                "event_code": "return_order_request",
                "order_id": "20261101-0000005",
                "order_date": "2026-11-01T10:00:00+09:00",
                "order_place_id": "mobile",
                "member_id": "minsu01",
                "buyer_name": "김민수",
                "buyer_cellphone": "010-0000-0001",
                "paid": "T",
                "shipping_status": "T",
                "claim_reason_type": "P",
                "ordering_product_code": "P00000AA,P00000AB",
                "extra_info": [{"ord_item_code": "20261101-0000005-02", "supplier_code": "S000000A"}],
            },
        }
    ),
    received_at=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
)


def sign_in(request: httpx.Request) -> httpx.Response | None:
    """Answers calls for a token, ``None`` for all others. The token outlives every case."""
    if request.url.path != "/api/v2/oauth/token":
        return None
    token = {
        "access_token": "recorded-access-token",
        "expires_at": "2026-11-22T14:00:00.000",
        "refresh_token": "recorded-refresh-token-2",
        "refresh_token_expires_at": "2026-12-06T12:00:00.000",
        "issued_at": "2026-11-22T12:00:00.000",
        "mall_id": "demomall",
        "token_type": "Bearer",
    }
    return httpx.Response(200, json=token)


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``record`` is "order", else a thread of posts. Returns what it becomes, and the codes that no table holds."""
    codes: Counter[str] = Counter()
    if case["record"] == "order":
        return mapping.map_order(order_decoder.decode(msgspec.json.encode(case["wire"])), codes=codes), codes
    root, *posts = [article_decoder.decode(msgspec.json.encode(row)) for row in case["wire"]]
    number = whole(root.board_no, path="board_no") or 0
    board = Board(shop_no=1, no=number, kind=USUAL_BOARDS.get(number, InquiryKind.PRODUCT_INQUIRY))
    return map_thread(root, posts, board=board, mall_id="demomall", codes=codes), codes

"""What the hub keeps of one record, and the way back: a stored payload by today's mapping, without a call.

An order or an urgent inquiry is kept as it came, a thread as its posts. What the mall did not say in
the record itself (which shop number was asked, what a board is for, claims that had to be fetched)
is kept beside it.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from connectors.cafe24.claim_mapping import embedded, missing_claims
from connectors.cafe24.decoding import decode
from connectors.cafe24.inquiry_mapping import URGENT, Board, map_thread, map_urgent, parent_of
from connectors.cafe24.mapping import map_order
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import code, shop_front
from connectors.cafe24.vocabulary import USUAL_BOARDS
from connectors.cafe24.wire import (
    OrderWire,
    article_decoder,
    claim_decoder,
    comment_decoder,
    order_decoder,
    reply_decoder,
    urgent_decoder,
)
from hub.core.contract import Feed, Reading
from hub.core.errors import MalformedResponseError
from hub.core.model import ClaimKind, InquiryKind, Order

RESOURCE = {ClaimKind.CANCEL: "cancellation", ClaimKind.RETURN: "return", ClaimKind.EXCHANGE: "exchange"}
#: states of an urgent inquiry that has a reply
REPLIED = frozenset({"I", "T"})
_NO_SHOP = "the payload does not say of which shop number it is; read it again with `hub resync`"
_NO_QUESTION = "an answer apart from its question: the next full run reads its thread"


class OrderPayload(Struct, frozen=True, kw_only=True):
    """``claims``: (kind, record) of each claim that was fetched because the order only named it."""

    order: Raw
    shop_no: int
    claims: tuple[tuple[ClaimKind, Raw], ...] = ()


class ThreadPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``posts``: the question, then everything below it; ``comments``: those of the question."""

    board: Board
    posts: tuple[Raw, ...]
    comments: tuple[Raw, ...] = ()


_encode = msgspec.json.Encoder().encode
_order_payload = msgspec.json.Decoder(OrderPayload)
_thread_payload = msgspec.json.Decoder(ThreadPayload)
_list = msgspec.json.Decoder(list[Raw])
_keys = msgspec.json.Decoder(dict[str, Raw])


def order_key(order: Order) -> str:
    """Under which an order's payload is kept: its number, told apart by shop number."""
    return f"{shop_front(order.sub_shop)}{order.order_no}"


def order_payload(row: bytes, *, shop_no: int, claims: Iterable[tuple[ClaimKind, bytes]]) -> bytes:
    kept = tuple((kind, Raw(claim)) for kind, claim in claims)
    return _encode(OrderPayload(order=Raw(row), shop_no=shop_no, claims=kept))


def thread_payload(board: Board, posts: Iterable[bytes], comments: Iterable[bytes] = ()) -> bytes:
    return _encode(ThreadPayload(board=board, posts=tuple(map(Raw, posts)), comments=tuple(map(Raw, comments))))


def add_claim(wire: OrderWire, kind: ClaimKind, claim: bytes) -> None:
    """Put a fetched claim where the order would have embedded it. Raises: MalformedResponseError."""
    name = "return_" if kind is ClaimKind.RETURN else RESOURCE[kind]
    setattr(wire, name, [*embedded(getattr(wire, name)), decode(claim_decoder, claim)])


class Remapper:
    """Reads stored payloads of one mall again."""

    def __init__(self, credentials: Cafe24Credentials, *, codes: Counter[str]) -> None:
        self._credentials = credentials
        self._codes = codes

    def read(self, feed: Feed, key: str, raw: bytes) -> Reading:
        try:
            return self._inquiry(key, raw) if feed is Feed.INQUIRIES else self._order(raw)
        except MalformedResponseError as error:
            return Reading(key=key, raw=raw, error=str(error))

    def _order(self, raw: bytes) -> Reading:
        names = decode(_keys, raw)
        is_kept = set(names) == set(OrderPayload.__struct_fields__)
        kept = decode(_order_payload, raw) if is_kept else None
        wire = decode(order_decoder, kept.order if kept else raw)
        if wire.shop_no is None:
            if kept is None and len(self._credentials.shop_no) > 1:
                raise MalformedResponseError(_NO_SHOP)
            wire.shop_no = kept.shop_no if kept else self._credentials.shop_no[0]
        # A payload of its own shape was asked for everything; what is still missing the mall did not have.
        is_partial = kept is None and bool(missing_claims(wire))
        for kind, claim in kept.claims if kept else ():
            add_claim(wire, kind, claim)
        record = map_order(wire, codes=self._codes)
        return Reading(key=order_key(record), raw=raw, record=record, is_partial=is_partial)

    def _inquiry(self, key: str, raw: bytes) -> Reading:
        shop_no, place, _ = _parts(key)
        if place == URGENT:
            return self._urgent(raw, Board(shop_no=shop_no, no=None, kind=InquiryKind.ORDER_INQUIRY))
        if raw.lstrip()[:1] == b"[":
            # Kept before the board was: its kind may have been told by the mall only.
            board, is_sure = self._board(shop_no, place)
            posts = decode(_list, raw)
            return self._thread(raw, board, posts, is_partial=not is_sure)
        if "posts" in decode(_keys, raw):
            kept = decode(_thread_payload, raw)
            return self._thread(raw, kept.board, kept.posts, kept.comments, is_partial=False)
        # A broken post, set aside alone: its thread is not known.
        if parent_of(decode(article_decoder, raw)) is not None:
            raise MalformedResponseError(_NO_QUESTION)
        return self._thread(raw, self._board(shop_no, place)[0], [raw], is_partial=True)

    def _board(self, shop_no: int, place: str) -> tuple[Board, bool]:
        """The board of a key, and whether its kind is certain."""
        number = int(place) if place.isascii() and place.isdigit() else 0
        named = next((board.kind for board in self._credentials.boards if board.no == number), None)
        kind = InquiryKind(named) if named else USUAL_BOARDS.get(number, InquiryKind.PRODUCT_INQUIRY)
        return Board(shop_no=shop_no, no=number, kind=kind), named is not None

    def _thread(
        self, raw: bytes, board: Board, posts: Iterable[Any], comments: Iterable[Any] = (), *, is_partial: bool
    ) -> Reading:
        wires = [decode(article_decoder, post) for post in posts]
        if not wires:
            raise MalformedResponseError("a thread without posts")
        record = map_thread(
            wires[0],
            wires[1:],
            comments=[decode(comment_decoder, comment) for comment in comments],
            board=board,
            mall_id=self._credentials.mall_id,
            codes=self._codes,
        )
        return Reading(key=record.inquiry_no, raw=raw, record=record, is_partial=is_partial)

    def _urgent(self, raw: bytes, board: Board) -> Reading:
        rows: list[Any] = decode(_list, raw) if raw.lstrip()[:1] == b"[" else [raw]
        wire = decode(urgent_decoder, rows[0])
        reply = decode(reply_decoder, rows[1]) if len(rows) > 1 else None
        record = map_urgent(wire, reply, board=board, codes=self._codes)
        is_partial = reply is None and (code(wire.reply_status) or code(wire.status)) in REPLIED
        return Reading(key=record.inquiry_no, raw=raw, record=record, is_partial=is_partial)


def _parts(key: str) -> tuple[int, str, str]:
    """Shop number, board or URGENT, and post of an inquiry's key; a key of another shape is of shop 1."""
    first, _, rest = key.partition(":")
    if first.startswith("shop") and first[4:].isascii() and first[4:].isdigit():
        place, _, number = rest.partition(":")
        return int(first[4:]), place, number
    return 1, first, rest

"""Comments below posts of the emulated Cafe24: none until somebody writes one. They move no ``reply_status``.

Source: Cafe24 Admin API, Boards articles comments, version 2026-03-01; confidence: sure.
"""

from dataclasses import dataclass, field
from datetime import datetime

from connectors.cafe24.sandbox_http import ApiError, Json, body_shop_no, one_request, page_of, required, shop_no_of
from connectors.cafe24.sandbox_orders import kst
from hub.sandbox.asgi import Request, Response
from hub.sandbox.world import World

_MOST, _DEEPEST = 100, 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    number: int
    at: datetime
    writer: str
    member_id: str
    content: str


@dataclass(slots=True)
class Comments:
    """By shop number, board and post."""

    world: World
    _below: dict[tuple[int, int, int], list[_Comment]] = field(default_factory=dict)
    _made: int = 0

    def has_any(self, shop_no: int, board_no: int, article_no: int) -> bool:
        return (shop_no, board_no, article_no) in self._below

    def write(
        self, shop_no: int, board_no: int, article_no: int, content: str, *, writer: str = "", member_id: str = ""
    ) -> Json:
        """A comment of a customer, or of the shop in its admin."""
        self._made += 1
        made = _Comment(number=self._made, at=self.world.now(), writer=writer, member_id=member_id, content=content)
        self._below.setdefault((shop_no, board_no, article_no), []).append(made)
        return _rendered(made, shop_no, board_no, article_no)

    def listed(self, request: Request, board: str, article: str) -> Response:
        """GET /boards/{board_no}/articles/{article_no}/comments."""
        limit, offset = page_of(request, most=_MOST, deepest=_DEEPEST)
        place = (shop_no_of(request), int(board), int(article))
        found = self._below.get(place, [])
        rows = [_rendered(comment, *place) for comment in found[offset : offset + limit]]
        return Response(content={"comments": rows})

    def of_board(self, request: Request, board: str) -> Response:
        """GET /boards/{board_no}/comments, those after ``since_comment_no``; no offset."""
        limit, _ = page_of(request, most=_MOST, deepest=0)
        since = request.query.get("since_comment_no", "0")
        if not since.isascii() or not since.isdecimal():
            raise ApiError(422, "Invalid value. (parameter.since_comment_no)")
        shop_no = shop_no_of(request)
        found = [
            _rendered(comment, *place)
            for place, comments in self._below.items()
            if place[:2] == (shop_no, int(board))
            for comment in comments
            if comment.number > int(since)
        ]
        return Response(content={"comments": sorted(found, key=lambda row: int(row["comment_no"]))[:limit]})

    def post(self, request: Request, board: str, article: str) -> Response:
        """POST /boards/{board_no}/articles/{article_no}/comments."""
        wanted = one_request(request)
        required(wanted, "content", "writer", "password")
        if not 1 <= len(str(wanted["password"])) <= 20:
            raise ApiError(422, "Invalid value. (parameter.password)")
        made = self.write(
            body_shop_no(request),
            int(board),
            int(article),
            str(wanted["content"]),
            writer=str(wanted["writer"]),
            member_id=str(wanted.get("member_id") or ""),
        )
        return Response(status=201, content={"comment": made})


def _rendered(comment: _Comment, shop_no: int, board_no: int, article_no: int) -> Json:
    return {
        "shop_no": shop_no,
        "board_no": board_no,
        "article_no": article_no,
        "comment_no": comment.number,
        "content": comment.content,
        "writer": comment.writer,
        "member_id": comment.member_id,
        "created_date": kst(comment.at),
        "client_ip": "203.0.113.7",
        "rating": 0,
        "secret": "F",
        "parent_comment_no": None,
        "input_channel": "P",
        "attach_file_urls": [],
    }

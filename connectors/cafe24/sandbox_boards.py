"""Boards and urgent inquiries of the emulated Cafe24: an answer is an article in the same list as its question.

Source: Cafe24 Admin API, Boards and Urgent inquiry, version 2026-03-01; confidence: sure for the
parameters, likely for what a root looks like (reply_depth 0, parent null, 0 or its own number), guess
for ``P`` on a question whose customer wrote again.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from connectors.cafe24.sandbox_comments import Comments
from connectors.cafe24.sandbox_http import (
    ApiError,
    Json,
    body_shop_no,
    many,
    many_requests,
    one_request,
    page_of,
    required,
    shop_no_of,
    window_of,
)
from connectors.cafe24.sandbox_orders import kst, order_id, product_code, product_no
from hub.core.model import InquiryKind
from hub.sandbox.asgi import Request, Response
from hub.sandbox.facts import AnswerFact, InquiryFact
from hub.sandbox.faults import RowFaults
from hub.sandbox.world import World

PRODUCT_BOARD, PERSONAL_BOARD, REVIEW_BOARD = 6, 9, 4
_BOARDS = (
    (REVIEW_BOARD, 5, "사용후기"),
    (PRODUCT_BOARD, 5, "상품 Q&A"),
    (PERSONAL_BOARD, 7, "1:1 맞춤상담"),
)
_MOST, _DEEPEST, _POSTS_AT_ONCE = 100, 8000, 10
_TAG = re.compile(r"<[^>]*>")
_HOSTILE = ('<img src="x" onerror="alert(1)" />', "<script>alert(1)</script>")


def is_urgent(inquiry: InquiryFact) -> bool:
    return inquiry.kind is InquiryKind.ORDER_INQUIRY and inquiry.number % 10 == 0


def board_of(inquiry: InquiryFact) -> int:
    return PRODUCT_BOARD if inquiry.kind is InquiryKind.PRODUCT_INQUIRY else PERSONAL_BOARD


def root_no(inquiry: InquiryFact) -> int:
    """Article numbers of questions are even, those of messages below them odd."""
    return inquiry.number * 2


@dataclass(slots=True, kw_only=True)
class _Message:
    """One answer or follow-up in its place of the thread."""

    fact: AnswerFact
    parent_no: int
    depth: int
    is_shops: bool

    @property
    def article_no(self) -> int:
        return self.fact.number * 2 + 1


def thread_of(world: World, inquiry: InquiryFact) -> list[_Message]:
    """What has been written below the question, oldest first."""
    answers = [(answer.at, answer.number, True, answer) for answer in world.said(inquiry.answers)]
    follow_ups = [(message.at, message.number, False, message) for message in world.said(inquiry.follow_ups)]
    thread: list[_Message] = []
    parent_no, depth = root_no(inquiry), 1
    for _, _, is_shops, fact in sorted(answers + follow_ups, key=lambda entry: entry[:2]):
        thread.append(_Message(fact=fact, parent_no=parent_no, depth=depth, is_shops=is_shops))
        if not is_shops or inquiry.number % 2:  # some malls hang every answer below the root
            parent_no, depth = thread[-1].article_no, depth + 1
    return thread


def reply_status(world: World, inquiry: InquiryFact) -> str:
    thread = thread_of(world, inquiry)
    if not thread:
        return "N"
    return "C" if thread[-1].is_shops else "P"


def plain_text(content: str) -> str:
    """An answer as its writer meant it, tags removed."""
    return html.unescape(_TAG.sub("", content))


class Boards:
    """The community endpoints of one shop."""

    def __init__(self, world: World, shop: str, *, mall_id: str, rows: RowFaults) -> None:
        self._world = world
        self._shop = shop
        self._mall_id = mall_id
        self._rows = rows
        self.comments = Comments(world)

    def boards(self, request: Request) -> Response:
        shop_no = shop_no_of(request)
        return Response(
            content={
                "boards": [
                    {"shop_no": shop_no, "board_no": number, "board_type": kind, "board_name": name, "use_board": "T"}
                    for number, kind, name in _BOARDS
                ]
            }
        )

    def articles(self, request: Request, board: str) -> Response:
        """GET /boards/{board_no}/articles, newest first."""
        board_no = _known_board(board)
        limit, offset = page_of(request, most=_MOST, deepest=_DEEPEST)
        window = window_of(request, months=12)
        numbers = set(many(request, "article_no"))
        statuses = set(many(request, "reply_status"))
        products = set(many(request, "product_no"))
        shop_no, commented = shop_no_of(request), {"T": True, "F": False}.get(request.query.get("comment", ""))
        found = [
            (at, number, inquiry)
            for inquiry in self._inquiries(request)
            if not is_urgent(inquiry)
            and board_of(inquiry) == board_no
            and (not products or (inquiry.item is not None and str(product_no(inquiry.item)) in products))
            for at, number, status in self._written(inquiry, with_status=bool(statuses))
            if (window is None or window[0] <= at <= window[1])
            and (not numbers or str(number) in numbers)
            and (not statuses or status in statuses)
            and commented in (None, self.comments.has_any(shop_no, board_no, number))
        ]
        found.sort(key=lambda entry: entry[:2], reverse=True)
        rows = [self._rendered(inquiry, number) for _, number, inquiry in found[offset : offset + limit]]
        page = self._rows.spoil(rows, path=request.path)
        return Response(content={"articles": page})

    def post_articles(self, request: Request, board: str) -> Response:
        """POST /boards/{board_no}/articles: answers only; the same answer twice stands there twice."""
        board_no = _known_board(board)
        posts = many_requests(request, most=_POSTS_AT_ONCE)
        for post in posts:
            required(post, "writer", "title", "content", "client_ip", "reply_article_no")
            if len(str(post["title"])) > 256:
                raise ApiError(422, "Invalid value. (parameter.title)")
        questions = [self._question(board_no, post["reply_article_no"], body_shop_no(request)) for post in posts]
        made: list[Json] = []
        for post, inquiry in zip(posts, questions, strict=True):
            answer = self._world.answer(inquiry, plain_text(str(post["content"])), str(post["writer"]))
            made.extend(row for row in self._thread(inquiry) if row["article_no"] == answer.number * 2 + 1)
        return Response(status=201, content={"articles": made})

    def change_article(self, request: Request, board: str, article_no: str) -> Response:
        """PUT /boards/{board_no}/articles/{article_no}: the text of an answer of the shop; one object only."""
        board_no = _known_board(board)
        wanted = one_request(request)
        if "reply_status" in wanted:
            raise ApiError(422, "Invalid value. (parameter.reply_status)")
        inquiry = self._question(board_no, article_no, body_shop_no(request))
        answer = next((each for each in inquiry.answers if str(each.number * 2 + 1) == article_no), None)
        if answer is None:
            raise ApiError(422, "Only articles of the shop are emulated here. (parameter.article_no)")
        if "content" in wanted:
            required(wanted, "content")
            self._world.change_answer(answer, plain_text(str(wanted["content"])))
        return Response(content={"article": self._rendered(inquiry, int(article_no))})

    def _question(self, board_no: int, number: object, shop_no: int) -> InquiryFact:
        """The question of a thread, named by any article in it."""
        for inquiry in self._world.inquiries(self._shop):
            if inquiry.sub_shop != shop_no or is_urgent(inquiry) or board_of(inquiry) != board_no:
                continue
            if str(number) == str(root_no(inquiry)):
                return inquiry
            if any(str(number) == str(message.article_no) for message in thread_of(self._world, inquiry)):
                return inquiry
        raise ApiError(422, "The article does not exist. (parameter.reply_article_no)")

    def _inquiries(self, request: Request) -> Iterable[InquiryFact]:
        shop_no = shop_no_of(request)
        return (inquiry for inquiry in self._world.inquiries(self._shop) if inquiry.sub_shop == shop_no)

    def _written(self, inquiry: InquiryFact, *, with_status: bool) -> Iterable[tuple[datetime, int, str | None]]:
        """Time, number and ``reply_status`` of every article of a thread, without rendering any."""
        status = reply_status(self._world, inquiry) if with_status else None
        yield inquiry.asked_at, root_no(inquiry), status
        for message in (*self._world.said(inquiry.answers), *self._world.said(inquiry.follow_ups)):
            yield message.at, message.number * 2 + 1, None

    def _rendered(self, inquiry: InquiryFact, article_no: int) -> Json:
        return next(article for article in self._thread(inquiry) if article["article_no"] == article_no)

    # -- rendering

    def _thread(self, inquiry: InquiryFact) -> Iterable[Json]:
        number = root_no(inquiry)
        hostile = _HOSTILE[inquiry.number % 2] if inquiry.number % 7 == 0 else ""
        yield self._article(
            inquiry,
            article_no=number,
            parent_article_no=(None, 0, number)[inquiry.number % 3],
            reply_depth=0,
            created_date=kst(inquiry.asked_at),
            content=_html(inquiry.text) + hostile,
            reply_status=reply_status(self._world, inquiry),
            reply_user_id=self._mall_id if inquiry.answers else None,
            attach_file_urls=self._files(inquiry),
        )
        for message in thread_of(self._world, inquiry):
            yield self._article(
                inquiry,
                article_no=message.article_no,
                parent_article_no=message.parent_no,
                reply_depth=message.depth,
                created_date=kst(message.fact.at),
                content=_html(message.fact.text),
                title=f"RE: {inquiry.subject}",
                reply_status=None,
                **(
                    {"writer": message.fact.author, "writer_email": "", "member_id": self._mall_id}
                    if message.is_shops
                    else {}
                ),
            )

    def _files(self, inquiry: InquiryFact) -> list[Json]:
        """Some customers send a picture of what they ask about."""
        if inquiry.number % 5:
            return []
        url = f"https://{self._mall_id}.example/file_data/{self._mall_id}/{inquiry.asked_at:%Y/%m/%d}/{inquiry.number:032x}.jpg"
        return [{"no": 1, "name": f"photo_{inquiry.number}.jpg", "url": url}]

    def _article(self, inquiry: InquiryFact, **own: object) -> Json:
        return {
            "shop_no": inquiry.sub_shop,
            "article_no": 0,
            "parent_article_no": None,
            "board_no": board_of(inquiry),
            "product_no": product_no(inquiry.item) if inquiry.item else None,
            "category_no": None,
            "board_category_no": 0,
            "reply_sequence": 1,
            "writer": inquiry.writer.name,
            "writer_email": inquiry.writer.email,
            "member_id": inquiry.writer.member_id or "",
            "title": inquiry.subject,
            "supplier_id": "",
            "client_ip": "203.0.113.7",
            "nick_name": None,
            "rating": 0,
            "reply_mail": "N",
            "display": "T",
            "secret": "T" if board_of(inquiry) == PERSONAL_BOARD or inquiry.number % 4 == 0 else "F",
            "notice": "F",
            "fixed": "F",
            "deleted": "F",
            "input_channel": "M",
            "order_id": order_id(inquiry.order) if inquiry.order else None,
            "attach_file_urls": [],
            "hit": 0,
            "reply": "F",
            "reply_user_id": None,
            "naverpay_review_id": None,
            **own,
        }

    # -- urgent inquiries

    def urgent(self, request: Request) -> Response:
        """GET /urgentinquiry, newest first."""
        limit, offset = page_of(request, most=_MOST, deepest=_DEEPEST)
        window = window_of(request, months=12)
        statuses = set(many(request, "reply_status"))
        found = [
            self._urgent_row(inquiry)
            for inquiry in self._inquiries(request)
            if is_urgent(inquiry)
            and (window is None or window[0] <= inquiry.asked_at <= window[1])
            and (not statuses or self._urgent_status(inquiry) in statuses)
        ]
        for name in ("search_type", "keyword"):
            if name in request.query:
                found = [row for row in found if row[name] == request.query[name]]
        found.reverse()
        page = self._rows.spoil(found[offset : offset + limit], path=request.path)
        return Response(content={"urgentinquiry": page})

    def _urgent_status(self, inquiry: InquiryFact) -> str:
        return {"N": "F", "P": "I", "C": "T"}[reply_status(self._world, inquiry)]

    def _urgent_row(self, inquiry: InquiryFact) -> Json:
        return {
            "shop_no": inquiry.sub_shop,
            "article_no": root_no(inquiry),
            "article_type": "",
            "title": inquiry.subject,
            "writer": inquiry.writer.name,
            "member_id": inquiry.writer.member_id or "",
            "start_date": kst(inquiry.asked_at),
            "hit": 0,
            "content": _html(inquiry.text),
            "writer_email": inquiry.writer.email,
            "phone": inquiry.writer.phone,
            "search_type": "O" if inquiry.order else "P",
            "keyword": order_id(inquiry.order) if inquiry.order else product_code(inquiry.item) if inquiry.item else "",
            # A path of the mall's storage: no host is told.
            "attached_file_detail": [
                {
                    "no": file["no"],
                    "source": file["name"],
                    "name": f"/{inquiry.asked_at:%Y/%m/%d}/{inquiry.number:032x}.jpg",
                }
                for file in self._files(inquiry)
            ],
            "reply_status": self._urgent_status(inquiry),
        }

    def urgent_reply(self, request: Request, article_no: str) -> Response:
        """GET, POST and PUT /urgentinquiry/{article_no}/reply."""
        shop_no = shop_no_of(request) if request.method == "GET" else body_shop_no_of(request)
        inquiry = self._urgent_question(article_no, shop_no)
        if request.method != "GET":
            wanted = one_request(request)
            required(wanted, "content", *(("user_id",) if request.method == "POST" else ()))
            content = plain_text(str(wanted["content"]))
            standing = self._world.said(inquiry.answers)
            if request.method == "POST":
                self._world.answer(inquiry, content, str(wanted.get("user_id", self._mall_id)))
            elif standing:
                self._world.change_answer(standing[-1], content)
        answers = self._world.said(inquiry.answers)
        if not answers:
            raise ApiError(404, "There is no reply.")
        newest = answers[-1]
        return Response(
            status=201 if request.method == "POST" else 200,
            content={
                "reply": {
                    "shop_no": inquiry.sub_shop,
                    "article_no": root_no(inquiry),
                    "created_date": kst(newest.at),
                    "status": self._urgent_status(inquiry),
                    "content": _html(newest.text),
                    "method": "E",
                    "count": len(answers),
                    "user_id": self._mall_id,
                    "attached_file_detail": [],
                }
            },
        )

    def _urgent_question(self, article_no: str, shop_no: int) -> InquiryFact:
        for inquiry in self._world.inquiries(self._shop):
            if is_urgent(inquiry) and inquiry.sub_shop == shop_no and str(root_no(inquiry)) == article_no:
                return inquiry
        raise ApiError(404, "The urgent inquiry does not exist.")


def body_shop_no_of(request: Request) -> int:
    one_request(request)  # the form is checked before the number is believed
    return body_shop_no(request)


def _known_board(text: str) -> int:
    if text not in {str(number) for number, _, _ in _BOARDS}:
        raise ApiError(404, "The board does not exist.")
    return int(text)


def _html(text: str) -> str:
    return "<p>" + html.escape(text).replace("\n", "<br />") + "</p>"

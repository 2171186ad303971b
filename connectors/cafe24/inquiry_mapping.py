"""Posts of boards and urgent inquiries to canonical inquiries. Pure.

An answer is itself a post of the same board. A root is a post of depth 0 whose parent is absent, 0 or
itself; every other post belongs to the thread of the root above it.
Source: Cafe24 Admin API, version 2026-03-01, Boards; confidence: sure for the fields, likely for the
rule of roots and of the shop's own posts (observed on real malls).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from connectors.cafe24.values import Value, code, plain_text, shop_front, text, when, whole
from connectors.cafe24.vocabulary import DELETED, INQUIRY_STATE, URGENT_STATE
from connectors.cafe24.wire import ArticleWire, CommentWire, ReplyWire, UrgentWire
from hub.core.attachments import MOST, attachment
from hub.core.errors import MalformedResponseError
from hub.core.model import Attachment, Inquiry, InquiryKind, InquiryState, Message, MessageAuthor, Party

URGENT = "urgent"
#: stands before the number of a message that is a comment
COMMENT = "comment-"
#: ``raw_state`` of a question that was deleted before anybody answered it
WITHDRAWN_QUESTION = "deleted"


class Board(Struct, frozen=True, kw_only=True):
    """One board to read. ``no`` is ``None`` for the urgent inquiries, which are no board."""

    shop_no: int
    no: int | None
    kind: InquiryKind

    def inquiry_no(self, article_no: int) -> str:
        """The number in the hub: board and article, with the shop number in front where it is not 1."""
        return f"{shop_front(self.shop_no)}{URGENT if self.no is None else self.no}:{article_no}"

    def article_no(self, inquiry_no: str) -> int | None:
        """The way back; ``None`` when the number is of another board."""
        prefix = self.inquiry_no(0)[:-1]
        rest = inquiry_no.removeprefix(prefix)
        return int(rest) if rest != inquiry_no and rest.isascii() and rest.isdigit() else None


class WriteRef(Struct, frozen=True, kw_only=True):
    """What answering needs. ``board_no`` is ``None`` for an urgent inquiry."""

    shop_no: int
    board_no: int | None
    article_no: int


_write_ref_decoder = msgspec.json.Decoder(WriteRef)


def read_write_ref(value: str | None) -> WriteRef | None:
    if value is None:
        return None
    try:
        return _write_ref_decoder.decode(value)
    except msgspec.MsgspecError:
        return None


#: the parent of a post that has some depth but names no other post
LOST = 0


def parent_of(wire: ArticleWire) -> int | None:
    """The post that this one answers; ``None`` for a root, :data:`LOST` when it does not say.

    Raises: MalformedResponseError.
    """
    parent = whole(wire.parent_article_no, path="parent_article_no") or 0
    if parent not in (0, wire.article_no):
        return parent
    return LOST if whole(wire.reply_depth, path="reply_depth") else None


def is_answered_by_post(root: ArticleWire, posts: Sequence[ArticleWire], *, mall_id: str) -> bool:
    """Whether a post of the shop stands below the question: its comments are not asked for then."""
    answers = {MessageAuthor.SELLER, MessageAuthor.UNKNOWN} if root.reply_status == "C" else {MessageAuthor.SELLER}
    return any(_author(post, root, mall_id=mall_id) in answers for post in posts if post.deleted != DELETED)


def map_thread(
    root: ArticleWire,
    posts: Sequence[ArticleWire],
    *,
    comments: Sequence[CommentWire] = (),
    board: Board,
    mall_id: str,
    codes: Counter[str],
) -> Inquiry:
    """Turn one question, the posts and comments below it, in any order, into one inquiry.

    A deleted post answers nothing. A deleted question is owed no answer (``raw_state`` "deleted"); its
    text stays. Raises: MalformedResponseError when the question has no time.
    """
    asked_at = when(root.created_date, path="created_date")
    if asked_at is None:
        raise MalformedResponseError("a question without a time", path="created_date")
    raw_state = code(root.reply_status) or ""
    standing = sorted((post for post in posts if post.deleted != DELETED), key=lambda post: post.article_no)
    said = [_message(post, _author(post, root, mall_id=mall_id)) for post in standing]
    said += [_comment(comment, root, board=board, mall_id=mall_id) for comment in comments]
    replies = sorted(said, key=lambda message: message.sent_at or asked_at)
    if raw_state == "C" and not any(reply.author is MessageAuthor.SELLER for reply in replies):
        replies = [
            msgspec.structs.replace(reply, author=MessageAuthor.SELLER)
            if reply.author is MessageAuthor.UNKNOWN
            else reply
            for reply in replies
        ]
    answers = [reply for reply in replies if reply.author is MessageAuthor.SELLER]
    answer = answers[-1] if answers else None
    question = Message(
        message_no=str(root.article_no),
        author=MessageAuthor.CUSTOMER,
        text=plain_text(root.content),
        sent_at=asked_at,
        attachments=_files(root.attach_file_urls),
    )
    state = _state(raw_state, replies, codes=codes)
    if root.deleted == DELETED and state is not InquiryState.ANSWERED:
        state, raw_state = InquiryState.ANSWERED, WITHDRAWN_QUESTION
    number = board.inquiry_no(root.article_no)
    return Inquiry(
        inquiry_no=number,
        thread_no=number,
        kind=board.kind,
        state=state,
        raw_state=raw_state,
        asked_at=asked_at,
        text=question.text,
        subject=text(root.title),
        answer=answer.text if answer is not None else None,
        answered_at=answer.sent_at if answer is not None else None,
        order_no=code(root.order_id),
        product_code=_product_code(root.product_no),
        writer=Party(name=text(root.writer), email=text(root.writer_email), member_id=text(root.member_id)),
        is_public=root.secret == "F",  # noqa: S105  # a flag of the post
        messages=(question, *replies),
        write_ref=_ref(board, root.article_no),
    )


def map_urgent(wire: UrgentWire, reply: ReplyWire | None, *, board: Board, codes: Counter[str]) -> Inquiry:
    """Turn one urgent inquiry and its reply into one inquiry. Raises: MalformedResponseError without a time."""
    asked_at = when(wire.created_date, path="created_date") or when(wire.start_date, path="start_date")
    if asked_at is None:
        raise MalformedResponseError("a question without a time", path="created_date")
    raw_state = code(wire.reply_status) or code(wire.status) or ""
    state = URGENT_STATE.get(raw_state)
    if state is None:
        codes[f"urgent.reply_status:{raw_state}"] += 1
    number = board.inquiry_no(wire.article_no)
    question = Message(
        message_no=str(wire.article_no),
        author=MessageAuthor.CUSTOMER,
        text=plain_text(wire.content),
        sent_at=asked_at,
        attachments=_files(wire.attached_file_detail),
    )
    answer = None
    if reply is not None and text(reply.content) is not None:
        sent_at = when(reply.created_date, path="reply.created_date")
        answer = Message(
            message_no=f"{wire.article_no}-reply",
            author=MessageAuthor.SELLER,
            text=plain_text(reply.content),
            sent_at=sent_at,
            attachments=_files(reply.attached_file_detail),
        )
    return Inquiry(
        inquiry_no=number,
        thread_no=number,
        kind=board.kind,
        state=state or InquiryState.UNKNOWN,
        raw_state=raw_state,
        asked_at=asked_at,
        text=question.text,
        subject=text(wire.title) or text(wire.subject),
        answer=answer.text if answer is not None else None,
        answered_at=answer.sent_at if answer is not None else None,
        order_no=code(wire.order_id) or _about(wire, "O"),
        product_code=code(wire.product_code) or _about(wire, "P") or _product_code(wire.product_no),
        writer=Party(name=text(wire.writer), member_id=text(wire.member_id)),
        is_public=False,
        messages=(question,) if answer is None else (question, answer),
        write_ref=_ref(board, wire.article_no),
    )


def _about(wire: UrgentWire, search_type: str) -> str | None:
    return code(wire.keyword) if code(wire.search_type) == search_type else None


def _message(post: ArticleWire, author: MessageAuthor) -> Message:
    return Message(
        message_no=str(post.article_no),
        author=author,
        text=plain_text(post.content) or text(post.title) or "",
        sent_at=when(post.created_date, path="created_date"),
        attachments=_files(post.attach_file_urls),
    )


def _comment(comment: CommentWire, root: ArticleWire, *, board: Board, mall_id: str) -> Message:
    """The shop bears the mall's id. Of the others only a one-to-one board tells that it is the customer."""
    member = code(comment.member_id)
    author = MessageAuthor.UNKNOWN
    if member is not None and member.lower() == mall_id.lower():
        author = MessageAuthor.SELLER
    elif board.kind is InquiryKind.ORDER_INQUIRY or (member is not None and member == code(root.member_id)):
        author = MessageAuthor.CUSTOMER
    return Message(
        message_no=f"{COMMENT}{code(comment.comment_no) or ''}",
        author=author,
        text=plain_text(comment.content),
        sent_at=when(comment.created_date, path="comments.created_date"),
        attachments=_files(comment.attach_file_urls),
    )


def _files(value: Any) -> tuple[Attachment, ...]:
    """Files of a post: ``no``, ``name``, ``url``; of an urgent inquiry: ``no``, ``source`` (its name), ``name`` (a
    path of the mall's storage without a host, which opens nothing and is left out).

    Source: Cafe24 Admin API, Boards and Urgentinquiry, samples; confidence: sure for the fields, unknown how long
    an address stays good.
    """
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return tuple(
        attachment(row.get("source") or row.get("name"), row.get("url"), unnamed=f"file-{place}")
        for place, row in enumerate(rows[:MOST], 1)
    )


def _author(post: ArticleWire, root: ArticleWire, *, mall_id: str) -> MessageAuthor:
    """The mall's own id marks the shop, also the name under which the answer was filed on the root.

    A post of the asking member, or of a guest, is a follow-up; somebody else's is not told.
    """
    member = code(post.member_id)
    if member is not None and (member.lower() == mall_id.lower() or member == code(root.reply_user_id)):
        return MessageAuthor.SELLER
    if member is None or member == code(root.member_id) or root.reply_status != "C":
        return MessageAuthor.CUSTOMER
    return MessageAuthor.UNKNOWN


def _state(raw: str, replies: Sequence[Message], *, codes: Counter[str]) -> InquiryState:
    """The mall's word, corrected by what the thread shows.

    An answered thread in which the customer wrote again after the shop waits for the shop; one that
    the mall still calls unanswered (or says nothing about) is answered when the shop wrote last.
    """
    shop_wrote = any(reply.author is MessageAuthor.SELLER for reply in replies)
    shop_wrote_last = bool(replies) and replies[-1].author is MessageAuthor.SELLER
    state = INQUIRY_STATE.get(raw)
    if state is InquiryState.ANSWERED and shop_wrote and replies[-1].author is MessageAuthor.CUSTOMER:
        return InquiryState.IN_PROGRESS
    if state is InquiryState.UNANSWERED or not raw:
        if shop_wrote_last:
            return InquiryState.ANSWERED
        return InquiryState.IN_PROGRESS if shop_wrote else InquiryState.UNANSWERED
    if state is None:
        codes[f"reply_status:{raw}"] += 1
    return state or InquiryState.UNKNOWN


def _product_code(product_no: Value) -> str | None:
    """Posts name a product by its number only; 0 means none."""
    number = code(product_no)
    return None if number == "0" else number


def _ref(board: Board, article_no: int) -> str:
    ref = WriteRef(shop_no=board.shop_no, board_no=board.no, article_no=article_no)
    return msgspec.json.encode(ref).decode()

"""Comments (댓글) below questions that no post of the shop answers: some malls answer by comment.

A question that has them says so to a filter only, so one call names those of a hundred questions.
Source: Cafe24 Admin API, version 2026-03-01, Boards articles (filter ``comment``), Boards articles
comments; confidence: sure for both, guess that a comment of the shop bears the mall's id.
"""

from collections import Counter
from collections.abc import Sequence

import structlog

from connectors.cafe24 import documented
from connectors.cafe24.client import ARTICLE_LIMIT, ARTICLE_WALL, ID_LIMIT, Cafe24Client
from connectors.cafe24.decoding import decode
from connectors.cafe24.inquiry_mapping import Board
from connectors.cafe24.wire import CommentWire, article_decoder
from hub.core.errors import MalformedResponseError, MallError, NotFoundAtMallError, RejectedByMallError
from hub.core.wire_watch import WireWatch

log = structlog.get_logger(__name__)


class CommentFeed:
    """A mall that does not give comments (404, or a refusal, which is counted) loses nothing else."""

    def __init__(self, client: Cafe24Client, *, codes: Counter[str]) -> None:
        self._client = client
        self._codes = codes
        self._watch = WireWatch(codes)

    async def read(self, board: Board, questions: Sequence[int]) -> dict[int, list[bytes]]:
        """The comments below each of ``questions`` that has any, as they came. Raises: MallError when asking fails.

        A single question is asked for without the filter, which nobody has documented together with a number.
        """
        found: dict[int, list[bytes]] = {}
        try:
            if len(questions) == 1:
                below = await self._below(board, questions[0])
                return {questions[0]: below} if below else {}
            for start in range(0, len(questions), ID_LIMIT):
                for number in await self._commented(board, questions[start : start + ID_LIMIT]):
                    found[number] = await self._below(board, number)
        except (NotFoundAtMallError, RejectedByMallError) as error:
            self._note(error)
        return found

    async def _commented(self, board: Board, questions: Sequence[int]) -> list[int]:
        page = await self._client.articles_with_comments(
            shop_no=board.shop_no, board_no=board.no or 0, article_nos=questions
        )
        told = {number for row in page.rows if (number := _article_no(row)) is not None}
        return sorted(told.intersection(questions))

    async def _below(self, board: Board, number: int) -> list[bytes]:
        rows: dict[bytes, None] = {}
        offset = 0
        while offset <= ARTICLE_WALL:
            page = await self._client.comments(
                shop_no=board.shop_no, board_no=board.no or 0, article_no=number, offset=offset
            )
            before = len(rows)
            rows.update(dict.fromkeys(page.rows))
            offset += len(page.rows)
            if len(rows) == before or len(page.rows) < ARTICLE_LIMIT:
                break
        for row in rows:
            self._watch.look(row, shape=CommentWire, where="comment", known=documented.COMMENT)
        return list(rows)

    def _note(self, error: MallError) -> None:
        log.info("comments.not_read", shop=error.shop, status=error.status)
        if not isinstance(error, NotFoundAtMallError):
            self._codes[f"comments not read:{error.status}"] += 1


def _article_no(row: bytes) -> int | None:
    try:
        return decode(article_decoder, row).article_no
    except MalformedResponseError:
        return None

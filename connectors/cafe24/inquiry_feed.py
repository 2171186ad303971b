"""Reading inquiries: boards by creation, with the threads put together, and urgent inquiries."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.cafe24 import documented
from connectors.cafe24.client import ARTICLE_LIMIT, ARTICLE_WALL, ID_LIMIT, Cafe24Client, Rows
from connectors.cafe24.comment_feed import CommentFeed
from connectors.cafe24.decoding import best_key, decode
from connectors.cafe24.inquiry_mapping import (
    LOST,
    Board,
    is_answered_by_post,
    map_thread,
    map_urgent,
    parent_of,
    read_write_ref,
)
from connectors.cafe24.listing import Ask, every_row
from connectors.cafe24.payload import REPLIED, thread_payload
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import code, when, whole
from connectors.cafe24.vocabulary import DRAFT, INQUIRY_BOARD_TYPES, REVIEW_BOARD, USUAL_BOARDS
from connectors.cafe24.wire import (
    ArticleWire,
    BoardWire,
    UrgentWire,
    article_decoder,
    board_decoder,
    comment_decoder,
    reply_decoder,
    urgent_decoder,
)
from hub.core.contract import OpenKeys, Page, Reading, Span
from hub.core.errors import (
    MalformedResponseError,
    NotFoundAtMallError,
    RejectedByMallError,
    UnsupportedByMallError,
)
from hub.core.model import Inquiry, InquiryKind
from hub.core.paging import Window, decode_cursor, encode_cursor, windows
from hub.core.wire_watch import WireWatch

#: at most one year a call (confidence: sure)
LONGEST = timedelta(days=364)
#: there is no filter by change: posts of these days are read again in every run
TRAILING = timedelta(days=14)
OVERLAP = timedelta(minutes=10)
#: how far back the posts below an old question are looked for
THREAD_REACH = timedelta(days=92)
#: a chain of answers is followed up to its question this many posts
CHAIN = 10
_INSTEAD = "Look at the question in the mall's admin; `boards` of the shop's settings says which boards are read."
#: stands before every article number, also before those that broken posts are given
FIRST = -(10**9)


class Place(Struct, frozen=True, kw_only=True):
    """The cursor: which board, and the last question of it that was given out."""

    step: int = 0
    after: int = FIRST


class InquiryFeed:
    """Questions with their threads. One board is read whole before its questions are given out,
    because an answer may stand anywhere after its question.
    """

    def __init__(self, client: Cafe24Client, *, credentials: Cafe24Credentials, codes: Counter[str]) -> None:
        self._client = client
        self._credentials = credentials
        self._codes = codes
        self._watch = WireWatch(codes)
        self._comments = CommentFeed(client, codes=codes)
        self._boards: tuple[Board, ...] | None = None
        #: shop numbers that list no boards: the usual ones are tried
        self._unlisted: set[int] = set()
        #: posts of this run, each under the shop number that it names
        self._shown: set[int] = set()

    async def read(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        place = decode_cursor(cursor, Place) or Place()
        self._shown.clear()
        boards = await self.boards()
        since, until = span.since - OVERLAP, span.until + timedelta(seconds=1)
        if not span.is_full:
            since = min(since, span.until - TRAILING)
        window = Window(since=since.replace(microsecond=0), until=until.replace(microsecond=0))
        for step in range(place.step, len(boards)):
            board = boards[step]
            wanted = [no for key in open_keys.inquiries if (no := board.article_no(key)) is not None]
            readings = await self._board(board, window, wanted)
            after = place.after if step == place.step else FIRST
            left = [(no, reading) for no, reading in _numbered(readings) if no > after]
            for start in range(0, max(1, len(left)), ARTICLE_LIMIT):
                part = left[start : start + ARTICLE_LIMIT]
                is_last = start + ARTICLE_LIMIT >= len(left)
                at = Place(step=step + 1) if is_last else Place(step=step, after=part[-1][0])
                progress = (step + min(1.0, (start + len(part)) / max(1, len(left)))) / len(boards)
                yield Page(readings=tuple(reading for _, reading in part), cursor=encode_cursor(at), progress=progress)

    async def read_one(self, inquiry: Inquiry, *, until: datetime) -> Reading:
        """The board's own list, asked for this number; an urgent inquiry by the minutes in which it was asked.

        Raises: NotFoundAtMallError when the question is gone: a post that its writer deleted is no longer listed, or
        listed with ``deleted`` T (likely); MalformedResponseError when it stands there and cannot be read;
        UnsupportedByMallError when the board is none of those that are read, or the mall has no such list (any more).
        """
        ref = read_write_ref(inquiry.write_ref)
        is_board_read = False
        for board in await self.boards():
            number = board.article_no(inquiry.inquiry_no)
            is_named = ref is None or (ref.shop_no, ref.board_no) == (board.shop_no, board.no)
            if number is None or not is_named:
                continue
            is_board_read = True
            since = inquiry.asked_at - OVERLAP
            try:
                if board.no is None:
                    readings = await self._urgent(board, Window(since=since, until=inquiry.asked_at + OVERLAP))
                else:
                    readings = await self._thread(board, number, since=since, until=until)
            except NotFoundAtMallError as error:
                raise UnsupportedByMallError("the mall has no such list", instead=_INSTEAD) from error
            for found, reading in readings:
                if found == number:
                    return reading
            if any(found < 0 for found, _ in readings):
                raise MalformedResponseError("the question may be among posts that cannot be read", path="articles")
        if not is_board_read:
            raise UnsupportedByMallError("the board of this question is not read", instead=_INSTEAD)
        raise NotFoundAtMallError("the question is no longer there", operation="articles")

    async def boards(self) -> tuple[Board, ...]:
        """The boards to read, of every shop number: configured, else found by their type."""
        if self._boards is None:
            found: list[Board] = []
            for shop_no in self._credentials.shop_no:
                found += await self._boards_of(shop_no)
                found.append(Board(shop_no=shop_no, no=None, kind=InquiryKind.ORDER_INQUIRY))
            self._boards = tuple(found)
        return self._boards

    async def _boards_of(self, shop_no: int) -> list[Board]:
        if self._credentials.boards:
            return [
                Board(shop_no=shop_no, no=board.no, kind=InquiryKind(board.kind)) for board in self._credentials.boards
            ]
        try:
            page = await self._client.boards(shop_no=shop_no)
        except (NotFoundAtMallError, RejectedByMallError):
            # Boards are listed for Korean and Japanese shops only; the usual numbers may still exist.
            self._unlisted.add(shop_no)
            return [Board(shop_no=shop_no, no=no, kind=kind) for no, kind in USUAL_BOARDS.items()]
        listed = {board.board_no: code(board.board_type) for board in map(self._board_row, page.rows) if board}
        listed.pop(REVIEW_BOARD, None)
        found = _kinds_of(listed)
        if not found:
            # Types that tell of no question at all: better the usual numbers than no inquiry (likely).
            found = {no: kind for no, kind in USUAL_BOARDS.items() if no in listed}
            self._codes.update(f"board_type:{listed[no]}" for no in found)
        return [Board(shop_no=shop_no, no=no, kind=kind) for no, kind in found.items()]

    def _board_row(self, row: bytes) -> BoardWire | None:
        try:
            return decode(board_decoder, row)
        except MalformedResponseError:
            self._codes["board_no"] += 1
            return None

    async def _board(self, board: Board, window: Window, wanted: Sequence[int]) -> list[tuple[int, Reading]]:
        try:
            return await (
                self._urgents(board, window, wanted) if board.no is None else self._posts(board, window, wanted)
            )
        except NotFoundAtMallError:
            if board.no is None or board.shop_no in self._unlisted:
                return []  # a mall without urgent inquiries, or without a usual board; check() tells
            raise

    async def _posts(self, board: Board, window: Window, wanted: Sequence[int]) -> list[tuple[int, Reading]]:
        posts = _Posts(board, is_read=lambda wire: self._is_read(board, wire))
        await self._read_window(board, window, posts)
        own = set(posts.roots())
        await self._read_numbers(board, [no for no in wanted if no not in posts], posts)
        await self._read_parents(board, posts)
        old = [no for no in posts.roots() if no not in own]
        if old:
            begin = min(filter(None, (posts.created(no) for no in old)), default=window.since)
            begin = max(begin.replace(microsecond=0), window.since - THREAD_REACH)
            if begin < window.since:
                await self._read_window(board, Window(since=begin, until=window.since), posts)
        return await self._threads(board, posts, sorted({*own, *old}))

    async def _thread(
        self, board: Board, number: int, *, since: datetime, until: datetime
    ) -> list[tuple[int, Reading]]:
        posts = _Posts(board, is_read=lambda wire: self._is_read(board, wire))
        if board.no is not None:
            await self._read_numbers(board, [number], posts)
            if number in posts:
                window = Window(since=since.replace(microsecond=0), until=until + timedelta(seconds=1))
                await self._read_window(board, window, posts)
        return await self._threads(board, posts, [number] if number in posts else [])

    async def _threads(self, board: Board, posts: "_Posts", roots: Sequence[int]) -> list[tuple[int, Reading]]:
        children, mall_id = posts.children(), self._credentials.mall_id
        unanswered = [
            number
            for number in roots
            if not is_answered_by_post(
                posts.wire[number], [posts.wire[child] for child in children.get(number, ())], mall_id=mall_id
            )
        ]
        comments = await self._comments.read(board, unanswered)
        readings = [(-1, reading) for reading in posts.broken]
        if lost := sum(len(below) for top, below in children.items() if not posts.is_root(top)):
            self._codes["article.parent:missing"] += lost
        for number in roots:
            below, said = children.get(number, []), comments.get(number, [])
            raw = thread_payload(board, [posts.raw[number], *(posts.raw[child] for child in below)], said)
            key = board.inquiry_no(number)
            try:
                record = map_thread(
                    posts.wire[number],
                    [posts.wire[child] for child in below],
                    comments=[decode(comment_decoder, row) for row in said],
                    board=board,
                    mall_id=mall_id,
                    codes=self._codes,
                )
            except MalformedResponseError as error:
                readings.append((number, Reading(key=key, raw=raw, error=str(error))))
            else:
                readings.append((number, Reading(key=key, raw=raw, record=record)))
        return readings

    def _is_read(self, board: Board, wire: ArticleWire | UrgentWire) -> bool:
        """Whether a post was read under its own shop number: a mall may show it under each of them."""
        own = whole(wire.shop_no, path="shop_no") or board.shop_no
        mark = hash((own, board.no, wire.article_no, wire.created_date))
        if own == board.shop_no:
            self._shown.add(mark)
            return False
        return mark in self._shown

    def _add(self, rows: Sequence[bytes], posts: "_Posts") -> None:
        for row in rows:
            self._watch.look(row, shape=ArticleWire, where="article", known=documented.ARTICLE)
        posts.add(rows)

    async def _read_window(self, board: Board, window: Window, posts: "_Posts") -> None:
        """Every post of a window."""

        def ask(part: Window, offset: int) -> Awaitable[Rows]:
            return self._client.articles(
                shop_no=board.shop_no, board_no=board.no or 0, since=part.since, until=part.until, offset=offset
            )

        async for rows in self._listed(window, ask):
            self._add(rows, posts)

    async def _listed(self, window: Window, ask: Ask) -> AsyncIterator[list[bytes]]:
        for part in windows(window.since, window.until, longest=LONGEST):
            async for rows in every_row(part, ask, limit=ARTICLE_LIMIT, wall=ARTICLE_WALL):
                yield rows

    async def _read_numbers(self, board: Board, numbers: Sequence[int], posts: "_Posts") -> None:
        for start in range(0, len(numbers), ID_LIMIT):
            batch = numbers[start : start + ID_LIMIT]
            page = await self._client.articles_by_number(
                shop_no=board.shop_no, board_no=board.no or 0, article_nos=batch
            )
            self._add(page.rows, posts)

    async def _read_parents(self, board: Board, posts: "_Posts") -> None:
        """Questions whose answers came without them: they are older than the window."""
        asked: set[int] = set()
        for _ in range(CHAIN):
            missing = sorted(posts.missing_parents() - asked)
            if not missing:
                return
            asked.update(missing)
            await self._read_numbers(board, missing, posts)

    async def _urgents(self, board: Board, window: Window, wanted: Sequence[int]) -> list[tuple[int, Reading]]:
        """Those of the window, and the ``wanted`` of the year before it: no filter finds one by its number."""
        found = await self._urgent(board, window)
        missing = set(wanted) - {number for number, _ in found}
        if missing:
            before = Window(since=window.since - LONGEST, until=window.since)
            found += await self._urgent(board, before, only=missing)
        return found

    async def _urgent(
        self, board: Board, window: Window, *, only: AbstractSet[int] | None = None
    ) -> list[tuple[int, Reading]]:
        found: dict[int, Reading] = {}
        broken: list[tuple[int, Reading]] = []

        def ask(part: Window, offset: int) -> Awaitable[Rows]:
            return self._client.urgent_inquiries(
                shop_no=board.shop_no, since=part.since, until=part.until, offset=offset
            )

        async for rows in self._listed(window, ask):
            for row in rows:
                if only is not None and best_key(row, "article_no") not in map(str, only):
                    continue
                reading_of = await self._urgent_reading(board, row)
                if reading_of is None:
                    continue
                number, reading = reading_of
                if number < 0:
                    broken.append((number, reading))
                else:
                    found[number] = reading
        return broken + sorted(found.items())

    async def _urgent_reading(self, board: Board, row: bytes) -> tuple[int, Reading] | None:
        """``None`` for one that was read under its own shop number."""
        self._watch.look(row, shape=UrgentWire, where="urgent", known=documented.URGENT)
        try:
            wire = decode(urgent_decoder, row)
            if self._is_read(board, wire):
                return None
            raw, reply = row, None
            if (code(wire.reply_status) or code(wire.status)) in REPLIED:
                reply_row = await self._urgent_reply(board, wire.article_no)
                if reply_row is not None:
                    reply = decode(reply_decoder, reply_row)
                    raw = b"[" + row + b"," + reply_row + b"]"
            record = map_urgent(wire, reply, board=board, codes=self._codes)
        except MalformedResponseError as error:
            key = f"{board.inquiry_no(0)[:-1]}{best_key(row, 'article_no')}"
            return -1, Reading(key=key, raw=row, error=str(error))
        return wire.article_no, Reading(key=record.inquiry_no, raw=raw, record=record)

    async def _urgent_reply(self, board: Board, article_no: int) -> bytes | None:
        try:
            return await self._client.urgent_reply(shop_no=board.shop_no, article_no=article_no)
        except NotFoundAtMallError:
            return None
        except RejectedByMallError as error:
            self._codes[f"urgent reply not read:{error.status}"] += 1
            return None


def _kinds_of(boards: Mapping[int, str | None]) -> dict[int, InquiryKind]:
    """The boards of questions, by number; one whose type is not told goes by the usual numbers."""
    kinds = {no: USUAL_BOARDS.get(no) if told is None else INQUIRY_BOARD_TYPES.get(told) for no, told in boards.items()}
    return {no: kind for no, kind in kinds.items() if kind is not None}


def _numbered(readings: Sequence[tuple[int, Reading]]) -> list[tuple[int, Reading]]:
    """Broken posts first, each with a number of its own below zero, so that a cursor can stand on it."""
    broken = [reading for number, reading in readings if number < 0]
    whole = [(number, reading) for number, reading in readings if number >= 0]
    return [(index - len(broken), reading) for index, reading in enumerate(broken)] + whole


class _Posts:
    """The posts of one board read so far, by number."""

    def __init__(self, board: Board, *, is_read: Callable[[ArticleWire], bool]) -> None:
        self._board = board
        self._is_read = is_read
        self.raw: dict[int, bytes] = {}
        self.wire: dict[int, ArticleWire] = {}
        self.broken: list[Reading] = []
        self._parent: dict[int, int | None] = {}
        self._broken_keys: set[str] = set()

    def __contains__(self, number: object) -> bool:
        return number in self.wire

    def add(self, rows: Iterable[bytes]) -> None:
        for row in rows:
            try:
                wire = decode(article_decoder, row)
                parent = parent_of(wire)
                is_read = self._is_read(wire)
            except MalformedResponseError as error:
                self._add_broken(row, str(error))
                continue
            if is_read:
                continue
            if wire.notice == "T" or wire.deleted == DRAFT:
                continue  # the shop's own announcement on top of the board, or a post that nobody has filed yet
            self.raw[wire.article_no], self.wire[wire.article_no] = row, wire
            self._parent[wire.article_no] = parent

    def _add_broken(self, row: bytes, error: str) -> None:
        key = f"{self._board.inquiry_no(0)[:-1]}{best_key(row, 'article_no')}"
        if key not in self._broken_keys:
            self._broken_keys.add(key)
            self.broken.append(Reading(key=key, raw=row, error=error))

    def is_root(self, number: int) -> bool:
        return self._parent.get(number, LOST) is None

    def roots(self) -> list[int]:
        return [number for number, parent in self._parent.items() if parent is None]

    def missing_parents(self) -> set[int]:
        named = {parent for parent in self._parent.values() if parent is not None and parent != LOST}
        return named - self._parent.keys()

    def created(self, number: int) -> datetime | None:
        try:
            return when(self.wire[number].created_date, path="created_date")
        except MalformedResponseError:
            return None

    def children(self) -> dict[int, list[int]]:
        """All posts below each root, at any depth."""
        found: dict[int, list[int]] = {}
        for number, parent in self._parent.items():
            top, steps = parent, 0
            while top is not None and self._parent.get(top) is not None and steps < CHAIN:
                top, steps = self._parent[top], steps + 1
            if parent is not None and top is not None:
                found.setdefault(top, []).append(number)
        return found

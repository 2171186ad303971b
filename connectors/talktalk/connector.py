"""One TalkTalk account of a shop: chats come by webhook, answers go out by the sending API."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final

from connectors.talktalk.answering import ANSWER_LIMIT, Answerer
from connectors.talktalk.capabilities import CAPABILITIES
from connectors.talktalk.client import RATE, KeyAuth, TalktalkClient, classify, read_limits
from connectors.talktalk.mapping import read_stored
from connectors.talktalk.reading import ChatReader
from connectors.talktalk.receiving import Receiver
from connectors.talktalk.settings import DEFAULT_BASE_URL, TalktalkCredentials
from hub.core.contract import (
    Answer,
    CallCounts,
    Capability,
    CheckItem,
    Connector,
    Feed,
    Manifest,
    OpenKeys,
    Page,
    Reading,
    ShopContext,
    Span,
    WriteResult,
)
from hub.core.errors import AccessError, MallError, NotFoundAtMallError
from hub.core.events import Delivery, Notice
from hub.core.http import MallHttp, make_client
from hub.core.inbox import InboxKind
from hub.core.model import Inquiry
from hub.core.wire_watch import WireWatch

_ADMIN: Final = "https://partner.talk.naver.com/"
_SEEN_DAYS: Final = 7
#: distinct unknown codes kept: a hostile event must not fill the table
_MOST_CODES: Final = 200
_LONGEST_CODE: Final = 80

_FIX_KEY: Final = (
    "톡톡 파트너센터 > 개발자도구 > 챗봇API 설정 > 보내기 API에서 인증 키를 확인(재설정)하세요. / "
    "Look up or renew the key in the partner centre: 개발자도구 > 챗봇API 설정 > 보내기 API."
)
_FIX_WEBHOOK: Final = (
    "`hub shop webhook`의 주소를 파트너센터 > 개발자도구 > 챗봇API 설정 > 이벤트 받을 URL에 등록하고 "
    "send와 echo를 켜세요. / "
    "Enter the address that `hub shop webhook` prints under 이벤트 받을 URL, and switch on send and echo."
)


class TalktalkConnector:
    """Implements every capability that MANIFEST declares as yes."""

    def __init__(self, context: ShopContext) -> None:
        credentials = TalktalkCredentials.read(context.credentials, where=f"shop {context.shop.name}")
        self.shop = context.shop
        self._now = context.now
        self._inbox = context.inbox
        self._unknown: dict[str, int] = {}
        self._http = MallHttp(
            shop=context.shop.name,
            client=make_client(
                base_url=context.base_url or DEFAULT_BASE_URL,
                auth=KeyAuth(credentials.authorization.get_secret_value()),
                transport=context.transport,
            ),
            rate=RATE,
            classify=classify,
            read_limits=read_limits,
            clock=lambda: context.now().timestamp(),
            sleep=context.sleep,
        )
        self._client = TalktalkClient(self._http)
        self._receiver = Receiver(
            credentials, shop=context.shop.name, count=self._count, watch=WireWatch(self._unknown)
        )
        self._reader = ChatReader(context.inbox, silence=timedelta(hours=credentials.silence_hours), count=self._note)
        self._answerer = Answerer(
            client=self._client,
            reader=self._reader,
            inbox=context.inbox,
            notification=credentials.notification,
            now=context.now,
            sleep=context.sleep,
        )

    @property
    def unknown_codes(self) -> Mapping[str, int]:
        return self._unknown

    @property
    def calls(self) -> CallCounts:
        return self._http.counts

    async def aclose(self) -> None:
        await self._http.aclose()

    def _count(self, code: str) -> None:
        name = "".join(char if char.isprintable() else "?" for char in code[:_LONGEST_CODE])
        if name in self._unknown or len(self._unknown) < _MOST_CODES:
            self._unknown[name] = self._unknown.get(name, 0) + 1

    def _note(self, code: str) -> None:
        """A conversation is read again and again: what stands in it is counted once."""
        if code[:_LONGEST_CODE] not in self._unknown:
            self._count(code)

    # -- events

    def receive_events(self, delivery: Delivery) -> Notice:
        """Nothing is ever sent in answer to an event: an echo answered would go round for ever."""
        return self._receiver.receive(delivery)

    # -- reading

    def read_inquiries(
        self,
        span: Span,
        *,
        open_keys: OpenKeys,  # noqa: ARG002
        cursor: str | None,
    ) -> AsyncIterator[Page]:
        """Out of the inbox. ``open_keys`` need nothing: a conversation changes by events alone."""
        return self._reader.pages(span, cursor=cursor)

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        """Raises: NotFoundAtMallError when no event of it is kept."""
        for reading in await self._reader.readings(inquiry.thread_no):
            if reading.key == inquiry.inquiry_no:
                return reading
        raise NotFoundAtMallError("no event of this conversation is kept", shop=self.shop.name)

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """An inquiry is kept with all that it was made of. An event set aside alone stays so: it is no inquiry."""
        del feed
        return read_stored(key, raw, count=self._note)

    # -- acting

    async def answer_inquiry(self, answer: Answer) -> WriteResult:
        return await self._answerer.answer(answer)

    # -- the rest

    async def check(self) -> tuple[CheckItem, ...]:
        """The key by a call that writes to nobody; whether events come, by what came."""
        return await self._check_key(), await self._check_events()

    async def _check_key(self) -> CheckItem:
        try:
            await self._client.try_key()
        except AccessError as error:
            return CheckItem(name="authorization key", is_ok=False, detail=str(error), fix=_FIX_KEY)
        except MallError as error:
            return CheckItem(name="authorization key", is_ok=False, detail=str(error), fix="Try again later.")
        return CheckItem(name="authorization key", is_ok=True, detail="not refused; nothing was sent to anybody")

    async def _check_events(self) -> CheckItem:
        since = self._now() - timedelta(days=_SEEN_DAYS)
        came = await self._inbox.subjects(InboxKind.EVENT, since=since, limit=1)
        if came:
            return CheckItem(name="events", is_ok=True, detail=f"some came in the last {_SEEN_DAYS} days")
        # A quiet week proves nothing, so this is no failure.
        detail = f"none in the last {_SEEN_DAYS} days; whether the address is entered cannot be asked"
        return CheckItem(name="events", is_ok=True, detail=detail, fix=_FIX_WEBHOOK)

    def admin_link(
        self,
        *,
        order_no: str | None = None,  # noqa: ARG002
        line_no: str | None = None,  # noqa: ARG002
        inquiry: Inquiry | None = None,  # noqa: ARG002
    ) -> str | None:
        """The partner centre. No address of a single conversation is documented."""
        return _ADMIN


def _open(context: ShopContext) -> Connector:
    return TalktalkConnector(context)


MANIFEST = Manifest(
    mall="talktalk",
    title="Naver TalkTalk",
    title_ko="네이버 톡톡",
    letter="T",
    colour="#0a8f5b",
    timezone="Asia/Seoul",
    default_base_url=DEFAULT_BASE_URL,
    capabilities=CAPABILITIES,
    feeds={Feed.INQUIRIES: Capability.READ_INQUIRIES},
    credentials=TalktalkCredentials,
    open=_open,
    answer_limit=ANSWER_LIMIT,
)

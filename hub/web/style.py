"""The style page: every token and every component of the desk, as the pages draw them, in light and in dark.

What stands on it is invented; nothing is read from the store.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from litestar import Response, get

from hub.core.model import ClaimKind, ClaimState, InquiryKind, InquiryState
from hub.desk.customers.views import MarkBadge, MarkKind
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.views import AskMark, CaseRow, DueView, IncidentMark, LockMark, MallMark, Offer, OfferLine
from hub.policy.due import DueCause
from hub.store.vanished import VANISHED
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages

_SHEET: Final = Path(__file__).parent / "static" / "desk.css"
_COLOUR: Final = re.compile(r"^  --([a-z-]+): light-dark\(([^,]+), ([^)]+)\);$", re.MULTILINE)
_HOUR: Final = timedelta(hours=1)
#: of the grid, in pixels
_STEPS: Final = (4, 8, 12, 16, 24)
_OPEN_ROW: Final = 2


@get("/style")
async def style_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    marks = [mall_mark(services.registry, name) for name in sorted(services.registry.manifests)]
    return pages.page(
        request,
        "pages/style.html",
        colours=_COLOUR.findall(_SHEET.read_text(encoding="utf-8")),
        steps=_STEPS,
        marks=[*marks, mall_mark(services.registry, "gone")],
        states=(*ClaimState, *InquiryState, VANISHED),
        dues=_dues(services.now()),
        rows=_rows(services, marks),
        open_id=_OPEN_ROW,
        address={},
        offer=_OFFER,
        reasons=(),
        hold_reasons=(),
        carriers=(),
    )


def _dues(now: datetime) -> list[DueView]:
    """One of each cause that is to come, and one that is over."""
    ahead = [DueView(at=now + _HOUR * (2 + place), cause=cause) for place, cause in enumerate(DueCause)]
    return [*ahead, DueView(at=now - _HOUR, cause=DueCause.LAW, is_overdue=True)]


def _rows(services: Services, marks: list[MallMark]) -> list[CaseRow]:
    """A row in each of its states; ``_OPEN_ROW`` is the one that is open."""
    now = services.now()

    def row(case_id: int, kind: str, state: str, *, is_open: bool = True, **more: object) -> CaseRow:
        mark = marks[case_id % len(marks)] if marks else mall_mark(services.registry, "gone")
        values = {"customer": "홍O동 010-••••-0001", "product_name": "린넨 셔츠", "quantity": 2, **more}
        opened_at = now - _HOUR * case_id
        fixed = {"case_id": case_id, "mark": mark, "shop": "main", "kind": kind, "state": state, "is_open": is_open}
        return CaseRow(**fixed, opened_at=opened_at, **values)  # type: ignore[arg-type]

    law = DueView(at=now + _HOUR * 2, cause=DueCause.LAW)
    late = DueView(at=now - _HOUR, cause=DueCause.MALL, is_overdue=True)
    incident = IncidentMark(incident_id=1, count=7, reason="reason.defect")
    return [
        row(1, ClaimKind.CANCEL, ClaimState.REQUESTED, is_new=True, due=law),
        row(_OPEN_ROW, ClaimKind.RETURN, ClaimState.COLLECTING, due=late, assignee="김상담", has_draft=True),
        row(
            3, InquiryKind.PRODUCT_INQUIRY, InquiryState.UNANSWERED, excerpt="언제 다시 들어오나요?", is_mentioned=True
        ),
        row(4, ClaimKind.EXCHANGE, ClaimState.HOLD, lock=LockMark(user_id=0, name="이상담", until=now + _HOUR)),
        row(5, ClaimKind.RETURN, ClaimState.REQUESTED, snoozed_until=now + _HOUR, is_asleep=True, incident=incident),
        row(
            6, InquiryKind.CHAT, InquiryState.IN_PROGRESS, ask=AskMark(role="logistics", since=now - _HOUR), team="반품"
        ),
        row(7, ClaimKind.CANCEL, ClaimState.REQUESTED, badges=(MarkBadge(kind=MarkKind.HARD_CASE, is_sure=True),)),
        row(8, ClaimKind.CANCEL, ClaimState.DONE, is_open=False),
    ]


_OFFER: Final = Offer(
    action="dispatch",
    group="line",
    is_allowed=True,
    needs=("tracking_no", "text"),
    fields=("quantity", "ship_on", "tracking_no", "text"),
    lines=(OfferLine(line_no="1", product_name="린넨 셔츠", option=None, quantity=2),),
)
STYLE_PAGES: Final = [style_page]

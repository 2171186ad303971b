"""An answer of which nobody knows yet whether the customer has it: a second one must not slip out beside it."""

from typing import Final

from msgspec import Struct
from sqlalchemy import or_, select

from hub.core.contract import Outcome
from hub.desk.acting.action import Action, ActionRequest
from hub.store.database import Database
from hub.store.tables import actions

_ANSWERS: Final = tuple(action.value for action in Action if action.is_about_inquiry)
_UNSURE: Final = (Outcome.UNKNOWN.value, Outcome.PENDING.value)


class Warned(Struct, frozen=True, kw_only=True):
    """What a person must have read before going on, in two languages."""

    text: str
    text_ko: str


EARLIER_ANSWER: Final = Warned(
    text="an earlier answer to this question may already stand at the mall, its outcome is not known yet;"
    " look at the mall first: the customer may get two answers",
    text_ko="이 문의에 먼저 보낸 답변의 처리 결과가 아직 확인되지 않았습니다."
    " 지금 다시 보내면 고객에게 답변이 두 번 등록될 수 있으니 쇼핑몰에서 먼저 확인하세요.",
)


async def earlier_answer(database: Database, *, shop_id: int, request: ActionRequest) -> Warned | None:
    """The warning where an answer to the same question is on its way or was lost, and none was done since.

    The same form sent again is no second answer.
    """
    if not request.action.is_about_inquiry:
        return None
    done = actions.alias("done")
    later = select(done.c.id).where(
        done.c.shop_id == actions.c.shop_id,
        done.c.inquiry_no == actions.c.inquiry_no,
        done.c.id > actions.c.id,
        done.c.outcome == Outcome.DONE.value,
    )
    query = select(actions.c.id).where(
        actions.c.shop_id == shop_id,
        actions.c.inquiry_no == request.inquiry_no,
        actions.c.action.in_(_ANSWERS),
        actions.c.outcome.in_(_UNSURE),
        ~later.exists(),
    )
    if request.token is not None:
        query = query.where(or_(actions.c.token.is_(None), actions.c.token != request.token))
    async with database.reading() as connection:
        return EARLIER_ANSWER if await connection.scalar(query.limit(1)) is not None else None

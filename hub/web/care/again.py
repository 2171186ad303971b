"""A form of a promise, complaint or compensation, shown again: it could not be taken, or something filled it."""

from typing import Any

from litestar import Response
from msgspec import Struct
from msgspec.structs import asdict

from hub.desk.cases.case import read_case
from hub.desk.users import list_users
from hub.web.care.care import CareTyped, care_values
from hub.web.cases.acting import Notice
from hub.web.cases.page import AtCase
from hub.web.render import is_swap


async def again_with_typed(at: AtCase, part: str, form: str, data: Struct, notice: Notice | str) -> Response[Any]:
    """The part alone, with what is wrong (its key, or a whole notice), so that nothing else on the page is lost;
    without script as a page of its own.
    """
    if isinstance(notice, str):
        notice = Notice(key=notice, tone="wrong")
    fields = {name: str(value) for name, value in asdict(data).items()}
    typed = CareTyped(form=form, fields=fields, notice=notice)
    view = await read_case(at.services, actor=at.actor, case_id=at.case_id)
    users = await list_users(at.services.database)
    status = 200 if notice.tone == "done" else 422
    answer = at.pages.page(
        at.request,
        f"partials/{part}.html" if is_swap(at.request) else "pages/care.html",
        status=status,
        case=view,
        address={},
        part=f"partials/{part}.html",
        **care_values(at.services, actor=at.actor, case=view, users=users, typed=typed),
    )
    answer.headers["HX-Retarget"] = f"#{part}"
    answer.headers["HX-Reswap"] = "outerHTML show:top" if status == 200 else "outerHTML"
    return answer

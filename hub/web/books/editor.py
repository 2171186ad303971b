"""What all pages of the books share: which book is asked for, the tabs, the draft's bar."""

from datetime import datetime
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

from hub.desk.access import Actor, Permission
from hub.desk.books.books import OpenBook
from hub.desk.books.fields import sections_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.books import BookKind
from hub.web.books.views import SectionTab
from hub.web.render import Renderer, locale_of
from hub.web.words import Words

PageRequest = Request[Actor, str, State]


async def asked_form(services: Services, kind: str) -> BookForm:
    """Raises: NotFoundError for a kind of book that there is not."""
    if kind not in set(BookKind):
        raise NotFoundError
    return (await read_forms(services))[BookKind(kind)]


def words_of(request: PageRequest) -> Words:
    services: Services = request.app.state.services
    return Words(locale_of(request), malls=services.registry.manifests)


def local_day(services: Services, at: datetime | None = None) -> str:
    return (at or services.now()).astimezone(services.settings.zone).date().isoformat()


def tabs_of(form: BookForm, book: OpenBook) -> tuple[SectionTab, ...]:
    return tuple(
        SectionTab(kind=form.kind, section=name, rows=len(getattr(book.tables, name)))
        for name in sections_of(form.tables)
    )


def book_page(
    request: PageRequest,
    pages: Renderer,
    template: str,
    *,
    form: BookForm,
    book: OpenBook,
    section: str = "",
    status: int = 200,
    **values: Any,
) -> Response[str]:
    """A page of one kind of book, with its sections and what is not in force yet."""
    return pages.page(
        request,
        template,
        status=status,
        kind=form.kind,
        kinds=tuple(BookKind),
        section=section,
        tabs=tabs_of(form, book),
        book=book,
        may_edit=request.user.may(Permission.EDIT_BOOKS),
        **values,
    )

"""What all pages of the books share: which book is asked for, the tabs, the draft's bar, what went wrong."""

from datetime import datetime
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from msgspec import Struct

from hub.desk.access import Actor, Permission
from hub.desk.books.books import (
    DraftChangedError,
    OpenBook,
    OvertakenError,
    ProblemsError,
    UnfinishedError,
    open_book,
)
from hub.desk.books.fields import sections_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.books.rows import RowGoneError, RowRefusedError, row_type
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.books import BookKind
from hub.web.books.views import SectionTab
from hub.web.cases.acting import Notice
from hub.web.render import Given, Pages, Renderer, locale_of
from hub.web.words import Words

PageRequest = Request[Actor, str, State]


class Asked:
    """Who asks for a book, or with ``section`` for one of its tables, and what its pages are made of."""

    def __init__(
        self, request: PageRequest, services: Services, pages: Renderer, form: BookForm, section: str = ""
    ) -> None:
        self.request = request
        self.services = services
        self.pages = pages
        self.form = form
        self.section = section

    @property
    def actor(self) -> Actor:
        return self.request.user

    @property
    def may_edit(self) -> bool:
        return self.actor.may(Permission.EDIT_BOOKS)

    @property
    def words(self) -> Words:
        return words_of(self.request)

    @property
    def row(self) -> type[Struct]:
        """Of the section."""
        return row_type(self.form, self.section)

    async def open(self) -> OpenBook:
        return await open_book(self.services, self.form, actor=self.actor)

    def page(
        self, template: str, book: OpenBook, *, notice: Notice | None = None, is_wrong: bool = False, **values: Any
    ) -> Response[str]:
        """A page of the book, with its sections, what is not in force yet, and what is wrong."""
        return self.pages.page(
            self.request,
            template,
            status=422 if is_wrong or (notice and notice.tone == "wrong") else 200,
            kind=self.form.kind,
            kinds=tuple(BookKind),
            section=self.section,
            tabs=tabs_of(self.form, book),
            book=book,
            may_edit=self.may_edit,
            notice=notice,
            **values,
        )


async def asked_book(request: PageRequest, services: Given, pages: Pages, kind: FromPath[str]) -> Asked:
    """Raises: NotFoundError for a kind of book that there is not."""
    if kind not in set(BookKind):
        raise NotFoundError
    return Asked(request, services, pages, (await read_forms(services))[BookKind(kind)])


async def asked_section(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], section: FromPath[str]
) -> Asked:
    """Raises: NotFoundError for a kind of book, or a section of it, that there is not."""
    asked = await asked_book(request, services, pages, kind)
    row_type(asked.form, section)
    return Asked(request, services, pages, asked.form, section)


#: what the handlers of both kinds of pages ask for
Book = NamedDependency[SkipValidation[Asked]]


def wrong(key: str, *, detail: str = "") -> Notice:
    return Notice(key=key, tone="wrong", detail=detail)


_KEY_OF: Final = {
    RowGoneError: "book.row_gone",
    DraftChangedError: "book.draft_changed",
    OvertakenError: "book.overtaken",
    ProblemsError: "book.has_problems",
    UnfinishedError: "book.unfinished",
}


def what_is_wrong(error: Exception) -> Notice:
    """Why a form of the books is shown again. Raises: KeyError for an error that is none of theirs."""
    if isinstance(error, RowRefusedError):
        first = error.typed[0]
        words = tuple((name, str(word)) for name, word in first.words.items())
        return Notice(key=f"book.wrong.{first.key}", tone="wrong", words=words)
    return wrong(_KEY_OF[type(error)])


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

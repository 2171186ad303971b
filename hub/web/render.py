"""Templates and what every one of them may use; the only place that makes HTML."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Context
from litestar import MediaType, Request, Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.template.base import csrf_token
from markupsafe import Markup

from hub.core.model import Money
from hub.desk.access import Actor, Permission
from hub.desk.services import Services
from hub.desk.worklist.filters import filter_values
from hub.web.cases.kept_rows import KeptRows
from hub.web.formats import money, shortened
from hub.web.keys import SHORTCUTS
from hub.web.moments import Moments
from hub.web.spelling import spelling
from hub.web.words import LOCALES, Words

_TEMPLATES = Path(__file__).parent / "templates"
LOCALE_COOKIE = "hub_locale"


def safe_link(url: str | None) -> str | None:
    """An address that may stand in a link: a mall's data never brings a script with it."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else None


def host_of(url: str | None) -> str:
    """Where a link leads, as it is told beside it."""
    return urlsplit(url or "").hostname or ""


def query_string(values: Mapping[str, object], **changes: object) -> str:
    """``?a=1&b=2`` of the values that are set, with ``changes``; empty when none is."""
    merged = {**values, **changes}
    kept = [f"{_quoted(name)}={_quoted(str(value))}" for name, value in merged.items() if value not in (None, "")]
    return f"?{'&'.join(kept)}" if kept else ""


#: the same few words stand in all links of a list
_quoted = lru_cache(maxsize=1_024)(quote_plus)


def with_carrier(words: tuple[tuple[str, str], ...], names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The words of a timeline entry, a carrier's code in them by its name where the mall told it."""
    return tuple((key, names.get(word, word) if key == "carrier" else word) for key, word in words)


#: message key, path, and who may see it
Nav = tuple[tuple[str, str, Permission], ...]


class _Context(Context):
    """Calls what it is told to call. Jinja asks each time whether the context itself is wanted, and nothing here
    wants it: on a page of 50 rows that took a third of its time.
    """

    def call(self, called: Callable[..., Any], /, *args: Any, **words: Any) -> Any:
        # Where a loop or a block stands, for those who want the context.
        words.pop("_block_vars", None)
        words.pop("_loop_vars", None)
        return called(*args, **words)


@cache
def _environment(locale: str) -> Environment:
    """The templates in one language, compiled once for every hub of this process."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Templates change with the program: a page need not look at each of its files.
        auto_reload=False,
    )
    words = Words(locale)
    environment.code_generator_class = spelling(words)
    environment.context_class = _Context
    environment.filters["safe_link"] = safe_link
    environment.filters["host"] = host_of
    environment.filters["shortened"] = shortened
    environment.filters["with_carrier"] = with_carrier
    environment.globals.update(Permission=Permission, query_string=query_string, filter_values=filter_values)
    # It stands on every page, and nothing in it changes.
    keys = environment.get_template("partials/keys.html").render(t=words, key_groups=SHORTCUTS)
    environment.globals["keys_dialog"] = Markup(keys)  # noqa: S704  of a template of ours
    return environment


class Renderer:
    """Renders templates for one hub."""

    def __init__(self, services: Services, *, nav: Nav, nav_more: Nav) -> None:
        self._services = services
        self._nav = nav
        self._nav_more = nav_more
        self._rows = KeptRows()

    def page(
        self,
        request: Request[Any, Any, Any],
        template: str,
        *,
        status: int = 200,
        of_mall: str | None = None,
        **values: Any,
    ) -> Response[str]:
        """``of_mall``: the mall that the page is about, whose clock its times are shown by."""
        around = self._around(request, of_mall)
        html = _environment(around["locale"]).get_template(template).render(**around, **values)
        return Response(html, media_type=MediaType.HTML, status_code=status)

    def _around(self, request: Request[Any, Any, Any], of_mall: str | None = None) -> dict[str, Any]:
        actor = request.scope.get("user")
        words = Words(locale_of(request))
        now, zone = self._services.now(), self._services.settings.zone

        def cash(amount: Money | None) -> str:
            return money(amount, words.locale)

        moments = Moments(now=now, zone=zone, words=words, malls=self._services.registry.manifests, mall=of_mall)
        return {
            "t": words,
            "locale": words.locale,
            "actor": actor if isinstance(actor, Actor) else None,
            "nav": self._nav,
            "nav_more": self._nav_more,
            "path": request.url.path,
            "query_now": request.url.query,
            "csrf": csrf_token({"request": request}),
            "now": now,
            "zone": zone,
            "when": moments,
            "ago": moments.ago,
            "clock": moments.clock,
            "day": moments.day,
            "span": moments.span,
            "money": cash,
            "kept": self._rows.of_page(now, words.locale),
        }


def locale_of(request: Request[Any, Any, Any]) -> str:
    """The user's own language; before signing in, that of the cookie."""
    actor = request.scope.get("user")
    if isinstance(actor, Actor):
        return actor.locale
    cookie = request.cookies.get(LOCALE_COOKIE, "")
    return cookie if cookie in LOCALES else LOCALES[0]


def is_swap(request: Request[Any, Any, Any]) -> bool:
    """Whether a part of the page is asked for, not the whole."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


# What handlers ask for. A Protocol cannot be checked at run time; the application itself provides it.
Given = NamedDependency[SkipValidation[Services]]
Pages = NamedDependency[Renderer]

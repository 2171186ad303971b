"""Markdown of supervisors as HTML: no markup of their own, no pictures from elsewhere, no style."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

#: the page has its own first two levels
_LEVELS: Final = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}


def _cell(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: MutableMapping[str, Any]) -> str:
    # The alignment of a column is a style, which no page may carry.
    del renderer, env, options
    return f'<{tokens[at].tag} scope="col">' if tokens[at].tag == "th" else "<td>"


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable("table")
    reader.disable(["image", "html_block", "html_inline"])
    reader.add_render_rule("th_open", _cell)
    reader.add_render_rule("td_open", _cell)
    return reader


_READER: Final = _reader()


def render_markdown(text: str) -> Markup:
    """Safe to put into a page whatever ``text`` is: markup in it is shown as it was typed, and an address that is
    neither http, https, mailto nor of this desk is no link.
    """
    tokens = _READER.parse(text)
    for token in tokens:
        token.tag = _LEVELS.get(token.tag, token.tag)
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrs = _link(inner.attrs)
    # The reader escapes whatever it does not make itself.
    return Markup(_READER.renderer.render(tokens, _READER.options, {}))  # noqa: S704


def _link(attrs: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
    given = str(attrs.get("href", ""))
    is_ours = given.startswith("/") and not given.startswith("//")
    if not (is_ours or given.lower().startswith(("https://", "http://", "mailto:"))):
        return {"class": "dead-link"}
    return {"href": given} if is_ours else {"href": given, "target": "_blank", "rel": "noopener noreferrer"}

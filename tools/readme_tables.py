"""Writes the tables of the documents that the code knows better: ``python -m tools.readme_tables``.

A table stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``; a test fails when one is not current.
"""

import ast
import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hub import settings as settings_module
from hub.desk.export import ExportKind, columns
from hub.registry import capability_matrix, find_connectors
from hub.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "docs/command-line.md", "docs/operations.md")


def capabilities() -> str:
    """One row per capability, one column per mall; what is missing has a footnote with the way that exists.

    The same way of the same mall is one footnote.
    """
    malls = capability_matrix(find_connectors())
    names = list(dict.fromkeys(name for mall in malls for name in mall.capabilities))
    notes: dict[tuple[str, str], int] = {}

    def cell(mall: str, name: str) -> str:
        state = next(each for each in malls if each.mall == mall).capabilities.get(name)
        if state is None:
            return "-"
        if not state.instead:
            return state.state.value
        number = notes.setdefault((mall, state.instead), len(notes) + 1)
        return f"{state.state.value} ({number})"

    rows = [(name, *(cell(mall.mall, name) for mall in malls)) for name in names]
    table = _table(("capability", *(mall.title for mall in malls)), rows)
    listed = [f"{number}. {mall}: {way}" for (mall, way), number in notes.items()]
    return "\n".join([table, *(["", *listed] if listed else [])])


def settings() -> str:
    """One row per setting, with the line that stands under it in hub/settings.py."""
    rows = []
    for name, text in _attribute_texts(settings_module, Settings.__name__).items():
        default = Settings.model_fields[name].default
        rows.append((f"`HUB_{name.upper()}`", "" if default is None else f"`{default}`", text))
    return _table(("setting", "default", "what it does"), rows)


def exports() -> str:
    """One row per kind of `hub export` with its columns in their order."""
    return _table(("KIND", "columns"), [(kind.value, ", ".join(columns(kind))) for kind in ExportKind])


TABLES: dict[str, Callable[[], str]] = {"capabilities": capabilities, "settings": settings, "exports": exports}


def filled(text: str) -> str:
    """``text`` with every table between markers as the code has it now."""
    for name, table in TABLES.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if between.search(text):
            body = table()
            text = between.sub(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text)
    return text


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _attribute_texts(module: object, of_class: str) -> dict[str, str]:
    """The strings that stand under the attributes of a class."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == of_class)
    texts = {}
    for node, after in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(after, ast.Expr):
            texts[node.target.id] = " ".join(ast.literal_eval(after.value).split())
    return texts


def main() -> None:
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

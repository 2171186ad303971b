"""`hub new-connector`: a folder for one more mall, with placeholders that the contract tests find and fail."""

import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import Annotated

import typer

import connectors
from hub.cli.console import screen
from hub.core.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_SUFFIX = ".txt"
_CASE = "case.json"


def register(app: typer.Typer) -> None:
    app.command("new-connector", help="Write the folder of a new mall, ready to be filled.")(new_connector)


def new_connector(
    name: Annotated[str, typer.Argument(help="The mall's name in the hub: small letters, digits, underscores.")],
    path: Annotated[
        Path | None, typer.Option("--path", help="Folder that holds the connectors. Default: the hub's own.")
    ] = None,
) -> None:
    folder = write_connector(name, path or Path(connectors.__path__[0]))
    screen.print(f"{folder}: written", markup=False)
    screen.print("  Next: docs/add-a-mall.md, then pytest tests/contract.", markup=False)


def write_connector(name: str, root: Path) -> Path:
    """Write the folder ``name`` in ``root`` and return it; an existing one is left alone.

    Raises: ConfigurationError for a name that cannot be a package, a folder that exists or cannot be made.
    """
    if _NAME.fullmatch(name) is None or keyword.iskeyword(name) or name.endswith("_"):
        what = f"{name!r} cannot be the name of a mall"
        raise ConfigurationError(what, fix="Use small letters, digits and underscores, a letter first: new_mall.")
    folder = root / name
    if not root.is_dir():
        what = f"there is no folder {root}"
        raise ConfigurationError(what, fix="Name the folder that holds the connectors with --path.")
    if folder.exists():
        what = f"{folder} exists already"
        raise ConfigurationError(what, fix="Choose another name, or remove the folder.")
    words = {
        "name": name,
        "title": name.replace("_", " ").title(),
        "class_name": name.title().replace("_", ""),
        "letter": name[0].upper(),
    }
    texts = {
        template.name.removesuffix(_SUFFIX): Template(template.read_text(encoding="utf-8")).substitute(words)
        for template in resources.files("hub.cli").joinpath("scaffold").iterdir()
        if template.name.endswith(_SUFFIX)
    }
    try:
        (folder / "cases").mkdir(parents=True)
        for file, text in texts.items():
            place = folder / "cases" / "first-order.json" if file == _CASE else folder / file
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"{folder} cannot be written: {error.strerror}"
        raise ConfigurationError(what, fix="Choose a folder that you can write to.") from error
    return folder

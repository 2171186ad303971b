"""`hub book`: out, in and the history, as a script sees it."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Ran, Terminal

BOOK = {"contacts": [{"name": "박물류", "role": "logistics", "phone": "02-000-0000"}]}


def _file(folder: Path, text: str, name: str = "book.json") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _import(terminal: Terminal, folder: Path, book: object, *options: str) -> Ran:
    return terminal.hub("book", "import", "routing", _file(folder, json.dumps(book)), "--json", *options)


def test_a_book_goes_in_and_out_and_has_a_history(terminal: Terminal, tmp_path: Path):
    assert terminal.hub("book", "history", "routing", "--json").document == []
    tried = _import(terminal, tmp_path, BOOK, "--dry-run")
    assert (tried.code, tried.document["version"], tried.document["added"]) == (0, 0, 1)

    done = _import(terminal, tmp_path, BOOK, "--note", "새 물류사")

    document = done.document
    # The shipped rows of the chain, which this book does not have.
    assert document.pop("removed") > 0
    assert document == {"kind": "routing", "version": 1, "added": 1, "changed": 0, "dry_run": False}
    (version,) = terminal.hub("book", "history", "routing", "--json").document
    assert (version["version"], version["note"], version["author"]) == (1, "새 물류사", None)
    exported = terminal.hub("book", "export", "routing")
    assert json.loads(exported.out) == BOOK
    again = _import(terminal, tmp_path, json.loads(exported.out))
    assert (again.document["version"], again.document["added"]) == (1, 0)


def test_ways_to_reach_people_are_masked_until_a_reason_is_given(terminal: Terminal, tmp_path: Path):
    _import(terminal, tmp_path, BOOK)

    masked = terminal.hub("book", "show", "routing", "--json")
    shown = terminal.hub("book", "show", "routing", "--json", "--unmask", "--reason", "점검")

    assert masked.document["sections"]["contacts"][0]["phone"] == "***"
    assert "02-000-0000" not in terminal.hub("book", "show", "routing").out
    assert shown.document["sections"]["contacts"][0]["phone"] == "02-000-0000"
    assert terminal.hub("book", "show", "routing", "--unmask").code == 2


def test_a_section_goes_in_from_a_table(terminal: Terminal, tmp_path: Path):
    table = _file(tmp_path, "이름,역할,전화\n박물류,물류,02-000-0000\n김엠디,md,02-000-0001\n", "contacts.csv")

    done = terminal.hub("book", "import", "routing", table, "--section", "contacts", "--json")

    assert (done.code, done.document["added"]) == (0, 2)
    out = terminal.hub("book", "export", "routing", "--section", "contacts", "--format", "csv").out
    assert out.splitlines()[1].startswith("박물류,logistics,")
    workbook = tmp_path / "out.xlsx"
    options = ("--section", "contacts", "--format", "xlsx", "--output", workbook)
    assert terminal.hub("book", "export", "routing", *options).code == 0
    same = terminal.hub("book", "import", "routing", workbook, "--section", "contacts", "--json")
    assert [same.document[kind] for kind in ("added", "changed", "removed")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ('{"contacts":[{"name":"a","role":"md"}]}', (), "contacts row 1"),
        ("{", (), "book"),
        ('{"nothing":1}', (), "book"),
        ("이름,역할\na,아무나\n", ("--section", "contacts"), "cannot be read"),
        ("이름,역할\na,md\n", ("--section", "nothing"), "no section"),
        ("", ("--section", "contacts"), "columns"),
    ],
)
def test_a_wrong_file_is_refused_whole(
    terminal: Terminal, tmp_path: Path, text: str, options: tuple[str, ...], told: str
):
    refused = terminal.hub("book", "import", "routing", _file(tmp_path, text, "x.csv"), *options)

    assert refused.code == 2
    assert told in refused.err
    assert terminal.hub("book", "history", "routing", "--json").document == []


def test_wrong_use_says_what_to_do(terminal: Terminal, tmp_path: Path):
    for arguments in (
        ("show", "routing", "--version", "7"),
        ("export", "routing", "--section", "contacts"),
        ("export", "routing", "--format", "csv"),
        ("export", "routing", "--section", "contacts", "--format", "xlsx"),
        ("export", "routing", "--section", "nothing", "--format", "csv"),
        ("import", "routing", str(tmp_path / "nothing.json")),
    ):
        assert terminal.hub("book", *arguments).code == 2, arguments

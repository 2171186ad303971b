"""`hub file` as a script uses it: exit codes, one JSON document, what stands on the disk afterwards."""

import json
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner, Result

from hub.cli import _register, app
from hub.cli.console import ExitCode
from hub.core.errors import ConfigurationError

ROWS = (
    "주문번호,순번,상품명,수량,주문상태,주문일시\n"
    "A-1,1,머그컵,2,상품준비중,2026-11-20 10:00\n"
    "A-2,1,접시,둘,배송중,2026-11-20 10:00\n"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub of its own with one shop that is read from files, and a file to hand in."""
    if not app.registered_commands:
        _register()
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUB_LOG_LEVEL", "ERROR")
    (tmp_path / "orders.csv").write_bytes(ROWS.encode("cp949"))
    assert _run("shop", "add", "welfare", "--mall", "sheet").exit_code == ExitCode.ALL_DONE
    return tmp_path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_preview_import_and_list(place: Path):
    file = place / "orders.csv"
    refused = _run("file", "import", file, "--shop", "welfare")
    assert isinstance(refused.exception, ConfigurationError)
    assert "no layout" in str(refused.exception)

    shown = json.loads(_run("file", "preview", file, "--shop", "welfare", "--guess", "--json").stdout)
    assert (shown["rows"], shown["new"], shown["errors"], shown["encoding"]) == (2, 1, 1, "cp949")
    assert shown["problems"] == [{"code": "not_a_quantity", "row": 3, "column": "수량", "field": "quantity"}]
    assert json.loads(_run("file", "layout", "--shop", "welfare").stdout) is None

    done = json.loads(_run("file", "import", file, "--shop", "welfare", "--guess", "--json").stdout)
    assert (done["is_new"], done["rows"], done["new"], done["errors"], done["error"]) == (True, 2, 1, 1, None)
    again = json.loads(_run("file", "import", file, "--shop", "welfare", "--json").stdout)
    assert (again["is_new"], again["new"], again["changed"]) == (False, 0, 0)
    listed = json.loads(_run("file", "list", "--shop", "welfare", "--json").stdout)
    assert [(each["name"], each["by"], each["note"]["new"]) for each in listed] == [("orders.csv", "cli", 1)]


def test_a_layout_is_printed_changed_and_given_back(place: Path):
    _run("file", "import", place / "orders.csv", "--shop", "welfare", "--guess")
    layout = json.loads(_run("file", "layout", "--shop", "welfare").stdout)
    layout["words"]["status"]["배송중"] = "delivered"
    (place / "layout.json").write_text(json.dumps(layout), encoding="utf-8")

    kept = json.loads(_run("file", "layout", "--shop", "welfare", "--set", place / "layout.json").stdout)

    assert kept == layout
    (place / "layout.json").write_text('{"kind": "orders", "columns": [], "colour": 1}', encoding="utf-8")
    wrong = _run("file", "layout", "--shop", "welfare", "--set", place / "layout.json")
    assert isinstance(wrong.exception, ConfigurationError)
    assert "colour" in str(wrong.exception)


def test_tracking_numbers_go_out_as_a_file(place: Path):
    values = ("order_no=A-1", "line_no=A-1-1", "carrier=CJ", "tracking_no=012345678901")
    options = [part for value in values for part in ("--value", value)]
    assert _run("file", "write", "tracking", "--shop", "welfare", *options).exit_code == ExitCode.ALL_DONE
    wrong = _run("file", "export", "tracking", "--shop", "welfare", "--output", place / "out.csv")
    assert isinstance(wrong.exception, ConfigurationError)

    out = place / "out.xlsx"
    _run("file", "export", "tracking", "--shop", "welfare", "--output", out)

    assert CalamineWorkbook.from_path(out).get_sheet_by_index(0).to_python()[1][:4] == [
        "A-1", "1", "CJ", "012345678901"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("file", "import", "{place}/nowhere.csv", "--shop", "welfare"), "nowhere.csv"),
        (("file", "import", "{place}/orders.csv", "--shop", "elsewhere"), "elsewhere"),
        (("file", "import", "{place}/home/keys.json", "--shop", "welfare", "--guess"), "headings"),
        (("file", "write", "tracking", "--shop", "welfare", "--value", "carrier"), "carrier"),
    ],
)
def test_wrong_use_names_what_is_wrong(place: Path, arguments: tuple[str, ...], named: str):
    ran = _run(*(each.format(place=place) for each in arguments))

    assert isinstance(ran.exception, ConfigurationError)
    assert named in str(ran.exception)

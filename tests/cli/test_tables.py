"""Exports, routes and statistics: columns as documented, the same rows in every format, nothing that runs."""

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.cli.street import FORMULA, Street
from tests.cli.terminal import Terminal

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
_TABLE = _DOCUMENT.partition("<!-- exports -->")[2].partition("<!-- /exports -->")[0]
COLUMNS = {
    kind: columns.split(", ") for kind, columns in re.findall(r"^\| (\w+) \| ([\w, ]+) \|$", _TABLE, re.MULTILINE)[1:]
}
KINDS = ["orders", "lines", "claims", "inquiries", "cases", "calls"]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_has_the_documented_columns(read_only: Terminal, kind: str) -> None:
    ran = read_only.hub("export", kind)

    assert ran.code == 0
    assert ran.rows
    assert [list(row) for row in ran.rows] == [COLUMNS[kind]] * len(ran.rows)
    for row in ran.rows:
        for name, value in row.items():
            if name.endswith("_at"):
                assert value is None or _TIME.fullmatch(value), (name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_has_the_same_rows(read_only: Terminal, tmp_path: Path, kind: str) -> None:
    rows = read_only.hub("export", kind).rows

    comma = read_only.hub("export", kind, "--format", "csv")
    book = read_only.hub("export", kind, "--format", "xlsx", "--output", tmp_path / "out.xlsx")

    assert (comma.code, book.code, book.out) == (0, 0, "")
    heading, *cells = csv.reader(io.StringIO(comma.out))
    assert heading == COLUMNS[kind]
    assert cells == [[csv_cell(value) for value in row.values()] for row in rows]
    sheet = CalamineWorkbook.from_path(tmp_path / "out.xlsx").get_sheet_by_index(0)
    heading, *cells = sheet.to_python(skip_empty_area=False)
    assert heading == COLUMNS[kind]
    assert cells == [["" if value is None else value for value in row.values()] for row in rows]


def csv_cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(tuple("=+-@\t\r")) else text


def test_what_a_customer_wrote_never_runs_in_a_spreadsheet(read_only: Terminal, tmp_path: Path) -> None:
    (row,) = (row for row in read_only.hub("export", "inquiries").rows if row["subject"] == FORMULA)

    comma = read_only.hub("export", "inquiries", "--format", "csv").out
    book = tmp_path / "inquiries.xlsx"
    assert read_only.hub("export", "inquiries", "--format", "xlsx", "--output", book).code == 0

    (told,) = (each for each in csv.DictReader(io.StringIO(comma)) if each["inquiry_no"] == row["inquiry_no"])
    assert (told["subject"], told["text"]) == (f"'{FORMULA}", f"'{FORMULA}")
    with zipfile.ZipFile(book) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert FORMULA in sheet
    assert "<f>" not in sheet


def test_an_export_is_the_truth_of_the_malls(street: Street, read_only: Terminal) -> None:
    rows = read_only.hub("export", "lines").rows

    truth = {(row["shop"], row["line_no"]) for mall in street.town.malls.values() for row in mall.truth().lines}
    assert {(row["shop"], row["line_no"]) for row in rows} == truth
    assert len(rows) == len(truth)


def test_an_export_is_narrowed_by_shop_and_time(read_only: Terminal) -> None:
    rows = [row for row in read_only.hub("export", "lines").rows if row["shop"] == "main-qoo10"]
    middle = sorted(row["ordered_at"] for row in rows)[len(rows) // 2]

    first = read_only.hub("export", "lines", "--shop", "main-qoo10", "--to", middle).rows
    second = read_only.hub("export", "lines", "--shop", "main-qoo10", "--from", middle).rows

    assert first
    assert second
    assert {row["line_no"] for row in first} == {row["line_no"] for row in rows if row["ordered_at"] < middle}
    assert {row["line_no"] for row in second} == {row["line_no"] for row in rows if row["ordered_at"] >= middle}


def test_people_are_masked_unless_somebody_says_why(street: Street, synced: Terminal) -> None:
    names = {order.buyer.name for shop in street.town.world.shops for order in street.town.world.orders(shop)}

    masked = synced.hub("export", "orders").rows
    refused = synced.hub("export", "orders", "--unmask")
    clear = synced.hub("export", "orders", "--unmask", "--reason", "a customer asked for a copy").rows

    assert names.isdisjoint(row["buyer_name"] for row in masked)
    assert (refused.code, refused.out, "--reason" in refused.err) == (2, "", True)
    assert {row["buyer_name"] for row in clear} <= names
    assert {row["order_no"] for row in clear} == {row["order_no"] for row in masked}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("export", "lines", "--format", "xlsx"), "--output"),
        (("export", "lines", "--from", "yesterday"), "--from"),
        (("export", "lines", "--from", "2026-11-22", "--to", "2026-11-21"), "--from"),
        (("export", "lines", "--shop", "nobody"), "nobody"),
        (("export", "parcels"), "parcels"),
    ],
    ids=["xlsx to a pipe", "no time", "reversed", "unknown shop", "unknown kind"],
)
def test_a_wrong_question_prints_no_row(read_only: Terminal, arguments: tuple[str, ...], named: str) -> None:
    ran = read_only.hub(*arguments)

    assert (ran.code, ran.out, named in ran.err) == (2, "", True)


# route


def test_a_route_tells_whom_to_ask_and_why(read_only: Terminal) -> None:
    for line in read_only.hub("export", "lines").rows[:5]:
        ran = read_only.hub(
            "route", "explain", "--shop", line["shop"], "--line", line["line_no"], "--matter", "stock", "--json"
        )

        assert (ran.code, set(ran.document)) == (
            0,
            {"mode", "mode_rule", "matter", "chain", "steps", "considered", "flags", "book"},
        )
        assert (ran.document["book"]["version"], ran.document["book"]["source"]) == (1, "file")
        assert (ran.document["mode"], ran.document["matter"]) == (line["inventory_mode"], "stock")
        assert ran.document["mode_rule"]
        assert ran.document["chain"]
        for link in ran.document["chain"]:
            assert set(link) >= {"role", "name", "organisation", "open_now", "next_open_at", "why"}
            assert isinstance(link["open_now"], bool)
            assert link["why"]
        assert all(isinstance(step, str) and step for step in ran.document["steps"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--line"),
        (("--line", "1", "--product", "2"), "--line"),
        (("--line", "no-such-line"), "no-such-line"),
        (("--product", "1", "--at", "noon"), "--at"),
    ],
    ids=["neither", "both", "unknown line", "no time"],
)
def test_a_route_needs_one_thing_that_exists(read_only: Terminal, arguments: tuple[str, ...], named: str) -> None:
    ran = read_only.hub("route", "explain", "--shop", "main-cafe24", "--matter", "stock", "--json", *arguments)

    assert (ran.code, ran.out, named in ran.err) == (2, "", True)


KOREAN = "판매자상품코드,재고형태,협력사,물류사\n{sku},위탁,S000000A,\nHB-002,사입,,\n"


def test_a_table_of_a_korean_spreadsheet_is_imported(synced: Terminal, tmp_path: Path) -> None:
    line = next(row for row in synced.hub("export", "lines").rows if row["inventory_mode"] != "consignment")
    file = tmp_path / "재고형태.csv"
    file.write_bytes(KOREAN.format(sku=line["seller_sku"]).encode("cp949"))

    ran = synced.hub("route", "import", file)

    assert ran.code == 0, ran.err
    assert "2 rows" in ran.err
    after = {row["line_no"]: row["inventory_mode"] for row in synced.hub("export", "lines").rows}
    assert after[line["line_no"]] == "consignment"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("판매자상품코드,협력사\nHB-001,S1\n", "mode"),
        ("재고형태,협력사\n위탁,S1\n", "seller_sku"),
        ("판매자상품코드,재고형태\nHB-001,위탁\nHB-002,빌림\n", "빌림"),
    ],
    ids=["no mode", "no product", "unknown mode"],
)
def test_a_table_with_a_mistake_is_not_imported(synced: Terminal, tmp_path: Path, text: str, named: str) -> None:
    before = synced.hub("export", "lines").out
    file = tmp_path / "modes.csv"
    file.write_bytes(text.encode("cp949"))

    ran = synced.hub("route", "import", file)

    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err
    assert str(file) in ran.err
    assert synced.hub("export", "lines").out == before


def test_a_table_that_is_not_there_is_named(read_only: Terminal, tmp_path: Path) -> None:
    ran = read_only.hub("route", "import", tmp_path / "nothing.csv")

    assert (ran.code, "nothing.csv" in ran.err) == (2, True)


# stats


def test_the_figures_are_those_of_the_rows(read_only: Terminal) -> None:
    ran = read_only.hub("stats", "calls", "--by", "mall,line", "--json")

    assert ran.code == 0
    offered: dict[tuple[str, str], int] = {}
    for row in read_only.hub("export", "calls").rows:
        offered[row["mall"], row["line"]] = offered.get((row["mall"], row["line"]), 0) + 1
    assert {(row["mall"], row["line"]): row["offered"] for row in ran.document["rows"]} == offered

"""`hub facts` as a script uses it."""

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def placed(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A shop with two orders out of a file."""
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "주문번호,순번,상품명,수량,주문상태,주문일시\n"
        "A-1,1,머그컵,2,상품준비중,2026-01-10 10:00\nA-2,1,접시,1,상품준비중,2026-01-10 10:00\n",
        encoding="utf-8",
    )
    assert terminal.hub("shop", "add", "agency", "--mall", "sheet").code == 0
    assert terminal.hub("file", "import", orders, "--shop", "agency", "--guess").code == 0
    return terminal


def test_facts_are_told_shown_and_corrected(placed: Terminal):
    where = ("--shop", "agency", "--order", "A-1")
    told = placed.hub(
        "facts", "set", "overseas_ordered=2026-01-11", "overseas_dispatched=2026-01-12T09:00", "forwarder_in=not yet",
        *where, "--number", "overseas_dispatched=1Z9", "--json",
    )  # fmt: skip
    assert (told.code, told.document["written"], told.document["problems"]) == (0, 3, [])

    (shown,) = placed.hub("facts", "show", *where, "--json").document
    assert (shown["finding"]["stage"], shown["facts"]["overseas_dispatched"]["reference"]) == ("2", "1Z9")
    assert shown["facts"]["overseas_dispatched"]["moment"]["at"] == "2026-01-12T00:00:00Z"

    refused = placed.hub("facts", "set", "forwarder_out=2026-01-01", *where)
    assert (refused.code, "forwarder_out" in refused.err) == (3, True)
    assert placed.hub("facts", "set", "overseas_dispatched=unknown", *where).code == 0
    assert placed.hub("facts", "show", *where, "--json").document[0]["finding"]["missing"] == ["overseas_dispatched"]
    assert "머그컵" not in placed.hub("facts", "show", *where).err


def test_a_sheet_is_tried_imported_and_known_the_second_time(placed: Terminal, tmp_path: Path):
    sheet = tmp_path / "facts.csv"
    rows = "주문번호,해외주문일,입고일\nA-1,2026-01-11,아직\nA-2,2026-01-11,\nA-3,2026-01-11,\nA-2,,내일\n"
    sheet.write_bytes(rows.encode("cp949"))

    tried = placed.hub("facts", "import", sheet, "--shop", "agency", "--dry-run", "--json")
    done = placed.hub("facts", "import", sheet, "--shop", "agency", "--json")
    again = placed.hub("facts", "import", sheet, "--shop", "agency", "--json")

    assert (tried.code, tried.document) == (1, done.document)
    assert (done.document["rows"], done.document["written"], done.document["problem_count"]) == (4, 3, 2)
    assert [(each["row"], each["key"]) for each in done.document["problems"]] == [
        (4, "unknown_line"),
        (5, "not_a_time"),
    ]
    assert done.document["columns"] == [
        ["주문번호", "order_no"], ["해외주문일", "overseas_ordered"], ["입고일", "forwarder_in"]
    ]  # fmt: skip
    assert (again.document["written"], again.document["unchanged"]) == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("set", "arrived=2026-01-11", "--shop", "agency", "--order", "A-1"), "arrived"),
        (("set", "forwarder_in=soon", "--shop", "agency", "--order", "A-1"), "soon"),
        (("set", "forwarder_in=2026-01-11", "--shop", "agency", "--order", "A-1", "--number", "forwarder_out=1"), "forwarder_out"),
        (("show", "--shop", "agency", "--order", "A-9"), "no such order"),
        (("show", "--shop", "elsewhere", "--order", "A-1"), "elsewhere"),
        (("import", "nowhere.csv"), "nowhere.csv"),
    ],
)  # fmt: skip
def test_wrong_use_names_what_is_wrong(placed: Terminal, arguments: tuple[str, ...], named: str):
    ran = placed.hub("facts", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert named in ran.err

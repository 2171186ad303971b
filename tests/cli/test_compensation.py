"""`hub compensation`: what was given, by its screen's rules, as scripts and spreadsheets take it."""

import asyncio
import csv
import json
from pathlib import Path

import pytest

from hub.cli.compensation import Format, _write
from hub.desk.care.compensation_list import LedgerRow
from tests.cli.terminal import Terminal


def test_an_empty_ledger_is_empty_in_every_format(read_only: Terminal, tmp_path: Path) -> None:
    ran = read_only.hub("compensation", "list", "--json")
    assert (ran.code, ran.document) == (0, {"sums": [], "rows": []})
    headings = ",".join(LedgerRow.__struct_fields__)
    assert read_only.hub("compensation", "export", "--format", "csv").out.strip() == headings
    assert read_only.hub("compensation", "export", "--format", "xlsx").code == 2
    book = tmp_path / "given.xlsx"
    assert read_only.hub("compensation", "export", "--format", "xlsx", "--output", str(book)).code == 0
    assert book.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("span", [("--from", "soon"), ("--from", "2026-12-01", "--to", "2026-11-01")])
def test_a_span_that_is_none_is_refused(read_only: Terminal, span: tuple[str, ...]) -> None:
    assert read_only.hub("compensation", "list", *span).code == 2


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "@SUM(A1)", "-x", "한빛유통"])
def test_a_partners_name_is_no_formula(tmp_path: Path, name: str) -> None:
    row = LedgerRow(
        compensation_id="1",
        given_at="2026-11-20T05:00:00Z",
        month="2026-11",
        shop="main",
        mall="cafe24",
        order_no="A-1",
        line_no="A-1-1",
        kind="points",
        reason="late",
        currency="KRW",
        amount_minor=-3_001,
        partner=name,
        partner_minor=-900,
        our_minor=-2_101,
        policy_version=1,
        given_by="kim",
        approved_by=None,
        reverses_id=None,
        action_id=None,
    )

    async def rows():  # type: ignore[no-untyped-def]
        yield row

    for form in (Format.CSV, Format.JSONL):
        with (tmp_path / form).open("w", encoding="utf-8", newline="") as file:
            asyncio.run(_write(rows(), form, file))
    with (tmp_path / "csv").open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["partner"][0] not in "=+@-"
    assert read["amount_minor"] == "-3001"
    assert json.loads((tmp_path / "jsonl").read_text(encoding="utf-8"))["partner"] == name

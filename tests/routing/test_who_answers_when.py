"""Every matter in every mode at nine hours, as a table that anybody can read: tests/data/routing/who_answers_when.csv.

Product: stock of the partner S1. Times are those of Seoul. 2026-12-25 is a public holiday, from 2026-12-07 to
2026-12-11 the partner's person is away.
"""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.model import InventoryMode
from routing.chain import Matter, build_chain
from routing.contacts import Role
from routing.modes import ModeDecision
from routing.rules_file import read_rules
from routing.table_file import mode_of
from routing.words import say

DATA = Path(__file__).parents[1] / "data" / "routing"
ROUTING = read_rules((DATA / "people.toml").read_bytes(), file="people.toml")
with (DATA / "who_answers_when.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
MATTERS = {say(f"matter.{matter}", "ko"): matter for matter in Matter}
DAYS = "월화수목금토일"


def read_when(text):
    date, day, time = text.split()
    at = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=ZoneInfo("Asia/Seoul"))
    assert DAYS[at.weekday()] == day, text
    return at


def test_the_table_has_every_matter_in_every_mode_at_every_hour():
    modes, matters, hours = ({row[column] for row in ROWS} for column in ("재고 형태", "문의 유형", "언제"))

    assert len(ROWS) == len(modes) * len(matters) * len(hours) >= 200
    assert (len(modes), matters) == (len(InventoryMode), set(MATTERS))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['재고 형태']}-{row['문의 유형']}-{row['언제']}")
def test_who_answers(row):
    mode = mode_of(row["재고 형태"]) or InventoryMode.UNKNOWN
    decision = ModeDecision(mode=mode, rule="rule:table", steps=(), partner="S1")

    links = build_chain(
        decision,
        matter=MATTERS[row["문의 유형"]],
        shop="main",
        mall="malla",
        at=read_when(row["언제"]),
        directory=ROUTING.directory(),
        chain=ROUTING.chain,
    )

    roles = dict.fromkeys(say(f"role.{link.role}", "ko") for link in links)
    there = [link for link in links if link.open_now]
    assert " → ".join(roles) == row["물어볼 역할"]
    assert (" · ".join(link.contact.name for link in there) or "없음") == row["지금 받는 사람"]
    stand_ins = [f"{link.contact.name}({link.deputy_for})" for link in there if link.deputy_for]
    assert " · ".join(stand_ins) == row["대신하는 사람"]
    if mode in (InventoryMode.DIRECT_PURCHASE, InventoryMode.UNKNOWN):
        assert all(link.role is not Role.PARTNER for link in links)

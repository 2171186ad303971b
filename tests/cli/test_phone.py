import socket

import pytest
from anyio.from_thread import start_blocking_portal

from ivr import demo_spec_text
from tests.cli.terminal import Terminal
from tests.telephony.fake_ami import SECRET, USER, FakeAmi

CALL = ("phone", "call", "--user", "kim", "--number", "010-0000-0001", "--shop", "main-cafe24")


def test_without_an_exchange_there_is_nothing_to_tell(terminal: Terminal) -> None:
    ran = terminal.hub("phone", "status", "--json")
    assert (ran.code, ran.document) == (0, {"exchanges": []})


def test_an_exchange_that_is_away_has_no_agents(terminal: Terminal) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        ran = terminal.hub("phone", "status", "--json", HUB_AMI_HOST="127.0.0.1", HUB_AMI_PORT=port)
    (exchange,) = ran.document["exchanges"]
    assert (ran.code, exchange["agents"]) == (3, None)
    assert "no connection" in exchange["error"]


def test_what_an_exchange_runs_is_compared_with_the_spec(terminal: Terminal) -> None:
    terminal.home.mkdir()
    (terminal.home / "ivr.yaml").write_text(demo_spec_text(), encoding="utf-8")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakeAmi()) as pbx:
        settings = {"HUB_AMI_HOST": "127.0.0.1", "HUB_AMI_PORT": str(pbx.port)}
        settings |= {"HUB_AMI_USER": USER, "HUB_AMI_SECRET": SECRET}
        own = terminal.hub("phone", "status", "--json", **settings)
        pbx.variables = {"IVR_SPEC_HASH": "0" * 12, "IVR_SPEC_REVISION": "3"}
        other = terminal.hub("phone", "status", "--json", **settings)
        told = terminal.hub("phone", "status", **settings)

    assert (own.code, own.document["exchanges"][0]["differences"]) == (0, None), "a dialplan of the centre's own"
    (exchange,) = other.document["exchanges"]
    assert (other.code, exchange["spec_revision"], exchange["spec_hash"]) == (1, "3", "0" * 12)
    assert {each["lack"] for each in exchange["differences"]} == {"other_spec", "no_queue"}
    assert "runs revision 3" in told.err
    assert "has no queue cafe24.order" in told.err


def test_a_call_needs_the_spec_that_names_the_malls_numbers(terminal: Terminal) -> None:
    ran = terminal.hub(*CALL)
    assert (ran.code, ran.out) == (2, "")
    assert "hub ivr check" in ran.err
    assert "0000-0001" not in ran.err


@pytest.mark.parametrize("wrong", ["a b", "x;y"])
def test_what_names_no_telephone_stands_at_no_seat(terminal: Terminal, wrong: str) -> None:
    ran = terminal.hub("phone", "assign", "kim", wrong)
    assert ran.code == 2
    assert "not the name of a telephone" in ran.err

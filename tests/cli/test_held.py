"""`hub act` while somebody works on the case on the desk."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.cli import act
from hub.cli.console import ExitCode
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.worklist.locks import HeldError


def test_what_somebody_works_on_is_left_to_them_and_they_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def held(_hub: Any, _request: ActionRequest, *, dry_run: bool) -> Any:
        del dry_run
        raise HeldError("김상담")

    def with_hub(work: Callable[[Any], Awaitable[Any]]) -> Any:
        with pytest.raises(StopIteration) as ended:
            work(None).__await__().__next__()
        return ended.value.value

    monkeypatch.setattr(act, "_act", held)
    monkeypatch.setattr(act, "with_hub", with_hub)

    code = act.run(Action.ANSWER_INQUIRY, shop="main", inquiry="1", text="네", as_json=True)

    said = capsys.readouterr()
    assert (code, json.loads(said.out)["outcome"]) == (ExitCode.NOTHING_DONE, "refused")
    assert "김상담 is working on this case" in said.err

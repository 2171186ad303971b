"""A terminal inside the test process: `hub.cli.main` with an environment, arguments and streams of its own."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from hub import cli


@dataclass(frozen=True)
class Ran:
    """What a command left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document of standard output; anything beside it is an error."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Terminal:
    """Runs commands in one HUB_HOME; nobody sits at it."""

    home: Path

    def hub(self, *arguments: str | Path, **settings: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        environment = {"HUB_HOME": str(self.home), **settings}
        with (
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", ["hub", *map(str, arguments)]),
            patch.object(sys, "stdin", io.StringIO()),
            _commands_once(),
            _logging_kept(),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code
        assert isinstance(code, int)
        ran = Ran(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in ran.err, ran.err
        return ran


@contextmanager
def _commands_once() -> Iterator[None]:
    """A process registers its commands once; here many commands share one."""
    if not cli.app.registered_commands:
        cli._register()
    with patch.object(cli, "_register"):
        yield


@contextmanager
def _logging_kept() -> Iterator[None]:
    """A command writes its logs to the streams that end with it; the next test must not."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)

"""The command line: a public contract (docs/command-line.md). One file per command."""

import sys
from importlib import import_module
from typing import Final

import typer
from typer._click.exceptions import ClickException

from hub.cli.console import ExitCode, complain
from hub.core.errors import ConfigurationError, MallError

app = typer.Typer(
    name="hub",
    help="One screen, one model, one set of figures for every mall of a contact centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


#: in the order of `hub --help`; each is a module here, and `-` of its command stands as `_`
_COMMANDS: Final = (
    "demo", "serve", "worker", "sandbox", "db", "shop", "sync", "catalogue", "resync", "replay", "status", "quarantine",
    "act", "outbox", "export", "files", "facts", "route", "policy", "book", "ivr", "stats", "connectors",
    "new_connector", "user", "alerts", "asks", "compensation", "phone", "search",
)  # fmt: skip


@app.callback()
def _hub() -> None:
    """Without it a command that is registered alone would have no name."""


def _register(wanted: str | None = None) -> None:
    """All commands, or where ``wanted`` is one of them only that: a worker needs neither the desk nor workbooks."""
    one = (wanted or "").replace("-", "_")
    for name in (one,) if one in _COMMANDS else _COMMANDS:
        import_module(f"{__name__}.{name}").register(app)


def main() -> None:
    """Entry point: runs one command, turns every foreseen error into one message and an exit code."""
    _register(next(iter(sys.argv[1:]), None))
    try:
        outcome = app(standalone_mode=False)
    except ClickException as error:
        # Wrong options and arguments, in the words of the library; it carries its own copy of click.
        error.show(sys.stderr)
        sys.exit(ExitCode.WRONG_USE)
    except typer.Abort:
        complain("stopped")
        sys.exit(130)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except ConfigurationError as error:
        complain(error.what, fix=error.fix)
        sys.exit(ExitCode.WRONG_USE)
    except MallError as error:
        complain(str(error), fix=getattr(error, "instead", None))
        sys.exit(ExitCode.NOTHING_DONE)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(ExitCode.PART_DONE)
    except OSError as error:
        # Of a file, most often one that the command was told to write; anything else has no name and is a bug.
        if error.filename is None:
            raise
        complain(f"{error.filename}: {error.strerror}", fix="Name a place that this user can read and write.")
        sys.exit(ExitCode.WRONG_USE)
    sys.exit(outcome if isinstance(outcome, int) else ExitCode.ALL_DONE)

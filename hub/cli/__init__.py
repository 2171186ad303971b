"""The command line: a public contract (docs/command-line.md). One file per command."""

import sys

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


def _register() -> None:
    # Imported here, so that a broken command names itself and `hub --help` lists the rest.
    from hub.cli import (
        act,
        alerts,
        asks,
        book,
        catalogue,
        compensation,
        connectors,
        db,
        demo,
        export,
        facts,
        files,
        ivr,
        new_connector,
        outbox,
        phone,
        policy,
        quarantine,
        replay,
        resync,
        route,
        sandbox,
        search,
        serve,
        shop,
        stats,
        status,
        sync,
        user,
        worker,
    )

    for module in (
        demo, serve, worker, sandbox, db, shop, sync, catalogue, resync, replay, status, quarantine, act, outbox,
        export, files, facts, route, policy, book, ivr, stats, connectors, new_connector, user, alerts, asks,
        compensation, phone, search,
    ):  # fmt: skip
        module.register(app)


def main() -> None:
    """Entry point: runs one command, turns every foreseen error into one message and an exit code."""
    _register()
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
    sys.exit(outcome if isinstance(outcome, int) else ExitCode.ALL_DONE)

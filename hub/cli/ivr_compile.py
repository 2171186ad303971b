"""`hub ivr compile`: the telephone's spec as configuration of a PBX, and what differs from the deployed one."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from hub.cli.console import ExitCode, complain, print_json, screen, settings_and_logs
from hub.core.errors import ConfigurationError
from hub.desk.phone.flow import SPEC_FILE
from ivr.check import SpecError, load_spec
from ivr.compile.asterisk import PREVIOUS_FILE, spec_hash
from ivr.compile.deployed import Difference, compare, deployed_revision, previous_contexts
from ivr.compile.targets import TARGETS
from ivr.compile.text import UnsafeTextError
from ivr.flow import Flow, flow_of

DIALPLAN_FILE = "extensions.conf"


class CompileReport(Struct, frozen=True, kw_only=True):
    """``files``: name -> text, when they were neither written nor compared."""

    target: str
    revision: int
    hash: str
    files: dict[str, str] | None = None
    written: list[str] | None = None
    difference: Difference | None = None


def compile_spec(
    target: Annotated[str, typer.Option("--target", help="asterisk or freeswitch.")] = "asterisk",
    out: Annotated[Path | None, typer.Option("--out", help="Write the files into this folder.")] = None,
    diff: Annotated[Path | None, typer.Option("--diff", help="Compare with the files of this folder.")] = None,
    spec: Annotated[Path | None, typer.Option("--spec", help="YAML file; absent: the spec in HUB_HOME.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if target not in TARGETS:
        what = f"--target {target}: not known"
        raise ConfigurationError(what, fix=f"Use one of: {', '.join(TARGETS)}.")
    if out is not None and diff is not None:
        what = "--out and --diff exclude each other"
        raise ConfigurationError(what, fix="Compare first, then write.")
    flow = _read_flow(spec or settings_and_logs().home / SPEC_FILE)
    try:
        files = TARGETS[target](flow)
    except UnsafeTextError as error:
        raise ConfigurationError(str(error), fix="hub ivr check names the line in the spec.") from error
    report = CompileReport(target=target, revision=flow.spec.revision, hash=spec_hash(flow))
    if diff is not None:
        difference = compare(files, _deployed(diff, files), revision=flow.spec.revision)
        _show_difference(report, difference, as_json=as_json)
        return ExitCode.ALL_DONE if difference.is_same else ExitCode.PART_DONE
    if out is not None:
        _show_written(report, _write(out, files, revision=flow.spec.revision), out, as_json=as_json)
    else:
        _show_files(report, files, as_json=as_json)
    return ExitCode.ALL_DONE


def _read_flow(path: Path) -> Flow:
    try:
        return flow_of(load_spec(path.read_text(encoding="utf-8"), source=str(path)))
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}"
        raise ConfigurationError(what, fix="Name a YAML file with --spec; docs/telephone.md describes it.") from error
    except SpecError as error:
        what = f"{path} has errors:\n{error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error


def _deployed(folder: Path, names: Mapping[str, str]) -> dict[str, str]:
    """Those of the files that are there. Raises: ConfigurationError when the folder or a file cannot be read."""
    if not folder.is_dir():
        what = f"{folder}: no such folder"
        raise ConfigurationError(what, fix="Name the folder that the PBX reads, as /etc/asterisk.")
    found = {}
    for name in names:
        try:
            # newline="": a file with other line ends is another file
            with (folder / name).open(encoding="utf-8", errors="replace", newline="") as file:
                found[name] = file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            what = f"{folder / name}: {error.strerror}"
            raise ConfigurationError(what, fix="Name a folder whose files this user can read.") from error
    return found


def _write(folder: Path, files: Mapping[str, str], *, revision: int) -> list[str]:
    """Write the files; contexts of another revision that stands there are kept for the calls in them."""
    written = dict(files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _deployed(folder, {DIALPLAN_FILE: ""} if DIALPLAN_FILE in files else {}).get(DIALPLAN_FILE, "")
        if deployed_revision(before) not in (None, revision):
            written[PREVIOUS_FILE] = previous_contexts(before)
        for name, text in written.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        what = f"{error.filename or folder}: {error.strerror}"
        raise ConfigurationError(what, fix="Name with --out a folder that this user can write to.") from error
    return sorted(written)


def _show_difference(report: CompileReport, difference: Difference, *, as_json: bool) -> None:
    if as_json:
        print_json(replace(report, difference=difference))
        return
    for file in difference.files:
        sys.stdout.write(file.diff)
    if difference.is_same:
        screen.print(f"the same as deployed: revision {report.revision}, {report.hash}", markup=False)
    for note in difference.notes:
        complain(note)


def _show_written(report: CompileReport, written: list[str], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(replace(report, written=written))
    else:
        for name in written:
            screen.print(str(folder / name), markup=False, soft_wrap=True)


def _show_files(report: CompileReport, files: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(replace(report, files=files))
    else:
        for name, text in files.items():
            screen.print(f"==== {name}", markup=False)
            sys.stdout.write(text)

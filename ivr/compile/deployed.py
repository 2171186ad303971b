"""What is deployed against what the spec says: differences, and contexts that calls are still in."""

import difflib
import re
from collections.abc import Mapping

import msgspec

from ivr.compile.asterisk import PREVIOUS_FILE

_REVISION = re.compile(r"^IVR_SPEC_REVISION=([0-9]{1,9})$", re.MULTILINE)
_HASH = re.compile(r"^IVR_SPEC_HASH=([0-9a-f]{12})$", re.MULTILINE)
_CONTEXT = re.compile(r"^\[([^\]\n]+)\]", re.MULTILINE)
#: file -> what makes Asterisk read it again
RELOADS = {
    "extensions.conf": "dialplan reload",
    "queues.conf": "queue reload all",
    "pjsip.conf": "pjsip reload",
    "musiconhold.conf": "moh reload",
    "manager.conf": "manager reload",
    "cel.conf": "module reload cel",
    "cel_custom.conf": "module reload cel_custom.so",
    "logger.conf": "logger reload",
    "cdr.conf": "cdr reload",
    "callcenter.conf.xml": "callcenter_config queue reload <queue>",
}


class FileDifference(msgspec.Struct, frozen=True, kw_only=True):
    """``state``: same, changed or missing. ``diff``: unified, from what is deployed to what the spec says."""

    name: str
    state: str
    diff: str = ""
    reload: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """``notes``: what to mind when the new files are taken over."""

    is_same: bool
    deployed_revision: int | None
    deployed_hash: str | None
    files: tuple[FileDifference, ...]
    notes: tuple[str, ...]


def compare(files: Mapping[str, str], deployed: Mapping[str, str], *, revision: int) -> Difference:
    """``deployed``: name -> text of those of the files that are there."""
    found = tuple(_compare_file(name, text, deployed.get(name)) for name, text in files.items())
    is_same = all(file.state == "same" for file in found)
    dialplan = deployed.get("extensions.conf", "")
    before = deployed_revision(dialplan)
    stamp = _HASH.search(dialplan)
    return Difference(
        is_same=is_same,
        deployed_revision=before,
        deployed_hash=stamp[1] if stamp else None,
        files=found,
        notes=() if is_same else tuple(_notes(found, before, revision)),
    )


def deployed_revision(dialplan: str) -> int | None:
    match = _REVISION.search(dialplan)
    return int(match[1]) if match else None


def previous_contexts(dialplan: str) -> str:
    """The contexts of a deployed dialplan that carry its revision, for calls that are still in them."""
    revision = deployed_revision(dialplan)
    starts = [*_CONTEXT.finditer(dialplan)]
    ends = [*(match.start() for match in starts[1:]), len(dialplan)]
    kept = [
        dialplan[match.start() : end].rstrip("\n")
        for match, end in zip(starts, ends, strict=True)
        if match[1].endswith(f"-v{revision}")
    ]
    head = f"; contexts of revision {revision}: calls that came in before the reload go on in them"
    return "\n\n".join([head, *kept]) + "\n"


def _compare_file(name: str, wanted: str, there: str | None) -> FileDifference:
    if there == wanted:
        return FileDifference(name=name, state="same")
    lines = difflib.unified_diff(
        (there or "").splitlines(keepends=True),
        wanted.splitlines(keepends=True),
        fromfile=f"deployed/{name}",
        tofile=f"compiled/{name}",
    )
    state = "missing" if there is None else "changed"
    # The first line names revision and hash: nothing that is read again for it.
    is_news = there is None or _body(there) != _body(wanted)
    return FileDifference(name=name, state=state, diff="".join(lines), reload=_reload(name) if is_news else None)


def _body(text: str) -> str:
    return text.partition("\n")[2]


def _reload(name: str) -> str | None:
    last = name.rpartition("/")[2]
    return RELOADS.get(last) or ("reloadxml" if last.endswith(".xml") else None)


def _notes(files: tuple[FileDifference, ...], before: int | None, revision: int) -> list[str]:
    changed = {file.name for file in files if file.state != "same"}
    notes = []
    if before is not None and "extensions.conf" in changed:
        if before == revision:
            notes.append(
                f"The deployed menu has revision {before} too, but says something else: calls in it would change under "
                "way. Raise the revision in the spec."
            )
        else:
            notes.append(
                f"Calls go on in the contexts of revision {before} until they end: keep them in {PREVIOUS_FILE} "
                "(`hub ivr compile --out` writes it), and remove it when no channel is in them (core show channels)."
            )
    reloads = [file.reload for file in files if file.state != "same" and file.reload]
    if reloads:
        notes.append("A reload needs: " + "; ".join(reloads) + ".")
    return notes

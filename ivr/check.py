"""Checks a spec: every problem with its file and line and what to write instead."""

from datetime import date

import msgspec

from ivr.check_lines import check_calendars, check_lines, check_notices, check_numbers, warn_of_holidays
from ivr.check_menus import check_callbacks, check_menus, check_queues, check_surveys
from ivr.check_names import check_head, check_names, check_texts, check_use
from ivr.check_ways import check_counting, check_protection, check_ways
from ivr.document import Document, Problem, Severity, build, read_document
from ivr.hours import with_holidays
from ivr.prompts import ReadSound, check_sounds
from ivr.spec import SPEC_VERSION, Spec

_RULES = (
    check_head,
    check_names,
    check_texts,
    check_use,
    check_numbers,
    check_lines,
    check_notices,
    check_calendars,
    check_menus,
    check_queues,
    check_callbacks,
    check_surveys,
    check_ways,
    check_protection,
    check_counting,
)


class SpecError(ValueError):
    """The spec cannot be used; ``problems`` says why, each with file, line and fix."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def load_spec(text: str, *, source: str) -> Spec:
    """Read a spec that has no error; warnings are left to ``check_spec``. Public holidays are closed days in it.

    Raises: SpecError with every error.
    """
    spec, document = _read(text, source)
    errors = [problem for problem in document.problems if problem.severity is Severity.ERROR]
    if errors or spec is None:
        raise SpecError(errors)
    calendars = {name: with_holidays(calendar) for name, calendar in spec.calendars.items()}
    return msgspec.structs.replace(spec, calendars=calendars)


def check_spec(text: str, *, source: str, today: date, read_sound: ReadSound | None = None) -> list[Problem]:
    """All errors and warnings, in the order of the lines. ``today``: the centre's date, for lists that run out.

    ``read_sound``: where the prompts' files are, if they are to be looked at.
    """
    spec, document = _read(text, source)
    if spec is not None:
        warn_of_holidays(spec, document, today)
        if read_sound is not None:
            check_sounds(spec, document, read_sound)
    return sorted(document.problems, key=lambda problem: (problem.line, problem.severity, problem.code))


def _read(text: str, source: str) -> tuple[Spec | None, Document]:
    document = read_document(text, source=source)
    if not document.data:
        if not document.problems:
            document.report("empty", ())
        return None, document
    if _is_newer(document):
        return None, document
    spec = build(Spec, document.data, (), document)
    if spec is not None:
        for rule in _RULES:
            rule(spec, document)
    return spec, document


def _is_newer(document: Document) -> bool:
    version = str(document.data.get("spec_version", ""))
    is_newer = version.isascii() and version.isdigit() and (len(version) > 9 or int(version) > SPEC_VERSION)
    if is_newer:
        document.report("version-newer", ("spec_version",), version=version[:20], known=SPEC_VERSION)
    return is_newer

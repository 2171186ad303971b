"""Rules of the way a call takes: where it leads, whether it ends, what the caller has heard before an agent."""

from ivr.document import Document, Path, Severity
from ivr.graph import Edge, Node, can_end, edges, endless_edges, reach
from ivr.spec import Spec, notice_of, queue_place

MOST_LEVELS = 3
TOO_MANY_LEVELS = 5


def check_ways(spec: Spec, document: Document) -> None:
    ways = list(edges(spec))
    for way in ways:
        if way.node is None:
            document.report("unknown-target", way.path, target=way.target)
        elif way.target in ("repeat", "back") and way.origin[0] != "menu":
            document.report("turn-outside-menu", way.path, target=way.target)
    _check_reach(spec, ways, document)
    ending = can_end(ways)
    for name in spec.menus:
        if ("menu", name) not in ending:
            document.report("no-way-out", ("menus", name), name=name)
    for way in endless_edges(ways):
        kind, name = way.origin
        document.report("overflow-loop" if kind == "queue" else "loop-without-exit", way.path, kind=kind, name=name)


def _check_reach(spec: Spec, ways: list[Edge], document: Document) -> None:
    numbered = {f"{number.mall}.{number.line}" for number in spec.numbers}
    depth = reach([(kind, name) for name in spec.lines if name in numbered for kind in ("line", "closed")], ways)
    for kind, section, table in (("menu", "menus", spec.menus), ("queue", "queues", spec.queues)):
        for name, part in table.items():
            if (kind, name) not in depth:
                severity = Severity.WARNING if part.is_library else None
                document.report("unreachable", (section, name), severity=severity, kind=kind, name=name)
    for name in spec.menus:
        levels = depth.get(("menu", name), 0)
        if levels > MOST_LEVELS:
            severity = Severity.ERROR if levels > TOO_MANY_LEVELS else Severity.WARNING
            document.report("too-many-levels", ("menus", name), severity=severity, name=name, depth=levels)


def check_protection(spec: Spec, document: Document) -> None:
    """The employer's duty to protect agents: the notice comes before any human contact."""
    ways = list(edges(spec))
    for name, line in spec.lines.items():
        path: Path = ("lines", name)
        queues = _queues_from(("line", name), ways)
        kinds = {notice.kind for word in line.notices if (notice := notice_of(spec, word))}
        unwarned = _queues_from(("closed", name), ways)
        if unwarned or (queues and "abuse-protection" not in kinds):
            document.report("no-protection-notice", (*path, "closed", "then") if unwarned else path, line=name)
        unsaid = unwarned if "recording" in kinds else queues + unwarned
        if any(spec.queues[queue].record for queue in unsaid):
            document.report("no-recording-notice", path, line=name)


def _queues_from(start: Node, ways: list[Edge]) -> list[str]:
    return [node[1] for node in reach([start], ways) if node[0] == "queue"]


def check_counting(spec: Spec, document: Document) -> None:
    """Order and inquiry must stay countable apart: by the queue that takes them, or by what the agent logs."""
    ways = list(edges(spec))
    for name in spec.lines:
        mall, _, word = name.partition(".")
        if word != "order" or f"{mall}.inquiry" not in spec.lines:
            continue
        order, inquiry = (set(_queues_from(("line", line), ways)) for line in (name, f"{mall}.inquiry"))
        lines = {place.line for queue in order if (place := queue_place(queue, spec.queues[queue]))}
        if order != inquiry or len(lines) > 1:
            continue
        for queue in sorted(order):
            if not spec.queues[queue].asks_topic:
                document.report("lines-not-separable", ("queues", queue), mall=mall, name=queue)

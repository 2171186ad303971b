"""The way a call can take through a spec: nodes (line, menu, queue, callback, end) and named edges."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ivr.document import Path
from ivr.spec import Spec, callbacks_of

Node = tuple[str, str]  # kind, name
TERMINAL = frozenset({"hangup", "callback"})


@dataclass(frozen=True, slots=True)
class Edge:
    """``is_automatic``: taken without a key of the caller. ``node``: what ``target`` names, if anything."""

    origin: Node
    node: Node | None
    target: str
    path: Path
    is_automatic: bool


def node_of(target: str, spec: Spec, *, origin: Node) -> Node | None:
    """What a target names; ``None`` when there is no such thing. ``back`` leads out the way the caller came."""
    kind, _, name = target.partition(":")
    if target == "repeat":
        return origin
    if target == "back":
        return ("back", "")
    if kind == "hangup":
        return ("hangup", name)
    if kind == "callback":
        return ("callback", name) if name in callbacks_of(spec) else None
    tables: dict[str, Iterable[str]] = {"menu": spec.menus, "queue": spec.queues}
    return (kind, name) if name in tables.get(kind, ()) else None


def edges(spec: Spec) -> Iterator[Edge]:
    """All edges in the order of the document."""

    def edge(origin: Node, target: str, path: Path, *, is_automatic: bool) -> Edge:
        return Edge(origin, node_of(target, spec, origin=origin), target, path, is_automatic)

    for name, line in spec.lines.items():
        if line.entry:
            target = line.entry if ":" in line.entry else f"menu:{line.entry}"
            yield edge(("line", name), target, ("lines", name, "entry"), is_automatic=True)
        if line.closed is not None:
            # its own node: who comes this way has heard no notice
            yield edge(("closed", name), line.closed.then, ("lines", name, "closed", "then"), is_automatic=True)
    for name, menu in spec.menus.items():
        origin, path = ("menu", name), ("menus", name)
        for key, target in menu.keys.items():
            yield edge(origin, target, (*path, "keys", key), is_automatic=False)
        if menu.no_input:
            yield edge(origin, menu.no_input.then, (*path, "no_input", "then"), is_automatic=True)
        if menu.invalid:
            yield edge(origin, menu.invalid.then, (*path, "invalid", "then"), is_automatic=False)
    for name, queue in spec.queues.items():
        for word, target in queue.on.items():
            is_key = word.startswith("key-")
            yield edge(("queue", name), target, ("queues", name, "on", word), is_automatic=not is_key)


def reach(start: Iterable[Node], ways: list[Edge]) -> dict[Node, int]:
    """Nodes that can be reached -> least number of menus on the way."""
    depth = dict.fromkeys(start, 0)
    todo = list(depth)
    while todo:
        here = todo.pop(0)
        for way in ways:
            if way.origin != here or way.node is None:
                continue
            far = depth[here] + (way.node[0] == "menu")
            if far < depth.get(way.node, 1_000):
                depth[way.node] = far
                todo.append(way.node)
    return depth


def can_end(ways: list[Edge]) -> set[Node]:
    """Nodes from which a call can come to an end: a terminal, or an agent in a queue."""
    good = {way.origin for way in ways if way.node and (way.node[0] in TERMINAL or way.node[0] == "queue")}
    good |= {way.node for way in ways if way.node and way.node[0] in TERMINAL | {"queue"}}
    grown = True
    while grown:
        more = {way.origin for way in ways if way.node in good} - good
        grown = bool(more)
        good |= more
    return good


def endless_edges(ways: list[Edge]) -> list[Edge]:
    """Edges that close a ring which a silent caller runs through for ever."""
    automatic = [turn for way in ways if way.is_automatic and way.node for turn in _turns(way, ways)]
    return [way for way in automatic if way.node and way.origin in reach([way.node], automatic)]


def _turns(way: Edge, ways: list[Edge]) -> list[Edge]:
    """``back`` leads to any menu from which the caller may have come."""
    if way.node != ("back", ""):
        return [way]
    before = {other.origin for other in ways if other.node == way.origin and other.origin[0] == "menu"}
    return [dataclasses.replace(way, node=node) for node in sorted(before)]

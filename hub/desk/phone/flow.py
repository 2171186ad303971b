"""The telephone spec of this hub: HUB_HOME/ivr.yaml."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from ivr.cards import ToldWay, tell_ways
from ivr.check import SpecError, check_spec, load_spec
from ivr.document import Problem
from ivr.drawing import draw_flow
from ivr.flow import flow_of
from ivr.routes import Routes
from ivr.spec import Spec, routes_from_spec
from ivr.ways import WayCounts, count_ways

SPEC_FILE = "ivr.yaml"
#: calls that the spec must handle as they say
CALLS_FILE = "ivr.calls.yaml"


def current_spec(services: Services) -> Spec:
    """Raises: ConfigurationError when there is none, or it has errors."""
    path = services.settings.home / SPEC_FILE
    if not path.exists():
        what = f"there is no IVR spec at {path}"
        raise ConfigurationError(what, fix="Put one there, or name the numbers with --map FILE.json.")
    try:
        return load_spec(path.read_text(encoding="utf-8"), source=str(path))
    except (SpecError, OSError, UnicodeDecodeError) as error:
        what = f"{path} cannot be used: {error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error


def current_routes(services: Services) -> Routes:
    """Which mall and line each number and queue belongs to, by the current spec."""
    return routes_from_spec(current_spec(services))


class SpecInForce:
    """The current spec, read anew when its file has changed. What it is used for may go on for weeks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: tuple[tuple[int, ...], Spec | ConfigurationError] | None = None

    async def read(self) -> Spec:
        """The same object while the file is the same. Raises: ConfigurationError when there is none, or has errors."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Spec:
        try:
            stat = (self._services.settings.home / SPEC_FILE).stat()
            mark = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
        except OSError:
            return current_spec(self._services)
        if self._known is None or self._known[0] != mark:
            found: Spec | ConfigurationError
            try:
                found = current_spec(self._services)
            except ConfigurationError as error:
                found = error
            self._known = mark, found
        found = self._known[1]
        if isinstance(found, ConfigurationError):
            raise ConfigurationError(found.what, fix=found.fix)
        return found


class FlowView(Struct, frozen=True, kw_only=True):
    """``drawing``: an SVG, ``None`` for a spec that is missing or has errors. ``problems``: in the file's order.

    ``counts``: of the calls that were given; ``ways`` says in words what each of its ways is.
    """

    is_there: bool
    drawing: str | None
    problems: list[Problem]
    counts: WayCounts | None = None
    ways: dict[str, ToldWay] = {}


async def read_flow(
    services: Services,
    *,
    actor: Actor,
    locale: str,
    taken: Sequence[tuple[Sequence[str], int]] | None = None,
    has_style: bool = False,
) -> FlowView:
    """The spec drawn, with what its check says. ``taken``: ways of calls, and how many calls took just these.

    Raises: ForbiddenError.
    """
    require(actor, Permission.SEE_STATISTICS)
    path = services.settings.home / SPEC_FILE
    try:
        text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    except FileNotFoundError:
        return FlowView(is_there=False, drawing=None, problems=[])
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path} cannot be read"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error
    today = services.now().astimezone(services.settings.zone).date()
    problems = check_spec(text, source=SPEC_FILE, today=today)
    try:
        flow = flow_of(load_spec(text, source=SPEC_FILE))
    except SpecError:
        return FlowView(is_there=True, drawing=None, problems=problems)
    language = "ko" if locale == "ko" else "en"
    # Without calls there is nothing to count, and noughts would say that nobody took a way.
    counts = count_ways(flow, taken) if taken else None
    drawing = draw_flow(flow, language=language, counts=counts.by_way if counts else None, has_style=has_style)
    ways = {each.way: each for each in tell_ways(flow, language=language)}
    return FlowView(is_there=True, drawing=drawing, problems=problems, counts=counts, ways=ways)

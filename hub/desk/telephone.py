"""The telephone spec of this hub: HUB_HOME/ivr.yaml."""

from hub.core.errors import ConfigurationError
from hub.desk.services import Services
from ivr.check import SpecError, load_spec
from ivr.routes import Routes
from ivr.spec import Spec, routes_from_spec

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

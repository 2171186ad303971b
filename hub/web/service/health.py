"""Probes: whether the process answers, and whether it can do its work. They tell words, no secrets."""

from typing import Any, Final

from litestar import Response, get

from hub.store.health import read_health
from hub.web.render import Given


@get("/health/live", exclude_from_auth=True)
async def live() -> dict[str, str]:
    """Answers whatever else is broken."""
    return {"status": "live"}


@get("/health/ready", exclude_from_auth=True)
async def ready(services: Given) -> Response[dict[str, Any]]:
    """200 when database, schema and keys are as they should be, else 503 with what is not."""
    health = await read_health(services.database, keys=services.settings.home / "keys.json")
    body = {
        "status": "ready" if health.is_ready else "not_ready",
        "checks": {"database": health.database, "schema": health.schema, "keys": health.keys},
    }
    return Response(body, status_code=200 if health.is_ready else 503)


PROBES: Final = [live, ready]

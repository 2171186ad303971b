"""``python -m hub.cli.quality``: refuses a connector that claims a tier it has not earned. For `make check` and CI."""

import sys
from importlib import resources

from hub.core.errors import ConfigurationError
from hub.core.quality import Quality, read_quality, unearned_claim
from hub.registry import find_connectors


def quality_of(mall: str) -> Quality:
    """The connector's own file. Raises: ConfigurationError when it is missing or wrong."""
    file = resources.files(f"connectors.{mall}").joinpath("quality.toml")
    where = f"connectors/{mall}/quality.toml"
    if not file.is_file():
        what = f"{where} is missing"
        raise ConfigurationError(what, fix="Copy it from another connector and set every rule to todo with a reason.")
    return read_quality(file.read_text(encoding="utf-8"), where=where)


def main() -> int:
    """Print every connector's tier; 1 when one claims more than it has earned."""
    is_refused = False
    for mall in find_connectors().manifests:
        quality = quality_of(mall)
        wrong = unearned_claim(quality)
        is_refused = is_refused or wrong is not None
        sys.stdout.write(f"{mall}: {wrong or quality.tier}\n")
    return int(is_refused)


if __name__ == "__main__":
    sys.exit(main())

"""Inventory mode to contact: a pure policy over its table."""

from importlib.resources import files


def demo_rules_text() -> str:
    """The demo's routing.toml, as it ships with the package."""
    return files("routing").joinpath("demo.toml").read_text(encoding="utf-8")

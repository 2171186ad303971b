"""The telephone: its menu spec, and what its records say. Pure, without I/O."""

from importlib.resources import files


def demo_spec_text() -> str:
    """The demo centre's spec (YAML), as it ships with the package."""
    return files("ivr").joinpath("demo.yaml").read_text(encoding="utf-8")


def demo_calls_text() -> str:
    """Calls that the demo centre must keep handling (YAML), as they ship with the package."""
    return files("ivr").joinpath("demo_calls.yaml").read_text(encoding="utf-8")

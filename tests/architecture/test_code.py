"""House rules that a program can check."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "connectors", "routing", "ivr")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST = 600
#: longer for a reason, which stands beside it


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_settings_and_shop_files_look_at_the_environment(path: Path):
    """A shop file may say "env:NAME": bootstrap resolves it, nobody else reads the environment."""
    if _name(path) in {"hub/settings.py", "hub/bootstrap.py"}:
        return
    found = {node.attr for node in _nodes(path) if isinstance(node, ast.Attribute)} & {"environ", "getenv", "environb"}
    imported = {alias.name for node in _nodes(path) if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert found | imported & {"environ", "getenv"} == set()


@pytest.mark.parametrize("path", [path for path in MODULES if "migrations" not in path.parts], ids=_name)
def test_modules_stay_readable(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_names_of_modules_say_what_is_inside(path: Path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


@pytest.mark.parametrize("path", [path for path in TESTS if path.name not in {"conftest.py", "window.py"}], ids=_name)
def test_no_test_is_switched_off(path: Path):
    """The conftest (and the one module that imports the browser's driver) decides what a machine can run."""
    found = {node.attr for node in _nodes(path) if isinstance(node, ast.Attribute)}

    assert found & {"skip", "skipif", "importorskip"} == set()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_error_is_swallowed_whole(path: Path):
    """``except Exception`` logs or raises; a bare ``except:`` stands nowhere."""
    for node in _nodes(path):
        if not isinstance(node, ast.ExceptHandler):
            continue
        assert node.type is not None, f"line {node.lineno}"
        if isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}:
            body = ast.unparse(ast.Module(node.body, []))
            assert re.search(r"\braise\b|\blog\.|quarantine|error", body), f"line {node.lineno}"


def test_every_module_of_the_hub_has_a_layer():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    listed = {name.strip(" ()") for layer in layers for name in layer.split("|")}

    found = {f"hub.{path.stem}" for path in (ROOT / "hub").iterdir() if path.suffix == ".py"} - {"hub.__init__"}
    found |= {f"hub.{path.name}" for path in (ROOT / "hub").iterdir() if (path / "__init__.py").exists()}
    # `python -m hub` calls the command line.
    assert found - {"hub.__main__"} <= listed


def test_a_new_mall_would_be_named_nowhere_outside_its_folder():
    malls = [path.name for path in (ROOT / "connectors").iterdir() if (path / "__init__.py").exists()]
    kernel = [path for path in MODULES if path.parts[len(ROOT.parts)] == "hub" and "sandbox" not in path.parts]

    named = [
        (_name(path), node.value)
        for path in kernel
        for node in _nodes(path)
        if isinstance(node, ast.Constant) and node.value in malls
    ]
    assert named == []

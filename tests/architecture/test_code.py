"""House rules that a program can check."""

import ast
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "connectors", "routing", "ivr")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST = 600


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _nodes(path: Path) -> Sequence[ast.AST]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_only_settings_and_shop_files_look_at_the_environment():
    """A shop file may say "env:NAME": bootstrap resolves it, nobody else reads the environment."""

    def looks(path: Path) -> bool:
        found = {node.attr for node in _nodes(path) if isinstance(node, ast.Attribute)}
        imported = {alias.name for node in _nodes(path) if isinstance(node, ast.ImportFrom) for alias in node.names}
        return bool(found & {"environ", "getenv", "environb"} | imported & {"environ", "getenv"})

    assert {_name(path) for path in MODULES if looks(path)} <= {"hub/settings.py", "hub/bootstrap.py"}


def test_modules_stay_readable():
    modules = [path for path in MODULES if "migrations" not in path.parts]

    assert [_name(path) for path in modules if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


def test_names_of_modules_say_what_is_inside():
    empty = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}

    assert [_name(path) for path in MODULES if path.stem in empty] == []


def test_no_test_is_switched_off():
    """The conftest (and the one module that imports the browser's driver) decides what a machine can run."""

    def switches_off(path: Path) -> bool:
        found = {node.attr for node in _nodes(path) if isinstance(node, ast.Attribute)}
        return bool(found & {"skip", "skipif", "importorskip"})

    others = [path for path in TESTS if path.name not in {"conftest.py", "window.py"}]
    assert [_name(path) for path in others if switches_off(path)] == []


def test_no_error_is_swallowed_whole():
    """``except Exception`` logs or raises; a bare ``except:`` stands nowhere."""

    def swallows(handler: ast.ExceptHandler) -> bool:
        if isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}:
            body = ast.unparse(ast.Module(handler.body, []))
            return re.search(r"\braise\b|\blog\.|quarantine|error", body) is None
        return handler.type is None

    found = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in _nodes(path)
        if isinstance(node, ast.ExceptHandler) and swallows(node)
    ]
    assert found == []


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

"""A new mall is one folder and no other edit: found, held to the rules, read into the hub."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import connectors
from hub.bootstrap import open_hub
from hub.cli import _register, app
from hub.cli.new_connector import write_connector
from hub.cli.quality import quality_of
from hub.core.errors import ConfigurationError
from hub.desk.export import ExportKind, ExportRequest, export_rows
from hub.registry import capability_matrix, find_connectors
from hub.settings import Settings
from tests.contract.rules import RULES
from tests.contract.street import Street
from tests.contract.subject import subjects

EXAMPLE = Path(__file__).parents[1] / "saboteurs" / "corner_shop"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose packages are connectors, as those of the hub's own folder are."""
    folder = tmp_path / "more"
    folder.mkdir()
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(folder)])
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("connectors."):
            del sys.modules[name]
            connectors.__dict__.pop(name.split(".")[1], None) if name.count(".") == 1 else None


def test_the_command_writes_a_folder_that_is_found(place: Path):
    if not app.registered_commands:
        _register()

    ran = CliRunner().invoke(app, ["new-connector", "harbour", "--path", str(place)])

    assert ran.exit_code == 0, ran.output
    registry = find_connectors()
    assert registry.manifest("harbour").title == "Harbour"
    assert [row.tier for row in capability_matrix(registry) if row.mall == "harbour"] == ["unrated"]
    assert quality_of("harbour").tier == "unrated"


async def test_the_rules_find_the_placeholders_and_fail(place: Path):
    write_connector("harbour", place)
    subject = subjects(find_connectors())["harbour"]

    broken = [name for name, rule in RULES.items() if rule.applies_to(subject) and await _fails(name, subject)]

    assert {"readme_complete", "cases_map_exactly", "full_run_reads_the_truth", "admin_link_is_safe"} <= set(broken)
    assert "capability_declared_is_implemented" not in broken


async def _fails(name: str, subject: object) -> bool:
    try:
        await RULES[name].check(subject)
    except Exception:  # noqa: BLE001  a placeholder may fail in any way
        return True
    return False


@pytest.mark.parametrize("name", ["Harbour", "1mall", "a", "new-mall", "../x", "class", "x" * 40, "mall_", ""])
def test_a_name_that_is_no_package_is_refused(place: Path, name: str):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        write_connector(name, place)

    assert list(place.iterdir()) == []


def test_what_exists_is_left_alone(place: Path):
    write_connector("harbour", place)
    (place / "harbour" / "mapping.py").write_text("mine", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="exists already"):
        write_connector("harbour", place)

    assert (place / "harbour" / "mapping.py").read_text(encoding="utf-8") == "mine"
    with pytest.raises(ConfigurationError, match="no folder"):
        write_connector("harbour", place / "nowhere")


async def test_a_filled_folder_is_a_mall_of_the_hub(place: Path, tmp_path: Path):
    write_connector("corner_shop", place)
    shutil.copytree(EXAMPLE, place / "corner_shop", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "corner_shop" / "cases" / "first-order.json").unlink()
    registry = find_connectors()
    subject = subjects(registry)["corner_shop"]
    street = Street(subject, orders=40)

    settings = Settings(home=tmp_path / "home", log_level="ERROR")
    async with open_hub(
        settings,
        now=street.clock.now,
        sleep=street.clock.sleep,
        registry=registry,
        transports={street.shop: street.wire},
    ) as hub:
        table = street.table
        await hub.add_shop(
            name=table["name"], mall=table["mall"], base_url=table["base_url"], credentials=table["credentials"]
        )
        report = await hub.sync()
        request = ExportRequest(kind=ExportKind.LINES, unmask=True)
        found = [
            row
            async for row in export_rows(hub.database, request, mode_of=lambda *_: "unknown", zone=hub.settings.zone)
        ]

    assert report.complete
    told = ("shop", "mall", "order_no", "line_no", "status", "raw_status", "quantity", "amount_minor", "currency")
    assert sorted(tuple(row[name] for name in told) for row in found) == sorted(
        tuple(row[name] for name in told) for row in street.mall.truth().lines
    )
    await RULES["cases_map_exactly"].check(subject)

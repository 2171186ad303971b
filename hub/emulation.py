"""Emulated malls for the demo and the tests: one World, one emulated shop per mall, and what a hub needs of them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from hub.registry import Registry
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.world import World

SHOPS_FILE = "shops.toml"
MODES_FILE = "product_modes.csv"
CALLERS_FILE = "callers.txt"


def build_malls(registry: Registry, world: World, *, options: SandboxOptions) -> list[SandboxMall]:
    """Every shop of the World, as its mall renders it."""
    return [registry.sandbox(spec.mall).build(world, shop=spec.name, options=options) for spec in world.shops.values()]


def shop_file(malls: Sequence[SandboxMall], urls: Mapping[str, str]) -> str:
    """The TOML that `hub shop import` reads. ``urls``: shop name to scheme, host and port."""
    return "\n".join(_table(mall.shop_table(urls[mall.shop])) for mall in malls)


def write_kit(folder: Path, world: World, malls: Sequence[SandboxMall], urls: Mapping[str, str]) -> None:
    """Shop file, inventory modes and callers' numbers for a hub of this World; the shop file comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / MODES_FILE).open("w", encoding="utf-8-sig", newline="") as file:
        write_modes(file, world)
    callers = [order.buyer.phone for shop in world.shops for order in world.orders(shop)[-300:]]
    (folder / CALLERS_FILE).write_text("\n".join(dict.fromkeys(callers)), encoding="utf-8")
    draft = folder / (SHOPS_FILE + ".part")
    draft.write_text(shop_file(malls, urls), encoding="utf-8")
    draft.replace(folder / SHOPS_FILE)


def write_modes(file: TextIO, world: World, *, is_first: bool = True) -> None:
    """Who keeps the goods of each shop of the World, as a CSV; only the ``is_first`` part begins with the headings."""
    writer = csv.writer(file)
    if is_first:
        writer.writerow(("seller_sku", "shop", "mode", "partner", "logistics"))
    for shop in world.shops:
        goods = {item.sku: item for item in world.goods(shop)}
        writer.writerows(
            (item.sku, shop, item.mode.value, item.supplier_code, item.logistics_company or "")
            for item in goods.values()
        )


def _table(shop: Mapping[str, Any]) -> str:
    rows = ["[[shop]]"]
    rows += [f"{key} = {_toml(value)}" for key, value in shop.items() if key != "credentials"]
    rows.append("[shop.credentials]")
    rows += [f"{key} = {_toml(value)}" for key, value in shop["credentials"].items()]
    return "\n".join(rows) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        # Literal strings: a secret may hold "$" and "\".
        return f"'{value}'"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)

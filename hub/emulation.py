"""Emulated malls for the demo and the tests: one World, one emulated shop per mall, and their shop file."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.registry import Registry
from hub.sandbox.kit import SandboxMall, SandboxOptions
from hub.sandbox.world import World, make_world


def build_malls(
    registry: Registry, *, orders: int, now: Callable[[], datetime], options: SandboxOptions, seed: int = 20261122
) -> tuple[World, list[SandboxMall]]:
    """One World and every shop in it, as its mall renders it."""
    world = make_world(seed=seed, orders=orders, now=now)
    malls: list[SandboxMall] = [
        registry.sandbox(spec.mall).build(world, shop=spec.name, options=options) for spec in world.shops.values()
    ]
    return world, malls


def shop_file(malls: Sequence[SandboxMall], urls: Mapping[str, str]) -> str:
    """The TOML that `hub shop import` reads. ``urls``: shop name to scheme, host and port."""
    return "\n".join(_table(mall.shop_table(urls[mall.shop])) for mall in malls)


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

"""What a mall's catalogue says of a product, beside what its line says: more facts for the rules."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from hub.core.model import InventoryHint, Product


class CatalogueFacts(Struct, frozen=True, kw_only=True):
    """``item`` are the stock item's facts, ``supplier`` those of the one who supplies it, by his code and name."""

    item: tuple[InventoryHint, ...] = ()
    supplier_code: str | None = None
    supplier_name: str | None = None
    supplier: tuple[InventoryHint, ...] = ()


def with_facts(product: Product, facts: CatalogueFacts | None) -> Product:
    """The product with the catalogue's facts behind its own: what the line itself says always holds."""
    added = _added(product, facts)
    return msgspec.structs.replace(product, hints=product.hints + added) if added else product


def told(product: Product, facts: CatalogueFacts | None) -> Iterable[str]:
    """A sentence for each fact that :func:`with_facts` adds."""
    if facts is None:
        return
    whose = f"supplier {facts.supplier_name or facts.supplier_code or 'unknown'}"
    for hint in _added(product, facts):
        source = whose if hint in facts.supplier else "stock item"
        yield f"The catalogue adds {hint.name} = {hint.value} ({source})."


def _added(product: Product, facts: CatalogueFacts | None) -> tuple[InventoryHint, ...]:
    if facts is None:
        return ()
    known = {hint.name for hint in product.hints if hint.value}
    added: list[InventoryHint] = []
    of_supplier = (InventoryHint(name="supplier", value=facts.supplier_code),) if facts.supplier_code else ()
    for hint in (*facts.item, *of_supplier, *facts.supplier):
        if hint.value and hint.name not in known:
            known.add(hint.name)
            added.append(hint)
    return tuple(added)

"""What a mall's catalogue says of a product, beside what its line says: more facts for the rules."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from hub.core.model import InventoryHint, Product
from routing.words import Step, has_word, shown, step


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


def told(product: Product, facts: CatalogueFacts | None) -> Iterable[Step]:
    """A step for each fact that :func:`with_facts` adds."""
    if facts is None:
        return
    supplier = shown(facts.supplier_name or facts.supplier_code or "?")
    for hint in _added(product, facts):
        name, value = fact_word(hint.name), shown(hint.value)
        if hint in facts.supplier:
            yield step("fact_of_supplier", name=name, value=value, supplier=supplier)
        else:
            yield step("fact_of_item", name=name, value=value)


def fact_word(name: str) -> str:
    """The name of a fact as a word of a sentence: known ones are said in the reader's language."""
    return f"@fact.{name}" if has_word(f"fact.{name}") else shown(name)


def without_supplier(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without the words that name who supplies: of purchased stock he is shown to nobody."""
    return tuple(_withheld(each) for each in steps)


def _withheld(each: Step) -> Step:
    words = dict(each.words)
    if each.key == "fact_of_supplier" or (each.key == "fact_of_item" and words["name"] == fact_word("supplier")):
        return step("fact_withheld", name=words["name"])
    if each.key == "partner_default":
        return step("partner_default_withheld", mode=words["mode"])
    return step("no_partner_default_withheld") if each.key == "no_partner_default" else each


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

"""`hub catalogue`: what the malls tell of suppliers and stock, read over the line and shown."""

from tests.cli.terminal import Terminal

REPORT = {
    "shop", "mall", "read", "suppliers", "items", "new", "changed", "unchanged", "broken", "removed", "complete",
    "error", "calls", "throttled", "seconds", "broken_records", "data_as_of",
}  # fmt: skip


def test_reading_again_changes_nothing_and_stays_apart_from_sync(synced: Terminal) -> None:
    before = synced.hub("status", "--json").document["complete"]
    first = synced.hub("catalogue", "read", "--json")
    again = synced.hub("catalogue", "read", "--json")
    shown = {each["shop"]: each for each in synced.hub("catalogue", "show", "--json").document}

    assert (first.code, again.code) == (0, 0)
    assert [set(each) for each in first.document] == [REPORT] * len(first.document)
    for each, then in zip(first.document, again.document, strict=True):
        assert (each["complete"], each["error"], each["broken"]) == (True, None, 0)
        assert each["items"] >= 1
        assert (then["new"], then["changed"], then["removed"]) == (0, 0, 0)
        assert then["unchanged"] == each["read"]
        assert shown[each["shop"]]["items"] == each["items"]
    assert first.document, "no mall tells a catalogue"
    assert set(shown) == {"main-cafe24", "main-qoo10", "main-smartstore"}
    assert synced.hub("status", "--json").document["complete"] == before


def test_a_mall_without_a_catalogue_says_so(synced: Terminal) -> None:
    ran = synced.hub("catalogue", "read", "--shop", "main-smartstore", "--json")

    (report,) = ran.document
    assert ran.code == 3
    assert report["error"]["kind"] == "unsupported"


def test_an_unknown_shop_is_wrong_use(synced: Terminal) -> None:
    assert synced.hub("catalogue", "read", "--shop", "nobody").code == 2
    assert synced.hub("catalogue", "show", "--shop", "nobody").code == 2

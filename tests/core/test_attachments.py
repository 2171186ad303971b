"""Names and addresses of files that strangers chose."""

import pytest

from hub.core.attachments import attachment, web_address


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("찢어진 상자.png", "찢어진 상자.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u200b\x00b\n.png", "ab.png"),
        ("x" * 500, "x" * 200),
        ("  ", "file"),
        (None, "file"),
        ({"name": "x"}, "file"),
    ],
)
def test_a_name_shows_what_it_is(name: object, shown: str) -> None:
    assert attachment(name, None, unnamed="file").name == shown


@pytest.mark.parametrize("address", ["https://files.example/a.png", "http://files.example/%ED%95%9C?x=1#y"])
def test_an_address_of_the_web_is_kept(address: str) -> None:
    assert web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//files.example/a.png",
        "/2026/11/a.png",
        "https://",
        "http://[::1",
        "https://mall.example@evil.example/a.png",
        "https://files.example/a b.png",
        "https://files.example/\u202egnp.a",
        "https://files.example/" + "a" * 2_000,
        7,
        None,
    ],
)
def test_anything_else_is_no_address(address: object) -> None:
    assert web_address(address) is None

"""Sealed values open with their key at their place, and nowhere else."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.store.box import INDEX_BYTES, Box, load_box

PLACE = b"orders.sealed"
BOX = Box(keys={1: b"a" * 32}, index_key=b"i" * 32)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens(plain: bytes):
    assert BOX.open(BOX.seal(plain, PLACE), PLACE) == plain


def test_the_same_value_never_looks_the_same():
    assert BOX.seal(b"x", PLACE) != BOX.seal(b"x", PLACE)


def test_a_value_moved_to_another_column_does_not_open():
    with pytest.raises(ConfigurationError, match=r"inquiries\.sealed"):
        BOX.open(BOX.seal(b"x", PLACE), b"inquiries.sealed")


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject):
    sealed = bytearray(BOX.seal(b"010-1234-5678", PLACE))
    # The first byte is the format, kept for later versions.
    index = data.draw(st.integers(min_value=1, max_value=len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(min_value=1, max_value=255))

    with pytest.raises(ConfigurationError, match="cannot decrypt"):
        BOX.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("rest", [b"", b"\x01", b"\x01\x01", b"\x01\x01short"])
def test_a_cut_off_value_is_a_configuration_error(rest: bytes):
    with pytest.raises(ConfigurationError, match="cannot decrypt"):
        BOX.open(rest, PLACE)


def test_another_key_does_not_open_it():
    with pytest.raises(ConfigurationError, match="the keys do not fit"):
        Box(keys={1: b"b" * 32}, index_key=b"i" * 32).open(BOX.seal(b"x", PLACE), PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_have_the_new_key():
    rotated = Box(keys={1: b"a" * 32, 2: b"b" * 32}, index_key=b"i" * 32)

    assert rotated.open(BOX.seal(b"old", PLACE), PLACE) == b"old"
    with pytest.raises(ConfigurationError, match="cannot decrypt"):
        BOX.open(rotated.seal(b"new", PLACE), PLACE)
    assert rotated.blind("phone", "+8210") == BOX.blind("phone", "+8210")


def test_a_blind_index_depends_on_value_domain_and_key():
    index = BOX.blind("phone", "+8210")

    assert len(index) == INDEX_BYTES
    assert index == BOX.blind("phone", "+8210")
    others = {
        BOX.blind("phone", "+8211"),
        BOX.blind("name", "+8210"),
        Box(keys={1: b"a" * 32}, index_key=b"j" * 32).blind("phone", "+8210"),
    }
    assert index not in others
    assert len(others) == 3


# the key file


def test_the_first_start_makes_a_key_file_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "home" / "keys.json"

    sealed = load_box(path).seal(b"x", PLACE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_box(path).open(sealed, PLACE) == b"x"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "keys.json"
    load_box(path)
    path.chmod(mode)

    with pytest.raises(ConfigurationError) as caught:
        load_box(path)

    assert caught.value.fix == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"keys": {}}', '{"keys": {"1": "AAAA"}, "index_key": "AAAA"}', '{"keys": 1}']
)
def test_a_damaged_key_file_is_named_and_never_replaced(tmp_path: Path, content: str):
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(ConfigurationError, match=r"keys\.json is not a key file"):
        load_box(path)

    assert path.read_text() == content


def test_processes_that_start_at_once_agree_on_one_key_file(tmp_path: Path):
    path = tmp_path / "keys.json"
    go = tmp_path / "go"
    script = (
        "import sys, time, pathlib\n"
        "from hub.store.box import load_box\n"
        "path, go = map(pathlib.Path, sys.argv[1:])\n"
        "print('ready', flush=True)\n"
        "while not go.exists(): time.sleep(0.001)\n"
        "print(load_box(path).blind('phone', '1').hex())\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, path, go], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    go.touch()

    seen = {process.communicate(timeout=30)[0] for process in started}

    assert seen == {load_box(path).blind("phone", "1").hex() + "\n"}
    assert set(json.loads(path.read_text())) == {"keys", "index_key"}

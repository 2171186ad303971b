"""The calls that a mall answered, written down in a file: one read them first, the other makes them again."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct


class Call(Struct, frozen=True, kw_only=True):
    """One request as it came. ``target`` is path and query; ``headers`` without those of the connection."""

    shop: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Call).decode
_SIZE = 4


class CallWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def add(self, call: Call) -> None:
        packed = _encode(call)
        self._file.write(len(packed).to_bytes(_SIZE, "big") + packed)

    def close(self) -> None:
        self._file.close()


def read_calls(path: Path) -> Iterator[Call]:
    with path.open("rb") as file:
        while head := file.read(_SIZE):
            yield _decode(file.read(int.from_bytes(head, "big")))

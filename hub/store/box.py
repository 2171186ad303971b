"""Encryption of personal data and secrets at rest, and blind indexes to find them by.

AES-GCM with a key id in front, so that keys can be rotated; the place a value belongs to (table and
column) is bound to it, so that a value moved elsewhere does not open. A blind index is a keyed
hash: equal inputs give equal indexes, and without the key nothing can be tried.
"""

import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.core.errors import ConfigurationError

_FORMAT = 1
_NONCE = 12
INDEX_BYTES = 16


class Box:
    """Seals with the newest key, opens with any. The index key is apart and is not rotated with them."""

    def __init__(self, *, keys: dict[int, bytes], index_key: bytes) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._current = max(keys)
        self._cipher = self._ciphers[self._current]
        self._head = bytes((_FORMAT, self._current))
        # Takes in the key once; each index begins with a copy.
        self._keyed = hmac.new(index_key, digestmod="sha256")
        # Buyer and receiver are mostly one person, and one page names the same people again.
        self.blind = lru_cache(maxsize=4096)(self._blind)

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """``place`` names table and column, e.g. ``b"orders.sealed"``."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Raises: ConfigurationError when the key is not the one it was sealed with, or the value was moved."""
        try:
            return self._ciphers[sealed[1]].decrypt(sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :], place)
        except (InvalidTag, KeyError, IndexError, ValueError) as error:
            what = f"cannot decrypt {place.decode()}: the keys do not fit this database"
            raise ConfigurationError(what, fix="Restore keys.json of the HUB_HOME that wrote it.") from error

    def _blind(self, domain: str, value: str) -> bytes:
        """The index of ``value`` in ``domain`` ("phone", "name", "email"); 16 bytes."""
        index = self._keyed.copy()
        index.update(f"{domain}\0{value}".encode())
        return index.digest()[:INDEX_BYTES]


def load_box(path: Path) -> Box:
    """Read the keys at ``path``; make them, mode 0600, when the file is absent.

    Raises: ConfigurationError when the file is not ours or is open to other users.
    """
    if not path.exists():
        _make_keys(path)
    if path.stat().st_mode & 0o077:
        what = f"{path} can be read by other users"
        raise ConfigurationError(what, fix=f"chmod 600 {path}")
    try:
        stored = json.loads(path.read_text())
        keys = {int(number): b64decode(key, validate=True) for number, key in stored["keys"].items()}
        return Box(keys=keys, index_key=b64decode(stored["index_key"], validate=True))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{path} is not a key file of the hub"
        raise ConfigurationError(what, fix="Restore it from the backup that belongs to this database.") from error


def _make_keys(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "keys": {"1": b64encode(secrets.token_bytes(32)).decode()},
        "index_key": b64encode(secrets.token_bytes(32)).decode(),
    }
    # Written beside and linked into place: two first starts at once end with one key file, whole.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

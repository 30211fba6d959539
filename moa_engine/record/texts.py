"""How texts are kept: short ones in the entry, long ones as pieces that are stored once.

A long text is cut into pieces of fixed size from its start, each kept under its SHA-256. Two texts
that begin alike share the pieces of their common beginning, so a prompt's stable part and a diff that
every member is shown take their space once.

Texts are hostile: NUL characters and lone surrogates come back as they were.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, MutableMapping
from functools import lru_cache

from moa_engine.errors import RecordDamaged

#: A text as an entry's body holds it: itself, or the hexadecimal hashes of its pieces.
Kept = str | list[str]


#: Longest text, in characters, that stays in the entry.
SHORT = 1024

#: Bytes in a piece.
PIECE = 16_384

#: Below this zlib's fixed cost (about 0.1 ms) buys nothing.
_WORTH_COMPRESSING = 4096

_PLAIN, _ZLIB = b"\0", b"\1"


def keep(text: str, pieces: MutableMapping[bytes, bytes]) -> Kept:
    """What to put into an entry for `text`. Pieces that it needs are added to `pieces` (hash to data)."""
    if len(text) <= SHORT and text.isascii():
        return text
    data = text.encode("utf-8", "surrogatepass")
    hashes = []
    for start in range(0, len(data), PIECE):
        digest, packed = _pack(data[start : start + PIECE])
        pieces[digest] = packed
        hashes.append(digest.hex())
    return hashes


def restore(kept: Kept, fetch: Callable[[bytes], bytes | None]) -> str:
    """The text that `keep` took. `fetch` gives a piece's data by hash, None if it is not there.

    Raises:
        RecordDamaged: a piece is missing or is not what its hash says.
    """
    if isinstance(kept, str):
        return kept
    parts = []
    for name in kept:
        digest = bytes.fromhex(name)
        part = unpack(digest, fetch(digest) or b"")
        if part is None:
            raise RecordDamaged(
                f"The record's text {name[:12]} is missing or altered.", hint="See `moa verify`."
            )
        parts.append(part)
    return b"".join(parts).decode("utf-8", "surrogatepass")


def unpack(digest: bytes, data: bytes) -> bytes | None:
    """A piece's bytes; None if they are not those that the hash was made of."""
    part = data[1:]
    if data[:1] == _ZLIB:
        try:
            part = zlib.decompressobj().decompress(part, PIECE + 1)
        except zlib.error:
            return None
    elif data[:1] != _PLAIN:
        return None
    return part if hashlib.sha256(part).digest() == digest else None


# One prompt goes to many members: packing its pieces again would cost more than all the rest.
@lru_cache(maxsize=256)
def _pack(part: bytes) -> tuple[bytes, bytes]:
    data = _PLAIN + part
    if len(part) >= _WORTH_COMPRESSING:
        packed = zlib.compress(part, 3)
        if len(packed) < 0.9 * len(part):
            data = _ZLIB + packed
    return hashlib.sha256(part).digest(), data

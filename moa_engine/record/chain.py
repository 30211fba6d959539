"""The hash chain: how entries are linked, and how to see that nothing was changed.

Every entry's hash covers the hash before it, its own number and its body; bodies name their texts by
hash. See docs/design/record.md for what this proves and what it cannot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from moa_engine.record.entries import texts_in
from moa_engine.record.texts import unpack

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. `row`, `run` and `why` describe the first fault.

    `head` is the hash of the last entry. Whoever keeps a copy of it elsewhere can prove later that
    the record up to this entry was not rewritten.
    """

    ok: bool
    rows: int
    head: str
    row: int | None = None
    run: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields, for `moa verify --format json`."""
        return asdict(self)

    def to_text(self) -> str:
        """What was found, for people."""
        if self.ok:
            return f"The record is intact: {self.rows} entries, the last one {self.head}."
        where = f" at entry {self.row}" if self.row is not None else ""
        run = f" (run {self.run})" if self.run else ""
        return f"The record is not intact{where}{run}: {self.why}."


def link(previous: bytes, seq: int, body: bytes) -> bytes:
    """The hash of entry `seq` with this body, after the entry with hash `previous`."""
    return hashlib.sha256(previous + seq.to_bytes(8) + body).digest()


def walk(connection: sqlite3.Connection) -> Verification:
    """Check every entry and every text. The connection must be in a transaction, so that nothing moves."""
    (rows,) = connection.execute("SELECT count(*) FROM entry").fetchone()
    heads = connection.execute(
        "SELECT CAST(genesis AS BLOB), CAST(seq AS INTEGER), CAST(hash AS BLOB) FROM head"
    ).fetchall()
    if len(heads) != 1:
        return Verification(ok=False, rows=rows, head="", why="the head of the chain is missing")
    fault = _first_fault(connection, *heads[0])
    row, run, why = fault or (None, "", "")
    return Verification(ok=fault is None, rows=rows, head=heads[0][2].hex(), row=row, run=run, why=why)


def _first_fault(
    connection: sqlite3.Connection, genesis: bytes, last: int, head: bytes
) -> tuple[int | None, str, str] | None:
    pieces = {
        digest: unpack(digest, data) is not None
        for digest, data in connection.execute("SELECT CAST(hash AS BLOB), CAST(data AS BLOB) FROM piece")
    }
    used: set[bytes] = set()
    end, previous, run = 0, genesis, ""
    for seq, prev, digest, body in connection.execute(
        "SELECT seq, CAST(prev AS BLOB), CAST(hash AS BLOB), CAST(body AS BLOB) FROM entry ORDER BY seq"
    ):
        if seq <= end:
            return seq, _run_of(body), "it was added: entries are numbered from 1"
        if seq > end + 1:
            return end + 1, run, f"entries {end + 1} to {seq - 1} are missing"
        run = _run_of(body)
        if link(prev, seq, body) != digest:
            return seq, run, "it was altered"
        if prev != previous:
            return (
                seq,
                run,
                "it does not follow the entry before it: one was altered, removed, added or moved",
            )
        names = [bytes.fromhex(name) for name in texts_in(json.loads(body))]
        if why := _fault_in(names, pieces):
            return seq, run, why
        used.update(names)
        end, previous = seq, digest
    if end < last:
        return end + 1, run, f"the end is missing: entries {end + 1} to {last}"
    if end > last or previous != head:
        return end, run, "the chain does not end where its head says"
    if len(pieces) > len(used):
        return None, "", f"texts were added that no entry names ({len(pieces) - len(used)})"
    (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return None if problem == "ok" else (None, "", f"the file is damaged: {problem}")


def _fault_in(names: list[bytes], pieces: Mapping[bytes, bool]) -> str:
    for name in names:
        if name not in pieces:
            return f"its text {name.hex()[:12]} is missing"
        if not pieces[name]:
            return f"its text {name.hex()[:12]} was altered"
    return ""


def _run_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["run"])
    except (ValueError, KeyError, TypeError):
        return ""  # only an altered entry is like this, and that is what is being reported

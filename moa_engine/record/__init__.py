"""The record: one SQLite file that is the cache, the audit trail and the replay of every run.

See docs/design/record.md.
"""

from moa_engine.record.chain import Verification
from moa_engine.record.entries import Event, RunSummary, StoredRun
from moa_engine.record.record import Record

__all__ = ["Event", "Record", "RunSummary", "StoredRun", "Verification"]

"""How much one job may use: time, memory, processes, files, output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Seconds and bytes; memory counts above what the warm process itself has."""

    wall: float = 10.0
    cpu: float = 10.0
    memory: int = 1 << 30
    processes: int = 64
    file_bytes: int = 64 << 20
    output_bytes: int = 1 << 20

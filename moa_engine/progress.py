"""What happens during a run, as events for whoever watches: a terminal, a log, a server's page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins; `calls` is what its plan expects."""

    run: str
    task: str
    calls: int


@dataclass(frozen=True, slots=True)
class LayerStarted:
    """A layer begins. `layers` counts the aggregation as the last one."""

    layer: int
    layers: int
    seats: int


@dataclass(frozen=True, slots=True)
class MemberStarted:
    """A member was asked one question."""

    member: str
    layer: int
    unit: str


@dataclass(frozen=True, slots=True)
class MemberFinished:
    """A member's question ended. `error` is "" when there is an answer; `cost_usd` None if unknown."""

    member: str
    layer: int
    unit: str
    cached: bool
    seconds: float
    cost_usd: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes on beside the layers, in words; "" when it is over."""

    says: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over."""

    run: str
    status: str
    seconds: float
    cost_usd: float | None


Event = RunStarted | LayerStarted | MemberStarted | MemberFinished | Beside | RunFinished
Observer = Callable[[Event], None]

"""Confinement of processes that run code nobody has read: what they may use, see and touch."""

from pytest_moa.sandbox.limits import Limits
from pytest_moa.sandbox.mechanism import Mechanism, probe

__all__ = ["Limits", "Mechanism", "probe"]

"""Calls that the user's own tests made, and neighbours of them, with what they give."""

from __future__ import annotations

from pytest_moa.proposers.asking_code import observe
from pytest_moa.proposers.proposer import Search


def propose(search: Search) -> None:
    """Make the recorded calls of the target once more, then with one argument changed."""
    calls = search.subject.recorded_sources(search.target)
    if calls:
        observe(search, calls=calls, vary=True)

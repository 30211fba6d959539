"""The witness search: an input for which the code and a mutant differ is a test that kills the mutant."""

from __future__ import annotations

from pytest_moa.proposers.asking_code import run
from pytest_moa.proposers.proposer import Search


def propose(search: Search) -> None:
    """Search for witnesses of the target's mutants that no existing test kills."""
    brief = search.subject.brief(search.target)
    run(
        search,
        "pytest_moa.search.job:search",
        {
            "qualnames": [brief.target.qualname],
            "seed": 0,
            "seeds": search.subject.recorded_sources(search.target),
            "known": list(brief.killed),
        },
    )

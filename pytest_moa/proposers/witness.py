"""The witness search: an input for which the code and a mutant differ is a test that kills the mutant.

Private functions are tested through the public ones that lead to them: such a group is one search, with
the time of all its targets. A second one, aimed at the private functions, is the largest of them's.
"""

from __future__ import annotations

from pytest_moa.proposers.asking_code import run
from pytest_moa.proposers.proposer import Search
from pytest_moa.proposers.relatives import leaders


def propose(search: Search) -> None:
    """Search for witnesses of the mutants of the target, and of what only it leads to, that no test kills."""
    subject = search.subject
    leader_of = leaders(subject.briefs)
    leader = leader_of[search.target]
    group = [brief for brief in subject.briefs if leader_of[brief.id] == leader]
    inner = sorted(
        (brief for brief in group if brief.id != leader), key=lambda one: (-len(one.mutants), one.id)
    )
    if search.target == leader:
        aimed, seed = group, 0
    elif search.target == inner[0].id:
        aimed, seed = inner, 1
    else:
        return
    parts = 2 if inner else 1
    run(
        search,
        "pytest_moa.search.job:search",
        {
            "qualnames": [brief.target.qualname for brief in aimed],
            "seed": seed,
            "seeds": [source for brief in aimed for source in subject.recorded_sources(brief.id)],
            "known": sorted({one for brief in aimed for one in brief.killed}),
        },
        seconds=sum(subject.seconds("witness", brief.id) for brief in group) / parts,
        also={brief.id for brief in group},
    )

"""Which target leads to a private one: tests of private functions are no good tests."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from textwrap import dedent

from pytest_moa.search.callers import is_private, names_read
from pytest_moa.suggest.brief import Brief


def leaders(briefs: Sequence[Brief]) -> Mapping[str, str]:
    """For each target's id that of the target of its module which leads to it; else its own.

    Of several public ones the one with the most mutants is taken. What no public one leads to is led to
    by private ones that nothing else leads to.
    """
    reads = {brief.id: _names(brief.source) for brief in briefs}
    found = {brief.id: brief.id for brief in briefs}
    public = [brief for brief in briefs if not is_private(brief.target.qualname)]
    for brief in sorted(public, key=lambda one: (len(one.mutants), one.id)):
        for inner in _inner(brief, briefs, reads):
            found[inner] = brief.id
    left = [brief for brief in briefs if is_private(brief.target.qualname) and found[brief.id] == brief.id]
    inside = {brief.id: set(_inner(brief, left, reads)) - {brief.id} for brief in left}
    first = [
        brief
        for brief in sorted(left, key=lambda one: (len(one.mutants), one.id))
        if all(brief.id not in inner or other in inside[brief.id] for other, inner in inside.items())
    ]
    for brief in first:
        found.update(dict.fromkeys(inside[brief.id] - {one.id for one in first}, brief.id))
    return found


def _inner(brief: Brief, briefs: Sequence[Brief], reads: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Ids of the private targets of its module that a target leads to."""
    private = [
        one for one in briefs if one.target.module == brief.target.module and is_private(one.target.qualname)
    ]
    waiting, found = [brief.id], set[str]()
    while waiting:
        names = reads[waiting.pop()]
        for one in private:
            owner, _, name = one.target.qualname.rpartition(".")
            named = name in names or (owner.startswith("_") and owner in names)
            if named and one.id not in found:
                found.add(one.id)
                waiting.append(one.id)
    return found


def _names(source: str) -> frozenset[str]:
    try:
        return names_read(ast.parse(dedent(source)))
    except SyntaxError:
        return frozenset()

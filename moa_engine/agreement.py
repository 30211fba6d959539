"""Which claims agree: the same place and the same meaning, whatever the order in which they came.

Neither half is enough: two reviewers who point at the same line mostly mean different things, and
the same sentence about two places is two claims: neighbouring functions are two places, however few
lines are between them, for the same is easily wrong with both. Meaning is compared as the cosine of TF-IDF
vectors of word stems, weighted by the claims at hand, so that the words which everybody uses about
this change count little.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Cosine from which two texts make the same claim. Measured on the public review comments of
#: withmartian/code-review-benchmark (12 tools, 50 changes): it unites 0.80 to 0.93 of the pairs that
#: a judge matched to one defect and 0.04 to 0.09 of those matched to two, before places are compared.
SAME_CLAIM = 0.25

#: Lines between two ranges that still count as one place.
NEAR = 3

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")
_STEM = 5  #: letters of a word that count; a cut does as well here as a stemmer, in any language
_STOP = frozenset(
    "about after all also and any are because been before being between both but can could did does doing "  # noqa: SIM905
    "down each few for from had has have having here how however into its itself just may might more most "
    "must nor not now off once only other our out over own same she should some such than that the their "
    "them then there these they this those through too under until was were what when where which while "
    "who whom why will with would you your".split()
)

Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that somebody says about a place.

    `key` is unique and decides ties. `bucket` is the part of the subject (a file); `start` and `end`
    are lines in it, None for all of it. `scope` is the function or class that holds them, by its dotted
    name (`Shop.total`), "" where none does or nobody knows. Claims of one non-empty `voice` are never
    the same claim: who lists two things means two things.
    """

    key: str
    bucket: str
    start: int | None
    end: int | None
    text: str
    voice: str = ""
    scope: str = ""


def similarity(one: str, other: str) -> float:
    """How much two texts say the same, from 0 to 1."""
    first, second = vectors((one, other))
    return cosine(first, second)


def vectors(texts: Sequence[str]) -> list[Vector]:
    """Unit TF-IDF vectors of the texts, each weighted by how rare its words are among all of them."""
    counts = [Counter(_stems(text)) for text in texts]
    spread = Counter(stem for count in counts for stem in count)
    return [_unit(count, spread, len(texts)) for count in counts]


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of two unit vectors; the same to the last bit in either order."""
    if len(one) > len(other):
        one, other = other, one
    return math.fsum(weight * other[stem] for stem, weight in one.items() if stem in other)


def clusters(claims: Sequence[Claim]) -> list[tuple[str, ...]]:
    """The keys of claims that agree, sorted within and among clusters; every key is in exactly one.

    Single linkage: pairs are united from the most similar down, unless that would put two claims
    of one voice together, or join two places: two scopes of which none holds the other, or what only
    a claim about the whole bucket has in common. The result does not depend on the order of `claims`.
    """
    meaning = dict(
        zip((claim.key for claim in claims), vectors([claim.text for claim in claims]), strict=True)
    )
    groups = {
        claim.key: _Group([claim.key], {claim.voice} - {""}, {claim.scope}, claim.start is not None)
        for claim in claims
    }
    pairs = sorted(
        (-likeness, min(one.key, other.key), max(one.key, other.key), None in (one.start, other.start))
        for one, other in _neighbours(claims)
        if (likeness := cosine(meaning[one.key], meaning[other.key])) >= SAME_CLAIM
    )
    for _, first, second, vague in pairs:
        one, other = groups[first], groups[second]
        if one is other or one.voices & other.voices or (vague and one.placed and other.placed):
            continue
        if not all(_nested(scope, another) for scope in one.scopes for another in other.scopes):
            continue
        if len(one.keys) < len(other.keys):
            one, other = other, one
        one.keys += other.keys
        one.voices |= other.voices
        one.scopes |= other.scopes
        one.placed |= other.placed
        for key in other.keys:
            groups[key] = one
    return sorted({id(group): tuple(sorted(group.keys)) for group in groups.values()}.values())


@dataclass(slots=True)
class _Group:
    keys: list[str]
    voices: set[str]
    scopes: set[str]
    placed: bool


def _neighbours(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Pairs at the same place and of different voices: a sweep over each bucket's lines."""
    buckets: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        buckets[claim.bucket].append(claim)
    for bucket in buckets.values():
        open_claims: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in sorted(bucket, key=lambda claim: (claim.start or 0, claim.key)):
            for voice, others in list(open_claims.items()):
                if claim.start is not None:
                    others[:] = [other for other in others if _reaches(other, claim.start)]
                if not others:
                    del open_claims[voice]  # a long file has as many voices as parts that were asked about
                elif voice != claim.voice or voice == "":
                    yield from ((other, claim) for other in others)
            open_claims[claim.voice].append(claim)


def _nested(one: str, other: str) -> bool:
    """Whether one of two scopes holds the other; what has none is held by nothing and may be anywhere."""
    return not one or not other or f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _reaches(claim: Claim, line: int) -> bool:
    return claim.end is None or claim.end + NEAR >= line


def _stems(text: str) -> Iterator[str]:
    for word in _WORD.findall(_CAMEL.sub(" ", text).lower()):
        if len(word) > 2 and word not in _STOP:
            yield word[:_STEM]
        elif not word.isascii():
            yield word


def _unit(count: Counter[str], spread: Counter[str], texts: int) -> Vector:
    """Sublinear term frequency times smoothed inverse document frequency, scaled to length 1."""
    weights = {
        stem: (1 + math.log(times)) * (1 + math.log((1 + texts) / (1 + spread[stem])))
        for stem, times in count.items()
    }
    length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
    return {stem: weight / length for stem, weight in weights.items()}

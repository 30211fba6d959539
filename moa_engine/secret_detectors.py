"""The detectors of detect-secrets (https://github.com/Yelp/detect-secrets), asked for exact places.

Its patterns are used directly: its own scanner finds one secret per line and pattern, keeps global
settings and takes a tenth of a millisecond per line. Its entropy detectors are left out (16,000
hits on clean code), and so are three of its filters, which would let secrets through: allow-list
comments, UUIDs, and every line that also calls something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from moa_engine.secret_shapes import PLACEHOLDER

#: Some of the patterns take quadratic time: they see pieces of a line, and no middle of a long word.
PIECE, OVERLAP = 1000, 250
_LONG_WORD = re.compile(r"(?<=\w{32})\w+(?=\w{32})")

_KEYWORDS = re.compile(
    r"(?:api|auth|service|account|db|database|priv|private|client)_?key|(?:db|database|key)_?pass"
    r"|passw|pwd|secret|contrase",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"AccountKey=|_authToken|sq0csp-|SG\.[\w-]{22}|AKC\w{10}|\bAP[\dA-F]\w{8}|softlayer|hooks\.slack"
    r"|[MNO][\w-]{23,25}\.[\w-]{6}\.|\d{8}:[\w-]{35}|[0-9a-z]{32}-us\d|(?:AC|SK)[a-z0-9]{32}"
    r"|(?:key|pwd|pw|pass|password|token)['\"\]]{0,2} {0,9}[=: ].{0,9}[\w-]{44}"
)


#: Private keys span lines (`private_keys`), URLs and JWTs have rules of ours, an address is no secret.
_NOT_ASKED = frozenset({"PrivateKeyDetector", "BasicAuthDetector", "JwtTokenDetector", "IPPublicDetector"})


@dataclass(frozen=True, slots=True)
class _Detectors:
    named: tuple[tuple[str, re.Pattern[str]], ...]
    keywords: tuple[tuple[re.Pattern[str], int], ...]  #: with the group that holds the secret
    drops: Callable[[str], bool]  #: whether a hit is a template, a sequence and the like


def detected(line: str) -> Iterator[tuple[str, int, int]]:
    """The secrets of one line: the detector's name, start and end."""
    for offset in range(0, max(1, len(line) - OVERLAP), PIECE - OVERLAP):
        piece = line[offset : offset + PIECE]
        if _worth_asking(piece):
            for name, start, end in _in_piece(piece):
                yield name, offset + start, offset + end


def _worth_asking(piece: str) -> bool:
    """Whether a detector could find something: most lines are spared, and so is the import."""
    quoted = '"' in piece or "'" in piece or "`" in piece
    return bool((quoted and _KEYWORDS.search(piece)) or _SHAPES.search(piece))


def _in_piece(piece: str) -> Iterator[tuple[str, int, int]]:
    detectors = _loaded()
    for name, pattern in detectors.named:
        for match in pattern.finditer(piece):
            # As detect-secrets reads them: the groups that took part, else the whole match.
            groups = [number for number in range(1, pattern.groups + 1) if match[number]]
            if not pattern.groups:
                groups = [0]
            for number in groups:
                if not detectors.drops(match[number]):
                    yield name, *match.span(number)
    if _KEYWORDS.search(piece):
        blunted = _LONG_WORD.sub(lambda word: "." * len(word[0]), piece)
        for pattern, number in detectors.keywords:
            for match in pattern.finditer(blunted):
                start, end = match.span(number)
                secret = piece[start:end]
                if not detectors.drops(secret) and not PLACEHOLDER.fullmatch(secret):
                    yield "keyword", start, end


@cache
def _loaded() -> _Detectors:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.filters.heuristic import (
        is_not_alphanumeric_string,
        is_prefixed_with_dollar_sign,
        is_sequential_string,
        is_templated_secret,
    )
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.keyword import (
        FOLLOWED_BY_QUOTES_AND_SEMICOLON_REGEX,  # takes a second per line; `secret_shapes` has our own
        QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
    )

    filters = (
        is_templated_secret,
        is_not_alphanumeric_string,
        is_prefixed_with_dollar_sign,
        is_sequential_string,
    )
    known: dict[str, Any] = get_mapping_from_secret_type_to_class()  # untyped there
    kinds = [
        kind
        for kind in known.values()
        if issubclass(kind, RegexBasedDetector) and kind.__name__ not in _NOT_ASKED
    ]
    named = [
        (re.sub("[^a-z0-9]+", "-", kind.secret_type.lower()).strip("-"), pattern)
        for kind in kinds
        for pattern in kind.denylist
    ]
    return _Detectors(
        tuple(named),
        tuple(
            (pattern, group)
            for pattern, group in QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP.items()
            if pattern is not FOLLOWED_BY_QUOTES_AND_SEMICOLON_REGEX
        ),
        lambda secret: any(drops(secret) for drops in filters),
    )

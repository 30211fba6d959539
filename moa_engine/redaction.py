"""Masking of credentials in all that is sent and kept.

A secret becomes `<masked:RULE:8 hex digits>`; the digits are those of its SHA-256, so that the same
secret looks the same everywhere, and two secrets do not. Lines stay where they are.

Masking is a function of the text and of what was learned before: it is deterministic (cached answers
are found again), idempotent, and the beginning of a text is masked in the same way whatever follows,
unless a secret spans the border. A secret that was found is masked in the rest of the text, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from moa_engine.errors import MaskingFailed
from moa_engine.private_keys import private_keys
from moa_engine.secret_detectors import detected
from moa_engine.secret_shapes import RULES, Rule

_MASK = re.compile(r"(<masked:[a-z0-9-]+:[0-9a-f]{8}>)")
_LONG_WORD = 32  #: characters without white space: what the detectors' other shapes need at least

#: Keys that servers without authentication document as placeholders: no secrets, and ordinary words.
_NO_KEYS = frozenset({"dummy", "empty", "lm-studio", "local", "no-key", "none", "not-needed", "ollama"})
_SHORTEST_KEY = 6

_RULES_BY_HINT: dict[str, list[Rule]] = {hint: [] for hint in ("akc", "contrase", "private", "pwd")}
for _rule in RULES:
    for _hint in _rule.hints:
        _RULES_BY_HINT.setdefault(_hint, []).append(_rule)

# One character less to look for than many words: most texts have no underscore, or no dash.
_HINTS = {
    gate: tuple(hint for hint in _RULES_BY_HINT if next((c for c in "_-" if c in hint), "") == gate)
    for gate in ("_", "-", "")
}

Span = tuple[str, int, int]  #: rule, start, end


def is_secret(key: str) -> bool:
    """Whether an endpoint's key must not be seen: not where it is a placeholder, or hardly a word."""
    return len(key) >= _SHORTEST_KEY and key.lower() not in _NO_KEYS


class Redactor:
    """Masks secrets for one run, and counts them.

    `detect` finds more of them: it is given a text and returns secrets that are in it, verbatim.
    """

    def __init__(self, detect: Callable[[str], Iterable[str]] | None = None) -> None:
        self._detect = detect
        self._learned: list[str] = []
        self._seen: set[str] = set()
        self._cached = lru_cache(maxsize=64)(self._mask)

    @property
    def masked(self) -> int:
        """How many different secrets were masked so far."""
        return len(self._seen)

    def learn(self, secret: str) -> None:
        """Mask this text wherever it appears from now on, whatever it looks like."""
        if secret and secret not in self._learned:
            self._learned.append(secret)
            self._learned.sort(key=len, reverse=True)  # the longer one first, should it hold the other
            self._cached.cache_clear()

    def mask(self, text: str) -> str:
        """The text without secrets, with as many lines.

        Raises:
            MaskingFailed: a detector failed; the text must not be sent.
        """
        try:
            return self._cached(text)
        except Exception as error:
            raise MaskingFailed(
                f"what would be sent cannot be checked for secrets: {type(error).__name__} in a detector",
                hint="nothing was sent; the fault may be in a plug-in's moa_redact",
            ) from error

    def _mask(self, text: str) -> str:
        # What is outside of masks gets less with each round, so there is a last one.
        while (masked := self._masked_once(text)) != text:
            text = masked
        return text

    def _masked_once(self, text: str) -> str:
        for secret in self._learned:
            text = self._replaced(text, secret, "learned")
        if self._detect is not None:
            for secret in sorted(
                {found for found in self._detect(text) if found}, key=lambda s: (-len(s), s)
            ):
                text = self._replaced(text, secret, "plug-in")
        low = text.lower()
        hints = [hint for gate, group in _HINTS.items() if gate in low for hint in group if hint in low]
        long_words = len(max(text.split(), key=len, default="")) >= _LONG_WORD
        return self._by_shape(text, hints, long_words) if hints or long_words else text

    def _replaced(self, text: str, secret: str, rule: str) -> str:
        if secret not in text:
            return text
        mask = self._token(rule, secret) + "\n" * secret.count("\n")
        return _replaced_outside_of_masks(text, secret, mask)

    def _by_shape(self, text: str, hints: Sequence[str], long_words: bool) -> str:
        lines = text.split("\n")
        if "private" in hints:
            self._mask_private_keys(lines)
        rules = [(hint, _RULES_BY_HINT[hint]) for hint in hints]
        found: dict[str, tuple[int, str]] = {}  # secret: the line it was first found in, its mask
        for number, line in enumerate(lines):
            low = line.lower()
            hinted = [group for hint, group in rules if hint in low]
            if hinted or (long_words and len(line) >= _LONG_WORD):
                spans = [(rule.name, *span) for group in hinted for rule in group for span in rule.find(line)]
                spans.extend(detected(line))
                if spans:
                    lines[number] = self._line(line, _merged(line, spans), number, found)
        for secret, (first, mask) in found.items():
            if text.count(secret) > 1:
                for number in range(first, len(lines)):
                    if secret in lines[number]:
                        lines[number] = _replaced_outside_of_masks(lines[number], secret, mask)
        return "\n".join(lines)

    def _mask_private_keys(self, lines: list[str]) -> None:
        for spans in private_keys(lines):
            body = "".join(lines[number][start:end] for number, start, end in spans)
            mask = self._token("private-key", body)
            for number, start, end in reversed(spans):
                lines[number] = lines[number][:start] + mask + lines[number][end:]

    def _line(self, line: str, spans: Sequence[Span], number: int, found: dict[str, tuple[int, str]]) -> str:
        for rule, start, end in reversed(spans):
            secret = line[start:end]
            mask = self._token(rule, secret)
            if _is_distinct(secret):
                found.setdefault(secret, (number, mask))
            line = line[:start] + mask + line[end:]
        return line

    def _token(self, rule: str, secret: str) -> str:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        self._seen.add(digest)
        return f"<masked:{rule}:{digest[:8]}>"


def _replaced_outside_of_masks(text: str, secret: str, mask: str) -> str:
    parts = _MASK.split(text)  # every second one is a mask
    return "".join(part if number % 2 else part.replace(secret, mask) for number, part in enumerate(parts))


def _merged(line: str, spans: list[Span]) -> list[Span]:
    """Spans in order; those that overlap become one, under the name of the longest. Masks stay."""
    masks = [match.span() for match in _MASK.finditer(line)]
    result: list[Span] = []
    for rule, start, end in sorted(spans, key=lambda span: (span[1], -span[2])):
        for first, last in masks:
            if first < end and start < last:
                start, end = min(start, first), max(end, last)
        if (start, end) in masks:
            continue
        if result and start < result[-1][2]:
            name, first, last = result[-1]
            result[-1] = (name, first, max(last, end))
        else:
            result.append((rule, start, end))
    return result


def _is_distinct(secret: str) -> bool:
    """Whether a secret is unlikely to be an ordinary word elsewhere in the text."""
    return len(secret) >= 8 and any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret)

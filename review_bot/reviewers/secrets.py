"""The `secrets` reviewer: credentials in added lines of any file, found by what masks them elsewhere.

No finding ever holds the secret itself. What other reviewers quote from the change goes through
`masker`, so that neither a type checker's message nor a linter's fix carries one out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from moa_engine.redaction import Redactor
from review_bot.change import Change, ChangedFile, Hunk
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers.roles import is_prose, is_test
from review_bot.subject import ReviewSubject

#: What `Redactor` puts in a secret's place.
_MASK = re.compile(r"<masked:[a-z0-9-]+:[0-9a-f]{8}>")

#: Rules that go by what stands around a secret, not by its own shape.
_BY_CONTEXT = frozenset({"assigned-secret", "assigned-token", "authorization", "keyword", "url-password"})

#: By-context secrets that are no more than a word, and issuers' own examples.
_WORD = re.compile(r"[A-Za-z_. -]+|[A-Za-z]*\d{1,4}")
_EXAMPLE = re.compile(r"example|placeholder|dummy|x{6,}|0{8,}|1234567", re.IGNORECASE)
_LOCAL = re.compile(r"@(?:localhost|127\.|0\.0\.0\.0|\[::1\]|(?:db|database|postgres|mysql|redis|mongo)\b)")


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret in a text, or one line of it: its line there, from 1, and what the engine makes of it."""

    line: int
    mask: str  #: the same for all lines of one secret
    text: str

    @property
    def rule(self) -> str:
        """The rule that found it."""
        return self.mask.split(":")[1]


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Secrets that the change adds and that base does not have, each once per file."""
    return await asyncio.to_thread(_review, subject.change)


def _review(change: Change) -> FindingsAnswer:
    findings = []
    for file in change.files:
        reported: set[str] = set()
        for secret, context in _added(file):
            fresh = secret.mask not in reported and not _is_known(secret.text, change)
            if fresh and _is_serious(secret, file, context):
                findings.append(_finding(secret, file))
            reported.add(secret.mask)
    return FindingsAnswer(findings=findings)


def _added(file: ChangedFile) -> Iterator[tuple[_Secret, str]]:
    """Secrets in added lines, with their line at head and its text."""
    for hunk in file.hunks:
        lines = [line for line in hunk.lines() if line.new is not None]
        for secret in _secrets("\n".join(line.text for line in lines)):
            line = lines[secret.line - 1]
            if line.mark == "+":
                yield _Secret(line.new or 1, secret.mask, secret.text), line.text


def _secrets(text: str) -> Iterator[_Secret]:
    """What the engine would mask in a text."""
    masked = Redactor().mask(text)
    if masked == text:
        return
    for number, (raw, safe) in enumerate(zip(text.split("\n"), masked.split("\n"), strict=True), 1):
        if raw == safe:
            continue
        around = "(.*?)".join(map(re.escape, _MASK.split(safe)))
        if match := re.fullmatch(around, raw, re.DOTALL):
            for mask, secret in zip(_MASK.findall(safe), match.groups(), strict=True):
                if secret not in ("", mask):
                    yield _Secret(number, mask, secret)


def _is_known(secret: str, change: Change) -> bool:
    """Whether base has it already, in any of the changed files."""
    return any(secret in (file.base_text or _base_side(file.hunks)) for file in change.files)


def _base_side(hunks: tuple[Hunk, ...]) -> str:
    return "\n".join(line.text for hunk in hunks for line in hunk.lines() if line.old is not None)


def _is_serious(secret: _Secret, file: ChangedFile, context: str) -> bool:
    """Whether it is likely a real one rather than an example, a test's or a local service's default."""
    if _EXAMPLE.search(secret.text):
        return False
    if secret.rule not in _BY_CONTEXT:
        return not (secret.rule == "jwt" and (is_test(file.path) or is_prose(file.path)))
    sample = is_test(file.path) or is_prose(file.path) or "example" in file.path or "sample" in file.path
    return not (sample or _WORD.fullmatch(secret.text) or _LOCAL.search(context))


def _finding(secret: _Secret, file: ChangedFile) -> Finding:
    sure = secret.rule not in _BY_CONTEXT and not is_test(file.path)
    return Finding(
        path=file.path,
        start_line=secret.line,
        line=secret.line,
        severity="critical" if sure else "major",
        category="security",
        title=f"A secret is committed ({secret.rule.replace('-', ' ')})",
        body=(
            "Whoever can read the repository has it, and removing the line later does not change that. "
            "Revoke it, and load the new one from the environment or a secret store."
        ),
        rule=secret.rule,
    )


@lru_cache(maxsize=1)
def masker(change: Change) -> Callable[[str], str]:
    """What masks secrets in texts about a change: by their looks, and those of the change by heart.

    Raises:
        MaskingFailed: when called, a detector failed.
    """
    redactor = Redactor()
    for file in change.files:
        for hunk in file.hunks:
            for secret in _secrets("\n".join(line.text for line in hunk.lines())):
                redactor.learn(secret.text)
    return redactor.mask


def masked(finding: Finding, mask: Callable[[str], str]) -> Finding:
    """The finding without secrets. A suggestion that would put a mask into the code is left out."""
    suggestion = finding.suggestion
    if suggestion is not None and mask(suggestion) != suggestion:
        suggestion = None
    title, body = mask(finding.title), mask(finding.body)
    return finding.model_copy(update={"title": title, "body": body, "suggestion": suggestion})

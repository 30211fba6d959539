"""What today's credentials look like, where a pattern can tell: one rule per kind.

GitHub's formats: https://github.blog/changelog/2026-05-15-github-app-installation-tokens-per-request-override-header/
(installation tokens have become `ghs_<app id>_<JWT>`, some 520 characters with dots, dashes and
underscores). The others follow their issuers' documentation and the rules of Gitleaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Stands for a password in examples; masking it would only hide code.
PLACEHOLDER = re.compile(
    r"(?:your|my|the|some|a|an)?[-_ ]?(?:pass|passw(?:or)?d|pwd|pw|secret|token|key|api[-_]?key)s?\d{0,3}"
    r"|x{3,}|\*+|\.{3,}|-+|_+|none|null|true|false|change[-_]?me|example|redacted|todo|test|dummy|fake",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of credential. `hints` are lower-case texts of which one is in every line that holds it.

    The secret is the pattern's first group, or all of it.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def find(self, line: str) -> Iterator[tuple[int, int]]:
        """Where in a line the secrets are."""
        group = 1 if self.pattern.groups else 0
        for match in self.pattern.finditer(line):
            if not (group and PLACEHOLDER.fullmatch(match[1])):
                yield match.span(group)


def _rule(name: str, hints: str, pattern: str) -> Rule:
    return Rule(name, tuple(hints.split()), re.compile(pattern))


RULES = (
    _rule(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?<![A-Za-z0-9])(?:ghs_[A-Za-z0-9._-]{19,}[A-Za-z0-9_-]|gh[opru]_[A-Za-z0-9]{30,}"
        r"|github_pat_[A-Za-z0-9_]{20,})",
    ),
    _rule("anthropic-key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _rule(
        "openai-key",
        "sk-",
        r"(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{16,}|[A-Za-z0-9]{20,})",
    ),
    _rule("google-key", "aiza ya29. gocspx-", r"AIza[A-Za-z0-9_-]{35}|(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20,}"),
    _rule("huggingface-token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{20,}"),
    _rule(
        "model-provider-key",
        "gsk_ xai- r8_ pplx- nvapi- csk- tgp_v1_",
        r"(?<![A-Za-z0-9_-])(?:gsk_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}"
        r"|pplx-[A-Za-z0-9]{30,}|nvapi-[A-Za-z0-9_-]{40,}|csk-[a-z0-9]{30,}|tgp_v1_[A-Za-z0-9_-]{30,})",
    ),
    _rule(
        "slack-token",
        "xox xapp- hooks.slack.com/",
        r"xox[abceoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"
        r"|(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}",
    ),
    _rule(
        "aws-key-id",
        "akia asia abia acca a3t",
        r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    _rule(
        "aws-secret-key",
        "aws secret akia asia",
        r"(?:(?i:aws.{0,20}?(?:key|secret|token|pass)|secret_?(?:access_?)?key).{0,20}?[=:>,]\s*['\"]?"
        r"|A[KS]IA[A-Z0-9]{16}['\"]?[,;:\s]+['\"]?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _rule(
        "gitlab-token",
        "glpat- gldt- glrt- glptt- glagent- glsoat- glft- glimt- glcbt-",
        r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|agent|soat|ft|imt|cbt)-[A-Za-z0-9_.-]{19,}[A-Za-z0-9_-]",
    ),
    _rule(
        "stripe-key", "k_live_ k_test_ whsec_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{20,}|whsec_[A-Za-z0-9]{24,}"
    ),
    _rule("npm-token", "npm_", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}"),
    _rule("pypi-token", "pypi-age", r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    _rule("jwt", "eyj", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+){1,4}"),
    _rule(
        "url-password",
        "://",
        r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@'\"`<>]{0,200}:([^\s/'\"`<>{}$]{3,200})@(?=[\w\[])",
    ),
    _rule(
        "authorization",
        "bearer basic authorization x-api-key",
        r"(?i:\b(?:bearer|basic)\s+|\b(?:authorization|x-api-key)['\"]?\s*[:=,]\s*['\"]?)"
        r"((?=[^\s'\"]{0,200}\d)[A-Za-z0-9._~+/=-]{16,})(?![A-Za-z0-9._~+/=(\[-])",
    ),
    Rule(
        "assigned-token",
        ("token'", 'token"', "token:", "token=", "token "),  # and not the tokens that models count
        re.compile(
            r"(?i:(?:auth|access|api|bearer|bot|deploy|refresh|secret|session)[_-]?token)['\"]?"
            r"\s{0,20}[:=]\s{0,20}['\"]((?=[^\s'\"]{0,200}\d)[A-Za-z0-9._~+/=-]{16,})['\"]"
        ),
    ),
    # As in configurations of servers: private_key "value";
    _rule(
        "keyword",
        "pass pwd secret key",
        r"(?i:password|passwd|passphrase|pwd|secret|(?:api|auth|private|client)_?key)\w{0,40}\s{1,20}"
        r"['\"`](\w[^\s'\"`]{3,200})['\"`];",
    ),
    # Assignments without quotes, as in .env files and YAML; quoted ones are the keyword detector's.
    _rule(
        "assigned-secret",
        "pass secret key token= tokens= token_ token:",
        r"^[+ -]{0,3}\s{0,80}(?:-\s+)?(?:export\s+|set\s+)?"
        r"(?:[A-Z][A-Z0-9_]{0,60}(?:PASS|SECRET|TOKEN|KEY)[A-Z0-9_]{0,60}="
        r"|(?i:[a-z0-9_.-]{0,60}(?:password|passwd|passphrase|secret|api[-_]?key|access[-_]?token)):\s+)"
        r"((?=\S*\d)(?=\S*[A-Za-z])[^\s'\"`(){}\[\]<>$,;]{8,})\s*$",
    ),
)

"""`[tool.moa.github]`: how reviews are posted on GitHub. Read from the base revision, never from a head."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from moa_engine.config import Number, Section, Whole


class GithubSettings(Section):
    """The settings of reviews on GitHub."""

    event: Literal["COMMENT", "REQUEST_CHANGES"] = "COMMENT"
    """What a review is posted as. `REQUEST_CHANGES` only where a finding reaches `fail_on` (else major)."""
    max_inline: Whole = Field(default=30, ge=0, le=100)
    """Comments on lines in one review, the most severe first; the others go into its body."""
    drafts: StrictBool = False
    """Whether drafts are reviewed without being asked."""
    skip_labels: list[str] = Field(default_factory=lambda: ["skip-review"])
    """Labels of pull requests that are not reviewed, unless somebody who may asks for it."""
    patience: Number = Field(default=300.0, ge=0)
    """Seconds spent at most, in all, on waiting for GitHub's rate limits."""
    check_run: StrictBool = False
    """Whether a check run with annotations is made as well; needs `checks: write`."""
    code_scanning: StrictBool = False
    """Whether the findings go to code scanning as well; needs `security-events: write`."""

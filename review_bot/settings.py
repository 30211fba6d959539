"""`[tool.moa.review]`: what is reviewed, and by whom besides the committee's models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from moa_engine.config import MemberSettings, Number, Section, Share, Whole
from review_bot.finding import Severity


class TrackRecord(Section):
    """What a bench found of one member: written by `moa bench --write`."""

    weight: Number = Field(default=1.0, ge=0)
    """How much its word counts where voices are counted; a voice without a record counts 1."""
    precision: Share
    """Of what it accused, the share that was wrong as it said."""
    recall: Share
    """Of the defects, the share that it named."""
    hunks: Whole = Field(default=0, ge=0)
    """Hunks by which it was judged."""
    measured: str = ""
    """When."""


class ReviewSettings(Section):
    """The settings of reviews."""

    reviewers: list[str] = Field(
        default_factory=lambda: ["ruff", "griffe", "ty", "secrets", "hygiene", "tests"]
    )
    """Kinds of reviewers that run no model and sit on every review's committee; [] for none."""
    include: list[str] = Field(default_factory=list)
    """Globs of files to review although they look generated, vendored, locked or minified."""
    exclude: list[str] = Field(default_factory=list)
    """Globs of files not to review."""
    max_file_bytes: Whole = Field(default=5_000_000, ge=1)
    """Files above this size are not reviewed."""
    fail_on: Severity | Literal["never"] = "never"
    """The exit code is 1 when a confirmed finding is at least this severe. A review informs by default."""
    prove: Literal["auto", "on", "off", "unsafe"] = "auto"
    """Run both versions to show what behaves differently. `auto`: not in a CI job that has secrets."""
    prove_seconds: Number = Field(default=60.0, gt=0)
    """Seconds for that, shared by all changed functions."""
    track: dict[str, TrackRecord] = Field(default_factory=dict)
    """Track records by member: how much each one's word counts, and what readers are told of it."""
    votes_needed: dict[str, Number] = Field(default_factory=dict)
    """Votes that confirm a finding, by its category. Default: 2, which is two voices of weight 1."""


class ReviewerSettings(MemberSettings):
    """A reviewer that runs no model."""

    timeout: Number = Field(default=60.0, gt=0)
    """Seconds allowed for its tools."""
    ignore: list[str] = Field(default_factory=list)
    """Rules whose findings are left out, as they stand in a finding's `rule`."""

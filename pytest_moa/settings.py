"""`[tool.moa.tests]`: how tests are suggested, and by whom besides the committee's models."""

from __future__ import annotations

from pydantic import Field

from moa_engine.config import MemberSettings, Section


class TestsSettings(Section):
    """The settings of test suggestions."""

    __test__ = False

    proposers: list[str] = Field(
        default_factory=lambda: ["witness", "recorded", "docstrings", "boundaries", "ghostwriter"]
    )
    """Kinds of proposers that run no model and sit on every committee; [] for none."""
    seconds: float = Field(default=60.0, gt=0)
    """Seconds for searching and executing; what models take comes on top."""
    max: int = Field(default=10, ge=1)
    """Suggestions at most; a parametrised test counts as one."""
    workers: int = Field(default=2, ge=1, le=64)
    """Warm processes at work at once."""
    exclude: list[str] = Field(default_factory=list)
    """Globs of files in which no function becomes a target."""


class ProposerSettings(MemberSettings):
    """A proposer of tests that runs no model."""

    timeout: float = Field(default=120.0, gt=0)
    """Seconds allowed for one target, should its share of `tests.seconds` not end it before."""

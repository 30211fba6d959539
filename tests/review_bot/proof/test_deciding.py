"""Whether a review runs the code under review."""

from __future__ import annotations

import pytest

from review_bot.change import Change
from review_bot.proof.deciding import Mode, ProofPlan, decide, secrets_in
from tests.review_bot.sample_change import change

PYTHON = change({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})
PROSE = change({"a.md": "x\n"}, {"a.md": "y\n"})


def plan(mode: Mode = "auto", made: Change = PYTHON, *, repository: bool = True, **environ: str) -> ProofPlan:
    return decide(mode, 30, made, repository=repository, environ=environ)


def test_it_is_on_on_the_local_command_line_even_with_keys() -> None:
    assert plan(OPENAI_API_KEY="sk").on
    assert plan().seconds == 30


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "OPENAI_API_KEY", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY"])
def test_in_a_ci_job_with_secrets_it_is_off_and_says_so(name: str) -> None:
    decided = plan(CI="true", **{name: "x"})
    assert not decided.on
    assert decided.why == (
        f"proof is off: this is a CI job with secrets in its environment ({name}); --prove on insists"
    )
    assert plan("on", CI="true", **{name: "x"}).on
    assert plan("unsafe", CI="true", **{name: "x"}).unsafe


def test_in_a_ci_job_without_secrets_it_is_on() -> None:
    assert plan(CI="true", GITHUB_SHA="ab", TOKENIZERS_PARALLELISM="false", MONKEY="x", GITHUB_TOKEN="").on
    assert plan(CI="false", GITHUB_TOKEN="x").on


def test_it_is_off_without_python_or_a_repository_or_if_nobody_wants_it() -> None:
    assert plan("on", PROSE) == plan("off") == ProofPlan(seconds=30)
    assert plan(repository=False) == ProofPlan(seconds=30)
    assert "patch without its repository" in plan("on", repository=False).why


def test_only_names_are_told_of_secrets() -> None:
    assert secrets_in({"A_TOKEN": "hidden", "B": "x"}) == ["A_TOKEN"]

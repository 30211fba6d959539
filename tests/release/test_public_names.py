"""What plug-ins and programs may rely on: these names stay, or a release says that they went."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import moa_engine

ENGINE = """
    Answer Ask AskTask Committee Contribution Decision Fact Item Ledger Member MemberKind Message
    MoaError Outcome Patience PromptVersion Question Record Reply Request Session Stance Synthesis
    Task build_committee conduct hookimpl open_session plan_for run_task settle
"""
#: Of the other two, what their hooks and their kinds of members show to a plug-in.
HOMES = {
    "moa_engine.config": "MemberSettings Price Section Settings",
    "moa_engine.errors": "ConfigError MoaError Refused",
    "moa_engine.hookspecs": "Command MemberKind hookimpl",
    "pytest_moa.candidate": "Candidate",
    "pytest_moa.suggestions": "Facts Observer Proposer SuggestRequest Suggestion Suggestions",
    "pytest_moa.target": "Target",
    "review_bot.change": "Change",
    "review_bot.finding": "Finding FindingsAnswer",
    "review_bot.subject": "ReviewSubject",
}
HOOKS = {
    "moa_engine.hookspecs": "member_kinds config_sections tasks commands redact generation",
    "pytest_moa.hookspecs": "targets proposers candidate accept suggest",
}


def test_the_engine_has_these_names() -> None:
    assert moa_engine.__all__ == ENGINE.split()


@pytest.mark.parametrize("module", HOMES)
def test_what_plugins_import_is_there(module: str) -> None:
    home = import_module(module)
    missing = [name for name in HOMES[module].split() if not hasattr(home, name)]
    assert not missing


@pytest.mark.parametrize("module", HOOKS)
def test_the_hooks_that_plugins_implement_are_there(module: str) -> None:
    home = import_module(module)
    prefix = "moa_" if module.startswith("moa_") else "pytest_moa_"
    missing = [name for name in HOOKS[module].split() if not hasattr(home, prefix + name)]
    assert not missing


def test_a_typed_program_sees_the_types(tmp_path: Path) -> None:
    """mypy --strict on a program outside of the project, with the installed packages' own annotations."""
    program = Path(__file__).with_name("typed_program.py")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}"]
    done = subprocess.run(
        [*command, "--follow-imports=silent", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

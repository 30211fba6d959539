"""The Action's steps, run as a job runs them: its scripts in bash, in order, with GitHub's variables."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
ACTION = ROOT / ".github" / "actions" / "review"
EVENTS = Path(__file__).with_name("events")


#: Stands for the Python that was set up: makes an environment that has what pip would put there, and tells
#: what it was asked for.
_PYTHON = f"""\
#!{sys.executable}
import json, os, stat, sys
from pathlib import Path

with open(os.environ["ASKED"], "a") as asked:
    asked.write(json.dumps([os.getcwd(), *sys.argv[1:]]) + "\\n")
if sys.argv[1:4] == ["-I", "-m", "venv"]:
    bin = Path(sys.argv[4], "bin")
    bin.mkdir(parents=True)
    (bin / "python").symlink_to(sys.argv[0])
    command = 'PYTHONPATH={ROOT} exec {sys.executable} -P -m review_bot "$@"'
    (bin / "review-bot").write_text(f"#!/bin/sh\\n{{command}}\\n")
    (bin / "review-bot").chmod(0o755)
"""


def pretended_python(folder: Path) -> Path:
    """A program that stands for the Python that a job sets up; `ASKED` names where it tells what it did."""
    python = folder / "python"
    python.write_text(_PYTHON)
    python.chmod(0o755)
    return python


def job_variables(
    folder: Path, event: str, repository: str, url: str, number: int = 1, **said: Any
) -> dict[str, str]:
    """Folders and variables of a job for a pull request that starts now; `said` is more of its event."""
    for name in ("work", "temp", "home"):
        (folder / name).mkdir(parents=True)
    payload = json.loads((EVENTS / f"{event}.json").read_text("utf-8"))
    for place in ("issue", "pull_request"):
        if place in payload:
            payload[place]["number"] = number
    for key, value in said.items():
        payload[key] = payload.get(key, {}) | value
    (folder / "event.json").write_text(json.dumps(payload), "utf-8")
    (folder / "summary.md").touch()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_API_URL": url,
        "GITHUB_SERVER_URL": url,
        "GITHUB_WORKSPACE": str(folder / "work"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_ACTION_PATH": str(ACTION),
        "RUNNER_TEMP": str(folder / "temp"),
        "ASKED": str(folder / "asked"),
    }


def run_steps(environment: dict[str, str], inputs: dict[str, str], python: Path) -> tuple[int, str]:
    """Every step of the Action, until one fails: exit code and output of the last one."""
    action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    assert action["runs"]["using"] == "composite"
    assert inputs.keys() <= action["inputs"].keys()
    values = {f"inputs.{name}": facts["default"] for name, facts in action["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()}
    values["steps.python.outputs.python-path"] = str(python)
    done = None
    for step in action["runs"]["steps"]:
        if "run" not in step:
            assert step["uses"].startswith("actions/setup-python@")
            continue
        assert step["shell"] == "bash"
        env = {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: values[m[1]], text)
            for name, text in step["env"].items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=environment["GITHUB_WORKSPACE"],
            env=environment | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            break
    assert done is not None
    return done.returncode, done.stdout

"""The Action's steps, run as a job runs them: its scripts in bash, in order, with GitHub's variables."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
ACTION = ROOT / ".github" / "actions" / "review"
EVENTS = Path(__file__).with_name("events")


def job_variables(folder: Path, event: str, repository: str, url: str, **said: Any) -> dict[str, str]:
    """Folders and variables of a job for pull request 1 that starts now; `said` is more of its event."""
    for name in ("work", "temp", "home"):
        (folder / name).mkdir(parents=True)
    payload = json.loads((EVENTS / f"{event}.json").read_text("utf-8"))
    for place in ("issue", "pull_request"):
        if place in payload:
            payload[place]["number"] = 1
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

"""The Action and the workflows that people copy: what a static checker says, and what must hold in them."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
ACTION = ROOT / ".github" / "actions" / "review"
EXAMPLES = sorted((ROOT / "examples" / "github").glob("*.yml"))
FILES = [ACTION / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml")), *EXAMPLES]

#: What whoever copies an example fills in.
OURS = "OWNER/pytest-moa/.github/actions/review@COMMIT"
FILLED = "example/pytest-moa/.github/actions/review@0123456789abcdef0123456789abcdef01234567 # v1.0.0"


def parsed(file: Path) -> dict[str, Any]:
    data: dict[Any, Any] = yaml.safe_load(file.read_text("utf-8"))
    return {("on" if key is True else key): value for key, value in data.items()}  # YAML 1.1: on is true


def steps(file: Path) -> list[dict[str, Any]]:
    data = parsed(file)
    if "runs" in data:
        return list(data["runs"]["steps"])
    return [step for job in data["jobs"].values() for step in job["steps"]]


def copied_to(folder: Path) -> list[Path]:
    """The files in a repository of their own, as somebody has them who has copied the examples."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copytree(ACTION, folder / ".github" / "actions" / "review")
    for file in FILES[1:]:
        (workflows / file.name).write_text(file.read_text("utf-8").replace(OURS, FILLED), "utf-8")
    return sorted(workflows.iterdir())


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    copied_to(tmp_path)
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--persona=pedantic", "--no-config", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count(" completed ") == len(FILES)


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("actionlint is not installed; it comes from no package index")
    files = copied_to(tmp_path)
    done = subprocess.run([actionlint, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_foreign_actions_are_pinned_to_a_commit(file: Path) -> None:
    used = [step["uses"] for step in steps(file) if "uses" in step]
    foreign = [name for name in used if name != OURS]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) for name in foreign), foreign


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_what_people_copy_has_the_least_permissions_and_runs_nothing_of_the_pull_request(file: Path) -> None:
    data = parsed(file)
    assert data["permissions"] == {}
    for job in data["jobs"].values():
        assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
        assert job["timeout-minutes"] <= 60
    assert [step.get("uses") for step in steps(file)] == [OURS]
    assert all("run" not in step for step in steps(file))


def test_no_expression_stands_in_a_script() -> None:
    scripts = [step["run"] for step in steps(ACTION / "action.yml") if "run" in step]
    assert len(scripts) == 2
    assert not any("${{" in script for script in scripts)


def test_the_action_installs_what_the_project_asks_for() -> None:
    lines = (ACTION / "requirements.txt").read_text("utf-8").replace("\\\n", " ").splitlines()
    locked = [line.split(" --hash=")[0] for line in lines if line and not line.startswith("#")]
    assert all(" --hash=sha256:" in line for line in lines if line and not line.startswith("#"))
    versions = {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, locked)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["github"],
        *project["project"]["optional-dependencies"]["types"],
    ]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize(
    ("page", "examples"), [("docs/github.md", EXAMPLES), ("README.md", [ROOT / "examples/github/review.yml"])]
)
def test_the_documentation_shows_the_examples_as_they_are(page: str, examples: list[Path]) -> None:
    text = (ROOT / page).read_text("utf-8")
    for example in examples:
        assert f"```yaml\n{example.read_text('utf-8')}```" in text

"""The hook that other repositories name in their `.pre-commit-config.yaml`."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


def test_it_reviews_what_is_staged_and_options_of_the_user_win(tmp_path: Path) -> None:
    [hook] = HOOKS
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "shop.py").write_text("def price() -> int:\n    return 1\n")
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "One"], cwd=tmp_path, check=True)
    (tmp_path / "shop.py").write_text("def price(to: list[int] = []) -> int:\n    return len(to)\n")
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)

    program, *options = shlex.split(hook["entry"])
    command = [Path(sys.executable).with_name(program), *options, "--prove", "off"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "major[bug B006]" in done.stdout
    assert subprocess.run([*command, "--fail-on", "never"], cwd=tmp_path, check=False).returncode == 0


def test_it_brings_the_type_checker() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert HOOKS[0]["additional_dependencies"] == project["optional-dependencies"]["types"]

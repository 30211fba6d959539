"""Who writes tests for a module in a given time: pytest-moa, Pynguin, Hypothesis' ghostwriter, CoverUp.

Each works in a copy of the package of its own and leaves test files in its folder `tests`. Peers run from
environments of their own, with the module's sources on their path.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.local_models import Served
from benchmarks.peers import peer
from benchmarks.suggestions import by_members, suggest
from benchmarks.suites import Module

OURS = "pytest-moa"
PYNGUIN, HYPOTHESIS, COVERUP = "pynguin 0.48.0", "hypothesis 6.170.17", "CoverUp 0.6.3"
LITELLM, PYTEST = "litellm==1.110.2", "pytest==9.2.0"

#: Tokens of an answer at most, for everybody who asks the local model.
MAX_TOKENS = 300


@dataclass(frozen=True, slots=True)
class Written:
    """What a generator took, and what it said of itself."""

    seconds: float
    note: str = ""


def pynguin() -> Path:
    return peer("pynguin", PYNGUIN.replace(" ", "=="), "pytest==8.4.2")


def hypothesis() -> Path:
    return peer("ghostwriter", f"hypothesis[cli]=={HYPOTHESIS.split()[1]}", PYTEST)


def coverup() -> Path:
    return peer("coverup-command", COVERUP.lower().replace(" ", "=="), LITELLM, PYTEST)


def by_moa(module: Module, root: Path, environ: Mapping[str, str], seconds: float, most: int = 10) -> Written:
    began = time.perf_counter()
    done = suggest(module, root, environ, seconds, most)
    took = time.perf_counter() - began
    if done.returncode not in (0, 5):
        return Written(took, done.stdout[-300:])
    models = by_members(root / "report.json").get("models", {})
    said = (
        f"{one['calls']} calls, {one['failed']} failed, {sum(one['proposed'].values())} tests proposed, "
        f"{one['chosen']} chosen"
        for one in models.values()
    )
    return Written(took, "; ".join(said))


def by_pynguin(module: Module, root: Path, environ: Mapping[str, str], search: float) -> Written:
    """Search for that long; the assertions come on top, for at most as long again, and a start."""
    command = [str(pynguin().with_name("pynguin")), "--project-path", str(root / module.python_path)]
    command += ["--module-name", module.dotted, "--output-path", str(root / "tests"), "--seed", "1"]
    command += ["--maximum-search-time", f"{search:.0f}", "--maximum-mutation-time", f"{search:.0f}"]
    return _run(command, root, {**environ, "PYNGUIN_DANGER_AWARE": "1"}, 3 * search + 30)


def by_ghostwriter(module: Module, root: Path, environ: Mapping[str, str]) -> Written:
    command = [str(hypothesis().with_name("hypothesis")), "write", "--style", "pytest", module.dotted]
    written = root / "written"
    found = _run(command, root, environ, 60, written)
    (root / "tests" / "test_written.py").write_bytes(written.read_bytes())
    return found


def by_coverup(
    module: Module, root: Path, environ: Mapping[str, str], served: Served, seconds: float
) -> Written:
    """Ended by SIGINT when its time is over; what it had accepted by then is there."""
    driver = str(Path(__file__).with_name("coverup_capped.py"))
    command = [str(coverup()), driver, served.name, str(MAX_TOKENS), module.path, "--tests-dir", "tests"]
    command += ["--package-dir", str(Path(module.path).parent), "--model", f"openai/{served.name}"]
    # The first prompts need no function calls, which LiteLLM believes an unknown model cannot do.
    command += ["--prompt", "gpt-v1", "--no-checkpoint", "--max-concurrency", "1"]
    variables = {"OPENAI_API_KEY": "none", "OPENAI_API_BASE": served.base_url}
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    found = _run(command, root, {**environ, **variables, **offline}, seconds)
    counted = re.findall(r"G=(\d+), F=(\d+), U=(\d+)", (root / "errors.txt").read_text())
    if found.note.startswith("exit"):
        return found
    if not counted:
        return Written(found.seconds, "no answer in time")
    good, failed, useless = counted[-1]
    if good == failed == useless == "0":
        return Written(found.seconds, "no answer in time")
    return Written(found.seconds, f"{good} good, {failed} failed, {useless} useless")


def moa_toml(folder: Path, served: Served, seconds: float) -> dict[str, str]:
    """Variables for a run with that model as the only one, which is waited for so long at most."""
    config = folder / "moa.toml"
    config.write_text(
        f"layers = 1\n\n[stragglers]\nhedge = false\nlayer_deadline = {seconds}\n\n"
        f'[members.local]\nbase_url = "{served.base_url}"\nmodel = "{served.name}"\n'
        f"context_window = 8192\nmax_tokens = {MAX_TOKENS}\nconcurrency = 1\ntimeout = {seconds}\n"
    )
    return {"MOA_CONFIG": str(config)}


def _run(
    command: list[str], root: Path, environ: Mapping[str, str], seconds: float, output: Path | None = None
) -> Written:
    """A command for at most so many seconds, interrupted as by Ctrl-C and ended ten seconds later."""
    began = time.perf_counter()
    with (output or root / "output.txt").open("wb") as out, (root / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=root, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=errors
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            return Written(time.perf_counter() - began, "stopped")
    last = (root / "errors.txt").read_text(errors="replace").strip().splitlines()[-1:]
    note = "" if code == 0 else f"exit code {code}: {' '.join(last)}"
    return Written(time.perf_counter() - began, note)

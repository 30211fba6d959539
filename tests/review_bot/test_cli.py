"""The command `review-bot` on real repositories: in this process, or in one of its own where that matters."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from review_bot.settings import ReviewSettings
from tests.review_bot.commands import Review, as_json, command, environment, runs_in_record
from tests.review_bot.gitrepo import GitRepo


def test_the_version_is_printed_without_importing_what_a_review_needs() -> None:
    program = (
        "import sys; from review_bot.cli import main; code = main(['--version']);"
        "heavy = {'pydantic', 'httpx', 'git', 'rich', 'asyncio', 'sqlite3', 'genai_prices'};"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"review-bot \d+\.\d+\.\d+\S*", first)
    assert second == "0 []"


def test_a_review_for_people(review: Review, repo: GitRepo) -> None:
    done = review("HEAD~1")
    assert done.returncode == 0
    assert done.stderr == ""
    first = repo.git("rev-parse", "HEAD~1").decode()[:10]
    assert done.stdout.startswith(f"Review of {first}..{repo.head()[:10]}: 1 confirmed\n")
    assert "  --> shop.py:2\n" in done.stdout
    assert "> 2 |+     return sum(prices) * rate\n" in done.stdout
    assert "  raised by ruff\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_review_for_programs(review: Review, repo: GitRepo) -> None:
    done = review("HEAD~1", "--format", "json")
    data = as_json(done)
    assert (data["status"], data["head"]) == ("complete", repo.head())
    (finding,) = data["findings"]
    assert (finding["path"], finding["line"], finding["raised_by"]) == ("shop.py", 2, ["ruff"])
    assert done.stderr == "review-bot: 1 confirmed\n"


def test_a_plan_says_what_would_be_called(review: Review, tmp_path: Path) -> None:
    assert review("HEAD~1", "--plan").stdout.startswith("committee offline: 1 call (worst case 3)\n")
    assert runs_in_record(tmp_path) == 0
    review("HEAD~1")
    again = review("HEAD~1", "--plan").stdout
    assert again.startswith("committee offline: 1 call, none of which is made: the record has all answers\n")
    assert runs_in_record(tmp_path) == 1


def test_quiet_is_quiet(review: Review) -> None:
    assert review("HEAD~1", "--format", "json", "--quiet").stderr == ""


def test_several_formats_at_once(review: Review, repo: GitRepo, tmp_path: Path) -> None:
    files = {name: tmp_path / f"r.{name}" for name in ("json", "sarif", "rdjson", "markdown")}
    options = [word for name, file in files.items() for word in ("--format", name, "--output", str(file))]
    done = review("HEAD~1", *options, "--format", "text")
    assert done.returncode == 0
    assert done.stdout.startswith("Review of ")
    assert json.loads(files["json"].read_text())["schema"] == "review/1"
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert json.loads(files["rdjson"].read_text())["diagnostics"][0]["location"]["path"] == "shop.py"
    assert files["markdown"].read_text().startswith("### Review of `")


def test_where_everything_goes_to_files_standard_error_says_so(review: Review, tmp_path: Path) -> None:
    done = review("HEAD~1", "--format", "json", "--output", str(tmp_path / "r.json"))
    assert (done.stdout, done.stderr) == ("", f"review-bot: 1 confirmed; wrote {tmp_path / 'r.json'}\n")


@pytest.mark.parametrize(("fail_on", "code"), [("nit", 1), ("major", 1), ("critical", 0), ("never", 0)])
def test_only_findings_at_fail_on_or_above_fail(review: Review, fail_on: str, code: int) -> None:
    assert review("HEAD~1", "--fail-on", fail_on).returncode == code  # an undefined name is a major bug


def test_the_configuration_can_make_findings_fail(review: Review, repo: GitRepo) -> None:
    repo.write({"moa.toml": '[review]\nreviewers = ["ruff"]\nfail_on = "nit"\n'})
    assert review("HEAD~1").returncode == 1
    assert review("HEAD~1", "--fail-on", "never").returncode == 0


@pytest.mark.parametrize("option", [["--patch", "-"], ["-"]])
def test_a_patch_on_standard_input_needs_no_repository(
    review: Review, repo: GitRepo, tmp_path: Path, option: list[str]
) -> None:
    patch = repo.git("diff", "HEAD~1").decode()
    outside = tmp_path / "outside"
    outside.mkdir()
    kinds = ReviewSettings().reviewers
    patient = [f'[members.{kind}]\nkind = "{kind}"\ntimeout = 600\n' for kind in kinds]  # on a busy machine
    (outside / "moa.toml").write_text("".join(patient))
    data = as_json(review(*option, "--format", "json", cwd=outside, stdin=patch))
    assert (data["base"], data["head"]) == ("", "")
    assert [member["name"] for member in data["members"]] == kinds
    assert data["status"] == "complete", data["warnings"]


def test_without_standard_input_there_is_no_patch_on_it(repo: GitRepo, tmp_path: Path) -> None:
    closed = f"{shlex.join(command('review', '-'))} <&-"
    done = subprocess.run(
        ["sh", "-c", closed], cwd=repo.folder, env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("review-bot: standard input is closed\n")


def test_a_repository_elsewhere(review: Review, repo: GitRepo, tmp_path: Path) -> None:
    done = review("HEAD~1", "--repo", str(repo.folder), "--format", "json", cwd=tmp_path)
    assert [finding["raised_by"] for finding in as_json(done)["findings"]] == [["ruff"]]


def test_what_is_staged_and_what_is_not(review: Review, repo: GitRepo) -> None:
    repo.write({"new.py": "print(undefined)\n"})
    assert as_json(review("--staged", "--format", "json"))["findings"] == []
    assert [f["path"] for f in as_json(review("--working", "--format", "json"))["findings"]] == ["new.py"]
    repo.git("add", "new.py")
    assert [f["path"] for f in as_json(review("--staged", "--format", "json"))["findings"]] == ["new.py"]


def test_nothing_to_review_is_said_and_is_no_failure(review: Review, repo: GitRepo, tmp_path: Path) -> None:
    done = review("HEAD..HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert "note: nothing to review: both sides are one commit" in done.stdout
    assert "HEAD^! is the last commit" in " ".join(done.stdout.split())
    assert "note: nothing to review: the change is empty\n" in review("--staged").stdout
    data = as_json(review("HEAD..HEAD", "--format", "json", "--fail-on", "nit"))
    assert (data["status"], data["findings"], data["run"]) == ("complete", [], "")
    assert runs_in_record(tmp_path) == 0


def test_a_change_of_nothing_but_skipped_files_lists_them(review: Review, repo: GitRepo) -> None:
    repo.commit({"uv.lock": "version = 1\n"})
    done = review("HEAD~1")
    assert done.returncode == 0
    assert "note: nothing to review: each of its files (1) is left out\n" in done.stdout
    assert "Not reviewed (1)\n  uv.lock: lock file" in done.stdout


def test_what_is_wrong_is_one_clear_sentence(review: Review, repo: GitRepo, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    broken = tmp_path / "broken.patch"
    broken.write_text("--- a/x\n+++ b/x\n@@ -1,3 +1,1 @@\n-one\n")
    cases = [
        (["HEAD~1", "--repo", str(elsewhere)], "elsewhere"),
        (["nosuchbranch"], "nosuchbranch"),
        (["HEAD~77"], "HEAD~77"),
        (["--patch", str(tmp_path / "missing.patch")], "missing.patch"),
        (["--patch", str(broken)], "the patch cannot be read at line 4"),
        (["HEAD~1", "--output", str(tmp_path)], "is a folder"),
        (["HEAD~1", "--output", str(tmp_path / "no" / "r.txt")], "there is no folder"),
        (["HEAD~1", "--format", "json", "--format", "text"], "both go to standard output"),
        (["HEAD~1", "--committee", "offlin"], "offlin"),
        (["HEAD~1", "--config", str(tmp_path / "missing.toml")], "missing.toml"),
        (["HEAD~1", "--staged"], "not allowed with"),
        (["HEAD~1", "--format", "yaml"], "yaml"),
        (["HEAD~1", "--budget", "much"], "much"),
    ]
    for arguments, named in cases:
        done = review(*arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert named in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert runs_in_record(tmp_path) == 0


def test_a_typo_in_the_configuration_names_file_and_key(review: Review, repo: GitRepo) -> None:
    repo.write({"moa.toml": "[review]\nfail_onn = 'nit'\n"})
    done = review("HEAD~1")
    assert done.returncode == 2
    assert "moa.toml" in done.stderr
    assert "fail_onn" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistyped_reviewer_is_named_with_the_key_and_what_there_is(review: Review, repo: GitRepo) -> None:
    repo.write({"moa.toml": "[review]\nreviewers = ['ruf']\n"})
    done = review("HEAD~1")
    assert done.returncode == 2
    assert "review.reviewers: no kind of reviewer is named 'ruf'; did you mean ruff?" in done.stderr
    assert "chat" not in done.stderr


def test_nobody_on_the_committee_is_a_mistake_of_the_configuration(review: Review, repo: GitRepo) -> None:
    repo.write({"moa.toml": "[review]\nreviewers = []\n"})
    done = review("HEAD~1")
    assert done.returncode == 2
    assert done.stderr.startswith("review-bot: nobody is on the committee")


def test_a_record_that_cannot_be_written_is_named(review: Review, tmp_path: Path) -> None:
    (tmp_path / "not-a-record").write_text("this is text, and no SQLite file " * 40)
    done = review("HEAD~1", "--record", str(tmp_path / "not-a-record"))
    assert done.returncode == 4
    assert "not-a-record" in done.stderr
    assert "Traceback" not in done.stderr


def test_results_on_a_full_disk_are_reported_and_can_be_printed_again(review: Review) -> None:
    done = review("HEAD~1", "--format", "json", "--output", "/dev/full")
    assert done.returncode == 4
    assert "was not written: No space left on device" in done.stderr
    assert "wrote" not in done.stderr
    assert "moa replay" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(repo: GitRepo, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("review", "HEAD~1"),
        cwd=repo.folder,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(60) == 0


def on_a_terminal(arguments: list[str], cwd: Path, env: dict[str, str]) -> bytes:
    """What a process shows whose standard output is a terminal."""
    shown, given = pty.openpty()
    process = subprocess.Popen(arguments, cwd=cwd, env=env, stdout=given, stderr=subprocess.DEVNULL)
    os.close(given)
    seen = b""
    while select.select([shown], [], [], 60)[0]:
        try:
            seen += os.read(shown, 65536)
        except OSError:  # the other end is closed: that is how a terminal says so on Linux
            break
    os.close(shown)
    assert process.wait(60) == 0
    return seen


@pytest.mark.parametrize(
    ("options", "variables", "coloured"),
    [
        ([], {}, True),
        (["--no-color"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
    ],
)
def test_colours_on_terminals_unless_unwanted(
    repo: GitRepo, tmp_path: Path, options: list[str], variables: dict[str, str], coloured: bool
) -> None:
    env = environment(tmp_path, **{"TERM": "xterm", "COLUMNS": "40", **variables})
    shown = on_a_terminal(command("review", "HEAD~1", *options), repo.folder, env)
    assert (b"\x1b[" in shown) is coloured
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", shown).decode()
    assert max(map(len, plain.splitlines())) <= 40


def test_a_fault_of_ours_is_one_sentence_and_a_traceback_only_where_it_is_wanted(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("on\x1b purpose")

    monkeypatch.setattr("review_bot.read_change.read_change", broken)
    done = review("HEAD~1")
    assert done.returncode == 4
    assert done.stderr.startswith(
        "review-bot: this is a fault in review-bot itself: RuntimeError: on\\x1b purpose\n"
    )
    assert "MOA_DEBUG=1" in done.stderr
    assert "Traceback" not in done.stderr
    monkeypatch.setenv("MOA_DEBUG", "1")
    with pytest.raises(RuntimeError, match="purpose"):
        review("HEAD~1")


def test_an_interrupt_outside_of_the_run_ends_it_at_once(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("review_bot.read_change.read_change", interrupted)
    assert review("HEAD~1") == (130, "", "review-bot: interrupted\n")

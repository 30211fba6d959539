"""The command `moa`, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scripted_endpoint import Scripted, ScriptedEndpoint

Done = subprocess.CompletedProcess[str]
Moa = Callable[..., Done]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """No settings of whoever runs the tests, and a record of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MOA_")}
    return {**clean, "MOA_RECORD": str(folder / "record.sqlite"), "NO_COLOR": "1", **more}


@pytest.fixture
def moa(tmp_path: Path) -> Moa:
    def run(*arguments: str, **more: str) -> Done:
        command = [sys.executable, "-m", "moa_engine.cli", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(tmp_path, **more),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[ScriptedEndpoint]:
    """Two members at an endpoint, configured in the folder where `moa` runs."""
    with ScriptedEndpoint(answer) as running:
        configure(tmp_path, running.base_url)
        yield running


def answer(request: Any) -> Scripted:
    return Scripted("forty-two" if "of others" in str(request) else f"{request['model']} of others")


def configure(folder: Path, base_url: str, more: str = "") -> None:
    folder.joinpath("moa.toml").write_text(
        f"""
        base_url = "{base_url}"
        layers = 2
        aggregator = ["ann"]
        {more}
        [stragglers]
        hedge = false
        quorum = 1.0
        [members.ann]
        model = "model-a"
        [members.bob]
        model = "model-b"
        """,
        encoding="utf-8",
    )


def test_version(moa: Moa) -> None:
    done = moa("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "moa")


def test_ask_prints_the_answer_and_nothing_else(moa: Moa, endpoint: ScriptedEndpoint) -> None:
    done = moa("ask", "What is the answer?")
    assert (done.returncode, done.stdout) == (0, "forty-two\n")


def test_ask_reads_standard_input(tmp_path: Path, endpoint: ScriptedEndpoint) -> None:
    command = [sys.executable, "-m", "moa_engine.cli", "ask", "-"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), input="Why?", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "forty-two\n")


def test_the_record_can_be_read_shown_checked_replayed_and_exported(
    moa: Moa, endpoint: ScriptedEndpoint
) -> None:
    asked = moa("ask", "What is the answer?", "--format", "json")
    run = json.loads(asked.stdout)["run"]
    calls = endpoint.count
    assert run in moa("log").stdout
    shown = moa("show", run).stdout
    for word in ("ann", "bob", "model-a of others", "model-b of others", "forty-two"):
        assert word in shown
    assert moa("verify").returncode == 0
    assert moa("replay", run, "--format", "json").stdout == asked.stdout
    lines = [json.loads(line) for line in moa("export", run, "--jsonl").stdout.splitlines()]
    messages = [line["messages"] for line in lines if line.get("type") == "attempt"]
    assert len(messages) == calls == 3
    assert endpoint.count == calls


def test_an_altered_record_does_not_verify(moa: Moa, endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    moa("ask", "What is the answer?")
    with closing(sqlite3.connect(tmp_path / "record.sqlite")) as database, database:
        database.execute("UPDATE entry SET body = replace(body, 'bob', 'eve')")
    done = moa("verify")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_the_plan_is_printed_and_nobody_is_called(moa: Moa, endpoint: ScriptedEndpoint) -> None:
    plan = json.loads(moa("plan", "Why?", "--format", "json").stdout)
    assert plan["calls"] == 3
    assert moa("ask", "Why?", "--plan").returncode == 0
    assert endpoint.count == 0


def test_a_plan_needs_no_key(moa: Moa) -> None:
    done = moa("plan", "Why?", "--committee", "moa", "--format", "json", TOGETHER_API_KEY="")
    plan = json.loads(done.stdout)
    assert (done.returncode, plan["calls"]) == (0, 13)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", ""), "empty"),
        (("ask", "Why?"), "no model is configured"),
        (("ask", "Why?", "--committee", "mao"), "moa"),
        (("ask", "Why?", "--config", "nowhere.toml"), "nowhere.toml"),
        (("ask", "Why?", "--committee", "moa"), "TOGETHER_API_KEY"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(moa: Moa, arguments: tuple[str, ...], words: str) -> None:
    done = moa(*arguments, TOGETHER_API_KEY="")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_typo_in_the_settings_names_file_key_and_the_right_word(moa: Moa, tmp_path: Path) -> None:
    configure(tmp_path, "http://127.0.0.1:9/v1", more="alow_unpriced = true")
    done = moa("ask", "Why?")
    assert done.returncode == 2
    for word in ("moa.toml", "alow_unpriced", "allow_unpriced"):
        assert word in done.stderr


def test_an_unreachable_endpoint_is_no_answer(moa: Moa, tmp_path: Path) -> None:
    configure(tmp_path, "http://127.0.0.1:9/v1", more="attempts = 1")
    done = moa("ask", "Why?")
    assert done.returncode == 4
    assert "nothing listens" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("model", ["model-a", "model-b"])
def test_why_a_member_failed_and_what_to_do_is_said(moa: Moa, tmp_path: Path, model: str) -> None:
    def deny(request: Any) -> Scripted:
        if request["model"] == model:
            return Scripted("Incorrect API key provided", status=401)
        return Scripted("fine")

    with ScriptedEndpoint(deny) as endpoint:
        configure(tmp_path, endpoint.base_url, 'api_key_env = "SOME_KEY"')
        done = moa("ask", "Why?", SOME_KEY="not-the-right-one-7")
    assert (done.returncode, done.stdout) == (0, "fine\n")
    for word in (
        "Incorrect API key provided",
        "environment variable SOME_KEY",
        "ann" if "-a" in model else "bob",
    ):
        assert word in done.stderr


def test_a_run_without_an_answer_prints_none(moa: Moa, tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda _: Scripted("no such model", status=404)) as endpoint:
        configure(tmp_path, endpoint.base_url)
        done = moa("ask", "Why?")
    assert (done.returncode, done.stdout) == (4, "")


def test_an_answer_steers_no_terminal(moa: Moa, tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda _: "\x1b]0;owned\x07\x1b[2Jfine\n\tnext") as endpoint:
        configure(tmp_path, endpoint.base_url)
        done = moa("ask", "Why?")
        raw = json.loads(moa("ask", "Why?", "--format", "json").stdout)["answer"]
    assert done.stdout == "\\x1b]0;owned\\x07\\x1b[2Jfine\n\tnext\n"
    assert moa("replay", "last").stdout == done.stdout
    assert raw == "\x1b]0;owned\x07\x1b[2Jfine\n\tnext"


def test_an_output_that_knows_only_ascii_gets_escapes(moa: Moa, tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda _: "na\u00efve \U0001f600") as endpoint:
        configure(tmp_path, endpoint.base_url)
        text = moa("ask", "Why?", PYTHONIOENCODING="ascii")
        data = moa("ask", "Why?", "--format", "json", PYTHONIOENCODING="ascii")
    assert (text.returncode, text.stdout) == (0, "na\\u00efve \\ud83d\\ude00\n")
    assert json.loads(data.stdout)["answer"] == "na\u00efve \U0001f600"


def test_an_answer_that_cannot_be_recorded_is_printed_all_the_same(moa: Moa, tmp_path: Path) -> None:
    def fill_the_record(_: Any) -> str:
        with closing(sqlite3.connect(tmp_path / "record.sqlite")) as database, database:
            database.execute(
                "CREATE TRIGGER IF NOT EXISTS full BEFORE INSERT ON entry "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        return "forty-two"

    with ScriptedEndpoint(fill_the_record) as endpoint:
        configure(tmp_path, endpoint.base_url)
        done = moa("ask", "Why?")
    assert (done.returncode, done.stdout) == (4, "forty-two\n")
    assert "record.sqlite" in done.stderr


def test_a_members_key_in_a_question_is_in_no_record(moa: Moa, tmp_path: Path) -> None:
    key = "an-unusual-key-of-ours"
    with ScriptedEndpoint(answer) as endpoint:
        configure(tmp_path, endpoint.base_url, 'api_key_env = "SOME_KEY"')
        done = moa("ask", f"What does {key} open?", "--format", "json", SOME_KEY=key)
    assert json.loads(done.stdout)["masked_secrets"] == 1
    assert key not in moa("export", "last").stdout


@pytest.mark.parametrize("command", ["verify", "log", "show last", "replay last", "export last"])
def test_a_record_that_is_not_there_is_not_made_to_be_read(moa: Moa, tmp_path: Path, command: str) -> None:
    done = moa(*command.split(), "--record", "mistyped.sqlite")
    assert (done.returncode, done.stdout) == (4, "")
    assert "There is no record mistyped.sqlite" in done.stderr
    assert not tmp_path.joinpath("mistyped.sqlite").exists()


def test_output_that_cannot_be_written_is_no_fault_of_ours(
    tmp_path: Path, endpoint: ScriptedEndpoint
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    with full.open("w") as output:
        command = [sys.executable, "-m", "moa_engine.cli", "ask", "Why?"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path), stdout=output, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 4
    assert "No space left" in done.stderr
    assert "fault" not in done.stderr


def test_a_format_that_the_run_does_not_have_is_refused(moa: Moa, endpoint: ScriptedEndpoint) -> None:
    moa("ask", "Why?")
    done = moa("replay", "last", "--format", "sarif")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such format: 'sarif'; known are text, json" in done.stderr
    assert moa("show", "last", "--format", "sarif").returncode == 2


def test_without_a_yes_nothing_is_downloaded(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "moa_engine.cli", "download", "smollm2-135m-instruct"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was downloaded" in done.stderr


def test_an_unknown_run_is_named(moa: Moa, endpoint: ScriptedEndpoint) -> None:
    moa("ask", "Why?")
    done = moa("show", "nonesuch")
    assert done.returncode == 4
    assert "nonesuch" in done.stderr


def test_ctrl_c_prints_the_best_partial_answer(tmp_path: Path) -> None:
    def slow(request: Any) -> Scripted:
        return Scripted("late", latency=60.0 if request["model"] == "model-b" else 0.0)

    with ScriptedEndpoint(slow) as endpoint:
        configure(tmp_path, endpoint.base_url)
        with subprocess.Popen(
            [sys.executable, "-m", "moa_engine.cli", "ask", "Why?", "--format", "json"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            endpoint.wait_until(lambda: endpoint.count == 2)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    data = json.loads(out)
    assert (data["answer"], data["status"], data["missing"]) == ("late", "partial", ["bob"])


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background has not
script, wanted, *arguments = sys.argv[1:]

def interrupt(event, args):
    if event == "import" and args[0] == wanted:
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
if script == "moa":
    from moa_engine.cli import main
else:
    from review_bot.cli import main
sys.exit(main(arguments))
"""


@pytest.mark.parametrize("module", ["typing", "moa_engine.errors", "moa_engine.session", "pydantic"])
@pytest.mark.parametrize("command", ["moa plan Why?", "review-bot review --plan"])
def test_ctrl_c_while_modules_are_imported_is_one_line(tmp_path: Path, command: str, module: str) -> None:
    script, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, script, module, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{script}: interrupted\n")


PLUGIN = """
from moa_engine.config import MemberSettings
from moa_engine.hookspecs import MemberKind, hookimpl
from moa_engine.member import Reply

class Oracle:
    kind, model, family, endpoint, reads = "oracle", "delphi", "delphi", "", "messages"
    samples, context_window, timeout, parameters, concurrency = 1, None, 5.0, {}, 1
    price, secrets = None, ()
    def __init__(self, name, own, settings):
        self.name = name
    async def open(self): pass
    async def aclose(self): pass
    async def generate(self, request):
        return Reply("know thyself")

@hookimpl
def moa_member_kinds():
    return [MemberKind("oracle", MemberSettings, Oracle)]

@hookimpl
def moa_redact(text):
    if "unspeakable" in text:
        raise RecursionError
    return ["Laios"] if "Laios" in text else []

@hookimpl
def moa_generation(attempt):
    print("observed", attempt.member, attempt.messages[-1].content)
"""


@pytest.fixture
def oracle(tmp_path: Path) -> dict[str, str]:
    """A distribution with a plug-in, installed and configured; gives the environment that it needs."""
    (tmp_path / "oracle.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "oracle-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: oracle\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[moa]\noracle = oracle\n", "utf-8")
    (tmp_path / "moa.toml").write_text('layers = 1\n[members.pythia]\nkind = "oracle"\n', "utf-8")
    return {"PYTHONPATH": str(tmp_path)}


def test_a_plugin_brings_a_member_a_redactor_and_an_observer(moa: Moa, oracle: dict[str, str]) -> None:
    done = moa("ask", "Who killed Laios?", **oracle)
    assert (done.returncode, done.stderr) == (0, "")
    seen, answer = done.stdout.splitlines()
    assert answer == "know thyself"
    assert seen.startswith("observed pythia Who killed <masked:plug-in:")


def test_a_redactor_that_fails_stops_the_run_before_anything_is_sent(
    moa: Moa, oracle: dict[str, str]
) -> None:
    done = moa("ask", "What is unspeakable?", **oracle)
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot be checked for secrets: RecursionError in a detector" in done.stderr
    assert "nothing was sent" in done.stderr
    assert "Traceback" not in done.stderr
    assert "is empty" in moa("show", "last").stderr  # the record


def test_schema_is_json_for_editors(moa: Moa) -> None:
    schema = json.loads(moa("schema").stdout)
    assert "members" in json.dumps(schema)

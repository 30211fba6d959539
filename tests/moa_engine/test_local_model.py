import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from moa_engine import catalogue as catalogue_module
from moa_engine.attempt import request_key
from moa_engine.config import Price, Settings
from moa_engine.errors import BrokenAnswer, ConfigError, ContextOverflow, Refused
from moa_engine.local_model import LocalMember, LocalSettings, build
from moa_engine.local_runtime import _runtimes
from moa_engine.member import Member, Message, PromptVersion, Reply, Request
from moa_engine.prices import FREE, price_of
from tests.moa_engine.tiny_gguf import write_tiny_gguf


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers "?" with yes and "." with nothing, and after "!" says abcabc... for ever."""
    return write_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny-llama.gguf", "?yes\n", ".\n", "!abca")


def member_of(path: Path, **more: Any) -> LocalMember:
    settings = {
        "path": str(path),
        "temperature": 0,
        "max_tokens": 50,
        "context_window": 512,
        "threads": 1,
    } | more
    return build("local", LocalSettings.model_validate(settings), Settings())


def request_of(text: str, member: Member, **more: Any) -> Request:
    return Request((Message("user", text),), PromptVersion("p", "1"), parameters=member.parameters, **more)


def ask(member: LocalMember, text: str, **more: Any) -> Reply:
    async def run() -> Reply:
        try:
            return await member.generate(request_of(text, member, **more))
        finally:
            await member.aclose()

    return asyncio.run(run())


def test_a_model_answers_in_this_process(gguf: Path) -> None:
    member = member_of(gguf)
    assert isinstance(member, Member)
    assert (member.kind, member.model, member.family, member.endpoint) == ("local", "tiny-llama", "llama", "")
    assert price_of(member) == FREE
    reply = ask(member, "really?")
    assert reply.text == "yes"
    assert reply.finish_reason == "stop"
    assert reply.tokens_in == 9  # <s>, a space, seven characters
    assert reply.tokens_out == 4
    raw = json.loads(reply.raw)
    assert raw["choices"][0]["message"]["content"] == "yes"
    assert raw["usage"]["prompt_tokens"] == 9


def test_answers_end_at_max_tokens(gguf: Path) -> None:
    reply = ask(member_of(gguf, max_tokens=20), "go!")
    assert (reply.text, reply.finish_reason, reply.tokens_out) == ("abcabcabcabcabcabcab", "length", 20)


def test_answers_follow_a_schema(gguf: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"word": {"enum": ["good", "bad"]}, "sure": {"type": "boolean"}},
        "required": ["word", "sure"],
        "additionalProperties": False,
    }
    answer = json.loads(ask(member_of(gguf, max_tokens=200), "really?", answer_schema=schema).text)
    assert answer["word"] in ("good", "bad")
    assert isinstance(answer["sure"], bool)


def test_a_schema_that_the_runtime_cannot_follow_is_asked_for_in_words(gguf: Path, tmp_path: Path) -> None:
    # The words end in "}", which this model answers with "yes".
    model = write_tiny_gguf(tmp_path / "words.gguf", "}yes\n")
    reply = ask(member_of(model, context_window=1024), "really?", answer_schema={"type": "nonsense"})
    assert reply.text == "yes"


def test_a_request_longer_than_the_context_window_is_a_context_overflow(gguf: Path) -> None:
    with pytest.raises(ContextOverflow, match="exceeds the available context size") as failure:
        ask(member_of(gguf), "x" * 600)
    assert "context_window" in failure.value.hint
    assert failure.value.status == 400


def test_an_empty_answer_is_a_broken_answer(gguf: Path) -> None:
    with pytest.raises(BrokenAnswer, match="empty"):
        ask(member_of(gguf), "say nothing.")


def test_options_that_the_runtime_does_not_understand_are_refused(gguf: Path) -> None:
    with pytest.raises(Refused, match="top_k"):
        ask(member_of(gguf, options={"top_k": "many"}), "really?")


def test_a_file_that_is_damaged_is_a_config_error_when_opened_and_refused_when_asked(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\xff" * 1000)

    async def run() -> None:
        member = member_of(broken)
        with pytest.raises(ConfigError, match=r"broken\.gguf cannot be loaded"):
            await member.open()
        with pytest.raises(Refused, match=r"broken\.gguf cannot be loaded"):
            await member.generate(request_of("really?", member))
        await member.aclose()

    asyncio.run(run())


def test_a_cancelled_request_stops_generating(gguf: Path) -> None:
    async def run() -> None:
        member = member_of(gguf, max_tokens="none", context_window=100_000)
        await member.open()
        endless = asyncio.create_task(member.generate(request_of("go!", member)))
        await asyncio.sleep(0.05)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        # The next request has its turn, which it would not while a hundred thousand tokens are written.
        reply = await asyncio.wait_for(member.generate(request_of("really?", member)), 30)
        assert reply.text == "yes"
        await member.aclose()

    asyncio.run(run())


def test_requests_wait_for_their_turn_and_waiting_ones_can_be_cancelled(gguf: Path) -> None:
    async def run() -> tuple[list[Reply], bool]:
        member = member_of(gguf)
        tasks = [asyncio.create_task(member.generate(request_of("really?", member))) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        replies = await asyncio.gather(*tasks[:3])
        cancelled = (await asyncio.gather(tasks[3], return_exceptions=True))[0]
        await member.aclose()
        return replies, isinstance(cancelled, asyncio.CancelledError)

    replies, cancelled = asyncio.run(run())
    assert [reply.text for reply in replies] == ["yes"] * 3
    assert cancelled


def test_a_model_can_be_given_back_right_after_it_was_opened(gguf: Path) -> None:
    async def run() -> None:
        for _ in range(10):
            member = member_of(gguf)
            await member.open()
            await member.aclose()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_members_share_a_loaded_model_which_leaves_with_the_last_of_them(gguf: Path) -> None:
    async def run() -> None:
        one, two = member_of(gguf), member_of(gguf, temperature=1)
        await one.open()
        await two.open()
        assert len(_runtimes) == 1
        await one.aclose()
        assert (await two.generate(request_of("really?", one))).text == "yes"
        await two.aclose()
        assert not _runtimes
        await two.aclose()  # again does nothing

    asyncio.run(run())


_LISTENING = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.moa_engine.test_local_model import member_of

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background has not

async def run():
    await member_of(Path(sys.argv[1])).open()
    tcp = [line.split()[9] for name in ("tcp", "tcp6") for line in list(open("/proc/net/" + name))[1:]]
    files = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    print([inode for inode in tcp if f"socket:[{inode}]" in files], flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(60)

try:
    asyncio.run(run())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_port_is_opened_and_ctrl_c_works_as_before(gguf: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LISTENING, str(gguf)], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.stdout, done.stderr, done.returncode) == ("[]\ninterrupted\n", "", 0)


def test_another_model_under_the_same_name_has_other_answers_in_the_cache(gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiny-llama.gguf"
    write_tiny_gguf(path, "?no\n")
    before, same = member_of(gguf), member_of(gguf)
    after = member_of(path)

    def key(member: LocalMember) -> str:
        return request_key(member, request_of("really?", member))

    assert key(before) == key(same) != key(after)


def test_a_member_needs_the_extra(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "xllamacpp" else real(name, *more)
    )
    with pytest.raises(ConfigError) as failure:
        member_of(gguf)
    assert failure.value.hint == "pip install 'pytest-moa[local]'"


def test_files_that_are_no_models_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.gguf: No such file"):
        member_of(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ConfigError, match="is not a GGUF file"):
        member_of(tmp_path / "text.gguf")
    with pytest.raises(ConfigError, match="Is a directory"):
        member_of(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"path": "a", "catalogue": "b"},
        {"path": "a", "options": {"stream": False}},
        {"path": "a", "context_window": 1},
        {"path": "a", "base_url": "http://localhost"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LocalSettings.model_validate(settings)


def test_models_of_the_catalogue_are_taken_from_the_users_folder(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_module, "models_folder", lambda: tmp_path)
    name = "smollm2-135m-instruct"
    settings = LocalSettings(catalogue=name, price=Price(input=1, output=1))
    with pytest.raises(ConfigError, match="has not been downloaded") as failure:
        build("x", settings, Settings())
    assert f"moa download {name} (98 MB, Apache-2.0)" in failure.value.hint

    catalogue_module.catalogue()[name].path().write_bytes(gguf.read_bytes())
    member = build("x", settings, Settings())
    assert (member.model, member.family, member.context_window) == (name, "smollm", 4096)
    assert price_of(member) == Price(input=1, output=1)

    with pytest.raises(ConfigError, match="is not in the catalogue"):
        build("x", LocalSettings(catalogue="gpt-9"), Settings())
    with pytest.raises(ConfigError, match="more than smollm2-135m-instruct was trained for, 8192"):
        build("x", LocalSettings(catalogue=name, context_window=9000), Settings())


def test_importing_the_kind_does_not_load_the_runtime() -> None:
    code = "import sys, moa_engine.local_model; sys.exit('xllamacpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

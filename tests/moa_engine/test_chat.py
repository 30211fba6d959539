import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from moa_engine import chat
from moa_engine.chat import build
from moa_engine.config import ChatSettings, Settings
from moa_engine.errors import (
    BrokenAnswer,
    CallError,
    ConfigError,
    ContextOverflow,
    Overloaded,
    Refused,
    TimedOut,
)
from moa_engine.member import Member, Message, PromptVersion, Reply, Request
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

KEY = "topsecret/1234567890abcdef"

SCHEMA = {
    "title": "Review",
    "type": "object",
    "properties": {
        "title": {"type": "string", "title": "Title", "default": ""},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
    },
    "required": ["items"],
    "$defs": {"Item": {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}}},
}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What endpoints were found to know is remembered per process; tests start without."""
    chat._dialects.clear()
    yield
    chat._dialects.clear()


def chat_member(base_url: str, settings: dict[str, Any] | None = None, **own: Any) -> Member:
    return build("qwen", ChatSettings(model="m", base_url=base_url, **own), Settings(**(settings or {})))


def asking(schema: dict[str, Any] | None = None, **fields: Any) -> Request:
    messages = (Message("system", "Be brief."), Message("user", "What is 2 + 2?"))
    return Request(messages, PromptVersion("ask", "1"), answer_schema=schema, **fields)


def ask(member: Member, *requests: Request) -> list[Reply]:
    """The replies to these requests, one after the other, in one event loop."""

    async def run() -> list[Reply]:
        try:
            return [await member.generate(request) for request in requests]
        finally:
            await member.aclose()

    return asyncio.run(run())


def answered(scripted: Scripted | str, request: Request | None = None, **own: Any) -> Reply:
    with ScriptedEndpoint(lambda _: scripted) as endpoint:
        return ask(chat_member(endpoint.base_url, **own), request or asking())[0]


def failed(scripted: Scripted, request: Request | None = None, **own: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        answered(scripted, request, **own)
    return caught.value


def error(status: int, message: Any, **fields: Any) -> Scripted:
    return Scripted(status=status, raw=json.dumps({"error": {"message": message, **fields}}).encode())


def test_messages_go_out_unchanged_and_in_order_with_the_sampling_parameters() -> None:
    with ScriptedEndpoint(lambda _: "4") as endpoint:
        member = chat_member(endpoint.base_url, temperature=0.2, options={"top_p": 0.9})
        reply = ask(member, asking(parameters=member.parameters))[0]
    assert reply.text == "4"
    received = endpoint.requests[0]
    assert received.path == "/v1/chat/completions"
    assert received.headers["content-type"] == "application/json"
    assert received.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is 2 + 2?"},
        ],
        "temperature": 0.2,
        "max_tokens": 2048,
        "top_p": 0.9,
    }


def test_what_it_is_follows_from_its_settings() -> None:
    member = chat_member("http://localhost:11434/v1/", samples=3, context_window=4096, concurrency=2)
    assert isinstance(member, Member)
    assert (member.kind, member.reads, member.model) == ("chat", "messages", "m")
    assert member.endpoint == "http://localhost:11434"
    assert (member.samples, member.context_window, member.concurrency) == (3, 4096, 2)


def test_usage_and_the_raw_answer_are_kept() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 900},
    }
    reply = answered(Scripted("4", usage=usage, finish_reason="length"))
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (1000, 7, 900)
    assert reply.finish_reason == "length"
    assert json.loads(reply.raw)["usage"] == usage


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": "many", "completion_tokens": -1}, {"prompt_tokens": True}]
)
def test_usage_that_is_missing_or_nonsense_is_not_known(usage: dict[str, Any] | None) -> None:
    reply = answered(Scripted("4", usage=usage))
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (None, None, None)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "image"}]},
            "ab",
        ),
        ({"content": "answer", "reasoning_content": "hmm"}, "answer"),
        ({"content": "<think>hmm</think>\n\nanswer"}, "answer"),
        ({"content": "in <think>the middle</think> it stays"}, "in <think>the middle</think> it stays"),
        ({"content": "lone \ud800 surrogate"}, "lone \ufffd\ufffd\ufffd surrogate"),
    ],
)
def test_the_answer_is_the_text_without_reasoning(message: dict[str, Any], expected: str) -> None:
    assert answered(Scripted(message=message)).text == expected


@pytest.mark.parametrize(
    "scripted",
    [
        Scripted(""),
        Scripted("  \n"),
        Scripted(message={"content": None}),
        Scripted(message={"content": {"not": "text"}}),
        Scripted("<think>never came to an end", finish_reason="length"),
        Scripted(raw=b""),
        Scripted(raw=b"<html>\xff"),
        Scripted(raw=b'{"choices": [{"message": {"content": "cut o'),
        Scripted(raw=b"[1, 2]"),
        Scripted(raw=b"[" * 100_000),
        Scripted(raw=b'{"choices": []}'),
        Scripted(raw=b'{"choices": [17]}'),
        Scripted(raw=b'{"choices": [{"message": "no"}]}'),
    ],
)
def test_what_holds_no_answer_is_broken(scripted: Scripted) -> None:
    problem = failed(scripted)
    assert isinstance(problem, BrokenAnswer)
    assert problem.retryable
    assert problem.message.isprintable()


def test_an_answer_that_was_cut_off_is_one_and_says_so() -> None:
    reply = answered(Scripted('{"items": [', finish_reason="length"), asking(SCHEMA))
    assert (reply.text, reply.finish_reason) == ('{"items": [', "length")


@pytest.mark.parametrize(
    "scripted",
    [
        Scripted("", finish_reason="content_filter"),
        Scripted(message={"content": None, "refusal": "I won't."}),
    ],
)
def test_an_answer_that_was_declined_is_refused(scripted: Scripted) -> None:
    assert isinstance(failed(scripted), Refused)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_names_its_variable(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_KEY", KEY)
    problem = failed(error(status, "Incorrect API key provided"), api_key_env="QWEN_KEY")
    assert isinstance(problem, Refused)
    assert not problem.retryable
    assert "QWEN_KEY" in problem.hint
    assert "api_key_env" in failed(error(status, "no key")).hint


@pytest.mark.parametrize(
    "scripted",
    [
        error(404, "model 'm' not found, try pulling it first"),
        error(404, "The model `m` does not exist or you do not have access to it.", code="model_not_found"),
        error(400, "m is not a valid model ID"),
        Scripted(status=404, raw=b'{"object": "error", "message": "The model `m` does not exist."}'),
    ],
)
def test_an_unknown_model_is_named(scripted: Scripted) -> None:
    problem = failed(scripted)
    assert isinstance(problem, Refused)
    assert "no model 'm'" in problem.message
    assert "/models" in problem.hint


def test_a_wrong_path_says_where_the_url_should_end() -> None:
    assert "/v1" in failed(Scripted(status=404, raw=b"404 page not found")).hint


@pytest.mark.parametrize(
    "scripted",
    [
        error(400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"),
        error(400, "too long", code="context_length_exceeded"),
        error(400, "the request exceeds the available context size, try increasing it", n_ctx=256),
        error(500, "nope", type="exceed_context_size_error"),
        error(400, "'max_completion_tokens' is too large. This model's maximum context length is 9 tokens"),
        error(400, "the input length exceeds the context length"),
        error(400, "prompt is too long: 205000 tokens > 200000 maximum"),
        error(400, "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
        Scripted(status=422, raw=b'{"error": "`inputs` tokens + `max_new_tokens` must be <= 8193"}'),
        Scripted(status=400, raw=b'{"error": "Trying to keep the first 9 when context the overflows"}'),
        Scripted(status=413, raw=b"too large"),
        Scripted(raw=b'{"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long"}}'),
    ],
)  # fmt: skip
def test_a_request_that_is_too_long_is_told_apart(scripted: Scripted) -> None:
    assert isinstance(failed(scripted), ContextOverflow)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
def test_a_busy_endpoint_is_overloaded(status: int) -> None:
    problem = failed(Scripted("slow down", status=status, headers={"retry-after": "3"}))
    assert isinstance(problem, Overloaded)
    assert (problem.status, problem.retry_after, problem.retryable) == (status, 3.0, True)
    assert "slow down" in problem.message


def test_an_empty_account_is_no_reason_to_ask_again() -> None:
    assert isinstance(failed(error(429, "You exceeded your quota", code="insufficient_quota")), Refused)
    assert isinstance(failed(error(402, "pay")), Refused)


def test_a_failure_inside_a_successful_response_is_a_failure() -> None:
    problem = failed(Scripted(raw=b'{"error": {"code": 429, "message": "upstream is busy"}}'))
    assert isinstance(problem, Overloaded)
    choice = {"finish_reason": "error", "error": {"code": 502, "message": "upstream died"}, "message": {}}
    assert isinstance(failed(Scripted(raw=json.dumps({"choices": [choice]}).encode())), Overloaded)


def test_redirects_are_not_followed() -> None:
    with ScriptedEndpoint() as elsewhere:
        problem = failed(
            Scripted("", status=307, headers={"location": f"{elsewhere.base_url}/chat/completions"})
        )
        assert isinstance(problem, Refused)
        assert elsewhere.count == 0


def test_nobody_listening_is_overloaded_and_says_where() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Overloaded, match=f"nothing listens at http://127.0.0.1:{port}"):
            ask(chat_member(f"http://127.0.0.1:{port}/v1"), asking())


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_a_connection_that_breaks_is_overloaded(transport: str) -> None:
    problem = failed(Scripted(reset=True), settings={"transport": transport})
    assert isinstance(problem, Overloaded)
    assert problem.retryable


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_an_endpoint_that_hangs_times_out(transport: str) -> None:
    problem = failed(Scripted(hang=True), settings={"transport": transport}, timeout=0.1)
    assert isinstance(problem, TimedOut)


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_cancelling_a_call_closes_its_connection(transport: str) -> None:
    with ScriptedEndpoint(lambda _: Scripted(hang=True)) as endpoint:
        member = chat_member(endpoint.base_url, settings={"transport": transport})

        async def scenario() -> None:
            call = asyncio.ensure_future(member.generate(asking()))
            while not endpoint.requests:
                await asyncio.sleep(0.005)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            endpoint.wait_until(lambda: endpoint.requests[0].gone)
            await member.aclose()

        asyncio.run(scenario())


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_members_share_their_connections(transport: str) -> None:
    with ScriptedEndpoint() as endpoint:
        members = [chat_member(endpoint.base_url, settings={"transport": transport}) for _ in range(3)]

        async def scenario() -> None:
            for member in members:
                await member.open()
            for _ in range(3):
                for member in members:
                    await member.generate(asking())
            for member in members:
                await member.aclose()

        asyncio.run(scenario())
    assert (endpoint.count, endpoint.connections) == (9, 1)


def test_a_member_can_be_used_in_one_event_loop_after_the_other() -> None:
    with ScriptedEndpoint() as endpoint:
        member = chat_member(endpoint.base_url)
        assert ask(member, asking())[0].text == ask(member, asking())[0].text


def test_an_answer_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moa_engine._transport.LARGEST_ANSWER", 10_000)
    assert isinstance(failed(Scripted("x" * 20_000)), BrokenAnswer)


def test_json_is_asked_for_by_its_schema() -> None:
    with ScriptedEndpoint(lambda _: '{"items": []}') as endpoint:
        ask(chat_member(endpoint.base_url), asking(SCHEMA, answer_name="my review"))
    body = endpoint.requests[0].body
    assert body["messages"][-1]["content"] == "What is 2 + 2?"
    wanted = body["response_format"]
    assert (wanted["type"], wanted["json_schema"]["name"]) == ("json_schema", "my_review")
    assert wanted["json_schema"]["strict"] is True
    schema = wanted["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["title", "items"]
    assert schema["properties"]["title"] == {"type": "string"}
    assert schema["$defs"]["Item"] == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "additionalProperties": False,
        "required": ["n"],
    }


def test_a_schema_with_free_keys_is_sent_as_it_is() -> None:
    free = {"type": "object", "properties": {"by_name": {"type": "object", "additionalProperties": {}}}}
    with ScriptedEndpoint(lambda _: "{}") as endpoint:
        ask(chat_member(endpoint.base_url), asking(free))
    wanted = endpoint.requests[0].body["response_format"]["json_schema"]
    assert wanted == {"name": "answer", "schema": free}


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "This response_format type is unavailable now"),
        error(400, "This model does not support response format `json_schema`."),
        Scripted(status=400, raw=b'{"error": "\'response_format.type\' must be another"}'),
        error(404, "No endpoints found that can handle the requested parameters."),
        error(501, "structured output is not implemented"),
        Scripted(status=422, raw=b'{"detail": [{"loc": ["body", "response_format"], "msg": "bad"}]}'),
    ],
    ids=["deepseek", "groq", "lm-studio", "openrouter", "not-implemented", "fastapi"],
)
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("json_object", ["json_schema", "json_object", "json_object"]),
        ("", ["json_schema", "json_object", "", ""]),
    ],
    ids=["json mode", "nothing"],
)
def test_a_weaker_way_of_asking_for_json_is_found_and_remembered(
    known: str, expected: list[str], refusal: Scripted
) -> None:
    def kind(request: Any) -> str:
        return str(request.get("response_format", {}).get("type", ""))

    def answer(request: Any) -> Scripted:
        return Scripted('{"items": []}') if kind(request) == known else refusal

    with ScriptedEndpoint(answer) as endpoint:
        replies = ask(chat_member(endpoint.base_url), asking(SCHEMA), asking(SCHEMA))
    assert [reply.text for reply in replies] == ['{"items": []}'] * 2
    assert [kind(received.body) for received in endpoint.requests] == expected
    last = endpoint.requests[-1].body["messages"]
    assert last[0] == {"role": "system", "content": "Be brief."}
    assert last[1]["content"].startswith("What is 2 + 2?\n\n")
    assert "JSON" in last[1]["content"]
    assert '"items"' in last[1]["content"]


def test_an_endpoint_that_refuses_everything_is_refused_after_the_last_way() -> None:
    with ScriptedEndpoint(lambda _: error(400, "response_format and all the rest is bad")) as endpoint:
        with pytest.raises(Refused):
            ask(chat_member(endpoint.base_url), asking(SCHEMA))
        assert endpoint.count == 3


def test_other_refusals_are_not_taken_for_a_matter_of_form() -> None:
    echoed = {"loc": ["body", "messages"], "msg": "too many", "input": {"response_format": "json_schema"}}
    with ScriptedEndpoint(
        lambda _: Scripted(status=422, raw=json.dumps({"detail": [echoed]}).encode())
    ) as endpoint:
        with pytest.raises(Refused, match="too many"):
            ask(chat_member(endpoint.base_url), asking(SCHEMA))
        assert endpoint.count == 1


def test_max_completion_tokens_is_used_where_max_tokens_is_refused() -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."

    def answer(request: Any) -> Scripted:
        return error(400, message) if "max_tokens" in request else Scripted("4")

    with ScriptedEndpoint(answer) as endpoint:
        request = asking(parameters={"max_tokens": 77})
        ask(chat_member(endpoint.base_url), request, request)
    bodies = [received.body for received in endpoint.requests]
    assert [body.get("max_completion_tokens") for body in bodies] == [None, 77, 77]
    assert [body.get("max_tokens") for body in bodies] == [77, None, None]


def test_a_model_that_fails_to_write_json_under_a_schema_is_no_matter_of_form() -> None:
    problem = failed(
        error(400, "Failed to generate JSON. See 'failed_generation'.", code="json_validate_failed"),
        asking(SCHEMA),
        structured="text",
    )
    assert isinstance(problem, BrokenAnswer)


def test_samples_of_one_seed_differ() -> None:
    with ScriptedEndpoint() as endpoint:
        member = chat_member(endpoint.base_url, options={"seed": 40})
        ask(member, *(asking(parameters=member.parameters, sample=sample) for sample in range(3)))
    assert [received.body["seed"] for received in endpoint.requests] == [40, 41, 42]


def test_the_key_is_sent_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QWEN_KEY", f" {KEY}\n")
    caplog.set_level(logging.DEBUG)
    echo = Scripted(f"your key is {KEY}")
    escaped = KEY.replace("/", "\\/").encode()
    with ScriptedEndpoint(lambda _: echo) as endpoint:
        member = chat_member(endpoint.base_url, api_key_env="QWEN_KEY")
        reply = ask(member, asking())[0]
        assert endpoint.requests[0].headers["authorization"] == f"Bearer {KEY}"
    problems = [
        failed(Scripted(f"bad key {KEY}", status=401), api_key_env="QWEN_KEY"),
        failed(Scripted(raw=b'{"error": "bad ' + escaped + b'"}'), api_key_env="QWEN_KEY"),
        failed(Scripted(raw=b"<html>" + KEY.encode()), api_key_env="QWEN_KEY"),
    ]
    for text in [repr(reply), repr(member), caplog.text, *(f"{p!r} {p} {p.raw}" for p in problems)]:
        assert KEY not in text
        assert escaped.decode() not in text
    assert "your key is <masked:api-key>" in reply.text
    assert member.secrets == (KEY,)


def test_a_placeholder_key_is_sent_but_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_KEY", "ollama")
    assert answered("ollama serves models", api_key_env="QWEN_KEY").text == "ollama serves models"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_key_is_a_config_error(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QWEN_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("QWEN_KEY", value)
    member = chat_member("http://localhost/v1", api_key_env="QWEN_KEY")  # enough for a plan
    with pytest.raises(ConfigError, match=r"'qwen'.*QWEN_KEY is not set"):
        asyncio.run(member.open())


@pytest.mark.parametrize("bad", ["two\nlines", "späce"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QWEN_KEY", bad)
    with pytest.raises(ConfigError, match="QWEN_KEY") as caught:
        chat_member("http://localhost/v1", api_key_env="QWEN_KEY")
    assert bad not in str(caught.value)


@pytest.mark.parametrize(
    "literal", ["hf_AbCdEfGhIjKlMnOp0123", "gsk_4f8a9b3c1d2e5f607182", "d4f8a9b3c1d2e5f60718293a4b"]
)  # fmt: skip
def test_a_key_in_place_of_a_variables_name_is_refused_without_showing_it(literal: str) -> None:
    settings = ChatSettings.model_construct(**{**ChatSettings(model="m").__dict__, "api_key_env": literal})
    with pytest.raises(ConfigError) as caught:
        build("qwen", settings, Settings(base_url="http://localhost/v1"))
    assert literal not in str(caught.value)
    assert "'qwen'" in str(caught.value)


def test_the_committees_key_does_not_go_to_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARED_KEY", KEY)
    with ScriptedEndpoint() as endpoint:
        common = {"base_url": "https://openrouter.ai/api/v1", "api_key_env": "SHARED_KEY"}
        ask(chat_member(endpoint.base_url, settings=common), asking())
        same = {"base_url": endpoint.base_url, "api_key_env": "SHARED_KEY"}
        ask(chat_member(endpoint.base_url, settings=same), asking())
    assert [received.headers.get("authorization") for received in endpoint.requests] == [
        None,
        f"Bearer {KEY}",
    ]


def test_a_member_without_any_base_url_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="'qwen' has no base_url"):
        build("qwen", ChatSettings(model="m"), Settings())


def test_options_cannot_replace_what_is_the_engines() -> None:
    with pytest.raises(ConfigError, match="stream"):
        chat_member("http://localhost/v1", options={"stream": True})

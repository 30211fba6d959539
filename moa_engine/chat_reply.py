"""What an endpoint's response means: a reply, or which kind of failure.

Shapes: https://platform.openai.com/docs/api-reference/chat/object and, for failures, what OpenAI,
OpenRouter, vLLM, llama.cpp, Ollama, LM Studio and FastAPI servers send. All of it is hostile input.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moa_engine.errors import BrokenAnswer, CallError, ContextOverflow, Overloaded, Refused
from moa_engine.member import Reply
from moa_engine.retry_after import retry_after

LONGEST_MESSAGE = 300  #: characters of an endpoint's own words in an error
LONGEST_RAW = 65536  #: characters of a failure's body that are kept

_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|prompt is too long"
    r"|reduce the length of the (?:messages|prompt|input)|context the overflows|context length of only"
    r"|exceeds?\b.{0,80}\b(?:context|maximum number of tokens)|context (?:size|window|length)\b.{0,40}exceed"
    r"|too large for model with|`inputs` tokens \+ `max_new_tokens`",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(
    r"response[_ -]?format|json[_ -](?:schema|object|mode)|structured[_ -]output|guided[_ -]|grammar"
    r"|(?:handle|support) the requested parameters",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|\bmodels?\b.{0,120}(?:not found|does(?: not|n't) exist|not exist|unknown|no such)"
    r"|(?:invalid|unknown|no such) model|not a valid model",
    re.IGNORECASE | re.DOTALL,
)
_NO_MONEY = re.compile(r"insufficient_quota|insufficient (?:balance|credit|funds)|billing", re.IGNORECASE)
_THOUGHTS = re.compile(r"\A\s*<think(?:ing)?>(?:.*?</think(?:ing)?>\s*|.*\Z)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, for messages that help: no secrets."""

    base_url: str
    model: str
    api_key_env: str | None


@dataclass(frozen=True, slots=True)
class Complaint:
    """An endpoint's own words about a failure, and its codes. Echoes of the request are left out."""

    message: str
    codes: str
    status: int | None = None  #: where the body has another status than the response

    @property
    def everything(self) -> str:
        """Where to look for words that tell failures apart."""
        return f"{self.codes} {self.message}"

    @property
    def names_format(self) -> bool:
        """Whether it is about `response_format`."""
        return not self.is_overflow and bool(_FORMAT.search(self.everything))

    @property
    def names_length(self) -> bool:
        """Whether it wants `max_completion_tokens` instead of `max_tokens`."""
        return not self.is_overflow and "max_completion_tokens" in self.everything

    @property
    def is_overflow(self) -> bool:
        """Whether the request is longer than the model's context window."""
        return bool(_OVERFLOW.search(self.everything))


def read_reply(body: bytes, asked: Asked) -> Reply:
    """The reply in the body of a successful response. Reasoning is not part of it.

    Raises:
        BrokenAnswer: not JSON, or no answer in it.
        Refused: the model or the endpoint's filter declined.
        CallError: the body reports a failure in spite of the status.
    """
    raw = body.decode("utf-8", "replace")
    data = _parsed(body)
    if not isinstance(data, dict):
        raise BrokenAnswer(f"the endpoint did not send a JSON object but {_shown(raw) or 'nothing'}")
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or choice.get("error"):
        failed = choice if isinstance(choice, dict) else data
        if failed.get("error"):
            said = _complaint(failed["error"])
            raise failure(said.status or 500, {}, said, asked, raw)
        raise BrokenAnswer(f"the endpoint sent no choices: {_shown(raw)}")
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    finish = choice["finish_reason"] if isinstance(choice.get("finish_reason"), str) else "stop"
    if finish == "content_filter":
        raise Refused("the endpoint's content filter stopped the answer", raw=raw[:LONGEST_RAW])
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        raise Refused(f"the model declined: {_shown(message['refusal'])}", raw=raw[:LONGEST_RAW])
    text = _THOUGHTS.sub("", _content(message.get("content")))
    usage = data["usage"] if isinstance(data.get("usage"), dict) else {}
    details = usage.get("prompt_tokens_details")
    cached = (
        details.get("cached_tokens") if isinstance(details, dict) else usage.get("prompt_cache_hit_tokens")
    )
    reply = Reply(
        text=text,
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        tokens_cached=_count(cached),
        finish_reason=finish,
        raw=raw,
    )
    if not text.strip():
        hint = "raise max_tokens: reasoning counts, too" if finish == "length" else ""
        problem = BrokenAnswer(f"the answer is empty (finish_reason {_shown(finish)})", hint=hint)
        problem.reply = reply
        raise problem
    return reply


def complaint(body: bytes) -> Complaint:
    """What the body of a failure says."""
    data = _parsed(body)
    if not isinstance(data, dict):
        return Complaint(body.decode("utf-8", "replace"), "")
    return _complaint(data.get("error") or data)


def _complaint(error: Any) -> Complaint:
    if not isinstance(error, dict):
        return Complaint(_text(error), "")
    parts = [_text(error.get(key)) for key in ("message", "msg", "detail")]
    metadata = error.get("metadata")
    if isinstance(metadata, dict):  # OpenRouter: what the provider behind it said
        parts.append(_text(metadata.get("raw")))
    codes = [error.get(key) for key in ("code", "type", "param")]
    status = codes[0] if isinstance(codes[0], int) and 400 <= codes[0] < 600 else None
    return Complaint(
        " ".join(part for part in parts if part),
        " ".join(str(code) for code in codes if isinstance(code, str | int)),
        status,
    )


def failure(status: int, headers: Mapping[str, str], said: Complaint, asked: Asked, raw: str) -> CallError:
    """The error for a response with this status and complaint."""
    where, words = asked.base_url, _shown(said.message)
    told = f": {words}" if words else ""
    raw = raw[:LONGEST_RAW]

    def refused(message: str, hint: str = "") -> Refused:
        return Refused(message, hint=hint, status=status, raw=raw)

    if status in (401, 403):
        if asked.api_key_env is None:
            hint = "if it wants a key, put that into an environment variable and name it in api_key_env"
        else:
            hint = f"the key comes from the environment variable {asked.api_key_env}; is it right?"
        return refused(f"{where} denied access (HTTP {status}){told}", hint)
    if status == 413 or (status in (400, 422, 500) and said.is_overflow):
        return ContextOverflow(
            f"the request is too long for {asked.model} at {where}{told}",
            hint="set the member's context_window to what the server allows, or give the server a larger one",
            status=status,
            raw=raw,
        )
    if status == 402 or (status in (400, 403, 429) and _NO_MONEY.search(said.everything)):
        return refused(f"{where} wants to be paid first (HTTP {status}){told}")
    if "json_validate_failed" in said.codes:
        return BrokenAnswer(f"the model wrote no valid JSON{told}", status=status)
    if status in (400, 404, 422) and _NO_MODEL.search(said.everything):
        return refused(
            f"{where} knows no model {asked.model!r}{told}",
            f"GET {where}/models lists those it has; Ollama fetches one with `ollama pull {asked.model}`",
        )
    if status == 404:
        return refused(
            f"{where}/chat/completions is not there (HTTP 404){told}", "base_url usually ends with /v1"
        )
    if 300 <= status < 400:
        return refused(
            f"{where} answered with a redirect (HTTP {status}), which is not followed",
            "set base_url to where the endpoint really is",
        )
    if status in (408, 409, 425, 429) or (status >= 500 and status not in (501, 505)):
        wait = retry_after(headers, time.time())
        return Overloaded(f"{where} is busy (HTTP {status}){told}", status=status, retry_after=wait, raw=raw)
    hint = 'set temperature = "none" for this member' if "temperature" in said.everything.lower() else ""
    return refused(f"{where} refused the request (HTTP {status}){told}", hint)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _content(content: Any) -> str:
    """A message's text: a string, or a list of parts."""
    if isinstance(content, list):
        parts = [
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
        content = "".join(parts)
    return _sound(content) if isinstance(content, str) else ""


def _text(value: Any) -> str:
    """A complaint as text; of validation errors the places and messages, not the echoed input."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        place = value.get("loc")
        steps = (
            [str(step) for step in place if isinstance(step, str | int)] if isinstance(place, list) else []
        )
        words = value.get("msg") or value.get("message")
        told = words if isinstance(words, str) else ""
        return f"{'.'.join(steps)}: {told}" if steps else told or _text(value.get("detail"))
    return "; ".join(_text(entry) for entry in value[:20]) if isinstance(value, list) else ""


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


def _sound(text: str) -> str:
    """Without lone surrogates, which JSON can carry and nothing else can."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _shown(text: str) -> str:
    """An endpoint's words for an error message: one line, printable, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_MESSAGE]).split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}..."

"""Members of kind `local`: a GGUF model that llama.cpp runs in this process (extra `local`).

Nothing leaves the process. A member's requests are worked off one after the other; a cancelled one
stops at the next token, or after the batch of its prompt that is being read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from moa_engine.answer_format import in_words, response_format
from moa_engine.catalogue import catalogue
from moa_engine.config import MaxTokens, MemberSettings, Price, Seconds, Temperature, Whole
from moa_engine.errors import BrokenAnswer, CallError, ConfigError, ContextOverflow, Overloaded, Refused
from moa_engine.families import family_of
from moa_engine.local_runtime import ModelFile, Runtime, borrow, give_back
from moa_engine.member import Reply, Request

if TYPE_CHECKING:
    from moa_engine.config import Settings

#: Fields of a request that are not for `options`.
RESERVED = frozenset({"messages", "model", "n", "response_format", "stream", "stream_options", "weights"})

#: Bytes at each end of a model's file by which it is told from others.
_SAMPLE = 1 << 20


class LocalSettings(MemberSettings):
    """A model in a GGUF file that runs in this process; needs the extra `local`."""

    kind: Literal["local"] = "local"
    path: str | None = None
    """The GGUF file."""
    catalogue: str | None = None
    """Instead of a path, a model of the catalogue, fetched before with `moa download`."""
    context_window: Whole = Field(default=4096, ge=512)
    """Tokens that fit into one request with its answer; memory grows with them."""
    threads: Whole | None = Field(default=None, ge=1)
    """Threads that the model computes with. Default: one per core."""
    timeout: Seconds = 600.0
    """Seconds allowed for one attempt."""
    temperature: Temperature = 0.7
    """Sampling temperature; "none" leaves it to the runtime."""
    max_tokens: MaxTokens = 2048
    """Longest answer, in tokens; "none" sets no limit but the context window."""
    options: dict[str, Any] = Field(default_factory=dict)
    """More fields of the request, as llama.cpp's server knows them (top_p, seed, ...)."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.catalogue is None):
            raise ValueError("needs either path or catalogue")
        if taken := RESERVED & self.options.keys():
            raise ValueError(f"options must not set {', '.join(sorted(taken))}")
        return self


def build(name: str, own: LocalSettings, settings: Settings) -> LocalMember:  # noqa: ARG001 - as all kinds
    """The member that these settings describe. The model is loaded when it is opened.

    Raises:
        ConfigError: the extra is not installed, or there is no usable model file.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise ConfigError(
            f"member {name!r} is of kind local, which needs the package xllamacpp",
            hint="pip install 'pytest-moa[local]'",
        )
    if own.catalogue is None:
        path = Path(own.path or "").expanduser().absolute()
        hint = "give the path of a GGUF file, or a model of the catalogue (moa download lists them)"
        return LocalMember(name, own, path.stem, path, _weights(name, path, hint))
    if (known := catalogue().get(own.catalogue)) is None:
        raise ConfigError(
            f"member {name!r}: {own.catalogue!r} is not in the catalogue",
            hint=f"there are: {', '.join(catalogue())}",
        )
    if own.context_window > known.context_window:
        raise ConfigError(
            f"member {name!r}: context_window = {own.context_window} is more than {known.name} "
            f"was trained for, {known.context_window}"
        )
    path = known.path()
    if not path.exists():
        raise ConfigError(
            f"member {name!r}: {known.name} has not been downloaded",
            hint=f"moa download {known.name} ({known.size / 1e6:,.0f} MB, {known.licence})",
        )
    return LocalMember(name, own, known.name, path, known.sha256[:12])


class LocalMember:
    """A `Member` that computes its answers in this process. `weights` identifies the model's file."""

    kind = "local"
    endpoint = ""
    reads: Literal["messages", "subject"] = "messages"
    concurrency = 1
    secrets: tuple[str, ...] = ()

    def __init__(self, name: str, settings: LocalSettings, model: str, path: Path, weights: str) -> None:
        self.name = name
        self.model = model
        self.family = settings.family or family_of(model)
        self.samples = settings.samples
        self.context_window: int | None = settings.context_window
        self.timeout = settings.timeout
        self.price: Price | None = settings.price
        sampling = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        #: `weights` is not sent: it keeps answers of another file of the same name out of the cache.
        self.parameters: Mapping[str, Any] = {
            **{key: value for key, value in sampling.items() if value is not None},
            **settings.options,
            "weights": weights,
        }
        self._file = ModelFile(path, settings.context_window, settings.threads)
        self._runtime: Runtime | None = None

    async def open(self) -> None:
        """Load the model, which stops everything else in this process for a moment.

        Raises:
            ConfigError: it cannot be loaded.
        """
        await self._borrowed().load()

    async def generate(self, request: Request) -> Reply:
        """One attempt. A schema that llama.cpp cannot follow is put into words instead.

        Raises:
            ContextOverflow: the request does not fit into `context_window`.
            BrokenAnswer: the answer is empty.
            CallError: the model cannot be loaded, or does not understand the request.
        """
        runtime = self._borrowed()
        try:
            try:
                chunks = await runtime.complete(self._body(request, constrained=True))
            except ValueError:
                if request.answer_schema is None:
                    raise
                chunks = await runtime.complete(self._body(request, constrained=False))
        except ConfigError as error:
            raise Refused(error.message, hint=error.hint) from error
        except Exception as error:  # whatever C++ threw, by its message
            raise Refused(f"{self.name}: llama.cpp refuses the request: {error}") from error
        return self._read(chunks)

    async def aclose(self) -> None:
        """Give the model back; it leaves memory with its last member."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await give_back(runtime)

    def _borrowed(self) -> Runtime:
        if self._runtime is None:
            self._runtime = borrow(self._file)
        return self._runtime

    def _body(self, request: Request, *, constrained: bool) -> dict[str, Any]:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body = {"messages": messages, **request.parameters}
        body.pop("weights", None)
        if request.sample and isinstance(body.get("seed"), int):
            body["seed"] += request.sample  # else all samples would be the same
        if (schema := request.answer_schema) is not None:
            if constrained:
                body["response_format"] = response_format(schema, request.answer_name, "schema")
            else:
                messages[-1]["content"] += in_words(schema)
        # Progress of the prompt is asked for because each message is an occasion to stop.
        return {**body, "stream": True, "return_progress": True, "stream_options": {"include_usage": True}}

    def _read(self, chunks: Sequence[Mapping[str, Any]]) -> Reply:
        text, thoughts, finish = "", "", "stop"
        usage: Mapping[str, Any] = {}
        for chunk in chunks:
            if error := chunk.get("error"):
                raise _failure(self.name, error)
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices", ()):
                text += choice["delta"].get("content") or ""
                thoughts += choice["delta"].get("reasoning_content") or ""
                finish = choice.get("finish_reason") or finish
        message = {"role": "assistant", "content": text} | (
            {"reasoning_content": thoughts} if thoughts else {}
        )
        whole = {
            "model": self.model,
            "choices": [{"message": message, "finish_reason": finish}],
            "usage": usage,
        }
        raw = json.dumps(whole, ensure_ascii=False)
        if not text.strip():
            raise BrokenAnswer(f"{self.name}: the answer is empty (finish reason: {finish})", raw=raw)
        return Reply(
            text=text,
            tokens_in=usage.get("prompt_tokens"),
            tokens_out=usage.get("completion_tokens"),
            tokens_cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
            finish_reason=finish,
            raw=raw,
        )


def _failure(name: str, error: Mapping[str, Any]) -> CallError:
    """The error that llama.cpp's server reports, as ours."""
    status, said = error.get("code"), f"{name}: {error.get('message', error)}"
    raw = json.dumps(error, ensure_ascii=False)
    if error.get("type") == "exceed_context_size_error":
        hint = "raise the member's context_window, or give it smaller units"
        return ContextOverflow(said, hint=hint, status=status, raw=raw)
    kind = Overloaded if isinstance(status, int) and status >= 500 else Refused
    return kind(said, status=status, raw=raw)


def _weights(name: str, path: Path, hint: str) -> str:
    """Twelve digits that change when another model takes the file's place; reads 2 MB of it."""
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _SAMPLE))
            end = file.read()
    except OSError as error:
        raise ConfigError(f"member {name!r}: {path}: {error.strerror or error}", hint=hint) from error
    if not start.startswith(b"GGUF"):
        raise ConfigError(f"member {name!r}: {path} is not a GGUF file", hint=hint)
    return hashlib.sha256(start + end + str(size).encode()).hexdigest()[:12]

"""Members of kind `chat`: models behind an OpenAI-compatible endpoint.

One `generate` is one request to `/chat/completions`. Only where the endpoint refuses the *form* of
the request (how JSON is asked for, how the length field is called) is it sent again in a form that
it knows, within the same attempt: nothing was generated and nothing paid. What an endpoint knows is
remembered for the process, so that it is found out once per model.

Messages are sent unchanged and in order. Where `response_format` cannot carry the answer's schema,
it is added in words at the end of the last message, so that the prefix stays the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from moa_engine import _transport
from moa_engine.answer_format import WEAKER, Structured, in_words, response_format_json
from moa_engine.chat_reply import Asked, Complaint, complaint, failure, read_reply
from moa_engine.egress import Egress, destination
from moa_engine.errors import CallError, ConfigError
from moa_engine.families import family_of
from moa_engine.member import Reply, Request
from moa_engine.redaction import is_secret

if TYPE_CHECKING:
    from moa_engine.config import ChatSettings, Price, Settings

#: Fields of the request that are not for `options`: they are the engine's, or would change what a call is.
RESERVED = frozenset({"messages", "model", "n", "response_format", "stream"})

_ENCODER = json.JSONEncoder(separators=(",", ":"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = re.compile(
    r"(?:sk|hf|gsk|gh[a-z]|github|AIza|xai|r8|fw|tgp|AKIA)(?=\w*\d)\w{16,}|(?=.*\d)(?=.*[a-z])\w{24,}"
)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What an endpoint knows for one model."""

    structured: Structured
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


_dialects: dict[tuple[str, str], _Dialect] = {}


def build(name: str, settings: ChatSettings, all_settings: Settings) -> ChatMember:
    """A chat member as configured.

    The committee's `api_key_env` is not for a member whose own `base_url` leads to another host than
    the committee's: a key goes where it was meant to go.

    Raises:
        ConfigError: no `base_url`, one that cannot be used, or a key in the wrong place.
    """
    base_url = (settings.base_url or all_settings.base_url or "").rstrip("/")
    if not base_url:
        raise ConfigError(
            f"member {name!r} has no base_url",
            hint=f'set base_url in [tool.moa.members.{name}] or in [tool.moa], such as "http://localhost:11434/v1"',
        )
    try:
        origin = destination(base_url).origin
    except ConfigError as error:
        raise ConfigError(f"member {name!r}: base_url is {error.message}", hint=error.hint) from None
    variable = settings.api_key_env
    if variable is None and (
        not all_settings.base_url or destination(all_settings.base_url.rstrip("/")).origin == origin
    ):
        variable = all_settings.api_key_env
    if taken := RESERVED & settings.options.keys():
        raise ConfigError(
            f"member {name!r}: options must not set {', '.join(sorted(taken))}",
            hint="those fields of the request are set from the other settings",
        )
    sampling = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
    return ChatMember(
        name,
        settings,
        base_url=base_url,
        endpoint=origin,
        parameters={**{k: v for k, v in sampling.items() if v is not None}, **settings.options},
        api_key_env=variable,
        key="" if variable is None else _key(name, variable),
        egress=Egress(all_settings.local_only, all_settings.allow_hosts),
        transport=all_settings.transport,
    )


class ChatMember:
    """A `Member` that asks a chat completions endpoint."""

    kind = "chat"
    reads: Literal["messages", "subject"] = "messages"

    def __init__(
        self,
        name: str,
        settings: ChatSettings,
        *,
        base_url: str,
        endpoint: str,
        parameters: Mapping[str, Any],
        api_key_env: str | None,
        key: str,
        egress: Egress,
        transport: _transport.Choice,
    ) -> None:
        self.name = name
        self.model = settings.model
        self.family = settings.family or family_of(settings.model)
        self.endpoint = endpoint
        self.samples = settings.samples
        self.context_window = settings.context_window
        self.timeout = settings.timeout
        self.parameters = parameters
        self.concurrency = settings.concurrency
        self.price: Price | None = settings.price
        #: What must never be written down: the engine masks it in all it sends and keeps.
        self.secrets: tuple[str, ...] = (key,) if is_secret(key) else ()
        self._asked = Asked(base_url, settings.model, api_key_env)
        self._url = f"{base_url}/chat/completions"
        self._key_missing = api_key_env is not None and not key
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._masks = tuple({form for secret in self.secrets for form in _forms(secret)})
        self._structured: Structured = settings.structured
        self._egress = egress
        self._choice = transport

    def __repr__(self) -> str:
        return f"<ChatMember {self.name}: {self.model} at {self.endpoint}>"

    async def open(self) -> None:
        """Check the egress rules and load what the first request needs, outside of the measured run.

        Raises:
            ConfigError: its key is not in the environment. (A plan can be made without.)
            EgressRefused: the rules do not allow the endpoint.
        """
        if self._key_missing:
            raise ConfigError(
                f"member {self.name!r}: the environment variable {self._asked.api_key_env} is not set",
                hint="set it to the key, or leave the member out: "
                f"enabled = false in [tool.moa.members.{self.name}]",
            )
        transport = _transport.shared(self._choice)
        transport.join(self)
        await transport.prepare(self._url, egress=self._egress, member=self.name)

    async def generate(self, request: Request) -> Reply:
        """One attempt; see the module's docstring for when it takes two requests."""
        transport = _transport.shared(self._choice)
        transport.join(self)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout
        place = (self._url, self.model)
        dialect = known = _dialects.get(place) or _Dialect(self._structured)
        try:
            while True:
                body = self._body(request, dialect)
                left = max(0.001, deadline - loop.time())
                response = await transport.post_json(
                    self._url, body, self._headers, left, egress=self._egress
                )
                if 200 <= response.status < 300:
                    break
                said = complaint(response.body)
                simpler = _simpler(dialect, response.status, said, request)
                if simpler is None:
                    raw = response.body.decode("utf-8", "replace")
                    raise failure(response.status, response.headers, said, self._asked, raw)
                dialect = simpler
            if dialect is not known:
                _dialects[place] = dialect
            reply = read_reply(response.body, self._asked)
        except CallError as error:
            raise self._scrubbed(error) from None
        if self._masks:
            reply = replace(reply, text=self._scrub(reply.text), raw=self._scrub(reply.raw))
        return reply

    async def aclose(self) -> None:
        await _transport.shared(self._choice).leave(self)

    def _body(self, request: Request, dialect: _Dialect) -> bytes:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        fields: dict[str, Any] = {"model": self.model, "messages": messages, **request.parameters}
        if dialect.length_field != "max_tokens" and "max_tokens" in fields:
            fields[dialect.length_field] = fields.pop("max_tokens")
        if request.sample and isinstance(fields.get("seed"), int):
            fields["seed"] += request.sample  # else all samples of a member would be the same
        wanted = ""
        if (schema := request.answer_schema) is not None:
            wanted = response_format_json(schema, request.answer_name, dialect.structured)
            if dialect.structured != "schema":
                messages[-1]["content"] += in_words(schema)
        body = _ENCODER.encode(fields)
        if wanted:
            body = f'{body[:-1]},"response_format":{wanted}}}'
        return body.encode("ascii")

    def _scrub(self, text: str) -> str:
        for form in self._masks:
            text = text.replace(form, "<masked:api-key>")
        return text

    def _scrubbed(self, error: CallError) -> CallError:
        """The error without the key, should the endpoint have echoed it."""
        if self._masks:
            error.message, error.raw, error.hint = map(self._scrub, (error.message, error.raw, error.hint))
            error.args = (error.message,)
        return error


def _simpler(dialect: _Dialect, status: int, said: Complaint, request: Request) -> _Dialect | None:
    """How to say the same in a form that the endpoint knows; None if the form is not the trouble."""
    if status not in (400, 404, 422, 501):
        return None
    if dialect.length_field == "max_tokens" and "max_tokens" in request.parameters and said.names_length:
        return replace(dialect, length_field="max_completion_tokens")
    if request.answer_schema is not None and dialect.structured in WEAKER and said.names_format:
        return replace(dialect, structured=WEAKER[dialect.structured])
    return None


def _key(name: str, variable: str) -> str:
    """The key in an environment variable, "" when there is none. No message repeats what could be a key."""
    if not _VARIABLE.fullmatch(variable) or _KEY.fullmatch(variable):
        raise ConfigError(
            f"member {name!r}: api_key_env is no name of an environment variable, and may be a key",
            hint="put the key into a variable and write its name here, such as OPENROUTER_API_KEY",
        )
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or (key and not key.isprintable()):
        raise ConfigError(
            f"member {name!r}: the environment variable {variable} holds something that is no key"
        )
    return key


def _forms(secret: str) -> set[str]:
    """How an endpoint could echo a key: as it is, escaped in JSON, quoted in a URL."""
    return {secret, secret.replace("/", r"\/"), json.dumps(secret)[1:-1], quote(secret, safe="")}

"""The settings, as data: `[tool.moa]`, `moa.toml`, `MOA_*` and flags are all checked against these.

`config_files` reads and merges the sources; `committee` turns settings into members. Kinds of
members and sections of other floors bring their own models through plug-ins (`hookspecs`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    field_validator,
)

from moa_engine.errors import ConfigError


def _endpoint(value: str) -> str:
    from moa_engine.egress import destination

    if "?" in value or "#" in value:
        raise ValueError("must end with the path; keys come from the environment")
    try:
        destination(value)
    except ConfigError as error:
        raise ValueError(f"{error.message} ({error.hint})") from None
    return value.rstrip("/")


def _hosts(value: list[str]) -> list[str]:
    from moa_engine.egress import Egress

    try:
        Egress(allow_hosts=value)
    except ConfigError as error:
        raise ValueError(f"{error.message.removeprefix('allow_hosts: ')} ({error.hint})") from None
    return value


def _or_none(value: object) -> object:
    return None if value == "none" else value


#: Numbers as TOML writes them: neither a boolean nor a text is one.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Share = Annotated[Number, Field(gt=0, le=1)]
Seconds = Annotated[Number, Field(gt=0)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Temperature = Annotated[Number, Field(ge=0, le=2)]
_Tokens = Annotated[Whole, Field(ge=1)]
_NONE = Literal["none"]  # TOML has no null
Temperature = Annotated[
    _Temperature | None, BeforeValidator(_or_none, json_schema_input_type=_Temperature | _NONE | None)
]
MaxTokens = Annotated[
    _Tokens | None, BeforeValidator(_or_none, json_schema_input_type=_Tokens | _NONE | None)
]


class Section(BaseModel):
    """Base of every part of the settings: unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        coerce_numbers_to_str=True,  # MOA_MEMBERS__X__MODEL=4 is the text "4"
    )


class Price(Section):
    """USD per million tokens."""

    input: Number = Field(ge=0)
    """Input tokens."""
    output: Number = Field(ge=0)
    """Output tokens."""


class MemberSettings(Section):
    """What every kind of member has."""

    kind: str = "chat"
    """Kind of member; plug-ins add more."""
    samples: Whole = Field(default=1, ge=1, le=64)
    """How many independent answers this member gives in each layer (Self-MoA when above 1)."""
    timeout: Seconds = 120.0
    """Seconds allowed for one attempt."""
    family: str | None = None
    """Members of one family share one vote. Default: guessed from the model's name."""
    price: Price | None = None
    """Overrides the price data. A server on this machine costs nothing unless this says so."""
    enabled: StrictBool = True
    """False leaves the member out."""


class ChatSettings(MemberSettings):
    """A model behind an OpenAI-compatible chat completions endpoint."""

    kind: Literal["chat"] = "chat"
    model: str
    """The name under which the endpoint knows the model."""
    base_url: Endpoint | None = None
    """URL up to and including /v1. Default: the committee's `base_url`."""
    api_key_env: Variable | None = None
    """Environment variable that holds the key. A key itself is never written into a file."""
    temperature: Temperature = 0.7
    """Sampling temperature; "none" sends none, for models that refuse one."""
    max_tokens: MaxTokens = 2048
    """Longest answer, in tokens; "none" sends no limit, for models that have another field for it."""
    context_window: Whole | None = Field(default=None, ge=512)
    """Tokens that fit into one request with its answer. Default: from the price data, else 8192."""
    concurrency: Whole = Field(default=8, ge=1, le=1024)
    """Requests at the endpoint at once, before what it says of its limits."""
    structured: Literal["schema", "json_object", "text"] = "schema"
    """The strongest way of asking for JSON that the endpoint knows; weaker ones are tried when it refuses."""
    options: dict[str, Any] = Field(default_factory=dict)
    """More fields of the request's body, sent as they are (top_p, seed, ...)."""


class Stragglers(Section):
    """What is done about members that are slower than the rest."""

    hedge: bool = True
    """Ask a second time when an answer takes longer than the member's own 90th percentile."""
    quorum: Share | None = None
    """Share of a layer after which it may close. Default: the task's (plain answers 0.66, reviews 1)."""
    grace: Number | None = Field(default=None, ge=0)
    """How much longer a layer waits after the quorum, as a share of the time it took."""
    layer_deadline: Seconds = 300.0
    """Seconds after which a layer closes with what it has."""
    run_deadline: Seconds | None = None
    """Seconds after which the run ends with its best partial result."""


class CommitteeSettings(Section):
    """Who sits on a committee, and how they work together."""

    layers: Whole | list[list[Name]] = 2
    """A number, as the paper counts (the last one is the aggregator), or the proposers of each layer."""
    aggregator: Name | list[Name] = Field(default_factory=list)
    """The first that answers writes the result; after them the deterministic aggregator."""
    members: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """The members by name; each table has the settings of its kind."""

    @field_validator("layers")
    @classmethod
    def _at_least_one(cls, value: int | list[list[str]]) -> int | list[list[str]]:
        if (value if isinstance(value, int) else len(value)) < 1:
            raise ValueError("a committee has at least one layer")
        return value


class Settings(CommitteeSettings):
    """The whole of `[tool.moa]`.

    `layers`, `aggregator` and `members` describe the committee right here; `committee` takes one by
    name instead, a preset or one of `committees`.
    """

    committee: str | None = None
    """Name of a preset (moa, moa-lite, self-moa, single, local, offline) or of one of `committees`."""
    committees: dict[Name, CommitteeSettings] = Field(default_factory=dict)
    """More committees, by name."""
    base_url: Endpoint | None = None
    """Endpoint of every chat member that names none."""
    api_key_env: Variable | None = None
    """Key variable of the chat members that name none, and no other host than that of `base_url`."""
    local_only: bool = False
    """Refuse every host but loopback and private addresses."""
    allow_hosts: Annotated[list[str], AfterValidator(_hosts)] = Field(default_factory=list)
    """Hosts that requests may go to; empty allows all (with `local_only`: all local ones)."""
    budget: Number | None = Field(default=None, ge=0)
    """USD that one run may spend, retries and hedges included."""
    allow_unpriced: bool = False
    """Go on although a hosted endpoint's price is not known."""
    attempts: Whole = Field(default=3, ge=1, le=10)
    """How often one question is sent before its member counts as failed."""
    seed: Whole | None = None
    """Seed of the order in which answers are shown. Default: derived from the task."""
    record: str | None = None
    """Path of the record. Default: the user's state directory."""
    cache: bool = True
    """Take answers from the record instead of paying for the same request again."""
    transport: Literal["auto", "httpx", "aiohttp"] = "auto"
    """HTTP transport; auto takes aiohttp where it is installed and many calls run at once."""
    stragglers: Stragglers = Field(default_factory=Stragglers)
    """What is done about slow members."""
    guidelines: list[str] = Field(default_factory=list)
    """More guideline files of the project, for tasks that show them to members."""

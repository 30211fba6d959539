"""What calls cost: a price in the settings, nothing for models that run here, else genai-prices.

An unknown price is None, never 0. The price data (https://github.com/pydantic/genai-prices) comes
with the package and is never downloaded; importing it takes 0.44 s of CPU, so that happens only for
a hosted member whose price is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from moa_engine.config import Price, Section
from moa_engine.egress import destination, resolve, unmapped
from moa_engine.egress import is_local as is_local_address

if TYPE_CHECKING:
    from moa_engine.member import Member

FREE = Price(input=0, output=0)

#: Hosts that genai-prices does not list, and the listed ones whose prices they share.
_SAME_AS = {"api.together.ai": "api.together.xyz"}

#: Routes to other providers: the provider stands behind a colon in the model's name.
_ROUTER = "router.huggingface.co"


class Rates(Section):
    """USD per million tokens of one call."""

    input: float
    output: float
    cached: float | None = None
    """Input tokens that the endpoint read from its cache; None: like the others."""


class LongPrompt(Rates):
    """Rates of a whole call whose input has more than `above` tokens."""

    above: int


class PublishedPrice(Price):
    """A price from the price data, with what a price in the settings does not have."""

    cached: float | None = None
    """USD per million input tokens that the endpoint read from its cache."""
    request: float = 0
    """USD per call, besides its tokens."""
    long: tuple[LongPrompt, ...] = ()
    """Rates of calls with long prompts, from the shortest to the longest."""


def price_of(member: Member) -> Price | None:
    """The price of a member's calls; None when it is hosted and nobody knows.

    Its own price in the settings comes first. A member without an endpoint, or whose endpoint is a
    loopback or private address, costs nothing. May resolve the endpoint's name.
    """
    if member.price is not None:
        return member.price
    if is_local(member):
        return FREE
    if (published := _published(member.endpoint, member.model)) is not None:
        return published
    return FREE if _has_local_name(member.endpoint) else None


def context_window_of(member: Member) -> int | None:
    """Tokens that fit into a request to a member's model: as configured, else from the price data.

    None when neither knows. The data is not asked about members on this machine.
    """
    if member.context_window is not None or is_local(member):
        return member.context_window
    found = _found(member.endpoint, member.model)
    return None if found is None else found[1].context_window


def is_local(member: Member) -> bool:
    """Whether a member's model runs on this machine or at a private address. Resolves nothing."""
    return not member.endpoint or _is_local_address(member.endpoint)


def cost(price: Price, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> Decimal:
    """USD of one call. `tokens_cached` is the part of `tokens_in` that the endpoint had in its cache."""
    rates: Price | Rates = price
    cached, request = None, 0.0
    if isinstance(price, PublishedPrice):
        rates = next((long for long in reversed(price.long) if tokens_in > long.above), price)
        cached, request = getattr(rates, "cached", None), price.request
    tokens_cached = min(tokens_cached, tokens_in)
    parts = (
        (tokens_in - tokens_cached, rates.input),
        (tokens_cached, rates.input if cached is None else cached),
        (tokens_out, rates.output),
    )
    tokens = sum((Decimal(str(rate)) * count for count, rate in parts), Decimal(0))
    return tokens / 1_000_000 + Decimal(str(request))


def dollars(amount: Decimal | None) -> str:
    """An amount for people: two decimals, more where it is small."""
    if amount is None:
        return "unknown"
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    return f"${amount:.4f}" if amount >= Decimal("0.0001") else "<$0.0001"


def _is_local_address(endpoint: str) -> bool:
    """Judged without resolving anything: an address, or the name of this machine."""
    target = destination(endpoint)
    return target.is_loopback or (target.address is not None and is_local_address(target.address))


@cache
def _has_local_name(endpoint: str) -> bool:
    """Whether the endpoint's name stands for private addresses only (`http://gpu-box:8000`)."""
    target = destination(endpoint)
    try:
        found = resolve(target.host, target.port)
    except OSError:
        return False
    return bool(found) and all(is_local_address(unmapped(text)) for text in found)


@cache
def _found(endpoint: str, model: str) -> tuple[Any, Any] | None:
    """The provider and the model as genai-prices lists them."""
    from genai_prices.data_snapshot import get_snapshot

    target = destination(endpoint)
    base = f"{target.scheme}://{_SAME_AS.get(target.host, target.host)}"
    path = "/"
    if target.host == _ROUTER:
        model, _, provider = model.partition(":")
        path += provider
    try:
        found = get_snapshot().find_provider_model(model, None, None, base + path)
    except LookupError:
        return None
    # Its patterns are not anchored: api.openai.com.example.org is somebody else's host.
    match = re.match(found[0].api_pattern, base + path)
    return found if match and match.end() >= len(base) else None


@cache
def _published(endpoint: str, model: str) -> Price | None:
    found = _found(endpoint, model)
    if found is None:
        return None
    if model.endswith(":free"):  # OpenRouter's models without a charge have no numbers at all
        return FREE
    prices = found[1].get_prices(datetime.now(UTC))
    # Citations are charged by a count that no reply reports as tokens, so a cap could not hold.
    if prices.input_mtok is None or prices.output_mtok is None or prices.output_citation_mtok is not None:
        return None
    rates = {"input": prices.input_mtok, "output": prices.output_mtok, "cached": prices.cache_read_mtok}
    steps = sorted({tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())})
    return PublishedPrice.model_validate(
        _at(rates, 0)
        | {
            "request": float(prices.requests_kcount or 0) / 1000,
            "long": [_at(rates, step + 1) | {"above": step} for step in steps],
        }
    )


def _at(rates: Mapping[str, Any], tokens_in: int) -> dict[str, Any]:
    """The rates of a call with so many input tokens; each is a number, or steps up with the length."""
    found: dict[str, Any] = {}
    for name, rate in rates.items():
        passed = [tier.price for tier in getattr(rate, "tiers", ()) if tokens_in > tier.start]
        value = passed[-1] if passed else getattr(rate, "base", rate)
        found[name] = None if value is None else float(value)
    return found

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices import data_snapshot, types

from moa_engine import prices
from moa_engine.config import Price
from moa_engine.egress import Egress
from moa_engine.errors import EgressRefused
from moa_engine.prices import FREE, PublishedPrice, context_window_of, cost, is_local, price_of


def member(endpoint: str, model: str = "m", price: Price | None = None) -> Any:
    return SimpleNamespace(name="x", endpoint=endpoint, model=model, price=price, context_window=None)


@pytest.fixture
def one_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Price data with one provider and one model, whose prices step up with the length of the input."""
    rates = {
        "input_mtok": types.TieredPrices(Decimal("1.25"), [types.Tier(200_000, Decimal("2.5"))]),
        "output_mtok": types.TieredPrices(Decimal(10), [types.Tier(200_000, Decimal(15))]),
        "cache_read_mtok": types.TieredPrices(Decimal("0.125"), [types.Tier(200_000, Decimal("0.25"))]),
        "requests_kcount": Decimal(5),
    }
    info = types.ModelInfo(
        "big", types.ClauseEquals("big"), context_window=1_000_000, prices=types.ModelPrice(**rates)
    )
    embedding = types.ModelInfo(
        "embed", types.ClauseEquals("embed"), prices=types.ModelPrice(input_mtok=Decimal("0.1"))
    )
    provider = types.Provider("p", "P", r"https://api\.example\.com", models=[info, embedding])
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot([provider], from_auto_update=False))
    prices._found.cache_clear()
    prices._published.cache_clear()
    yield
    data_snapshot.set_custom_snapshot(None)
    prices._found.cache_clear()
    prices._published.cache_clear()


def test_the_price_in_the_settings_comes_first() -> None:
    own = Price(input=1, output=2)
    assert price_of(member("https://api.openai.com:443", "gpt-4o", own)) is own
    assert price_of(member("http://localhost:11434", price=own)) is own


@pytest.mark.parametrize(
    "endpoint",
    ["", "http://localhost:11434", "http://127.0.0.1:8080", "http://[::1]:1234", "http://192.168.1.20:8000",
     "http://10.1.2.3:80", "http://[fd00::7]:80", "http://ollama.localhost:80"],
)  # fmt: skip
def test_what_runs_here_or_in_the_private_network_is_free(endpoint: str) -> None:
    assert price_of(member(endpoint)) == FREE
    assert is_local(member(endpoint))
    assert context_window_of(member(endpoint)) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "8.8.8.8", "169.254.169.254", "0.0.0.0"])
def test_what_costs_nothing_is_what_local_only_allows(address: str) -> None:
    for host in (address, f"[::ffff:{address}]"):
        try:
            Egress(local_only=True).check(f"http://{host}:8000")
        except EgressRefused:
            allowed = False
        else:
            allowed = True
        assert is_local(member(f"http://{host}:8000")) is allowed
        assert (price_of(member(f"http://{host}:8000")) == FREE) is allowed


def test_a_hosted_model_has_its_published_price(one_model: None) -> None:
    found = price_of(member("https://api.example.com:443", "big"))
    assert isinstance(found, PublishedPrice)
    assert (found.input, found.output, found.cached, found.request) == (1.25, 10, 0.125, 0.005)
    assert context_window_of(member("https://api.example.com:443", "big")) == 1_000_000


def test_the_data_that_is_shipped_knows_common_providers() -> None:
    found = price_of(member("https://api.openai.com:443", "gpt-4o-mini"))
    assert found is not None
    assert 0 < found.input < found.output
    assert price_of(member("https://openrouter.ai:443", "qwen/qwen3-coder:free")) == FREE


@pytest.mark.parametrize(
    ("endpoint", "model"),
    [
        ("https://api.example.com:443", "no-such-model"),
        ("https://api.example.com:443", "embed"),  # no price for output
        ("https://api.example.com.evil.invalid:443", "big"),  # begins like a provider's host
        ("https://unknown.invalid:443", "big"),
        ("http://8.8.8.8:80", "big"),
    ],
)
def test_an_unknown_price_is_none_and_never_zero(one_model: None, endpoint: str, model: str) -> None:
    assert price_of(member(endpoint, model)) is None
    assert not is_local(member(endpoint, model))


def test_a_name_that_resolves_to_private_addresses_only_is_free(
    one_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"gpu-box": ["192.168.0.9"], "both": ["192.168.0.9", "93.184.215.14"]}
    monkeypatch.setattr(prices, "resolve", lambda host, _port: names[host])
    assert price_of(member("http://gpu-box:8000")) == FREE
    assert price_of(member("http://both:8000")) is None


def test_costs_are_exact() -> None:
    assert cost(Price(input=0.1, output=0.2), 1, 1) == Decimal("0.0000003")
    assert cost(Price(input=3, output=15), 1000, 100) == Decimal("0.0045")
    # A price in the settings has no rate for cached tokens: they cost what others do.
    assert cost(Price(input=3, output=15), 1000, 100, 400) == Decimal("0.0045")


def test_cached_tokens_long_prompts_and_fees_per_call_are_charged(one_model: None) -> None:
    found = price_of(member("https://api.example.com:443", "big"))
    assert found is not None
    fee = Decimal("0.005")
    assert cost(found, 100_000, 1000, 40_000) == fee + Decimal("0.075") + Decimal("0.005") + Decimal("0.01")
    assert cost(found, 200_000, 0) == fee + Decimal("0.25")
    assert cost(found, 200_001, 1000) == fee + Decimal("0.5000025") + Decimal("0.015")
    assert cost(found, 100, 0, 500) == fee + Decimal("0.0000125")  # an endpoint that counts wrongly


def test_the_price_data_is_not_imported_for_local_or_priced_members() -> None:
    code = (
        "import sys; from types import SimpleNamespace as N; from moa_engine.config import Price\n"
        "from moa_engine.prices import price_of\n"
        "price_of(N(endpoint='http://127.0.0.1:1', model='m', price=None))\n"
        "price_of(N(endpoint='https://api.openai.com:443', model='m', price=Price(input=1, output=1)))\n"
        "sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

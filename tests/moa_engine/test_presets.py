"""The presets, and how a configuration changes them."""

from __future__ import annotations

import pytest

from moa_engine.config import Settings
from moa_engine.discovery import Found, Model, Server
from moa_engine.errors import ConfigError
from moa_engine.presets import Roster, preset_members, presets, roster_of

#: The proposers of arXiv 2406.04692 as togethercomputer/MoA asks for them (run_eval_alpaca_eval.sh).
PAPER = [
    "microsoft/WizardLM-2-8x22B",
    "Qwen/Qwen1.5-110B-Chat",
    "Qwen/Qwen1.5-72B-Chat",
    "meta-llama/Llama-3-70b-chat-hf",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
    "databricks/dbrx-instruct",
]


def roster(found: Found | None = None, **settings: object) -> Roster:
    return roster_of(Settings.model_validate(settings), frozenset({"lint"}), found)


def models(of: Roster) -> list[object]:
    return [of.members[name]["model"] for name in of.proposers]


@pytest.mark.parametrize(("name", "layers", "aggregator"), [("moa", 3, PAPER[1]), ("moa-lite", 2, PAPER[2])])
def test_the_papers_committees(name: str, layers: int, aggregator: str) -> None:
    got = roster(committee=name)
    assert models(got) == PAPER
    assert got.layers == layers
    assert [got.members[member]["model"] for member in got.aggregators or ()] == [aggregator]
    for member in got.proposers:
        table = got.members[member]
        assert (table["base_url"], table["api_key_env"]) == (
            "https://api.together.xyz/v1",
            "TOGETHER_API_KEY",
        )
        assert table["temperature"] == 0.7


def test_self_moa_asks_one_model_six_times_and_lets_it_aggregate() -> None:
    got = roster(committee="self-moa")
    assert (got.layers, got.proposers, got.aggregators) == (2, ("qwen-110b",), ("qwen-110b",))
    assert got.members["qwen-110b"]["samples"] == 6


def test_single_is_one_answer() -> None:
    got = roster(committee="single")
    assert (got.layers, got.proposers) == (1, ("qwen-110b",))
    assert got.members["qwen-110b"]["samples"] == 1


@pytest.mark.parametrize(("name", "samples"), [("self-moa", 6), ("single", 1)])
def test_baselines_take_the_first_configured_model(name: str, samples: int) -> None:
    members = {
        "off": {"model": "o", "enabled": False},
        "lint": {},
        "mine": {"model": "m", "samples": 3},
        "other": {"model": "n"},
    }
    got = roster(committee=name, members=members)
    assert got.proposers == ("mine", "lint")
    assert got.aggregators == ("mine",)
    assert got.members["mine"]["samples"] == samples


def test_nothing_configured_is_offline() -> None:
    assert roster().name == "offline"
    assert roster(members={"lint": {}}).name == "offline"
    assert roster(members={"a": {"model": "m"}}).name == "configured"


def test_offline_asks_no_model_whatever_is_configured() -> None:
    got = roster(committee="offline", members={"a": {"model": "m"}, "lint": {}}, aggregator="a", layers=3)
    assert got.proposers == ("lint",)
    assert got.aggregators == ()


def test_another_endpoint_for_a_preset_gets_neither_key_nor_price_of_the_presets_own() -> None:
    got = roster(committee="moa", base_url="http://localhost:1/v1")
    for member in got.proposers:
        assert not {"base_url", "api_key_env", "price"} & got.members[member].keys()
        assert got.members[member]["temperature"] == 0.7
    changed = roster(committee="moa", members={"dbrx": {"base_url": "http://localhost:1/v1"}})
    assert changed.members["dbrx"]["base_url"] == "http://localhost:1/v1"
    assert "api_key_env" not in changed.members["dbrx"]
    assert changed.members["qwen-72b"]["api_key_env"] == "TOGETHER_API_KEY"


def test_another_key_variable_for_a_preset_keeps_its_endpoint() -> None:
    got = roster(committee="moa", api_key_env="OUR_KEY")
    for member in got.proposers:
        assert got.members[member]["base_url"] == "https://api.together.xyz/v1"
        assert "api_key_env" not in got.members[member]


def test_single_fields_of_a_presets_member_can_be_changed() -> None:
    got = roster(committee="moa", members={"dbrx": {"model": "dbrx-local"}, "mine": {"model": "m"}})
    assert got.members["dbrx"] == {**preset_members()["dbrx"], "model": "dbrx-local"}
    assert "mine" not in got.proposers
    assert len(got.proposers) == 6


def test_a_member_of_another_kind_takes_nothing_from_the_preset() -> None:
    table = {"kind": "local", "path": "dbrx.gguf"}
    assert roster(committee="moa", members={"dbrx": table}).members["dbrx"] == table


def test_layers_and_aggregator_beside_a_preset_replace_its_own() -> None:
    got = roster(committee="moa", layers=2, aggregator=["gpt"], members={"gpt": {"model": "gpt-4o"}})
    assert (got.layers, got.aggregators) == (2, ("gpt",))
    assert "gpt" not in got.proposers
    assert roster(committee="moa", aggregator=[]).aggregators == ()


def test_a_committee_of_ones_own_wins_over_a_preset_of_that_name() -> None:
    got = roster(committee="moa", committees={"moa": {"layers": 1, "members": {"a": {"model": "m"}}}})
    assert (got.layers, got.proposers) == (1, ("a",))


def test_a_committee_of_ones_own_starts_from_the_projects_members() -> None:
    members = {"a": {"model": "m", "base_url": "http://h/v1", "api_key_env": "K"}, "b": {"model": "n"}}
    committees = {
        "part": {"members": {"a": {"temperature": 0}}},
        "moved": {"members": {"a": {"base_url": "http://other/v1"}}},
        "whole": {"layers": 2},
    }
    settings = {"members": members, "committees": committees, "layers": 3, "aggregator": "b"}
    part = roster(committee="part", **settings)
    assert part.proposers == ("a",)
    assert part.members["a"] == {**members["a"], "temperature": 0}
    assert (part.layers, part.aggregators) == (3, ("b",))
    assert roster(committee="moved", **settings).members["a"] == {"model": "m", "base_url": "http://other/v1"}
    whole = roster(committee="whole", **settings)
    assert (whole.proposers, whole.layers) == (("a", "b"), 2)


def test_local_is_one_model_of_each_family_that_runs_here() -> None:
    names = ("qwen3:8b", "llama3.2:3b", "qwen3:1.7b", "gemma3:4b", "phi4", "granite3.3:8b")
    found = Found((Server("ollama", "http://127.0.0.1:1/v1", tuple(Model(n, 4096) for n in names)),))
    got = roster(found, committee="local", members={"qwen": {"model": "hosted"}, "lint": {}})
    assert got.proposers == ("qwen", "llama", "gemma", "phi", "lint")
    assert got.members["qwen"] == {
        "base_url": "http://127.0.0.1:1/v1",
        "model": "qwen3:8b",
        "context_window": 4096,
    }


def test_local_without_a_server_says_where_it_asked() -> None:
    with pytest.raises(ConfigError, match=r"no model server answers on this machine \(asked ollama at 127"):
        roster(Found(asked=("ollama at 127.0.0.1:11434",)), committee="local")


def test_an_unknown_committee_is_an_error_that_lists_all() -> None:
    with pytest.raises(ConfigError) as caught:
        roster(committee="mao", committees={"mine": {}})
    assert str(caught.value) == (
        "committee: no committee is named 'mao'; did you mean moa? (allowed: mine, "
        "moa, moa-lite, self-moa, single, local, offline)"
    )


def test_every_preset_says_what_it_is() -> None:
    assert set(presets()) == {"moa", "moa-lite", "self-moa", "single", "local", "offline"}
    for preset in presets().values():
        assert preset.about
        assert set(preset.members) <= preset_members().keys()

"""From settings to a committee that can work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moa_engine.committee import Committee, build_committee, require_models
from moa_engine.config import Settings
from moa_engine.discovery import Found, Model, Server
from moa_engine.errors import ConfigError
from tests.moa_engine.sample_kinds import sample_plugins

A, B, C = ({"kind": "talk", "voice": voice} for voice in "abc")
ABC = {"a": A, "b": B, "c": C}


def build(standing: tuple[str, ...] = (), found: Found | None = None, **settings: Any) -> Committee:
    return build_committee(
        Settings.model_validate(settings), sample_plugins(), standing=standing, found=found
    )


def refused(standing: tuple[str, ...] = (), **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        build(standing, **settings)
    return str(caught.value)


def test_configured_members_propose_in_one_layer_and_the_first_aggregates() -> None:
    committee = build(members=ABC)
    assert committee.name == "configured"
    assert committee.layers == (("a", "b", "c"),)
    assert committee.aggregators == ("a",)
    assert list(committee.members) == ["a", "b", "c"]
    assert committee.members["b"].settings.voice == "b"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("layers", "proposing"), [(1, 1), (2, 1), (3, 2), (4, 3)])
def test_a_number_of_layers_counts_the_aggregators(layers: int, proposing: int) -> None:
    committee = build(members=ABC, layers=layers)
    assert committee.layers == (("a", "b", "c"),) * proposing
    assert committee.aggregators == (() if layers == 1 else ("a",))


def test_a_list_of_layers_is_followed_by_the_aggregator() -> None:
    committee = build(members=ABC, layers=[["a", "b"], ["b"]], aggregator=["c", "a"])
    assert committee.layers == (("a", "b"), ("b",))
    assert committee.aggregators == ("c", "a")


def test_members_for_one_task_are_not_asked_in_another() -> None:
    everybody = build(members={**ABC, "l": {"kind": "lint"}}, layers=[["a", "l"], ["b"]], aggregator="c")
    committee = replace(everybody, only_for={"l": "suggest"})
    assert committee.at("suggest").layers == (("a", "l"), ("b",))
    assert committee.at("review").layers == (("a",), ("b",))
    assert list(committee.at("review").members) == ["a", "b", "c"]
    alone = replace(build(members={"l": {"kind": "lint"}}), only_for={"l": "suggest"})
    with pytest.raises(ConfigError, match="nobody on the committee 'offline' takes part in a review"):
        alone.at("review")


def test_members_that_nobody_asks_are_not_built() -> None:
    broken = {"kind": "talk", "voice": "broken"}
    assert list(build(members={**ABC, "x": broken}, layers=[["a"]], aggregator="b").members) == ["a", "b"]
    assert "lost its voice" in refused(members={**ABC, "x": broken})


def test_an_empty_list_of_aggregators_leaves_it_to_the_deterministic_one() -> None:
    assert build(members=ABC, aggregator=[]).aggregators == ()


def test_deterministic_members_sit_in_the_first_layer_only() -> None:
    committee = build(members={**ABC, "lint": {"ignore": ["X"]}}, layers=3)
    assert committee.layers == (("a", "b", "c", "lint"), ("a", "b", "c"))
    assert committee.members["lint"].settings.ignore == ["X"]  # type: ignore[attr-defined]


def test_what_a_task_brings_along_sits_in_the_first_layer() -> None:
    assert build(("lint", "spell"), members=ABC, layers=3).layers == (
        ("a", "b", "c", "lint", "spell"),
        ("a", "b", "c"),
    )
    assert build(("lint",), members=ABC, layers=[["a"], ["b"]]).layers == (("a", "lint"), ("b",))
    offline = build(("lint", "spell"))
    assert (offline.name, offline.layers, offline.aggregators) == ("offline", (("lint", "spell"),), ())


def test_what_a_task_brings_along_can_be_configured_renamed_or_turned_off() -> None:
    off = {"lint": {"enabled": False}, "mine": {"kind": "spell", "ignore": ["Y"]}}
    committee = build(("lint", "spell"), members=off)
    assert committee.layers == (("mine",),)
    assert committee.members["mine"].settings.ignore == ["Y"]  # type: ignore[attr-defined]
    placed = build(("lint",), members={**ABC, "lint": {}}, layers=[["lint", "a"], ["b"]])
    assert placed.layers == (("lint", "a"), ("b",))


def test_disabled_members_are_left_out_wherever_they_are_named() -> None:
    members = {**ABC, "b": {**B, "enabled": False}}
    assert build(members=members).layers == (("a", "c"),)
    committee = build(members=members, layers=[["a", "b"], ["c"]], aggregator=["b", "c"])
    assert committee.layers == (("a",), ("c",))
    assert committee.aggregators == ("c",)
    assert refused(members=members, layers=[["a"], ["b"]]).startswith("layers[1]: has nobody left")


def test_a_committee_of_ones_own() -> None:
    committees = {
        "duo": {"layers": 3, "aggregator": "c", "members": {"a": {}, "d": {"kind": "talk", "voice": "d"}}}
    }
    committee = build(("lint",), members=ABC, committee="duo", committees=committees)
    assert committee.name == "duo"
    assert committee.layers == (("a", "d", "lint"), ("a", "d"))
    assert committee.aggregators == ("c",)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"aggregator": "aa"}, "aggregator: no member is named 'aa'; did you mean a? (allowed: a, b, c)"),
        ({"aggregator": ["a", "d"]}, "aggregator[1]: no member is named 'd' (allowed: a, b, c)"),
        ({"aggregator": ["a", "a"]}, "aggregator[1]: names 'a' twice"),
        ({"layers": [["a"], ["b", "b"]]}, "layers[1][1]: names 'b' twice; `samples` asks one member"),
        ({"layers": [["a"], []]}, "layers[1]: is a layer without members"),
        ({"layers": [["a"], ["d"]]}, "layers[1][0]: no member is named 'd'"),
    ],
)
def test_wrong_names_are_errors_that_say_where(settings: dict[str, Any], said: str) -> None:
    assert refused(members=ABC, **settings).startswith(said)


def test_members_that_read_no_answers_cannot_aggregate_or_sit_later() -> None:
    members = {**ABC, "lint": {}}
    assert refused(members=members, aggregator="lint") == (
        "aggregator: names 'lint', which reads no answers and cannot aggregate"
    )
    said = refused(members=members, layers=[["a"], ["lint"]])
    assert said == "layers[1]: names 'lint', which reads the subject and no answers: first layer only"


def test_wrong_members_are_errors_that_name_the_key() -> None:
    assert refused(members={"a": {"kind": "tlak"}}).startswith(
        "members.a.kind: no kind of member is named 'tlak'; did you mean talk?"
    )
    assert refused(members={"a": {"kind": "talk"}}) == "members.a.voice: is missing"
    assert refused(("lnit",), members=ABC).startswith(
        "kind: no kind of member is named 'lnit'; did you mean lint?"
    )
    assert "members.spell: has the name of" in refused(("spell",), members={"spell": A})


def test_a_preset_is_built_from_chat_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGETHER_API_KEY", "a-key-for-nobody")
    committee = build(committee="moa")
    assert [len(layer) for layer in committee.layers] == [6, 6]
    assert committee.aggregators == ("qwen-110b",)
    assert {member.endpoint for member in committee.members.values()} == {"https://api.together.xyz:443"}
    families = {name: member.family for name, member in committee.members.items()}
    assert families["wizardlm-8x22b"] == families["mixtral-8x22b"] == "mistral"
    assert len(set(families.values())) == 4


def test_a_preset_pointed_elsewhere_needs_no_key_of_the_presets_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOGETHER_API_KEY", raising=False)
    committee = build(committee="moa", base_url="http://127.0.0.1:1/v1")
    assert {member.endpoint for member in committee.members.values()} == {"http://127.0.0.1:1"}


def test_the_local_preset_is_built_from_what_was_found() -> None:
    server = Server("vllm", "http://127.0.0.1:1/v1", (Model("qwen3", 32768), Model("llama3")))
    committee = build(committee="local", found=Found((server,)))
    assert committee.layers == (("qwen", "llama"),)
    assert committee.aggregators == ("qwen",)
    assert committee.members["qwen"].context_window == 32768


def test_tasks_for_models_refuse_a_committee_without_any() -> None:
    require_models(build(members=ABC))
    with pytest.raises(ConfigError, match="no model is configured") as caught:
        require_models(build(("lint",)))
    assert "moa init" in caught.value.hint
    assert "--committee" in caught.value.hint

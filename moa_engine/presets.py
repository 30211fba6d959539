"""Committees by name: the presets, and those of the configuration; who could sit on each.

Nothing is built or called here: a `Roster` is still data. `presets.toml` holds the presets.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from moa_engine.config_check import Place, Problem, refusal, unknown_name
from moa_engine.config_sources import Table, overlaid

if TYPE_CHECKING:
    from moa_engine.config import CommitteeSettings, Settings
    from moa_engine.discovery import Found

#: The name of the committee that the configuration describes without naming it.
CONFIGURED = "configured"
OFFLINE = "offline"

#: Gives a member's settings: `own_member` with all but the name and the table filled in.
Start = Callable[[str, Table], Table]

#: What belongs to an endpoint: whoever points a member elsewhere must not send the key along.
_OF_ENDPOINT = ("base_url", "api_key_env", "price")


@dataclass(frozen=True, slots=True)
class Preset:
    """A committee that everybody has.

    `samples` replaces its members' own. With `own_model` the first configured model sits on it, if
    there is one; with `discover` its members are what runs on this machine.
    """

    about: str
    layers: int
    members: tuple[str, ...] = ()
    aggregator: str = ""
    samples: int | None = None
    own_model: bool = False
    discover: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """Who could sit on a committee.

    `proposers` sit in every layer where `layers` is a number. `aggregators` is None where nobody was
    named: then the first proposer that is a model aggregates. The keys say where layers and
    aggregators were configured, for errors.
    """

    name: str
    members: Mapping[str, Table]  #: everybody who can be named in a layer or as an aggregator
    proposers: tuple[str, ...]
    layers: int | list[list[str]]
    aggregators: tuple[str, ...] | None = None
    layers_key: Place = ("layers",)
    aggregator_key: Place = ("aggregator",)


@cache
def presets() -> Mapping[str, Preset]:
    """The presets by name."""
    return {
        name: Preset(**{**table, "members": tuple(table.get("members", ()))})
        for name, table in _file()["presets"].items()
    }


def preset_members() -> Mapping[str, Table]:
    """The settings of the members that sit on presets, by their names."""
    members: Mapping[str, Table] = _file()["members"]
    return members


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(files("moa_engine").joinpath("presets.toml").read_text(encoding="utf-8"))


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    """A member's settings `above` over weaker ones `below`.

    Another `base_url` takes no key and no price with it; another `kind` takes nothing.
    """
    kind = below.get("kind", "chat")
    if above.get("kind", kind) != kind:
        return dict(above)
    if "base_url" in above:
        below = {key: value for key, value in below.items() if key not in _OF_ENDPOINT}
    return overlaid(below, above)


def own_member(name: str, table: Table, subject_kinds: Set[str], root: Mapping[str, Any]) -> Table:
    """The settings of a configured member; `root` are the settings outside of all members.

    A member with the name of a preset's member starts from that one's settings; one with the name of
    a deterministic kind is of that kind.
    """
    if name in preset_members():
        return over(_pointed(preset_members()[name], root), table)
    return over({"kind": name} if name in subject_kinds else {}, table)


def _pointed(member: Table, root: Mapping[str, Any]) -> Table:
    """A preset's member without what it takes from the root of the settings instead."""
    taken = {key: root[key] for key in ("base_url", "api_key_env") if root.get(key) is not None}
    return {key: value for key, value in over(member, taken).items() if key not in taken}


def roster_of(settings: Settings, subject_kinds: Set[str], found: Found | None = None) -> Roster:
    """Who could sit on the committee that the settings choose.

    `layers` and `aggregator` of the settings replace those of a preset; a committee of the
    configuration takes them for what it does not say itself. Deterministic members that are
    configured sit on every committee. `found` is what was discovered, for the presets that ask.

    Raises:
        ConfigError: there is no committee of that name, or nothing was found for one that discovers.
    """
    start = partial(own_member, subject_kinds=subject_kinds, root=settings.model_dump())
    own = {name: start(name, table) for name, table in settings.members.items()}
    standing = tuple(name for name, table in own.items() if str(table.get("kind")) in subject_kinds)
    models = tuple(name for name in own if name not in standing)
    name = settings.committee
    if name is None:
        name = CONFIGURED if any(own[model].get("enabled", True) for model in models) else OFFLINE
        return Roster(name, own, tuple(own), settings.layers, _aggregators(settings))
    if name in settings.committees:
        return _configured(settings, name, own, standing, start)
    if name in presets():
        return _preset(settings, name, own, standing, start, found)
    problem = unknown_name(("committee",), "committee", name, [*settings.committees, *presets()])
    raise refusal([problem])


def _configured(
    settings: Settings, name: str, own: dict[str, Table], standing: tuple[str, ...], start: Start
) -> Roster:
    chosen = settings.committees[name]
    layers = chosen if "layers" in chosen.model_fields_set else settings
    aggregator = chosen if "aggregator" in chosen.model_fields_set else settings
    members = {
        member: over(own[member], table) if member in own else start(member, table)
        for member, table in chosen.members.items()
    }
    prefix: Place = ("committees", name)
    return Roster(
        name,
        own | members,
        tuple(dict.fromkeys([*(members or own), *standing])),
        layers.layers,
        _aggregators(aggregator),
        (*prefix, "layers") if layers is chosen else ("layers",),
        (*prefix, "aggregator") if aggregator is chosen else ("aggregator",),
    )


def _preset(
    settings: Settings,
    name: str,
    own: dict[str, Table],
    standing: tuple[str, ...],
    start: Start,
    found: Found | None,
) -> Roster:
    preset = presets()[name]
    said = _aggregators(settings) if preset.members or preset.discover else ()  # offline means offline
    aggregator = preset.aggregator
    model = next((n for n in own if n not in standing and own[n].get("enabled", True)), None)
    if preset.discover:
        members = _discovered(found)
    elif preset.own_model and model is not None:
        members, aggregator = {model: own[model]}, model
    else:
        members = {member: own[member] if member in own else start(member, {}) for member in preset.members}
    if preset.samples is not None:
        members = {member: {**table, "samples": preset.samples} for member, table in members.items()}
    return Roster(
        name,
        own | members,
        (*members, *standing),
        settings.layers if "layers" in settings.model_fields_set else preset.layers,
        ((aggregator,) if aggregator else None) if said is None else said,
    )


def _discovered(found: Found | None) -> dict[str, Table]:
    from moa_engine.discovery import discover_now, local_members

    return local_members(found or discover_now())


def _aggregators(settings: CommitteeSettings) -> tuple[str, ...] | None:
    if "aggregator" not in settings.model_fields_set:
        return None
    named = settings.aggregator
    return (named,) if isinstance(named, str) else tuple(named)


def naming_problems(roster: Roster, known: Iterable[str] = ()) -> Iterator[Problem]:
    """Names in layers and aggregators that nobody has, or that stand there twice; empty layers.

    `known` are names besides the roster's own.
    """
    names = [*roster.members, *known]
    if isinstance(roster.layers, list):
        for number, layer in enumerate(roster.layers):
            key = (*roster.layers_key, number)
            if not layer:
                yield Problem(key, "is a layer without members")
            yield from _names(key, layer, names)
    key = roster.aggregator_key
    aggregators = roster.aggregators or ()
    yield from _names(key, aggregators, names, single=len(aggregators) == 1)


def _names(key: Place, given: Iterable[str], known: list[str], *, single: bool = False) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, name in enumerate(given):
        place = key if single else (*key, number)
        if name not in known:
            yield unknown_name(place, "member", name, known)
        elif name in seen:
            yield Problem(place, f"names {name!r} twice; `samples` asks one member several times")
        seen.add(name)

"""A committee that is ready to work: its members, who proposes in which layer, who aggregates."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from moa_engine.errors import ConfigError, MoaError
from moa_engine.member import Member

if TYPE_CHECKING:
    import pluggy

    from moa_engine.config import MemberSettings, Settings
    from moa_engine.config_check import Place, Problem
    from moa_engine.discovery import Found
    from moa_engine.hookspecs import MemberKind
    from moa_engine.presets import Roster


@dataclass(frozen=True, slots=True)
class Committee:
    """Members by name, the proposers of each layer, and the aggregators in order of preference.

    `len(layers)` proposer layers are followed by one aggregation: the paper counts that as
    `len(layers) + 1`. With no aggregator the deterministic one concludes, without a call.
    """

    name: str
    members: dict[str, Member]
    layers: tuple[tuple[str, ...], ...]
    aggregators: tuple[str, ...] = ()
    only_for: Mapping[str, str] = field(default_factory=dict)  #: members that have one task only: its name

    def at(self, task: str) -> Committee:
        """The committee for a task: without the members that are there for another one.

        Raises:
            ConfigError: nobody is left.
        """
        away = {name for name, only in self.only_for.items() if only != task}
        if not away:
            return self
        if away >= set(self.members):
            raise ConfigError(
                f"nobody on the committee {self.name!r} takes part in a {task}",
                hint=f"its members are for another task: {', '.join(sorted(away))}",
            )
        layers = [tuple(name for name in layer if name not in away) for layer in self.layers]
        return replace(
            self,
            members={name: member for name, member in self.members.items() if name not in away},
            layers=tuple(layer for layer in layers if layer),
        )

    async def open(self) -> None:
        """Have every member do what must be done before its first request.

        Raises:
            ConfigError: a member cannot work.
        """
        for name, member in self.members.items():
            try:
                await member.open()
            except MoaError:
                raise
            except Exception as error:  # whatever a plug-in's own code raises
                raise ConfigError(
                    f"member {name!r} cannot be opened: {type(error).__name__}: {error}"
                ) from error

    async def aclose(self) -> None:
        """Release what the members hold (connections, loaded models). One that fails is only warned of."""
        for name, member in self.members.items():
            try:
                await member.aclose()
            except Exception as error:  # a run that is over must not be lost for it
                warnings.warn(f"member {name!r} cannot be closed: {error!r}", RuntimeWarning, stacklevel=2)


def build_committee(
    settings: Settings,
    plugins: pluggy.PluginManager,
    *,
    standing: Sequence[str] = (),
    found: Found | None = None,
) -> Committee:
    """The committee that the settings choose, with its members built.

    `standing` are the deterministic kinds that the task brings along: each sits in the first layer
    under its own name, unless the configuration has a member of that kind. `found` is what was
    discovered, for the preset `local`; without it that preset looks for itself, which needs a thread
    without a running event loop. A committee can be empty: see `require_models`.

    Raises:
        ConfigError: a name, a kind or a member's setting is wrong, or a member cannot be built.
    """
    from moa_engine.config_check import refusal, unknown_name
    from moa_engine.plugins import member_kinds, subject_reading
    from moa_engine.presets import naming_problems, roster_of

    kinds = member_kinds(plugins)
    if unknown := [kind for kind in standing if kind not in kinds]:
        raise refusal(unknown_name(("kind",), "kind of member", kind, kinds) for kind in unknown)
    roster = roster_of(settings, subject_reading(kinds) | set(standing), found)
    tables = dict(roster.members)
    brought = [kind for kind in standing if all(table.get("kind") != kind for table in tables.values())]
    for kind in brought:
        if kind in tables:
            raise ConfigError(
                f"members.{kind}: has the name of a reviewer of another kind; choose another name"
            )
        tables[kind] = {"kind": kind}
    if problems := list(naming_problems(roster, known=brought)):
        raise refusal(problems)
    seats = _seats(roster, brought, [name for name, table in tables.items() if table.get("enabled", True)])
    checked = {name: _checked(name, tables[name], kinds) for name in tables if name in seats.everybody}
    members = {name: kind.build(name, own, settings) for name, (kind, own) in checked.items()}
    only_for = {name: kind.task for name, (kind, _) in checked.items() if kind.task}
    return replace(_seated(roster, seats, members), only_for=only_for)


def require_models(committee: Committee) -> None:
    """For tasks that deterministic members cannot do.

    Raises:
        ConfigError: nobody on the committee is a model.
    """
    if not any(member.reads == "messages" for member in committee.members.values()):
        raise ConfigError(
            f"no model is configured (committee {committee.name!r})",
            hint="`moa init` writes a moa.toml from what it finds on this machine; "
            "--committee local takes it as it is, --committee moa asks hosted models",
        )


@dataclass(frozen=True, slots=True)
class _Seats:
    """Who is asked in which layer, before it is known what the members read."""

    layers: list[list[str]]
    named: bool  #: whether the configuration lists the layers one by one
    aggregators: tuple[str, ...] | None

    @property
    def everybody(self) -> set[str]:
        return {name for layer in self.layers for name in layer} | set(self.aggregators or ())


def _seats(roster: Roster, brought: list[str], enabled: list[str]) -> _Seats:
    if isinstance(roster.layers, int):
        everybody = [name for name in [*roster.proposers, *brought] if name in enabled]
        layers = [everybody] * max(1, roster.layers - 1)
    else:
        layers = [[name for name in layer if name in enabled] for layer in roster.layers]
        listed = {name for layer in roster.layers for name in layer}
        layers[0] += [name for name in brought if name not in listed]
    aggregators = roster.aggregators
    if aggregators is not None:
        aggregators = tuple(name for name in aggregators if name in enabled)
    if roster.layers == 1:
        aggregators = ()
    return _Seats(layers, not isinstance(roster.layers, int), aggregators)


def _checked(
    name: str, table: Mapping[str, Any], kinds: Mapping[str, MemberKind]
) -> tuple[MemberKind, MemberSettings]:
    from pydantic import ValidationError

    from moa_engine.config_check import invalid, refusal, unknown_name

    kind = kinds.get(table.get("kind", "chat"))
    if kind is None:
        raise refusal([unknown_name(("members", name, "kind"), "kind of member", str(table["kind"]), kinds)])
    try:
        return kind, kind.settings.model_validate(table)
    except ValidationError as error:
        raise refusal(invalid(error, kind.settings, table, ("members", name))) from None


def _seated(roster: Roster, seats: _Seats, members: dict[str, Member]) -> Committee:
    """The committee, with members that read the subject in the first layer only."""
    from moa_engine.config_check import Problem, refusal

    models = {name for name, member in members.items() if member.reads == "messages"}
    problems: list[Problem] = []
    layers: list[tuple[str, ...]] = []
    for number, names in enumerate(seats.layers):
        place: Place = (*roster.layers_key, number)
        if seats.named and not names:
            problems.append(Problem(place, "has nobody left: all its members are disabled"))
        if seats.named and number:
            problems += [
                Problem(place, f"names {name!r}, which reads the subject and no answers: first layer only")
                for name in names
                if name not in models
            ]
        layers.append(tuple(name for name in names if name in models or not number))
    aggregators = seats.aggregators
    if aggregators is None:
        aggregators = next(((name,) for layer in layers for name in layer if name in models), ())
    problems += [
        Problem(roster.aggregator_key, f"names {name!r}, which reads no answers and cannot aggregate")
        for name in aggregators
        if name not in models
    ]
    if problems:
        raise refusal(problems)
    return Committee(roster.name, members, tuple(layer for layer in layers if layer), aggregators)

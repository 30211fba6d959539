"""Suggestions into files: all of them, or those that the user says yes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from moa_engine.errors import MoaError
from moa_engine.printable import one_line, printable
from pytest_moa.placing.placing import Change, Placing
from pytest_moa.placing.source_file import NotPlaced
from pytest_moa.placing.test_files import TestTree
from pytest_moa.placing.writing import digest
from pytest_moa.session.company import Company, Unknown, is_of, name_in
from pytest_moa.session.kept import Kept, keep
from pytest_moa.session.showing import warn
from pytest_moa.suggestions import Suggestion, Suggestions
from pytest_moa.target import Target


def placing_of(config: pytest.Config) -> Placing:
    """Places tests where this session would find them."""
    get = config.getini
    return Placing(
        TestTree(
            config.rootpath,
            patterns=tuple(get("python_files")),
            folders=tuple(get("testpaths")),
            skipped=tuple(get("norecursedirs")),
        ),
        tuple(Path(folder) for folder in get("pythonpath")),
    )


@dataclass(slots=True)
class Basket:
    """Suggestions that will be written, gathered by file. Nothing is written before `write`."""

    config: pytest.Config
    placing: Placing
    changes: dict[str, Change] = field(default_factory=dict)
    taken: dict[str, list[Suggestion]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)  #: reasons, for people
    unknown: list[str] = field(default_factory=list)  #: why files were written that nobody has run

    def add(self, suggestion: Suggestion, *, seen: bool) -> Change | None:
        """Add one to its file; None if it cannot be, with the reason in `refused`.

        `seen` says that the user has seen what it does to the file as it is now.
        """
        try:
            change = self.planned(suggestion)
            if not seen and digest(change.before) != suggestion.file_digest:
                raise NotPlaced(
                    f"{suggestion.file} has changed since this was suggested",
                    hint="pytest --moa-review shows what would be written now; pytest --moa suggests anew.",
                )
        except NotPlaced as error:
            self.refused.append(f"{suggestion.candidate.name}: {error}")
            return None
        self.changes[suggestion.file] = change
        self.taken.setdefault(suggestion.file, []).append(suggestion)
        return change

    def planned(self, suggestion: Suggestion) -> Change:
        """What adding one would do, on top of what its file gets already.

        Raises:
            NotPlaced: it cannot be added, or a plug-in is against it.
        """
        hook = self.config.hook.pytest_moa_accept
        reasons = hook(config=self.config, suggestion=suggestion, path=suggestion.file)
        if reasons:
            raise NotPlaced(f"not written into {suggestion.file}: {reasons[0]}")
        onto = self.changes.get(suggestion.file)
        return self.placing.change(suggestion.file, [suggestion.candidate], onto)

    def leave_out(self, suggestion: Suggestion, why: str) -> None:
        """Take one out again, and say why."""
        self.refused.append(f"{suggestion.candidate.name}: {why}")
        self.changes.pop(suggestion.file, None)
        for one in self.taken.pop(suggestion.file, []):
            if one is not suggestion:
                self.add(one, seen=True)

    def write(self) -> Iterable[Suggestion]:
        """Write each file once; yields what is in the files by then."""
        for path, change in self.changes.items():
            try:
                self.placing.write(change)
            except NotPlaced as error:
                self.refused.append(str(error))
            else:
                yield from self.taken[path]


def accept_all(config: pytest.Config, terminal: TerminalReporter, run: Kept) -> None:
    """Write all suggestions of a run, and keep what could not be written."""
    basket = Basket(config, placing_of(config))
    for suggestion in placed(basket.placing, run.suggestions, {}, basket.refused):
        basket.add(suggestion, seen=False)
    with Company(config, run.suggestions) as company:
        finish(terminal, run, basket, company)


def finish(
    terminal: TerminalReporter, run: Kept, basket: Basket, company: Company, dropped: Iterable[str] = ()
) -> None:
    """Write what of the basket gets along with its file, say so, and keep the rest for the next time.

    `dropped` are ids of suggestions that nobody wants to see again.
    """
    for path in list(basket.changes):
        _rehearse(basket, path, company)
    for path in run.changed(basket.placing.root):
        terminal.write_line(
            f"warning: {one_line(path)} has changed since its tests were suggested", yellow=True
        )
    written = list(basket.write())
    for path, change in basket.changes.items():
        here = [one for one in written if one.file == path]
        added = len(here) - len(change.present)
        new = " (new file)" if change.before is None else ""
        if added > 0:
            tests = "test" if added == 1 else "tests"
            terminal.write_line(f"moa: {added} {tests} into {one_line(path)}{new}", green=True)
        if here and change.present:
            terminal.write_line(f"moa: {one_line(path)} has {len(change.present)} of these tests already")
        for note in change.notes:
            terminal.write_line(f"warning: {one_line(note)}", yellow=True)
    for why in basket.unknown:
        warn(terminal, why)
    for reason in basket.refused:
        terminal.write_line(f"moa: {printable(reason)}", red=True)
    done = {id for one in written for id in (one.id, *one.made_of)} | set(dropped)
    files = {one.file: digest(basket.changes[one.file].after) for one in written}
    rest = tuple(
        replace(one, file_digest=files.get(one.file, one.file_digest))
        for one in run.suggestions.suggestions
        if one.id not in done
    )
    keep(basket.config, replace(run, suggestions=replace(run.suggestions, suggestions=rest)))


def _rehearse(basket: Basket, path: str, company: Company) -> None:
    """Leave out what fails in company, and what makes tests fail that are there already."""
    try:
        while (change := basket.changes.get(path)) is not None and change.added:
            broken = company.broken_by(change)
            if not broken:
                return
            name, message = next(iter(broken.items()))
            guilty = _guilty(basket, path, name, company)
            why = f"it fails in {path}" if name and guilty and _is_own(change, guilty[0], name) else ""
            where = f"{path}::{name}" if name else path
            why = why or f"{where} fails with it" + ("" if guilty else " and the others")
            for one in guilty or [one for one in basket.taken[path] if one.id in change.added]:
                basket.leave_out(one, f"not written: {why}: {message.splitlines()[0]}")
    except Unknown as error:
        basket.unknown.append(f"{path} was not run before it was written: {error}")


def _guilty(basket: Basket, path: str, test: str, company: Company) -> list[Suggestion]:
    """The suggestion that a failing test is of, else one that brings the failure about alone."""
    change = basket.changes[path]
    added = [one for one in basket.taken[path] if one.id in change.added]
    for one in added:
        if test and _is_own(change, one, test):
            return [one]
    for one in added:
        if company.broken_by(basket.placing.change(path, [one.candidate])):
            return [one]
    return []


def _is_own(change: Change, suggestion: Suggestion, test: str) -> bool:
    return suggestion.id in change.added and is_of(test, name_in(change, suggestion.id))


def placed(
    placing: Placing, found: Suggestions, reaching: Mapping[str, Mapping[str, int]], problems: list[str]
) -> list[Suggestion]:
    """The suggestions with the files they go into; why some go nowhere is added to `problems`.

    `reaching` counts, by `Target.name` and file, the tests that reach it.
    """
    targets: dict[str, Target] = {}
    for outcome in found.targets:
        targets[f"{outcome.target.module}:{outcome.target.qualname}"] = outcome.target
    result: list[Suggestion] = []
    for suggestion in found.suggestions:
        target = targets.get(suggestion.candidate.target)
        try:
            if suggestion.file:
                result.append(suggestion)
            elif target is None:
                raise NotPlaced(f"nobody knows where {suggestion.candidate.target} is")
            else:
                result.append(placing.placed(suggestion, target, reaching.get(target.name, {})))
        except MoaError as error:
            problems.append(f"{suggestion.candidate.name}: {error}")
    return result

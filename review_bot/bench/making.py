"""The steps that make case sets: `moa bench cases` and `moa bench check`."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import TYPE_CHECKING

from review_bot.bench.telling import say, shown_seconds

if TYPE_CHECKING:
    from pathlib import Path

    from review_bot.bench.cases import CaseHunk, CaseSet
    from review_bot.bench.equivalent import Witnessed

EFFECTS = {"differs": "differs", "same": "no difference was found", "unknown": "could not be run"}


def make(args: argparse.Namespace, source: str, output: Path) -> CaseSet:
    """Make a case set and write it.

    Raises:
        ConfigError: there is no such source, or nothing in it can be edited.
    """
    from moa_engine.errors import ConfigError
    from review_bot.bench.choosing import chosen
    from review_bot.bench.equivalent import witness
    from review_bot.bench.sources import find_sources

    sources = find_sources(source)
    judging = nullcontext() if args.no_witness else witness(sources, seconds=args.witness_seconds)
    with judging as judge:
        if judge is not None:
            edits = args.planted + args.clean + args.history + args.history // 2
            usual = shown_seconds(edits * args.witness_seconds / 3)
            say(
                f"makes cases of {sources.name}: runs about {edits} edits on inputs that show them, up to "
                f"{args.witness_seconds:g} s each, {usual} or so in all (--no-witness leaves that out; "
                "Ctrl-C ends it with what there is)"
            )
        cases = chosen(
            sources,
            planted=args.planted,
            clean=args.clean,
            seed=args.case_seed,
            history=args.history,
            witness=judge,
            told=_judged,
        )
    if args.labels:
        cases = _labelled(args, cases)
    if not cases.cases:
        raise ConfigError(f"{source} has no function in which something could be planted")
    cases.write(output)
    kinds = [(cases.count("planted"), "planted"), (cases.count("history"), "from history")]
    counts = ", ".join(f"{count} {name}" for count, name in kinds if count)
    clean = cases.count("clean")
    say(f"{counts} defects and {clean} clean hunks of {cases.source} in {len(cases.cases)} cases: {output}")
    if cases.count("planted") < args.planted or clean < args.clean:
        say("that is fewer than wanted: the code has no more functions that are short enough")
    return cases


def _labelled(args: argparse.Namespace, cases: CaseSet) -> CaseSet:
    """With cases from what people thought of findings, as this machine's record has it."""
    from pathlib import Path

    from moa_engine.session import open_session
    from review_bot.bench.labelled import with_labels

    given = {"record": args.record} if getattr(args, "record", None) else {}
    with open_session(start=Path(), flags=given) as session:
        return with_labels(cases, session.record)


def check(args: argparse.Namespace) -> CaseSet:
    """Run the edits of a case set that nobody has run yet; the file is written after each."""
    from review_bot.bench.cases import read_cases
    from review_bot.bench.choosing import checked
    from review_bot.bench.equivalent import witness
    from review_bot.bench.sources import find_sources

    cases = read_cases(args.cases)
    with witness(find_sources(args.source), seconds=args.witness_seconds) as judge:
        cases = checked(cases, judge, _judged, lambda cases: cases.write(args.cases))
    say(f"{cases.count('planted')} planted defects and {cases.count('clean')} clean hunks count")
    return cases


def _judged(hunk: CaseHunk, seen: Witnessed) -> None:
    taken = "" if seen.agrees(hunk.kind) else " (does not count)"
    say(f"{hunk.path} {hunk.function}, {hunk.edit}: {seen.words or EFFECTS[seen.effect]}{taken}")

"""`review-bot witness`: inputs on which two versions behave differently. Needs no model.

The result goes to standard output, progress and problems to standard error. Exit codes:

    0  no difference was found
    1  differences were found
    2  wrong usage
    4  nothing could be run
    130  interrupted a second time: what was proved by then was told
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa_engine.errors import ConfigError, MoaError
from moa_engine.printable import one_line, printable

if TYPE_CHECKING:
    from review_bot.change import Change, Trees
    from review_bot.proof.report import BehaviourReport, ProofReport

SAME, DIFFERENT, USAGE, NOTHING, INTERRUPTED = 0, 1, 2, 4, 130

EPILOG = """\
exit codes:
  0  no difference was found
  1  differences were found
  2  wrong usage
  4  nothing could be run: no sandbox (see --unsafe), no Python that changed
  130  Ctrl-C a second time: it tells what was proved by then, and ends at once

A difference is an input, what each version does with it, and a pytest test that passes on the first
version and fails on the second, three times of three in fresh processes. That none was found does not
prove that there is none.
"""


class NothingRun(MoaError):
    """There is nothing to compare by running it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `review-bot witness`."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("range", nargs="?", metavar="RANGE", help="A..B, HEAD~1, main..., C^!")
    one.add_argument("--staged", action="store_true", help="what is staged, against HEAD")
    one.add_argument("--working", action="store_true", help="the working tree, against HEAD")
    parser.add_argument(
        "--repo",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="a folder of the repository (default: here)",
    )
    parser.add_argument(
        "--function", action="append", metavar="NAME", help="package.module:function only; may be repeated"
    )
    parser.add_argument("--seconds", type=_seconds, default=60.0, metavar="N", help="default: 60")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--output-tests", type=Path, metavar="FILE", help="write the tests into one file")
    parser.add_argument("--unsafe", action="store_true", help="run the code also where no sandbox works")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Run the command; the exit code is one of the module's docstring.

    Raises:
        ConfigError: the range, the repository or the file is wrong.
    """
    file: Path | None = args.output_tests
    if file is not None and not file.absolute().parent.is_dir():
        raise ConfigError(f"--output-tests {file}: there is no folder {file.parent}", hint="make it first")
    change = _change(args)
    try:
        behaviour, proof, whole = _searched(args, change)
    except ConfigError:
        raise
    except MoaError as problem:
        _say(problem.message)
        if problem.hint:
            _say(f"  {problem.hint.replace('--prove=unsafe', '--unsafe')}")
        return NOTHING
    print(_json(behaviour, proof) if args.format == "json" else _text(behaviour, proof))
    if file is not None and behaviour:
        tests = [one.test for one in behaviour if one.test]
        file.write_text(_together(tests), encoding="utf-8")
        _say(f"wrote {len(tests)} tests to {file}")
    if not whole:
        return INTERRUPTED
    if not any(one.executions for one in proof.searched) and not behaviour:
        return NOTHING
    return DIFFERENT if behaviour else SAME


def _change(args: argparse.Namespace) -> Change:
    from review_bot.read_change import read_change
    from review_bot.skipped import SkipRules

    return read_change(
        args.repo,
        range=args.range,
        staged=args.staged,
        working=args.working,
        patch=None,
        rules=SkipRules((), (), 5_000_000),
        guidelines=[],
    )


def _searched(args: argparse.Namespace, change: Change) -> tuple[list[BehaviourReport], ProofReport, bool]:
    """What was found, how, and whether the search came to its end."""
    from moa_engine.redaction import Redactor
    from pytest_moa.proof.behaviour import BehaviourChange, Proof
    from pytest_moa.proof.prove import Sides, prove
    from review_bot.proof.facts import Cleaner, by_interest
    from review_bot.proof.found import Found
    from review_bot.scratch import ScratchTrees

    make = ScratchTrees(args.repo, change, everything=True)
    trees: Trees = make()
    if trees.base is None or trees.head is None:
        raise NothingRun(str(trees.extra.get("why", "the versions are not known")))
    stop = threading.Event()
    proved: list[BehaviourChange] = []
    whole = True
    with _stopped_by_ctrl_c(stop):
        try:
            proof = prove(
                Sides(Path(trees.base), Path(trees.head)),
                change.python_paths(),
                functions=args.function,
                seconds=args.seconds,
                unsafe=args.unsafe,
                progress=None if args.quiet else _say,
                found=proved.append,
                stop=stop,
            )
        except KeyboardInterrupt:
            if not proved:
                raise
            proof, whole = Proof(tuple(proved)), False
    if stop.is_set():
        proof = replace(proof, notes=("interrupted before the search was over", *proof.notes))
    found = Found(Cleaner(Redactor().mask))
    found.add(proof)
    return sorted(found.behaviours.values(), key=by_interest), found.report(), whole


def _text(behaviour: list[BehaviourReport], proof: ProofReport) -> str:
    from review_bot.formats import behaviour as words

    lines = [words.summary(proof, behaviour)]
    for one in behaviour:
        row = words.row(one)
        lines += [
            "",
            one_line(f"{one.path}:{one.line} {one.name}"),
            f"  input:   {row.input}",
            f"  before:  {row.before}",
            f"  after:   {row.after}",
            f"  found by {', '.join(one.found_by)}",
        ]
        if one.test:
            lines += ["", *(f"    {line}".rstrip() for line in printable(one.test).rstrip("\n").split("\n"))]
    if left := words.unsearched(proof):
        lines += ["", *(f"not compared: {one}" for one in left)]
    quiet = [one for one in proof.searched if one.status == "no difference found"]
    lines += [one_line(f"no difference found: {one.qualname} {one.branches}") for one in quiet]
    lines += [f"note: {one_line(note)}" for note in proof.notes]
    return "\n".join(lines)


def _json(behaviour: list[BehaviourReport], proof: ProofReport) -> str:
    unjudged = {"judgement", "why", "judged_by"}
    data: dict[str, Any] = {
        "schema": "witness/1",
        "behaviour": [one.model_dump(mode="json", exclude=unjudged) for one in behaviour],
        **proof.model_dump(mode="json"),
    }
    return json.dumps(data, indent=2)


def _together(tests: list[str]) -> str:
    """Test modules as one; functions of one name get numbers."""
    import ast

    imports: dict[str, None] = {}
    bodies: list[str] = []
    taken: set[str] = set()
    for test in tests:
        tree = ast.parse(test)
        for node in tree.body:
            source = ast.unparse(node)
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports[source] = None
                continue
            if isinstance(node, ast.FunctionDef):
                name, number = node.name, 1
                while name in taken:
                    number += 1
                    name = f"{node.name}_{number}"
                taken.add(name)
                node.name = name
                source = ast.unparse(node)
            bodies.append(source)
    return "\n".join(imports) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


@contextmanager
def _stopped_by_ctrl_c(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C ends the search with what it has found; the second one raises as usual.

    Once it has ended so, no further one may keep what was found from being shown: all are ignored then.
    """
    before = signal.getsignal(signal.SIGINT)

    def first_time(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    try:
        signal.signal(signal.SIGINT, first_time)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if stop.is_set() else before)


def _say(message: str) -> None:
    print(f"review-bot: {printable(message)}", file=sys.stderr)

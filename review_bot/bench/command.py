"""`moa bench`: measure a committee on cases of which it is known what is wrong in them.

Exit codes: 0 done, 1 --fail-if-worse and it got worse, 2 wrong usage or settings, 3 partial (interrupted,
or a member failed), 4 nothing came of it, 130 interrupted before there was anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from moa_engine.options import add_committee_options

EPILOG = """\
Without a step it does all: makes cases of the repository (or takes those that are there), shows what the
run will take, runs the committee, and says what it found. Interrupted, the same command goes on.

exit codes:
  0  done
  1  --fail-if-worse, and a committee got worse
  2  wrong usage or settings; nothing was called
  3  partial: interrupted, or a member did not answer in some case
  4  nothing came of it
"""

CASES, RESULT, PAIRS = Path("moa-cases.json"), Path("moa-bench.json"), Path("moa-pairs.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options and steps of `moa bench`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--cases", type=Path, default=CASES, metavar="FILE", help=f"default: {CASES}")
    _add_making(parser)
    _add_running(parser)
    _add_pairs(parser)
    own = {action.dest for action in parser._actions}
    steps = parser.add_subparsers(title="steps", metavar="STEP", dest="step")
    cases = steps.add_parser("cases", help="make a case set of a repository or an installed package")
    cases.add_argument(
        "source", nargs="?", default=".", help="a folder, or an installed package (default: .)"
    )
    cases.add_argument(
        "--output", type=Path, default=CASES, metavar="FILE", dest="cases", help=f"default: {CASES}"
    )
    _add_making(cases)
    check = steps.add_parser("check", help="run the edits of a case set that nobody has run yet")
    check.add_argument("cases", type=Path, help="a file of `moa bench cases`; it is written again")
    check.add_argument("source", nargs="?", default=".", help="the code it was made of (default: .)")
    _add_witness(check)
    run = steps.add_parser("run", help="run the committee over a case set")
    run.add_argument("cases", type=Path, help="a file of `moa bench cases`")
    _add_running(run)
    study = steps.add_parser("aggregators", help="have aggregators settle the proposals of a result")
    study.add_argument("cases", type=Path, help="a file of `moa bench cases`")
    _add_looking(study)
    ablate = steps.add_parser("ablate", help="committees of other shapes over the same cases")
    ablate.add_argument(
        "ablation",
        choices=("proposers", "proposer", "samples", "layers", "aggregator"),
        help="proposers and proposer need no calls: they are worked out from what is recorded",
    )
    ablate.add_argument("cases", type=Path, help="a file of `moa bench cases`")
    ablate.add_argument("--member", default="", metavar="NAME", help="who is sampled (default: the best)")
    ablate.add_argument("--samples", type=_count, default=3, metavar="N", help="how often (default: 3)")
    _add_looking(ablate)
    compare = steps.add_parser("compare", help="compare two results")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    compare.add_argument(
        "--fail-if-worse", action="store_true", help="exit with 1 when a committee got worse"
    )
    for step in (cases, check, run, study, ablate, compare):  # what was given before the step holds too
        for action in step._actions:
            if action.dest in own and action.option_strings:
                action.default = argparse.SUPPRESS


def _add_making(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cases")
    group.add_argument(
        "--planted", type=_count, default=40, metavar="N", help="planted defects (default: 40)"
    )
    group.add_argument("--clean", type=_count, default=20, metavar="N", help="clean hunks (default: 20)")
    group.add_argument(
        "--history", type=_count, default=0, metavar="N", help="bug fixes of the log, taken back (default: 0)"
    )
    group.add_argument(
        "--labels", action="store_true", help="also findings that people called useful, or dismissed"
    )
    group.add_argument("--case-seed", type=int, default=1, metavar="N", help="another choice of edits")
    group.add_argument(
        "--no-witness", action="store_true", help="do not run the edits to see that each does what it should"
    )
    _add_witness(group)


def _add_witness(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--witness-seconds", type=float, default=30, metavar="N", help="for each edit (default: 30)"
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run and result")
    group.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    group.add_argument(
        "--output", type=Path, default=RESULT, metavar="FILE", help=f"the result (default: {RESULT})"
    )
    group.add_argument(
        "--servers",
        metavar="DATABASE",
        help="have the servers run the cases that share this database: --database or --data of "
        "`review-bot serve`",
    )
    group.add_argument("--compare", type=Path, metavar="OLD", help="an older result to compare with")
    group.add_argument(
        "--fail-if-worse", action="store_true", help="with --compare: exit with 1 when a committee got worse"
    )
    group.add_argument(
        "--write",
        action="store_true",
        help="write members' weights and track records to --config or moa.toml",
    )
    group.add_argument("--quiet", action="store_true", help="no progress")
    add_committee_options(parser)


def _add_pairs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("plain answers instead of reviews")
    group.add_argument(
        "--pairs", type=Path, metavar="FILE", help="prompts: judge the answers of --committee and --against"
    )
    group.add_argument("--against", metavar="NAME", help="the other committee")
    group.add_argument("--jury", metavar="NAME", help="the committee whose models judge (default: yours)")


def _add_looking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--result", type=Path, default=RESULT, metavar="FILE", help=f"it gets the study (default: {RESULT})"
    )
    parser.add_argument("--repo", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_committee_options(parser)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be below 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    from review_bot.bench import ablations, making, measuring, studying
    from review_bot.bench.cases import read_cases
    from review_bot.bench.results import read_result
    from review_bot.bench.telling import say

    match args.step:
        case "cases":
            making.make(args, args.source, args.cases)
            say(f"next: moa bench run {args.cases} --plan")
            return measuring.OK
        case "check":
            making.check(args)
            return measuring.OK
        case "aggregators":
            return studying.aggregators(args)
        case "ablate":
            return ablations.ablate(args)
        case "compare":
            return measuring.compare(read_result(args.old), read_result(args.new), fail=args.fail_if_worse)
        case "run":
            return measuring.measure(args, read_cases(args.cases), args.cases)
    if args.pairs is not None:
        from review_bot.bench.pairing import pair

        if args.output == RESULT:
            args.output = PAIRS
        return pair(args)
    if args.cases.exists():
        cases = read_cases(args.cases)
        say(f"takes the cases that are there: {args.cases}, of {cases.source}")
    else:
        cases = making.make(args, str(args.repo), args.cases)
    return measuring.measure(args, cases, args.cases)

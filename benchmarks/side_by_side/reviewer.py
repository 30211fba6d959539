"""The reviewer beside pr-agent and lgtmaybe, on changes of which it is known what is wrong in them.

Without `--cases`, defects are planted in a package of the registry by `moa bench cases`. Three parts:

- without a model: the product's tools, and its proof, which runs both versions;
- with two small models on this machine: each alone, one of them several times (Self-MoA), a committee, a
  committee with the proof, and the two peers with one of these models;
- what a review that failed looks like to whoever started it: exit codes.

All ask through a proxy that counts calls and tokens. Systems take turns, change by change, until the part's
share of `--seconds` is over; the tables say how many changes each got.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks.local_models import LLAMA_CPP, Served, local_model, weights
from benchmarks.peers import NoPython
from benchmarks.side_by_side import review_systems
from benchmarks.side_by_side.comparison import Absent, Comparison, Goal, Plot, Point, Spread, Table
from benchmarks.side_by_side.counting_proxy import Counts, Proxy, proxy
from benchmarks.side_by_side.review_failures import Asking, failures
from benchmarks.side_by_side.review_scores import Scored, Scores, costs_table, hits_table, share
from benchmarks.side_by_side.review_systems import (
    LGTMAYBE,
    PR_AGENT,
    Reviewer,
    lgtmaybe,
    pr_agent,
    pytest_moa,
    run,
)
from benchmarks.side_by_side.reviewed_cases import Change, made_cases, read_changes

#: The faster one is also the aggregator's, the peers' and Self-MoA's: with the better one, little would fit.
BETTER, FASTER = "qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"
SAMPLES = 2

PROOF = "pytest-moa, tools and proof"

#: Seconds that a proof may search; that a review with models is told to take; and after which one is killed.
PROVE, TOLD, KILLED = 20, 60, 75

#: Shares of the time for the exit codes, and for reviews without a model; the rest is the models'.
FAILING, WITHOUT_MODEL = 0.2, 0.25


def options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--cases",
        type=Path,
        metavar="FOLDER",
        help="cases: ID/repo with tags base and head, and ID/truth.json",
    )
    parser.add_argument(
        "--seconds", type=float, default=540, help="of all, without what is installed first (default: 540)"
    )


def measure(options: argparse.Namespace) -> Comparison:
    """Run all three parts."""
    folder, source = (options.cases, "the cases of --cases") if options.cases else made_cases()
    changes = read_changes(folder)
    absent = _installed()
    missing = {one.peer for one in absent}
    for model in (BETTER, FASTER):
        weights(model)
    began = time.monotonic()
    asking = _asking(missing)
    wrong = failures(asking, changes[0], began + FAILING * options.seconds)
    without = {
        "pytest-moa, tools": pytest_moa({}),
        PROOF: pytest_moa({}, prove_seconds=PROVE),
    }
    ends = time.monotonic() + WITHOUT_MODEL * options.seconds
    modelless = alternated(without, changes, ends, lambda: Counts())
    with ExitStack() as opened:
        better, faster = (_counted(opened, model) for model in (BETTER, FASTER))
        systems = _with_models(better, faster, missing)
        ends = began + options.seconds
        modelled = alternated(systems, changes, ends, lambda: _sum(better[1].taken(), faster[1].taken()))
    return _compared(source, modelless, modelled, wrong, absent)


def alternated(
    systems: Mapping[str, Reviewer], changes: Sequence[Change], ends: float, counted: Callable[[], Counts]
) -> Scores:
    """Every change by every system before the next one, until the time is over."""
    found: dict[str, list[Scored]] = {name: [] for name in systems}
    for change in changes:
        for name, reviewer in systems.items():
            left = ends - time.monotonic()
            if left < 1:
                return found
            with tempfile.TemporaryDirectory() as scratch:
                counted()
                ended = run(reviewer(change, Path(scratch)), KILLED)
            found[name].append(Scored(change, ended, counted()))
    return found


def _installed() -> list[Absent]:
    """The peers that cannot be installed."""
    absent = []
    for name, install in (
        ("pr-agent", review_systems.pr_agent_python),
        ("lgtmaybe", review_systems.lgtmaybe_python),
    ):
        try:
            install()
        except NoPython as error:
            absent.append(Absent(name, str(error)))
        except subprocess.CalledProcessError as error:
            absent.append(Absent(name, f"pip could not install it: exit code {error.returncode}"))
    return absent


def _asking(missing: set[str]) -> dict[str, Asking]:
    """The systems that may meet a broken model, by the base URL that they ask at."""
    short = 15
    systems: dict[str, Asking] = {
        "pytest-moa": lambda url: pytest_moa({"model": (FASTER, url)}, seconds=short),
        "pytest-moa --strict": lambda url: pytest_moa({"model": (FASTER, url)}, seconds=short, strict=True),
        "pytest-moa, alone": lambda url: pytest_moa({"model": (FASTER, url)}, seconds=short, tools=False),
        "pr-agent": lambda url: pr_agent(FASTER, url, seconds=short),
        "lgtmaybe": lambda url: lgtmaybe(FASTER, url, seconds=short),
    }
    return {name: asking for name, asking in systems.items() if name not in missing}


def _counted(opened: ExitStack, model: str) -> tuple[Served, Proxy]:
    served = opened.enter_context(local_model(model))
    return served, opened.enter_context(proxy(served.base_url))


def _with_models(
    better: tuple[Served, Proxy], faster: tuple[Served, Proxy], missing: set[str]
) -> dict[str, Reviewer]:
    qwen, smollm = ((served.name, counter.base_url) for served, counter in (better, faster))
    both = {"smollm": smollm, "qwen": qwen}
    # The committee and the peers come first: whoever is last gets fewest changes on a slow machine.
    systems = {"pytest-moa, committee": pytest_moa(both, layers=2, seconds=TOLD)}
    if "pr-agent" not in missing:
        systems["pr-agent, smollm2-135m"] = pr_agent(*smollm, seconds=TOLD)
    if "lgtmaybe" not in missing:
        systems["lgtmaybe, smollm2-135m"] = lgtmaybe(*smollm, seconds=TOLD)
    systems |= {
        "pytest-moa, smollm2-135m alone": pytest_moa({"smollm": smollm}, tools=False, seconds=TOLD),
        "pytest-moa, qwen2.5-coder-0.5b alone": pytest_moa({"qwen": qwen}, tools=False, seconds=TOLD),
        f"pytest-moa, Self-MoA (smollm2-135m x {SAMPLES})": pytest_moa(
            {"smollm": smollm}, samples=SAMPLES, layers=2, tools=False, seconds=TOLD
        ),
        "pytest-moa, committee with proof": pytest_moa(both, layers=2, seconds=TOLD, prove_seconds=PROVE),
    }
    return systems


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        one.calls + other.calls,
        one.tokens_in + other.tokens_in,
        one.tokens_out + other.tokens_out,
        one.uncounted + other.uncounted,
    )


def _compared(
    source: str, modelless: Scores, modelled: Scores, wrong: Table, absent: Sequence[Absent]
) -> Comparison:
    proof = modelless[PROOF]
    found = sum(one.is_shown for one in proof if not one.change.is_clean)
    defects = sum(not one.change.is_clean for one in proof)
    false = sum(one.is_shown for one in proof if one.change.is_clean)
    clean = len(proof) - defects
    hits = ", ".join(f"{name} {_claimed(reviews)}" for name, reviews in modelled.items())
    summary = (
        f"Without any model, running both versions shows {found} of {defects} defects, and {false} of "
        f"{clean} clean changes to differ. With models of 135 million and half a billion parameters, "
        f"defects found by place and claim: {hits}. Few changes, wide intervals: models so small are no "
        "reviewers, whoever asks them, and their rows say what a review takes, not who reviews better."
    )
    return Comparison(
        title="Reviewer",
        summary=summary,
        tables=(
            hits_table(f"Found without a model ({source})", modelless, _HITS),
            costs_table("Taken by that, a change", modelless, ""),
            hits_table(f"Found with small models ({source})", modelled, _ORDER),
            costs_table("Taken by that, a change", modelled, _COSTS),
            wrong,
        ),
        plots=(_seconds(modelled),) if all(modelled.values()) else (),
        goals=(
            Goal(
                f"changes with a defect that the proof shows, no model, {PROVE} s each",
                share([one.is_shown for one in proof if not one.change.is_clean]) or "none was reached",
                "50 % (at 60 s each, of reversed real fixes)",
                found >= 0.5 * defects if defects else None,
            ),
            Goal(
                "clean changes that the proof shows to differ",
                f"{false} of {clean}" if clean else "none was reached",
                "0",
                not false if clean else None,
            ),
        ),
        absent=tuple(absent),
        versions={
            "pytest-moa": version("pytest-moa"),
            **dict(peer.split("==") for peer in (PR_AGENT, LGTMAYBE, LLAMA_CPP)),
        },
    )


def _seconds(modelled: Scores) -> Plot:
    return Plot(
        "seconds",
        "bars",
        "A review with models on this machine",
        tuple(_bar(name, reviews) for name, reviews in modelled.items()),
        "",
        "seconds (median, least and most)",
        "Bars: how long a review took with each system",
    )


def _claimed(reviews: Sequence[Scored]) -> str:
    wrong = [one for one in reviews if not one.change.is_clean]
    return f"{sum(one.is_claimed for one in wrong)} of {len(wrong)}"


def _bar(name: str, reviews: Sequence[Scored]) -> Point:
    spread = Spread.of([one.ended.seconds for one in reviews])
    return Point("", name, spread.median, spread.low, spread.high)


_HITS = (
    "By place: a finding that says that something is wrong, in the same file, at most three lines away "
    "from the defect. By claim: its words fit the defect as well. Shown by running: an input on which both "
    "versions differ, with a test; nobody need claim anything. In brackets 95 % intervals. Nobody has run "
    "planted defects before, so that some may show on no input."
)
_ORDER = "Smaller diffs come first, one clean among two with a defect, until the time is over."
_COSTS = (
    f"Every call has at most {review_systems.MAX_TOKENS} tokens to answer and is sent once; a review is told "
    f"to end after {TOLD} s (the product's `run_deadline`, lgtmaybe's `--max-review-seconds`, pr-agent's "
    f"`ai_timeout`) and killed after {KILLED}. Tokens are the model server's counts, of calls that were "
    "answered in full. One slot a model; what it has seen of a prompt is not evaluated again, for nobody."
)

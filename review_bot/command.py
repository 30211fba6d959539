"""What `review-bot` does: a committee's review of a change in a git repository, or of a patch; a server.

argparse and not a nicer library, because of its import: 10 ms, where cyclopts costs 250 and typer 550,
on a command that people run in hooks. Whatever is not needed for `--version` and `--help` is imported
where it is used.

The result goes to standard output, everything else to standard error. Exit codes:

    0    reviewed; no confirmed finding at --fail-on or above
    1    reviewed; at least one
    2    wrong usage or settings; nothing was called
    3    the review is partial, and --strict was given
    4    no review
    130  interrupted a second time, or before anybody was asked
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from moa_engine.errors import BudgetExceeded, ConfigError, MoaError, Unpriced
from moa_engine.options import add_committee_options, flags
from review_bot.formats import FORMATS

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from moa_engine.plan import Plan
    from review_bot.change import Change
    from review_bot.finding import Review, Severity
    from review_bot.outputs import Output
    from review_bot.settings import ReviewSettings

REVIEWED, FOUND, USAGE, PARTIAL, NO_REVIEW = 0, 1, 2, 3, 4

PROVE = ("auto", "on", "off", "unsafe")
FAIL_ON = ("critical", "major", "minor", "nit", "never")

EPILOG = """\
exit codes:
  0  reviewed; no confirmed finding at --fail-on or above, or nothing to review
  1  reviewed; at least one such finding (also when the review is partial)
  2  wrong usage or settings; nothing was called, nothing was spent
  3  --strict, and the review is partial
  4  no review

Ctrl-C ends the run with what is known so far, marked as partial; a second one ends it at once (130).

Settings come from the working tree: in a checkout that you do not trust, name your own with --config.
"""


GITHUB_EPILOG = """\
The token is read from GITHUB_TOKEN (or GH_TOKEN): it needs `pull-requests: write`. Settings come from the
base revision of the pull request, or from --config; nothing of its head is executed or believed.

exit codes:
  0  reviewed, or nothing to review; no open confirmed finding at --fail-on or above
  1  reviewed; at least one such finding is open
  2  wrong usage or settings; nothing was called, nothing was spent
  3  --strict, and the review is partial
  4  no review, or it could not be posted
"""


SERVE_EPILOG = """\
secrets, from the environment (the App's may be in DIR/app.json, which --create-app writes):
  GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE, GITHUB_WEBHOOK_SECRET
  MOA_PAGE_PASSWORD   without it there is no page

SIGTERM or Ctrl-C: what is being reviewed is brought to its end, for a while; a second one ends it at once.
Nothing is lost in either case.

exit codes:
  0  stopped
  2  wrong usage or settings; nothing was started
  4  a database or the web side cannot be used
"""


def run(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is the one of the module's docstring."""
    if list(arguments) == ["--version"]:
        from importlib.metadata import version

        print(f"review-bot {version('pytest-moa')}")
        return REVIEWED
    gc.disable()  # start-up makes what stays; looking through it for garbage costs a tenth of the CPU
    try:
        return as_exit_code(lambda: _run(arguments))
    finally:
        gc.enable()


def _run(arguments: Sequence[str]) -> int:
    args = _parser().parse_args(arguments)
    if args.command == "github":
        from review_bot.github.command import run as github

        return github(args)
    if args.command == "serve":
        from review_bot.server.command import run as serve

        return serve(args)
    if args.command == "witness":
        from review_bot.proof.witness import run as witness

        return witness(args)
    return _review(args)


def as_exit_code(work: Callable[[], int]) -> int:
    """Do something; what goes wrong is said on standard error, and is the exit code."""
    try:
        return work()
    except MoaError as error:
        say(error.message, error.hint)
        return USAGE if isinstance(error, ConfigError | BudgetExceeded | Unpriced) else NO_REVIEW
    except Exception as error:
        if os.environ.get("MOA_DEBUG") == "1":
            raise
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        say(
            f"this is a fault in review-bot itself: {what}",
            "please report it with what MOA_DEBUG=1 prints; what was answered so far is in the record",
        )
        return NO_REVIEW


def _parser() -> argparse.ArgumentParser:
    from review_bot.proof.witness import EPILOG as EXIT_CODES
    from review_bot.proof.witness import add_options

    parser = argparse.ArgumentParser(
        prog="review-bot", description="A committee of different models and tools reviews a change."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    review = commands.add_parser(
        "review",
        help="review a range of commits, the index, the working tree or a patch",
        description="Review a change: without RANGE, what this branch adds to the default one, "
        "or else the last commit.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_change(review)
    _add_proof(review)
    _add_output(review)
    add_committee_options(review)
    github = commands.add_parser(
        "github",
        help="review a pull request on GitHub, and post the review there",
        description="Review a pull request and post the review: the one that the CI job's event is about, or "
        "--pr. What was reviewed before is not reviewed again.",
        epilog=GITHUB_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_pull_request(github)
    _add_proof(github)
    _add_output(github)
    add_committee_options(github)
    serve = commands.add_parser(
        "serve",
        help="be a GitHub App: review the pull requests of its installations",
        description="Take GitHub's deliveries, and review what was pushed and asked for, with the members "
        "of this machine's settings.",
        epilog=SERVE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server(serve)
    witness = commands.add_parser(
        "witness",
        help="search inputs on which two versions behave differently, without any model",
        description="Run both versions of what a change touches, and show inputs on which they differ.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(witness)
    return parser


def _add_change(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to review")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "range", nargs="?", metavar="RANGE", help="HEAD~1, main..., A..B, C^!; - is a patch on standard input"
    )
    one.add_argument("--staged", action="store_true", help="what is staged, against HEAD")
    one.add_argument("--working", action="store_true", help="the working tree, against HEAD")
    one.add_argument("--patch", metavar="FILE", help="a patch; - reads it from standard input")
    group.add_argument(
        "--repo",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="a folder in the repository (default: this one)",
    )
    group.add_argument(
        "--suggestions", type=Path, metavar="FILE",
        help="a report of pytest --moa --moa-report FILE: its tests become part of the review",
    )  # fmt: skip


def _add_pull_request(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to review")
    group.add_argument("--pr", type=int, metavar="N", help="the number of the pull request")
    group.add_argument(
        "--repo-name", metavar="OWNER/NAME", help="the repository on GitHub (default: GITHUB_REPOSITORY)"
    )
    group.add_argument("--full", action="store_true", help="all of it, also what was reviewed before")
    group.add_argument(
        "--repo", type=Path, default=Path(), metavar="DIR",
        help="a clone, whose commits need not be fetched (default: this folder); its files are not read",
    )  # fmt: skip
    group.add_argument(
        "--suggestions", type=Path, metavar="FILE",
        help="a report of pytest --moa --moa-report FILE: its tests become part of the review",
    )  # fmt: skip


def _add_server(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server")
    group.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="where it listens (default: 127.0.0.1)"
    )
    group.add_argument("--port", type=int, default=8080, metavar="N", help="(default: 8080)")
    group.add_argument(
        "--data", type=Path, metavar="DIR",
        help="its databases, record and secrets (default: moa/server in the user's state folder)",
    )  # fmt: skip
    group.add_argument(
        "--database", metavar="URL",
        help="postgresql://..., which servers can share (default: DATABASE_URL, else SQLite in --data)",
    )  # fmt: skip
    group.add_argument("--jobs", type=int, metavar="N", help="reviews at a time (default: 2)")
    group.add_argument("--config", type=Path, metavar="FILE", help="read this file, not the folder's own")
    app = parser.add_argument_group("a new App")
    app.add_argument("--create-app", action="store_true", help="create the GitHub App in a browser, and end")
    app.add_argument(
        "--url", metavar="URL", help="with --create-app: where GitHub reaches the server, such as https://..."
    )
    app.add_argument("--org", metavar="NAME", help="with --create-app: the organization that owns the App")


def _add_proof(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("proof")
    group.add_argument(
        "--prove", choices=PROVE,
        help="run both versions in a sandbox to show what behaves differently: auto (default: not in CI jobs "
        "with secrets in their environment), on, off, unsafe (also where no sandbox works)",
    )  # fmt: skip
    group.add_argument(
        "--prove-seconds", type=float, metavar="N", help="seconds for that, of all functions (default: 60)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    from review_bot.outputs import InOrder

    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", action=InOrder, dest="outputs", choices=FORMATS, metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: text); may be repeated, each but one with its --output",
    )  # fmt: skip
    group.add_argument(
        "--output", action=InOrder, dest="outputs", metavar="FILE", help="write the --format before it here"
    )
    group.add_argument(
        "--html", action=InOrder, dest="outputs", metavar="FILE",
        help="a page in this file, as with --format html --output FILE",
    )  # fmt: skip
    group.add_argument(
        "--fail-on", choices=FAIL_ON,
        help="exit with 1 when a confirmed finding is at least this severe; one voice alone fails nothing "
        "(default: [tool.moa.review] fail_on, else never)",
    )  # fmt: skip
    group.add_argument("--strict", action="store_true", help="exit with 3 when the review is partial")
    group.add_argument("--quiet", action="store_true", help="no progress and no notes on standard error")
    group.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR)")


def _review(args: argparse.Namespace) -> int:
    from moa_engine.session import open_session, plan_for, run_task
    from moa_engine.terminal import progress
    from review_bot.outputs import check_writable, paired, write
    from review_bot.preparing import committee_of, nothing_of, rules_of, task_of
    from review_bot.read_change import read_change

    outputs = paired(args.outputs or ())
    check_writable(outputs)
    own = {name: getattr(args, name) for name in ("fail_on", "prove", "prove_seconds")}
    given = flags(args) | {f"review.{name}": value for name, value in own.items() if value is not None}
    with open_session(start=args.repo, config=args.config, flags=given) as session:
        settings = cast("ReviewSettings", session.sections["review"])
        committee = committee_of(session, settings)
        change = read_change(
            args.repo,
            range=None if args.range == "-" else args.range,
            staged=args.staged,
            working=args.working,
            patch="-" if args.range == "-" else args.patch,
            rules=rules_of(settings),
            guidelines=session.settings.guidelines,
        )
        task = task_of(
            change,
            committee,
            session,
            settings,
            repository=args.repo if change.base_tree else None,
            environ=os.environ,
            suggestions=args.suggestions,
        )
        if not task.change.files:
            outcome = nothing_of(task)
        else:
            plan = plan_for(session, task, committee)
            if args.plan:
                print_plan(plan, outputs[0].format)
                return REVIEWED
            with progress(quiet=args.quiet, colour=False if args.no_color else None) as observer:
                outcome = run_task(session, task, committee, plan, observer)
        write(outcome, outputs, colour=not args.no_color)
        if not args.quiet:
            _note(outcome, task.change, outputs)
    return _exit_code(outcome, settings.fail_on, args.strict)


def print_plan(plan: Plan, format: str) -> None:
    """Print what a run would cost."""
    if format == "json":
        import json

        print(json.dumps(plan.to_json(), indent=2))
    else:
        print(plan.to_text())


def _note(outcome: Outcome[Review], change: Change, outputs: Sequence[Output]) -> None:
    """Tell on standard error what a reader of standard output does not see there."""
    from review_bot.formats import wording

    streamed = {output.format for output in outputs if output.file is None}
    if streamed & {"text", "markdown"}:
        return
    found = wording.tally(outcome.result) if outcome.result else "no review"
    files = ", ".join(str(output.file) for output in outputs if output.file)
    say(f"{found}; wrote {files}" if files else found)
    for sentence in (*wording.failures(outcome), *wording.remarks(outcome, change)):
        say(sentence)


def _exit_code(outcome: Outcome[Review], fail_on: Severity | Literal["never"], strict: bool) -> int:
    from review_bot.failing import failing

    if outcome.result is None:
        return NO_REVIEW
    if failing(outcome.result, fail_on):
        return FOUND
    return PARTIAL if strict and outcome.status == "partial" else REVIEWED


def say(message: str, hint: str = "") -> None:
    """A message on standard error. It may repeat what a server or a file said."""
    from moa_engine.printable import printable

    for line in (f"review-bot: {message}", f"  {hint}" if hint else ""):
        if line:
            # GitHub's runner takes "::" at the start of a line, and "##[" anywhere, for commands to it.
            shown = printable(line).replace("##[", "## [")
            print(re.sub(r"^(\s*):(?=:)", r"\1: ", shown, flags=re.MULTILINE), file=sys.stderr)

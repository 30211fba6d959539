"""The commands of `moa`: ask a committee, and read what the record knows.

argparse and not a nicer library, because of its import: 10 ms against 250 ms and more, on commands
that people run in hooks.
"""

from __future__ import annotations

import argparse
import codecs
import gc
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa_engine.errors import BudgetExceeded, ConfigError, MoaError, Unpriced
from moa_engine.options import add_committee_options, flags

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from moa_engine.outcome import Outcome
    from moa_engine.session import Session

#: Exit codes, the same for every command of the distribution.
OK, USAGE, PARTIAL, FAILED = 0, 2, 3, 4

EPILOG = """\
exit codes:
  0    done
  2    wrong usage or settings; nothing was called, nothing was spent
  3    --strict, and members are missing
  4    no answer, or the record cannot be used; `moa verify`: somebody changed it
  130  interrupted
"""


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code (0 done, 2 usage or settings, 3 partial, 4 no answer)."""
    if list(arguments) == ["--version"]:  # the one command that must not import anything
        from importlib.metadata import version

        print(f"moa {version('pytest-moa')}")
        return OK
    try:
        parser = _parser(arguments)
    except ConfigError as error:
        print(f"moa: {error}", file=sys.stderr)
        return USAGE
    args = parser.parse_args(arguments)
    codecs.register_error("moa-escape", _escaped)
    for stream in (sys.stdout, sys.stderr):  # a pipe or terminal may not know all that models write
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="moa-escape")
    gc.disable()  # start-up makes what stays; looking through it for garbage costs a tenth of the CPU
    try:
        code: int = args.command(args)
    except MoaError as error:
        print(f"moa: {error}", file=sys.stderr)
        return USAGE if isinstance(error, ConfigError | BudgetExceeded | Unpriced) else FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # the record and settings have errors of their own: standard input or output
        print(f"moa: input or output failed: {error.strerror or error}", file=sys.stderr)
        return FAILED
    except Exception as error:
        if os.environ.get("MOA_DEBUG") == "1":
            raise
        print(f"moa: this is a fault in moa itself: {type(error).__name__}: {error}", file=sys.stderr)
        print("  please report it with what MOA_DEBUG=1 prints", file=sys.stderr)
        return FAILED
    finally:
        gc.enable()
    return code


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an encoding does not have, as JSON escapes it: right in JSON, readable elsewhere."""
    import json

    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moa",
        description="Ask a committee of language models, and read its paper trail.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    for name, text in (("ask", "ask the committee a question"), ("plan", "what asking it would cost")):
        ask = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        ask.add_argument("question", help="the question; - reads it from standard input")
        ask.add_argument("--format", choices=("text", "json"), default="text")
        ask.add_argument("--strict", action="store_true", help="exit with 3 when members are missing")
        ask.add_argument("--quiet", action="store_true", help="no progress")
        add_committee_options(ask)
        ask.set_defaults(command=_ask)
    ask.set_defaults(plan=True)

    init = commands.add_parser("init", help="write a moa.toml from what is found on this machine")
    init.add_argument("--output", type=Path, default=Path("moa.toml"), metavar="FILE")
    init.set_defaults(command=_init)

    log = commands.add_parser("log", help="list the runs in the record, newest first")
    log.add_argument("-n", type=_count, default=20, metavar="N", dest="limit")
    show = commands.add_parser("show", help="who said what in a run, and what became of it")
    replay = commands.add_parser("replay", help="print a run's result again, without one call")
    export = commands.add_parser("export", help="write a run out, with every generation")
    export.add_argument("--jsonl", action="store_true", help="JSON lines (the only format, and the default)")
    verify = commands.add_parser("verify", help="check that nobody changed the record")
    for command in (show, replay, export):
        command.add_argument("run", help="a run's id, the start of one, or last")
    for command in (log, show, verify):
        command.add_argument("--format", choices=("text", "json"), default="text")
    replay.add_argument("--format", default="text", help="text, json, or another format of the run's task")
    for command, action in (
        (log, _log),
        (show, _show),
        (replay, _replay),
        (export, _export),
        (verify, _verify),
    ):
        command.add_argument("--record", metavar="FILE", help="the record's file")
        command.add_argument(
            "--config", type=Path, metavar="FILE", help="read this file, not the project's own"
        )
        command.set_defaults(command=action)

    schema = commands.add_parser("schema", help="print the JSON Schema of the configuration, for editors")
    schema.set_defaults(command=_schema)

    download = commands.add_parser("download", help="fetch a model of the catalogue from its publisher")
    download.add_argument("name", nargs="?", help="its name; without one, the catalogue is listed")
    download.add_argument("--yes", action="store_true", help="do not ask")
    download.add_argument("--config", type=Path, metavar="FILE", help="read this file, not the project's")
    download.set_defaults(command=_download)

    if not arguments or arguments[0] not in commands.choices:  # plug-ins are not loaded for nothing
        _add_brought(commands)
    return parser


def _add_brought(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that plug-ins bring.

    Raises:
        ConfigError: a plug-in cannot be loaded, or brings a command that there is already.
    """
    from moa_engine import plugins

    for brought in plugins.commands(plugins.load_plugins(os.environ)):
        if brought.name in commands.choices:
            raise ConfigError(f"a plug-in brings a command {brought.name!r}, which there is already")
        parser = commands.add_parser(
            brought.name, help=brought.help, description=brought.help.capitalize() + "."
        )
        brought.add_arguments(parser)
        parser.set_defaults(command=brought.run)


def _count(text: str) -> int:
    """A number of things, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, not {text!r}")
    return int(text)


def _ask(args: argparse.Namespace) -> int:
    from moa_engine.ask import AskTask
    from moa_engine.committee import build_committee, require_models
    from moa_engine.printable import one_line
    from moa_engine.session import open_session, plan_for, run_task
    from moa_engine.terminal import progress

    question = sys.stdin.read() if args.question == "-" else args.question
    if not question.strip():
        raise ConfigError("the question is empty", hint="give it as an argument, or - to read standard input")
    with open_session(start=Path.cwd(), config=args.config, flags=flags(args)) as session:
        committee = build_committee(session.settings, session.plugins)
        require_models(committee)
        task = AskTask(session.redactor.mask(question))
        plan = plan_for(session, task, committee)
        if args.plan:
            print(_json(plan.to_json()) if args.format == "json" else plan.to_text())
            return OK
        with progress(quiet=args.quiet) as observer:
            outcome = run_task(session, task, committee, plan, observer)
        # Before the record is closed: an answer that cannot be kept must not be lost as well.
        sys.stdout.write(task.present(outcome, args.format))
        sys.stdout.flush()
    for line in _remarks(outcome):
        print(f"moa: {one_line(line)}", file=sys.stderr)
    if outcome.status == "failed":
        return FAILED
    return PARTIAL if args.strict and outcome.status == "partial" else OK


def _remarks(outcome: Outcome[Any]) -> Iterator[str]:
    """What a reader of the answer must know: warnings, who is missing, and why members failed."""
    yield from outcome.warnings
    if outcome.missing and outcome.status == "partial":
        yield f"partial, without {', '.join(outcome.missing)}"
    for member in outcome.members:
        for error in member.errors:
            yield f"{member.name}: {error}"


def _init(args: argparse.Namespace) -> int:
    import asyncio

    from moa_engine.discovery import discover, write_config

    found = asyncio.run(discover(os.environ))
    write_config(args.output, found)
    print(f"wrote {args.output}: {found.summary()}")
    return OK


def _log(args: argparse.Namespace) -> int:
    from moa_engine.shown import log_lines

    with _session(args, existing=True) as session:
        for line in log_lines(session.record.runs(args.limit), args.format):
            print(line)
    return OK


def _show(args: argparse.Namespace) -> int:
    from moa_engine.session import find_task
    from moa_engine.shown import run_lines

    with _session(args, existing=True) as session:
        stored = session.record.run(args.run)
        for line in run_lines(stored, find_task(session, stored.task), args.format):
            print(line)
    return OK


def _replay(args: argparse.Namespace) -> int:
    from moa_engine.replay import replay
    from moa_engine.session import find_task

    with _session(args, existing=True) as session:
        stored = session.record.run(args.run)
        outcome = replay(stored, find_task(session, stored.task))
    try:
        sys.stdout.write(outcome.task.present(outcome, args.format))
    except ValueError as error:
        raise ConfigError(f"run {stored.id}: {error}") from None
    return FAILED if outcome.status == "failed" else OK


def _export(args: argparse.Namespace) -> int:
    with _session(args, existing=True) as session:
        for line in session.record.export(args.run):
            print(line)
    return OK


def _verify(args: argparse.Namespace) -> int:
    with _session(args, existing=True) as session:
        found = session.record.verify()
    print(_json(found.to_json()) if args.format == "json" else found.to_text())
    return OK if found.ok else FAILED


def _schema(_: argparse.Namespace) -> int:
    from moa_engine.config_schema import config_schema
    from moa_engine.plugins import load_plugins

    print(_json(config_schema(load_plugins(os.environ))))
    return OK


def _download(args: argparse.Namespace) -> int:
    from moa_engine.catalogue import catalogue
    from moa_engine.download import download_model, shown_on

    models = catalogue()
    if args.name is None:
        for model in models.values():
            print(f"{model.name:32} {model.size / 1e6:7.0f} MB  {model.licence:12} {model.url}")
        return OK
    if args.name not in models:
        raise ConfigError(f"no model {args.name!r} in the catalogue", hint=f"there are: {', '.join(models)}")
    model = models[args.name]
    print(f"{model.name}: {model.size / 1e6:.0f} MB, {model.licence}, from {model.url}", file=sys.stderr)
    if not args.yes and not _agreed("Download it? [y/N] "):
        print("moa: nothing was downloaded", file=sys.stderr)
        return OK
    with _session(args) as session:
        path = download_model(model, session.settings, progress=shown_on(sys.stderr))
    print(path)
    return OK


def _agreed(question: str) -> bool:
    """Whether somebody is there and says yes."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _session(args: argparse.Namespace, *, existing: bool = False) -> AbstractContextManager[Session]:
    from moa_engine.session import open_session

    return open_session(start=Path.cwd(), config=args.config, flags=flags(args), existing=existing)


def _json(data: object) -> str:
    import json

    return json.dumps(data, ensure_ascii=False, indent=2, default=str)

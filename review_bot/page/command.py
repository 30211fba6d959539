"""`moa report`: results of `moa bench`, and runs of the record, as one HTML file.

Exit codes: 0 written, 2 wrong usage or settings, 4 there was nothing to report, or it could not be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moa_engine.errors import ConfigError, MoaError
from moa_engine.options import flags

OK = 0


class NothingToReport(MoaError):
    """The record has no run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `moa report`."""
    parser.add_argument(
        "what",
        nargs="*",
        metavar="RUN|FILE",
        help="a result file of moa bench, or a run's id, the start of one, or last (default: the last runs)",
    )
    parser.add_argument("--output", type=Path, default=Path("moa-report.html"), metavar="FILE")
    parser.add_argument(
        "-n", type=int, default=20, metavar="N", dest="limit", help="so many of the last runs (default: 20)"
    )
    parser.add_argument("--record", metavar="FILE", help="the record's file")
    parser.add_argument("--config", type=Path, metavar="FILE", help="read this file, not the project's own")


def run(args: argparse.Namespace) -> int:
    """Write the report."""
    from review_bot.page.rendering import check_installed
    from review_bot.page.report_page import render

    files = [name for name in args.what if _is_file(name)]
    runs = [name for name in args.what if not _is_file(name)]
    check_installed(plots=bool(files))
    parts = _results(files)
    if runs or not files:
        parts.append(_runs(args, runs))
    _write(args.output, render(parts))
    print(f"moa report: wrote {args.output}", file=sys.stderr)
    return OK


def _is_file(name: str) -> bool:
    return name.endswith(".json") or "/" in name or Path(name).is_file()


def _results(files: Sequence[str]) -> list[dict[str, Any]]:
    from review_bot.bench.results import FORMAT, PAIRS_FORMAT, read_result
    from review_bot.page.bench_page import bench_part
    from review_bot.page.pairs_page import pairs_part

    makers = {FORMAT: bench_part, PAIRS_FORMAT: pairs_part}

    found = []
    for number, file in enumerate(files, start=1):
        result = read_result(Path(file), tuple(makers))
        try:
            found.append(makers[result["format"]](result, Path(file).name, f"part{number}"))
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ConfigError(
                f"{file} is not what moa bench writes: {type(error).__name__}: {error}",
                hint="run `moa bench run` again: what is in the record is not paid twice",
            ) from error
    return found


def _runs(args: argparse.Namespace, wanted: Sequence[str]) -> dict[str, Any]:
    from moa_engine.session import open_session
    from review_bot.page.runs_page import runs_part

    with open_session(start=Path.cwd(), config=args.config, flags=flags(args), existing=True) as session:
        wanted = wanted or [run.id for run in session.record.runs(args.limit)]
        if not wanted:
            raise NothingToReport("the record has no run", hint="name a result file: moa report results.json")
        return runs_part(session, wanted, "runs")


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise ConfigError(f"--output {file} cannot be written: {error.strerror or error}") from error

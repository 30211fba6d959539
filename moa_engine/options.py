"""The command-line options that every command with a committee has, and the settings they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_committee_options(parser: argparse.ArgumentParser) -> None:
    """Who answers, at what price, under which rules."""
    group = parser.add_argument_group("committee")
    group.add_argument(
        "--committee",
        metavar="NAME",
        help="a preset (moa, moa-lite, self-moa, single, local, offline) or one of your own",
    )
    group.add_argument("--config", type=Path, metavar="FILE", help="read this file, not the project's own")
    group.add_argument("--layers", type=int, metavar="N", help="layers, the aggregator's included")
    group.add_argument(
        "--aggregator", action="append", metavar="MEMBER", help="who aggregates; repeat for a fallback"
    )
    group.add_argument("--seed", type=int, metavar="N", help="order in which answers are shown")
    group.add_argument("--plan", action="store_true", help="print calls, tokens, price and time, call nobody")
    group.add_argument("--budget", type=float, metavar="USD", help="spend no more than this")
    group.add_argument(
        "--allow-unpriced", action="store_true", default=None, help="go on without a known price"
    )
    group.add_argument(
        "--local-only", action="store_true", default=None, help="loopback and private addresses only"
    )
    group.add_argument(
        "--no-cache", dest="cache", action="store_false", default=None, help="ask again what the record knows"
    )
    group.add_argument("--record", metavar="FILE", help="the record's file")


def flags(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as options, for `open_session`."""
    names = (
        "committee",
        "layers",
        "aggregator",
        "seed",
        "budget",
        "allow_unpriced",
        "local_only",
        "cache",
        "record",
    )
    return {name: value for name in names if (value := getattr(args, name, None)) is not None}

"""python -m benchmarks.side_by_side NAME [OPTIONS]: measure, then write JSON, plots and the section.

Every option a comparison has is listed by `python -m benchmarks.side_by_side NAME --help`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.side_by_side.comparison import machine
from benchmarks.side_by_side.plots import drawn
from benchmarks.side_by_side.sections import placed, section

NAMES = ("engine", "prefixes", "plugin", "reviewer", "server", "growth")
DOCUMENT = Path("docs/benchmarks.md")
MEASURED = Path("docs/measured")


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in NAMES:
        print(f"usage: python -m benchmarks.side_by_side {{{','.join(NAMES)}}} [--help]", file=sys.stderr)
        return 2
    name, *rest = arguments
    comparison = importlib.import_module(f"benchmarks.side_by_side.{name}")
    program = f"python -m benchmarks.side_by_side {name}"
    parser = argparse.ArgumentParser(prog=program, description=comparison.__doc__)
    parser.add_argument("--json-only", action="store_true", help="print the JSON, write nothing")
    comparison.options(parser)
    options = parser.parse_args(rest)
    began = time.monotonic()
    when = datetime.now(UTC).date().isoformat()
    made = comparison.measure(options).as_json()
    made |= {
        "command": shlex.join([*program.split(), *rest]) if rest else f"make bench-{name}",
        "seconds": round(time.monotonic() - began, 1),
        "machine": machine(),
        "when": when,
    }
    text = json.dumps(made, indent=1)
    if options.json_only:
        print(text)
        return 0
    MEASURED.mkdir(parents=True, exist_ok=True)
    (MEASURED / f"{name}.json").write_text(text + "\n")
    for plot in made["plots"]:
        (MEASURED / f"{name}-{plot['name']}.svg").write_text(drawn(plot))
    DOCUMENT.write_text(placed(DOCUMENT.read_text(), name, section(name, made)))
    print(section(name, made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

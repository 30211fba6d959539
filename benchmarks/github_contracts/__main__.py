"""The command line of it."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module


def main() -> int:
    """Run one of the checks; 0 if it holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.github_contracts")
    parser.add_argument("check", choices=("prism", "emulate", "action", "sarif"))
    name = parser.parse_args().check
    held = import_module(f"benchmarks.github_contracts.{name}").check(print)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

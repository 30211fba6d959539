"""The command `moa`; `commands` has what it does: Ctrl-C while that is imported is no traceback."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # not typing's: that takes 10 ms to import, in which Ctrl-C would not be caught
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is that of `commands.run`, or 130 when it was interrupted."""
    try:
        from moa_engine.commands import run

        return run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        print("moa: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

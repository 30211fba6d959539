"""The command `review-bot`; `command` has what it does: Ctrl-C while that is imported is no traceback."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # not typing's: that takes 10 ms to import, in which Ctrl-C would not be caught
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is that of `command.run`, or 130 when it was interrupted."""
    try:
        from review_bot.command import run

        code = run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        print("review-bot: interrupted", file=sys.stderr)
        code = INTERRUPTED
    if argv is None:  # the process ends now: another Ctrl-C must not end it with a traceback
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code

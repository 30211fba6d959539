"""`review-bot` in a process of its own, without the second between two writes that GitHub asks for."""

from __future__ import annotations

import sys
from functools import partial

from review_bot.cli import main
from review_bot.github import command, posting

if __name__ == "__main__":
    command.Connection = partial(command.Connection, between_writes=0.0)  # type: ignore[misc, assignment]
    posting._LAG = 0.01
    sys.exit(main(sys.argv[1:]))

"""The process of a job, without the second between two writes that GitHub asks for."""

from __future__ import annotations

import sys
from functools import partial

from review_bot.github import posting
from review_bot.server import review_process

if __name__ == "__main__":
    review_process.Connection = partial(review_process.Connection, between_writes=0.0)  # type: ignore[misc, assignment]
    posting._LAG = 0.01
    sys.exit(review_process.main())

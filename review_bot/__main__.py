"""`python -m review_bot`: the same as the command `review-bot`."""

import sys

from review_bot.cli import main

sys.exit(main())

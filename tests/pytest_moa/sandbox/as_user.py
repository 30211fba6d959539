"""Makes every attempt as whoever runs this: `python as_user.py FOLDER NAME...`, with the project on its path.

Prints one JSON object: the mechanism, and what was not contained. For other users than pytest's own.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pytest_moa.sandbox import probe
from pytest_moa.warm import WarmProcess
from tests.pytest_moa.sandbox.outside import HERE, SESAME, Outside

if __name__ == "__main__":
    outside = Outside(Path(sys.argv[1]))
    os.environ.update(HOME=str(outside.home), API_KEY=SESAME)
    escaped = []
    with WarmProcess(root=outside.project, preload="attempts:preload", python_path=[str(HERE)]) as warm:
        warm.start()
        for attempt in sys.argv[2:]:
            ended = warm.call(f"attempts.{attempt}", outside.arguments())
            if outside.changes() or ended.value:
                escaped.append(attempt)
    print(json.dumps({"user": os.getuid(), "mechanism": probe().name, "escaped": escaped}))

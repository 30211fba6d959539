"""A pytest plug-in that `benchmarks.suites` puts beside the suites that it judges; standard library only.

`SUITE_OUTCOMES` names a file for each test's outcome, `SUITE_LEFT_OUT` one with the tests that are not run,
`SUITE_SHUFFLED` is a seed for another order.
"""

import json
import os
import random
from pathlib import Path

told = {}


def pytest_collection_modifyitems(config, items):
    if os.environ.get("SUITE_LEFT_OUT"):
        left_out = set(json.loads(Path(os.environ["SUITE_LEFT_OUT"]).read_text()))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]
    if os.environ.get("SUITE_SHUFFLED"):
        random.Random(os.environ["SUITE_SHUFFLED"]).shuffle(items)


def pytest_runtest_logreport(report):
    if report.failed:
        told[report.nodeid] = "failed"
    elif report.when == "call" or report.skipped:
        expected = hasattr(report, "wasxfail")
        told.setdefault(report.nodeid, "passed" if report.passed or expected else "skipped")


def pytest_collectreport(report):
    if report.failed:
        told[report.nodeid] = "not collected"


def pytest_sessionfinish():
    if os.environ.get("SUITE_OUTCOMES"):
        Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(told))

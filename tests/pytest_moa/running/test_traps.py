"""Each of these has made the verdicts of some mutation tester silently wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_moa.running.executor import CannotMeasure, Executor
from tests.pytest_moa.running.sample import candidate, executor, mutants, statuses, write

ADDED = "def added(a, b=0):\n    return a + b\n"


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """One project with most of the traps in it."""
    root = write(
        tmp_path_factory.mktemp("traps"),
        {
            "pyproject.toml": """
                [tool.pytest.ini_options]
                addopts = "--no-such-option --maxfail=1 --cov-fail-under=90 -W error::UserWarning"
                filterwarnings = ["error"]
            """,
            "mod.py": ADDED
            + """

def default(gender="male"):
    return gender


def collected():
    return ["x"]


SEEN = []
""",
            "tests/conftest.py": """
                import pytest

                @pytest.fixture(scope="session")
                def once():
                    values = []
                    yield values
            """,
            "tests/test_lost_file.py": """
                from mod import added

                lost = open(__file__)
                lost = None

                def test_added():
                    assert added(1, 2) == 3
            """,
            "tests/test_parameters.py": """
                import warnings

                import pytest
                from mod import added, collected, default

                VALUES = [[1, "V"], [2, "W"]]

                @pytest.mark.parametrize("values", VALUES)
                def test_changes_its_parameter(values):
                    assert values[1:] in (["V"], ["W"])
                    values.append(added(values.pop(0), 1))

                @pytest.mark.parametrize("value", ["[-1, 'x']--1", "a::b", "a\\nb", "/"], ids=lambda v: v)
                def test_strange_ids(value):
                    assert added(value, "") == value

                @pytest.mark.parametrize("same", [1, 1], ids=["same", "same"])
                def test_default(same):
                    assert default() == "male"

                @pytest.mark.parametrize("value", collected())
                def test_called_while_collecting(value):
                    assert value == "x"

                def test_once(once):
                    once.append(1)
                    assert once == [1]

                def test_environment_is_emptied(monkeypatch):
                    import os
                    for name in list(os.environ):
                        monkeypatch.delenv(name)
                    assert added(1) == 1

                def test_counts_what_the_process_has_done():
                    import mod
                    mod.SEEN.append(1)
                    assert mod.SEEN == [1]
            """,
        },
    )
    with executor(root, "mod.py") as opened:
        yield opened


def test_nothing_runs_in_the_parent_so_all_pass_again_and_again(trapped: Executor) -> None:
    tests = trapped.existing()
    assert not tests.errors
    assert {test.outcome for test in tests.tests} == {"passed"}
    trapped._existing = None
    trapped._found.clear()
    assert {test.outcome for test in trapped.existing().tests} == {"passed"}


def test_a_file_that_was_lost_while_importing_fails_no_child(trapped: Executor) -> None:
    kills = trapped.kills(None, mutants(trapped, "mod"))
    assert not kills.untrusted
    assert statuses(kills)["+", "-"] == "killed"


def test_items_are_objects_whatever_their_ids_are(trapped: Executor) -> None:
    reached = [trapped.nodeids[index] for index in trapped.covering("mod", "added")]
    assert sum("test_strange_ids" in nodeid for nodeid in reached) == 4
    covering = trapped.covering("mod", "default")
    assert len({trapped.nodeids[index] for index in covering}) in (1, 2)
    assert len(covering) == 2


def test_defaults_are_mutated_too(trapped: Executor) -> None:
    found = statuses(trapped.kills(None, mutants(trapped, "mod")))
    changed = {after: status for (before, after), status in found.items() if before == '"male"'}
    assert changed
    assert set(changed.values()) == {"killed"}


def test_what_runs_while_tests_are_collected_is_collected_anew(trapped: Executor) -> None:
    kills = trapped.kills(None, mutants(trapped, "mod"))
    verdicts = [each for each in kills.verdicts.values() if each.mutant.qualname == "collected"]
    assert verdicts
    assert {each.status for each in verdicts} == {"killed"}


def test_a_function_whose_control_fails_has_no_verdicts(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "mod.py": ADDED,
            "test_mod.py": """
                from pathlib import Path
                from mod import added

                def test_passes_only_with_everybody(tmp_path_factory):
                    count = len(list(tmp_path_factory.getbasetemp().parent.iterdir()))
                    assert added(1, 1) == 2
                    assert "first" in globals()

                def test_sets_what_another_needs():
                    assert True
            """,
            "conftest.py": """
                def pytest_collection_modifyitems(items):
                    items.reverse()

                def pytest_runtest_call(item):
                    item.module.__dict__[item.name.replace("test_sets_what_another_needs", "first")] = 1
            """,
        },
    )
    with executor(root, "mod.py") as opened:
        assert {test.outcome for test in opened.existing().tests} == {"passed"}
        kills = opened.kills(None, mutants(opened, "mod"))
    assert set(kills.untrusted) == {("mod", "added")}
    assert "fails without any change" in kills.untrusted["mod", "added"]
    assert {each.status for each in kills.verdicts.values()} == {"untrusted"}


def test_threads_of_the_caller_do_not_matter(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "mod.py": ADDED,
            "test_mod.py": "from mod import added\ndef test_added():\n    assert added(1, 2) == 3\n",
        },
    )
    ended = threading.Event()
    waiting = threading.Thread(target=ended.wait)
    waiting.start()
    try:
        with executor(root, "mod.py", workers=2) as opened:
            found = statuses(opened.kills(None, mutants(opened, "mod")))
    finally:
        ended.set()
        waiting.join()
    assert found["+", "-"] == "killed"


def test_one_bad_candidate_costs_the_others_nothing(trapped: Executor) -> None:
    useless = candidate("def test_useless():\n    assert added", "mod:added", "from mod import added")
    broken = candidate("def test_broken(:", "mod:added")
    good = candidate("def test_good():\n    assert added(2, 3) == 5", "mod:added", "from mod import added")
    facts = trapped.check([useless, broken, good])
    assert facts[good.id].status == "passes"
    assert [facts[each.id].status for each in (useless, broken)] == ["vacuous", "broken"]


@pytest.mark.parametrize(
    "breaks",
    [
        "os.register_at_fork(after_in_child=lambda: os._exit(3))",
        "os.fork = lambda: os._exit(3)",
    ],
)
def test_a_plugin_that_breaks_forks_is_said_to(tmp_path: Path, breaks: str) -> None:
    write(tmp_path, {"conftest.py": f"import os\n\n{breaks}\n", "mod.py": ADDED, "test_mod.py": ""})
    with pytest.raises(CannotMeasure, match="cannot be run in forks"), executor(tmp_path):
        pass

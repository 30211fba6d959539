"""What existing tests reach, and which mutants they kill: functions, methods, definitions, controls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_moa.running.executor import Executor
from pytest_moa.running.facts import Kills
from tests.pytest_moa.running.sample import executor, mutants, statuses, write

PRICES = """
    from dataclasses import dataclass

    LIMIT = 10
    UNUSED = 7


    def rounded(function):
        def inner(*args):
            return round(function(*args), 0 + 2)
        return inner


    @rounded
    def price(weight, extra=1):
        if weight > LIMIT:
            raise ValueError("too heavy")
        return weight * 2 + extra


    def countdown(number):
        while number > 0:
            number -= 1
        return number


    def unreached(a):
        return a + 1


    @dataclass
    class Parcel:
        weight: int = 3

        def doubled(self):
            return self.weight * 2
"""

TESTS = """
    import pytest
    from prices import Parcel, countdown, price


    def test_price():
        assert price(1) == 3
        assert price(10) == 21


    def test_too_heavy():
        with pytest.raises(ValueError, match="too heavy"):
            price(11)


    def test_countdown():
        assert countdown(3) == 0


    class TestParcel:
        def test_doubled(self):
            assert Parcel().doubled() == 6


    def test_fails():
        assert False, "as always"


    @pytest.mark.skip
    def test_skipped(): ...
"""


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    root = write(
        tmp_path_factory.mktemp("prices"),
        {"pytest.ini": "[pytest]", "prices.py": PRICES, "tests/test_prices.py": TESTS},
    )
    with executor(root, "prices.py") as opened:
        yield opened


@pytest.fixture(scope="module")
def kills(prices: Executor) -> Kills:
    return prices.kills(None, mutants(prices, "prices"))


def test_existing_tests_have_outcomes_and_what_they_reach(prices: Executor) -> None:
    tests = {test.nodeid.partition("::")[2]: test for test in prices.existing().tests}
    assert {name: test.outcome for name, test in tests.items()} == {
        "test_price": "passed",
        "test_too_heavy": "passed",
        "test_countdown": "passed",
        "TestParcel::test_doubled": "passed",
        "test_fails": "failed",
        "test_skipped": "skipped",
    }
    assert "as always" in tests["test_fails"].message
    branches = prices.branches["prices"]
    reached = tests["test_countdown"].reached["prices"]
    assert reached == branches["countdown"]
    assert "prices" not in tests["test_fails"].reached
    nodeids = [prices.nodeids[index] for index in prices.covering("prices", "Parcel.doubled")]
    assert nodeids == ["tests/test_prices.py::TestParcel::test_doubled"]


def test_mutants_of_function_bodies(kills: Kills) -> None:
    found = statuses(kills)
    assert found["*", "/"] == "killed"
    assert found[">", ">="] == "killed"
    price = [each for each in kills.verdicts.values() if each.mutant.qualname == "price"]
    assert {each.killers for each in price if each.status == "killed"} <= {
        ("tests/test_prices.py::test_price",),
        ("tests/test_prices.py::test_too_heavy",),
    }


def test_a_mutant_that_never_ends_counts_as_killed(kills: Kills) -> None:
    found = [each for each in kills.verdicts.values() if each.status == "timed_out"]
    assert {each.mutant.qualname for each in found} == {"countdown"}
    assert all(each.killed for each in found)
    assert found[0].killers == ("tests/test_prices.py::test_countdown",)


def test_what_no_test_reaches_is_not_covered(kills: Kills) -> None:
    verdicts = [each for each in kills.verdicts.values() if each.mutant.qualname == "unreached"]
    assert verdicts
    assert {each.status for each in verdicts} == {"not_covered"}


def test_defaults_decorators_class_bodies_and_constants(kills: Kills) -> None:
    found = statuses(kills)
    assert found["10", "11"] == "killed"  # LIMIT
    assert found["7", "8"] == "survived"  # UNUSED
    defaults = [each for each in kills.verdicts.values() if each.mutant.operator != "identity"]
    default = [each for each in defaults if each.mutant.before == "3" and each.mutant.qualname == "Parcel"]
    assert default
    assert {each.status for each in default} == {"killed"}
    extra = [each for each in defaults if each.mutant.before == "1" and each.mutant.line == 15]
    assert {each.status for each in extra} <= {"killed"}


def test_nothing_is_untrusted_and_everything_is_judged(prices: Executor, kills: Kills) -> None:
    assert not kills.untrusted
    assert {each.status for each in kills.verdicts.values()} == {
        "killed", "survived", "timed_out", "not_covered",
    }  # fmt: skip
    assert "tests/test_prices.py::test_fails" not in {
        name for names in kills.killers().values() for name in names
    }


def test_a_process_that_a_mutant_ends_is_a_kill(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "ends.py": """
                import os

                def stop(really):
                    if really:
                        os._exit(3)
                    return 1
            """,
            "test_ends.py": "from ends import stop\ndef test_stop():\n    assert stop(False) == 1\n",
        },
    )
    with executor(root, "ends.py") as opened:
        found = statuses(opened.kills(None, mutants(opened, "ends")))
    assert found["really", "True"] == "killed"


def test_a_test_that_ends_its_process_is_a_failing_test_and_the_others_run(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "mod.py": "def one():\n    return 1\n",
            "test_mod.py": """
                import os
                from mod import one

                def test_before():
                    assert one() == 1

                def test_ends():
                    os._exit(0)

                def test_after():
                    assert one() == 1
            """,
            "test_broken.py": "import nothing_of_that_name\n",
        },
    )
    with executor(root, "mod.py") as opened:
        tests = opened.existing()
    assert [test.outcome for test in tests.tests] == ["passed", "failed", "passed"]
    assert "ended the process" in tests.failing[0].message
    assert "nothing_of_that_name" in tests.errors["test_broken.py"]


def test_what_a_mutant_leaves_behind_decides_on_no_other(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "memory.py": """
                KNOWN = {}


                def doubled(number):
                    if number not in KNOWN:
                        KNOWN[number] = number * 2
                    return KNOWN[number]
            """,
            "test_memory.py": """
                import pytest
                from memory import KNOWN, doubled

                @pytest.fixture(scope="module")
                def six():
                    yield doubled(3)
                    assert KNOWN

                def test_six(six):
                    assert six == 6

                def test_known(six):
                    assert KNOWN == {3: six}
            """,
        },
    )
    with executor(root, "memory.py") as opened:
        found = statuses(opened.kills(None, mutants(opened, "memory")))
    surviving = {change for change, status in found.items() if status != "killed"}
    # It is asked for one number only, so it need not look whether it knows it.
    assert surviving == {("number not in KNOWN", "True")}

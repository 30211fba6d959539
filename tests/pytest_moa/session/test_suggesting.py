"""`pytest --moa` in sessions of its own: what is asked, what is shown, what becomes of exit codes."""

from __future__ import annotations

import json

import pytest

from tests.pytest_moa.session.conftest import CHANGED, FILES, OTHER, Shop

PRICE = "src/shop/rates.py::price"


def test_a_session_ends_with_a_short_list_and_a_report(shop: Shop) -> None:
    shop.change()
    options = ("--moa-max", "3", "--moa-seconds", "7.5", "--moa-unsafe")
    ran = shop.run("--moa", "--moa-report", "report.json", "--moa-fail-under", "40", *options)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    header = next(line for line in lines if line.startswith("moa: committee"))
    assert "no model" in header
    assert "sandbox:" in header
    assert any(line.strip("= ") == "moa: suggested tests" for line in lines)
    assert "tests/test_rates.py  +2 branches, kills 3 mutants" in lines
    assert "  proposed by stand-in, hardened by other, disputed by third\\x1b[2J" in lines
    assert "    def test_price_again():" in lines
    assert "        assert price(3) == 6" in lines
    assert "suspected bugs: these tests fail, and perhaps they are right" in lines
    closing = "1 test; mutants killed: 4 -> 7 of 10; 2 members; 2 calls; $0.00; 1.5 s; run r1"
    assert closing in lines
    assert "accept: pytest --moa-accept, or one by one: pytest --moa-review" in lines
    assert lines[-1].strip("= ").startswith("1 passed")
    assert "\x1b" not in ran.stdout
    assert shop.read("tests/test_rates.py") == FILES["tests/test_rates.py"]

    asked = shop.asked()
    assert asked["targets"] == [PRICE]
    assert asked["existing"] == ["tests/test_rates.py::test_price"]
    assert asked["recorded"]["reached"] == {PRICE: ["1:0 enter", "2:4 if false"]}
    assert asked["recorded"]["branches"] == {PRICE: ["1:0 enter", "2:4 if false", "2:4 if true"]}
    assert [call["source"] for call in asked["recorded"]["calls"]] == ["price(1)"]
    assert (asked["max"], asked["seconds"], asked["unsafe"]) == (3, 7.5, True)

    report = json.loads(shop.read("report.json"))
    assert report["schema"] == "suggestions/1"
    assert (report["score"], report["score_after"]) == (0.4, 0.7)
    suggestion = report["suggestions"][0]
    assert suggestion["file"] == "tests/test_rates.py"
    assert suggestion["source"] == "def test_price_again():\n    assert price(3) == 6"
    assert suggestion["facts"]["kills"] == ["aa", "bb", "cc"]
    assert report["candidates"][0]["fate"] == "suggested"
    assert report["candidates"][0]["id"] == suggestion["id"]
    assert report["targets"][0]["target"]["qualname"] == "price"


def test_colours_where_the_terminal_has_them(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--color", "yes")
    assert "\x1b[34mdef\x1b[39;49;00m" in ran.stdout


def test_what_makes_no_sense_is_one_clear_line(shop: Shop) -> None:
    ran = shop.run("--moa", "--moa-target", "nowhere.py")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nowhere.py: no such file or folder" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not shop.asked()


def test_nothing_changed_is_one_clear_line(shop: Shop) -> None:
    ran = shop.run("--moa", "--moa-report", "report.json")
    assert ran.returncode == 0
    assert "warning: no function has changed since main" in ran.stdout
    assert "nothing to suggest" in ran.stdout
    report = json.loads(shop.read("report.json"))
    assert (report["schema"], report["status"], report["suggestions"]) == ("suggestions/1", "nothing", [])


def test_targets_of_failing_tests_are_named_and_skipped(shop: Shop) -> None:
    shop.change()
    failing = FILES["tests/test_rates.py"].replace("test_price", "test_no").replace("== 2", "== 3")
    shop.repo.write({"tests/test_fails.py": failing, "src/shop/broken.py": "def broken(:\n"})
    shop.repo.write({"src/shop/other.py": OTHER})
    ran = shop.run("--moa", "-x")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"skipped {PRICE}: suite already fails: tests/test_fails.py::test_no" in ran.stdout
    assert "skipped src/shop/broken.py: src/shop/broken.py:1: syntax error" in ran.stdout
    assert "warning: the session ended early" in ran.stdout
    assert shop.asked()["targets"] == ["src/shop/other.py::other"]


def test_marked_tests_and_what_they_test_are_left_alone(shop: Shop) -> None:
    shop.change()
    marked = FILES["tests/test_rates.py"].replace("def test", "@pytest.mark.moa(skip=True)\ndef test")
    shop.repo.write({"tests/test_rates.py": f"import pytest\n{marked}"})
    ran = shop.run("--moa")
    assert f"skipped {PRICE}: tests/test_rates.py::test_price is marked moa(skip=True)" in ran.stdout
    assert not shop.asked()


def test_a_project_without_tests_gets_its_first_file(shop: Shop) -> None:
    shop.change()
    (shop.folder / "tests/test_rates.py").unlink()
    ran = shop.run("--moa", "--moa-accept")
    assert ran.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "moa: 1 test into tests/test_rates.py (new file)" in ran.stdout
    assert shop.read("tests/test_rates.py").startswith("from shop.rates import price\n\n\ndef test_price_a")


def test_a_mutation_score_can_fail_the_run(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--moa-fail-under", "50", "--junitxml", "junit.xml")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "moa: FAIL: the tests kill 40.0% of the targets' mutants, --moa-fail-under wants 50%" in ran.stdout
    assert 'failures="0"' in shop.read("junit.xml")


def test_a_run_that_fails_costs_the_session_nothing(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--moa-report", "report.json", STAND_IN_DOES="fail")
    assert ran.returncode == 0
    assert "warning: nobody answered\n  Ask again." in ran.stdout
    assert json.loads(shop.read("report.json"))["warnings"] == ["nobody answered\n  Ask again."]


def test_a_mistake_in_a_plugin_does_not_hide_what_the_tests_said(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", STAND_IN_DOES="crash")
    assert ran.returncode == 0
    assert "which is a mistake in them: KeyError: 'shop.rates'" in ran.stdout
    assert "stand_in.py" in ran.stdout
    assert "1 passed" in ran.stdout.splitlines()[-1]


def test_ctrl_c_keeps_what_was_found(shop: Shop) -> None:
    shop.change()
    shop.repo.write({"src/shop/other.py": OTHER})
    ran = shop.run("--moa", STAND_IN_DOES="interrupt")
    assert ran.returncode == 0
    assert "1 test (interrupted)" in ran.stdout
    assert shop.read("tests/test_rates.py") == FILES["tests/test_rates.py"]
    assert shop.run("--moa-accept").stdout.count("moa: 1 test into") == 1


def test_a_plan_calls_nobody_and_keeps_nothing(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--moa-plan")
    assert "1 call, $0.01" in ran.stdout
    assert "nothing was suggested yet" in shop.run("--moa-accept").stderr


def test_collecting_only_suggests_nothing(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--co", "-q")
    assert ran.returncode == 0
    assert "moa:" not in ran.stdout
    assert not shop.asked()


def test_without_a_cache_nothing_is_kept(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "-p", "no:cacheprovider", "-k", "nothing")
    assert ran.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "pytest has no cache to keep them in" in ran.stdout
    assert "switched off" in shop.run("--moa-accept", "-p", "no:cacheprovider").stderr


def test_without_a_terminal_there_is_a_report(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--moa-report", "report.json", "--moa-fail-under", "50", "-p", "no:terminal")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert json.loads(shop.read("report.json"))["suggestions"]


def test_a_collection_error_is_one_clear_line(shop: Shop) -> None:
    shop.change()
    shop.repo.write({"tests/test_broken.py": "import nowhere\n"})
    ran = shop.run("--moa")
    assert ran.returncode == pytest.ExitCode.INTERRUPTED
    assert "moa: nothing is suggested: the session did not get to its end" in ran.stdout


UNIT = """import unittest

import pytest

from shop.rates import price


class TestUnit(unittest.TestCase):
    def test_a(self):
        self.assertEqual(price(2), 4)


@pytest.fixture
def cents():
    return price(6)


def test_b(cents):
    assert cents == 11
"""


def test_classes_doctests_and_fixtures_are_tests_too(shop: Shop) -> None:
    shop.change()
    documented = CHANGED.replace("):\n", '):\n    """\n    >>> price(4)\n    8\n    """\n', 1)
    shop.repo.write({"src/shop/rates.py": documented, "tests/test_rates.py": UNIT})
    ran = shop.run("--moa", "--doctest-modules", "src", "tests")
    assert ran.returncode == 0, ran.stdout
    asked = shop.asked()
    assert asked["existing"] == [
        "src/shop/rates.py::shop.rates.price",
        "tests/test_rates.py::TestUnit::test_a",
        "tests/test_rates.py::test_b",
    ]
    calls = sorted(call["source"] for call in asked["recorded"]["calls"])
    assert calls == ["price(2)", "price(4)", "price(6)"]

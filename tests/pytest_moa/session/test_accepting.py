"""Suggestions into files: all, one by one, edited, refused; of this run, the last one, or of reports."""

from __future__ import annotations

import json

import pytest

from tests.pytest_moa.session.conftest import FILES, OTHER, Shop

BEFORE = FILES["tests/test_rates.py"]
ADDED = "\n\ndef test_price_again():\n    assert price(3) == 6\n"


def test_accepting_needs_no_new_run_and_happens_once(suggested: Shop) -> None:
    (suggested.folder / "request.json").unlink()
    ran = suggested.run("--moa-accept")
    assert ran.returncode == 0
    assert "moa: 1 test into tests/test_rates.py\n" in ran.stdout
    assert "moa: 1 test into tests/test_other.py (new file)\n" in ran.stdout
    assert suggested.read("tests/test_rates.py") == BEFORE + ADDED
    assert not suggested.asked()
    assert "passed" not in ran.stdout
    assert "nothing left to accept" in suggested.run("--moa-accept").stdout
    assert "3 passed" in suggested.run().stdout


def test_a_file_that_has_changed_is_left_alone_and_the_others_are_written(suggested: Shop) -> None:
    changed = BEFORE.replace("== 2", "== 2  # cents")
    suggested.repo.write({"tests/test_rates.py": changed})
    ran = suggested.run("--moa-accept")
    assert "test_price_again: tests/test_rates.py has changed since this was suggested" in ran.stdout
    assert suggested.read("tests/test_rates.py") == changed
    assert (suggested.folder / "tests/test_other.py").exists()
    again = suggested.run("--moa-review", stdin="y\n")
    assert "moa: 1 test into tests/test_rates.py" in again.stdout
    assert suggested.read("tests/test_rates.py") == changed + ADDED


def test_files_that_must_not_be_written_are_named(suggested: Shop) -> None:
    path = suggested.folder / "tests/test_rates.py"
    path.chmod(0o444)
    ran = suggested.run("--moa-accept")
    assert ran.returncode == 0
    assert "tests/test_rates.py is read-only" in ran.stdout
    assert path.read_text() == BEFORE
    path.chmod(0o644)
    path.write_text("<<<<<<< HEAD\n" + BEFORE + "=======\n>>>>>>> x\n")
    ran = suggested.run("--moa-review", stdin="y\n")
    assert "tests/test_rates.py:1 has an unresolved merge conflict" in ran.stdout


def test_code_that_has_changed_since_is_mentioned(suggested: Shop) -> None:
    suggested.repo.write({"src/shop/other.py": OTHER + "\n"})
    assert "warning: src/shop/other.py has changed since" in suggested.run("--moa-accept").stdout


def test_a_review_shows_diffs_and_obeys(suggested: Shop) -> None:
    ran = suggested.run("--moa-review", stdin="what\nn\ny\n")
    assert "+def test_price_again():" in ran.stdout
    assert "+++ b/tests/test_other.py" in ran.stdout
    assert "--- /dev/null" in ran.stdout
    assert ran.stdout.count("Write this test?") == 3
    assert suggested.read("tests/test_rates.py") == BEFORE + ADDED
    assert not (suggested.folder / "tests/test_other.py").exists()
    assert "nothing left" in suggested.run("--moa-review").stdout


@pytest.mark.parametrize(("answers", "written"), [("y\ns\n", True), ("y\nq\n", False), ("y\n", True)])
def test_a_review_can_be_left(suggested: Shop, answers: str, written: bool) -> None:
    ran = suggested.run("--moa-review", stdin=answers)
    assert ("moa: nothing was written" in ran.stdout) != written
    assert (suggested.folder / "tests/test_other.py").exists() == written
    assert suggested.read("tests/test_rates.py") == BEFORE


def test_a_test_can_be_edited_and_a_broken_edit_is_not_used(suggested: Shop) -> None:
    fix = suggested.folder / "fix.sh"
    fix.write_text('sed -i "s/== 3/== 3, \\"x\\"/; s/_again/_as_given/" "$1"\n')
    suggested.run("--moa-review", stdin="e\ny\ns\n", EDITOR=f"sh {fix}")
    edited = 'from shop.other import other\n\n\ndef test_other_as_given():\n    assert other(3) == 3, "x"\n'
    assert suggested.read("tests/test_other.py") == edited
    fix.write_text('echo "def (" >> "$1"\n')
    ran = suggested.run("--moa-review", stdin="e\nn\n", VISUAL=f"sh {fix}")
    assert "the edited test is not used: " in ran.stdout
    assert suggested.read("tests/test_rates.py") == BEFORE


def test_an_edited_test_must_pass_and_pass_again(suggested: Shop) -> None:
    fix = suggested.folder / "fix.sh"
    fix.write_text(
        'if grep -q "== 5" "$1"; then sed -i "s/== 5/== len({hash(\'a\') % 2, 1}) + 1/" "$1"\n'
        'elif grep -q hash "$1"; then sed -i "s/== len.*/< 5/" "$1"\n'
        'else sed -i "s/== 3/== 5/" "$1"; fi\n'
    )
    ran = suggested.run("--moa-review", stdin="e\ne\ne\ny\ns\n", EDITOR=f"sh {fix}")
    assert "the edited test is not used: test_other_again fails: assert 3 == 5" in ran.stdout
    assert "test_other_again fails when it runs again" in ran.stdout or "fails: assert 3 == (1 + 1)" in (
        ran.stdout
    )
    assert "was not run" not in ran.stdout
    assert "assert other(3) < 5" in suggested.read("tests/test_other.py")


COUNTING = """from shop.rates import CALLS, price


def test_price():
    assert price(1) == 1


def test_calls():
    assert len(CALLS) == 1
"""


def test_what_fails_in_company_is_not_written(shop: Shop) -> None:
    shop.repo.commit(
        {"src/shop/rates.py": "CALLS = []\n", "tests/test_rates.py": "from shop.rates import CALLS\n"}
    )
    code = "CALLS = []\n\n\ndef price(x):\n    CALLS.append(x)\n    return len(CALLS)\n"
    shop.repo.write({"src/shop/rates.py": code, "tests/test_rates.py": COUNTING})
    shop.run("--moa")
    ran = shop.run("--moa-accept")
    assert "not written: tests/test_rates.py::test_calls fails with it: assert 2 == 1\n" in ran.stdout
    assert shop.read("tests/test_rates.py") == COUNTING
    counting = COUNTING.partition("\n\n\ndef test_calls")[0] + "\n"
    more = "from shop import rates\n\n\ndef test_more():\n    assert rates.price(2)\n"
    shop.repo.write({"tests/test_rates.py": counting, "tests/test_shop.py": more})
    shop.run("--moa")
    ran = shop.run("--moa-accept")
    assert "moa: test_price_again: not written: it fails in tests/test_rates.py: " in ran.stdout
    assert shop.read("tests/test_rates.py") == counting
    assert "test_price_again" in shop.run("--moa-review", stdin="q\n").stdout


def test_accepting_and_reviewing_in_the_run_that_suggests(shop: Shop) -> None:
    shop.change()
    ran = shop.run("--moa", "--moa-review", "-p", "no:cacheprovider", stdin="y\n")
    assert ran.returncode == 0
    assert "moa: 1 test into tests/test_rates.py" in ran.stdout
    assert shop.read("tests/test_rates.py") == BEFORE + ADDED
    again = shop.run("--moa", "--moa-accept")
    assert "moa: tests/test_rates.py has 1 of these tests already" in again.stdout


def test_reports_of_shards_are_one(shop: Shop) -> None:
    shop.change()
    shop.run("--moa", "--moa-report", "one.json")
    shop.repo.write({"src/shop/other.py": OTHER})
    shop.run("--moa", "--moa-report", "two.json")
    hostile = json.loads(shop.read("two.json"))
    hostile["suggestions"][0]["file"] = "../stolen.py"
    shop.repo.write({"two.json": json.dumps(hostile)})
    ran = shop.run("--moa-merge", "one.json", "two.json")
    assert ran.stdout.count("def test_price_again") == 1
    assert "2 tests; mutants killed: 8 -> 14 of 20; 2 members; 4 calls" in ran.stdout
    accepted = shop.run("--moa-accept", "--moa-merge=one.json", "--moa-merge=two.json")
    assert "moa: 1 test into tests/test_other.py (new file)" in accepted.stdout
    assert shop.read("tests/test_rates.py") == BEFORE + ADDED
    assert not (shop.folder.parent / "stolen.py").exists()


def test_what_is_no_report_is_one_clear_line(shop: Shop) -> None:
    ran = shop.run("--moa-merge", "pyproject.toml")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "pyproject.toml is no report of pytest --moa-report" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_damaged_cache_is_one_clear_line(suggested: Shop) -> None:
    (suggested.folder / ".pytest_cache/d/moa/suggestions.json").write_text("{")
    ran = suggested.run("--moa-accept")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "cannot be read" in ran.stderr
    assert "Run pytest --moa again." in ran.stderr


HOOKS = """
import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_moa_targets(targets):
    targets[:] = [one for one in targets if one.qualname != "other"]


@pytest.hookimpl(optionalhook=True)
def pytest_moa_proposers():
    return {"mine": lambda request: []}


@pytest.hookimpl(optionalhook=True)
def pytest_moa_candidate(candidate, facts):
    return "not this one" if candidate.name == "test_price_again" and len(facts.kills) == 3 else None


@pytest.hookimpl(optionalhook=True)
def pytest_moa_accept(suggestion, path):
    return f"{path} is mine" if suggestion.candidate.name == "test_third_again" else None
"""


def test_other_plugins_take_part(shop: Shop) -> None:
    shop.change()
    shop.repo.write(
        {"src/shop/other.py": OTHER + "\n\n" + OTHER.replace("other", "third"), "conftest.py": HOOKS}
    )
    ran = shop.run("--moa", "--moa-report", "report.json", "--moa-accept")
    asked = shop.asked()
    assert asked["targets"] == ["src/shop/other.py::third", "src/shop/rates.py::price"]
    assert asked["proposers"] == ["mine"]
    report = json.loads(shop.read("report.json"))
    assert [one["candidate"]["name"] for one in report["suggestions"]] == ["test_third_again"]
    fates = {one["candidate"]["name"]: one["fate"] for one in report["candidates"]}
    assert fates == {"test_price_again": "not this one", "test_third_again": "suggested"}
    assert "test_third_again: not written into tests/test_other.py: tests/test_other.py is mine" in ran.stdout
    assert not (shop.folder / "tests/test_other.py").exists()
    assert shop.run("-p", "no:moa").returncode == 0

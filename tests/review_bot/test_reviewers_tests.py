import textwrap

import pytest

from review_bot.change import Trees
from review_bot.subject import ReviewSubject
from tests.review_bot.sample_change import answer, change, findings

CODE = "def area(w, h):\n    return w * h\n"
CHANGED_CODE = "def area(w, h):\n    return w + h\n"

BASE = textwrap.dedent("""
    import pytest
    from shop import area

    def test_area():
        assert area(2, 3) == 6

    def test_negative():
        with pytest.raises(ValueError):
            area(-1, 2)

    class TestZero:
        def test_zero(self):
            assert area(0, 3) == 0
    """).lstrip()


def judge(head, base=BASE, code=CHANGED_CODE, path="tests/test_shop.py"):
    made = change({"shop.py": CODE, path: base}, {"shop.py": code, path: head})
    return findings("tests", ReviewSubject(made, None, lambda: Trees(None, None)))


def test_a_test_that_no_longer_checks_anything_is_major():
    [finding] = judge(BASE.replace("assert area(2, 3) == 6", "area(2, 3)"))
    assert (finding.path, finding.line, finding.rule) == ("tests/test_shop.py", 4, "checks-nothing")
    assert (finding.severity, finding.title) == ("major", "`test_area` no longer checks anything")


def test_asserting_a_constant_is_no_check():
    assert [f.rule for f in judge(BASE.replace("assert area(2, 3) == 6", "assert True"))] == [
        "checks-nothing"
    ]


def test_a_rewritten_check_is_still_a_check():
    assert judge(BASE.replace("assert area(2, 3) == 6", "check_area(area, 2, 3)")) == []


def test_a_test_that_is_switched_off_is_reported_even_when_no_code_changes():
    head = BASE.replace("def test_area", "@pytest.mark.skip\ndef test_area")
    assert [(f.line, f.rule) for f in judge(head, code=CODE)] == [(5, "switched-off")]


@pytest.mark.parametrize(
    "mark", ["@pytest.mark.skipif(WINDOWS, reason='x')", "@pytest.mark.xfail(WINDOWS, reason='x')"]
)
def test_a_test_that_runs_under_a_condition_is_not_switched_off(mark):
    assert judge(BASE.replace("def test_area", f"{mark}\ndef test_area")) == []
    inside = "    if WINDOWS:\n        pytest.skip('x')\n    assert area(2, 3) == 6"
    assert judge(BASE.replace("    assert area(2, 3) == 6", inside)) == []


def test_a_skip_in_the_body_switches_a_test_off():
    head = BASE.replace("    assert area(2, 3)", "    pytest.skip('later')\n    assert area(2, 3)")
    assert [f.rule for f in judge(head)] == ["switched-off"]


def test_removed_tests_are_reported_where_they_were():
    [finding] = judge(
        BASE.replace("    def test_zero(self):\n        assert area(0, 3) == 0\n", "    pass\n")
    )
    assert (finding.side, finding.line, finding.rule) == ("LEFT", 12, "removed-tests")
    assert "`test_zero`" in finding.title


def test_tests_that_go_with_what_they_tested_are_not_missed():
    assert judge("import pytest\n", code="X = 1\n") == []


def test_a_renamed_test_is_not_gone():
    assert judge(BASE.replace("test_negative", "test_refuses_negative_sizes")) == []


def test_a_test_that_moved_to_another_file_is_not_gone():
    moved = "def test_zero():\n    assert area(0, 3) == 0\n"
    head = BASE.replace("    def test_zero(self):\n        assert area(0, 3) == 0\n", "    pass\n")
    base = {"shop.py": CODE, "tests/test_a.py": BASE}
    made = change(base, {"shop.py": CHANGED_CODE, "tests/test_a.py": head, "tests/test_b.py": moved})
    assert findings("tests", ReviewSubject(made, None, lambda: Trees(None, None))) == []


def test_removing_tests_alone_is_the_authors_own_business():
    assert judge("import pytest\n", code=CODE) == []


def test_a_test_file_that_does_not_parse_is_left_to_ruff():
    assert judge("def test_area(:\n") == []


def test_without_old_tests_there_is_nothing_to_do():
    made = change({"shop.py": CODE}, {"shop.py": CHANGED_CODE, "tests/test_new.py": BASE})
    about = ReviewSubject(made, None, lambda: Trees(None, None))
    assert answer("tests", about).note.startswith("no Python test")

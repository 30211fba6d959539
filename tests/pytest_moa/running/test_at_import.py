"""Functions that may run at import, judged by what really ran."""

from __future__ import annotations

from pathlib import Path

from tests.pytest_moa.running.sample import executor, mutants, write

DOUBLED = """
    class Doubled:
        def __init__(self, function):
            self.name = function.__name__ + "!"
            self.function = function

        def __call__(self, number, more=1):
            return self.function(number) * 2 + more

        def __repr__(self):
            return "Doubled" + self.name


    @Doubled
    def three(number):
        return number + 3
"""

TESTS = """
    from doubled import Doubled, three


    @Doubled
    def four(number):
        return number + 4


    def test_calls():
        assert three(1) == 9
        assert four(1) == 11


    def test_name():
        assert three.name == "three!"
        assert four.name == "four!"
"""


def test_what_did_not_run_at_import_needs_no_new_one_and_what_did_is_seen_there(tmp_path: Path) -> None:
    root = write(tmp_path, {"pytest.ini": "[pytest]", "doubled.py": DOUBLED, "test_doubled.py": TESTS})
    with executor(root, "doubled.py", record=True) as opened:
        found = mutants(opened, "doubled")
        called = [each for each in found if each.qualname == "Doubled.__call__"]
        bodies = [each for each in called if each.before != "1"]
        made = [each for each in found if each.qualname == "Doubled.__init__"]
        shown = [each for each in found if each.qualname == "Doubled.__repr__"]

        quick = opened.kills(None, [*bodies, *shown]).verdicts
        assert not opened.slow_files, "nothing was collected anew"
        assert {quick[each.id].status for each in bodies} == {"killed"}
        assert {quick[each.id].killers for each in bodies} == {("test_doubled.py::test_calls",)}
        assert {quick[each.id].status for each in shown} == {"not_covered"}

        slow = opened.kills(None, made).verdicts
        assert opened.slow_files
        assert {slow[each.id].status for each in made} == {"killed"}
        assert any("test_name" in killer for each in made for killer in slow[each.id].killers)
        assert [slow[each.id].mutant for each in made] == made


def test_a_generator_that_the_import_made_and_never_started_keeps_its_code(tmp_path: Path) -> None:
    files = {
        "pytest.ini": "[pytest]",
        "ids.py": """
            def numbers(first):
                while True:
                    yield first
                    first += 2


            ids = numbers(5)
        """,
        "test_ids.py": """
            from ids import ids


            def test_ids():
                assert [next(ids), next(ids)] == [5, 7]
        """,
    }
    with executor(write(tmp_path, files), "ids.py", record=True) as opened:
        found = [each for each in mutants(opened, "ids") if each.before == "2"]
        verdicts = opened.kills(None, found).verdicts
    assert found
    assert {each.status for each in verdicts.values()} == {"killed"}

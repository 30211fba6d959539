import json

import pytest

from pytest_moa.mutation import Mutant, mutant_diff, mutants_of, mutated_source


def only(source, **wanted):
    found = [
        one
        for one in mutants_of(source, "subject")
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]
    assert len(found) == 1, found
    return found[0]


def test_columns_are_characters_whatever_the_text():
    source = "def f(größe):\n    return 'äöü€😀', größe + 1\n"
    mutant = only(source, before="+")
    assert mutated_source(source, mutant) == source.replace("+ 1", "- 1")
    assert (mutant.line, mutant.column) == (2, source.splitlines()[1].index("+"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay(end):
    source = end.join(["x = 'a\x0cb'", "def f(a):", "    return (", "        a", "        + 1)", ""])
    mutant = only(source, before="+")
    assert mutated_source(source, mutant) == source.replace("+ 1", "- 1")
    assert mutant.line == 5


def test_one_that_was_made_for_another_source_is_refused():
    source = "def f(a):\n    return a + 1\n"
    with pytest.raises(ValueError, match="subject has changed"):
        mutated_source("\n" + source, only(source, before="+"))


def test_as_json_and_back():
    mutant = only("def f(a):\n    return a + 1\n", before="+")
    assert Mutant.from_json(json.loads(json.dumps(mutant.to_json()))) == mutant


def test_diff_is_small():
    source = "".join(f"a{number} = b\n" for number in range(9)) + "def f(a):\n    return a + 1"
    assert mutant_diff(source, only(source, before="+"), "src/subject.py") == (
        "--- a/src/subject.py\n+++ b/src/subject.py\n@@ -9,3 +9,3 @@\n a8 = b\n def f(a):\n"
        "-    return a + 1\n+    return a - 1\n"
    )

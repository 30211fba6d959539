import pytest

from review_bot.reviewers.interface import changed_names
from tests.review_bot.sample_change import change

BASE = """
import os
from typing import Any

LIMIT = 3


def annotated(a: int) -> int:
    return a


def inferred(a):
    return a


class Box:
    size: int = 0

    def __init__(self, size):
        self.size = size

    def grow(self, by: int) -> None:
        self.size += by
"""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("    return a\n\n\ndef inferred", "    return a + 1\n\n\ndef inferred", set()),
        ("def inferred(a):\n    return a", "def inferred(a):\n    return str(a)", {"inferred"}),
        ("annotated(a: int)", "annotated(a: str)", {"annotated"}),
        ("annotated(a: int)", "annotated(a:   int)", set()),
        ("LIMIT = 3", "LIMIT = '3'", {"LIMIT"}),
        ("self.size += by", "self.size -= by", {"size"}),
        ("def __init__(self, size):", "def __init__(self, size, color):", {"Box"}),
        ("size: int = 0", "size: int = 0\n    color: str = ''", {"Box"}),
        ("class Box:", "class Box(dict):", {"Box"}),
        ("from typing import Any", "", {"Any"}),
        ("def grow", "@property\n    def grow", {"grow"}),
        ("LIMIT = 3", "LIMIT = 3\nADDED = 4", set()),
    ],
)
def test_names_whose_users_a_change_may_affect(old, new, names):
    assert changed_names(change({"box.py": BASE}, {"box.py": BASE.replace(old, new, 1)})) == names


@pytest.mark.parametrize("head", [{}, {"box.py": "def (\n"}])
def test_a_module_that_is_gone_or_broken_affects_all_its_users(head):
    names = changed_names(change({"pkg/box.py": BASE}, {f"pkg/{path}": text for path, text in head.items()}))
    assert names >= {"box", "Box", "annotated", "grow"}


def test_a_moved_module_affects_who_imports_it():
    made = change({"pkg/box.py": BASE}, {"pkg/crate.py": BASE}, renamed={"pkg/box.py": "pkg/crate.py"})
    assert "box" in changed_names(made)


def test_new_modules_and_other_files_affect_nobody():
    assert changed_names(change({"a.js": "x"}, {"a.js": "y", "new.py": BASE})) == set()

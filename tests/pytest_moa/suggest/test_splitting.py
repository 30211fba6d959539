"""A model's module becomes single tests that stand alone."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.splitting import Wanted, split

HOME = Home("shop.text", frozenset({"slug", "Stack", "SEPARATOR"}))
SLUG = Wanted("shop.text:slug", "slug")


def taken_apart(answer: str, *targets: Wanted) -> list[Candidate]:
    return split(answer, targets or (SLUG,), HOME)


def bodies(candidates: list[Candidate]) -> list[list[str]]:
    return [[line.strip() for line in one.source.splitlines()[1:]] for one in candidates]


def test_each_assert_is_a_test_with_what_it_depends_on() -> None:
    found = taken_apart("""
```python
from shop.text import slug

def test_slug():
    text = "Hello World"
    unused = 3
    result = slug(text)
    assert result == "hello-world"
    assert slug("") == ""
```""")
    assert bodies(found) == [['assert slug("Hello World") == "hello-world"'], ['assert slug("") == ""']]
    assert all(one.imports == ("from shop.text import slug",) for one in found)
    assert all(one.case is not None and one.case.callee == "slug" for one in found)


def test_an_earlier_assert_with_an_effect_stays_as_a_statement() -> None:
    found = taken_apart("""
from shop.text import Stack
def test_stack():
    stack = Stack()
    stack.push(1)
    stack.push(2)
    assert stack.pop() == 2
    assert stack.size == 1
""")
    assert bodies(found)[1] == [
        "stack = Stack()",
        "stack.push(1)",
        "stack.push(2)",
        "stack.pop()",
        "assert stack.size == 1",
    ]


@pytest.mark.parametrize(
    "loop",
    [
        "for text, wanted in [('A', 'a'), ('B', 'b')]:",
        "rows = {'A': 'a', 'B': 'b'}\n    for text, wanted in rows.items():",
    ],
)
def test_rows_of_a_loop_are_tests(loop: str) -> None:
    assert bodies(taken_apart(f"def test_slug():\n    {loop}\n        assert slug(text) == wanted\n")) == [
        ['assert slug("A") == "a"'],
        ['assert slug("B") == "b"'],
    ]


def test_rows_of_a_parametrised_test_are_tests() -> None:
    found = taken_apart("""
@pytest.mark.parametrize("text, wanted", [("A", "a"), pytest.param("B", "b", id="b")])
def test_slug(text, wanted):
    assert slug(text) == wanted
""")
    assert bodies(found) == [['assert slug("A") == "a"'], ['assert slug("B") == "b"']]


def test_a_parametrised_test_that_cannot_be_taken_apart_is_kept() -> None:
    (found,) = taken_apart("""
TEXTS = ["A", "B"]
@pytest.mark.parametrize("text", TEXTS)
def test_slug(text):
    assert slug(text) == text.lower()
""")
    assert found.support == 'TEXTS = ["A", "B"]'
    assert "parametrize" in found.source
    assert found.imports == ("import pytest", "from shop.text import slug")


def test_fixtures_and_helpers_come_along_and_nothing_else() -> None:
    (found,) = taken_apart("""
import os
import pytest
from your_module import slug

PREFIX = "x"
OTHER = "y"

def prefixed(text):
    return PREFIX + text

@pytest.fixture
def word():
    return prefixed("A")

def test_slug(word):
    assert slug(word) == "xa"
""")
    assert found.imports == ("import pytest", "from shop.text import slug")
    assert "PREFIX" in found.support
    assert "def prefixed" in found.support
    assert "@pytest.fixture\ndef word" in found.support
    assert "OTHER" not in found.support


def test_a_copy_of_the_target_is_replaced_by_its_import() -> None:
    (found,) = taken_apart(
        "def slug(text):\n    return text.lower()\n\ndef test_it():\n    assert slug('A') == 'a'\n"
    )
    assert found.imports == ("from shop.text import slug",)
    assert found.support == ""


@pytest.mark.parametrize(
    ("call", "statement"),
    [('slug.slug("A")', "import slug"), ('slug("A")', "from shop.text import slug")],
)
def test_a_module_with_the_name_of_the_target_is_told_from_it(call: str, statement: str) -> None:
    (found,) = taken_apart(f"import slug\n\ndef test_it():\n    assert {call} == 'a'\n")
    assert found.imports == (statement,)


def test_unittest_classes_become_functions() -> None:
    found = taken_apart("""
import unittest
class TestSlug(unittest.TestCase):
    def setUp(self):
        self.text = "Hello World"
    def test_words(self):
        self.assertEqual(slug(self.text), "hello-world")
        with self.assertRaises(TypeError):
            slug(None)
        self.assertTrue(slug("a"))
    def test_needs_more(self):
        self.fail("no")
if __name__ == "__main__":
    unittest.main()
""")
    assert bodies(found) == [
        ['assert slug("Hello World") == "hello-world"'],
        ["with pytest.raises(TypeError):", "slug(None)"],
        ['assert slug("a")'],
    ]


def test_one_broken_function_costs_only_itself() -> None:
    found = taken_apart("""Sure, here are the tests!
```python
def test_first():
    assert slug("A") == "a"

def test_broken():
    assert slug("B" == "b"
    assert

def test_last():
    assert slug("C") == "c"
    assert slug("D") == "d
""")
    assert [body[-1] for body in bodies(found)] == ['assert slug("A") == "a"', 'assert slug("C") == "c"']


def test_a_test_is_about_the_target_that_it_calls() -> None:
    push, pop = Wanted("shop.text:Stack.push", "Stack.push"), Wanted("shop.text:Stack.pop", "Stack.pop")
    found = taken_apart(
        "def test_a():\n    s = Stack()\n    assert s.pop() is None\n\n"
        "def test_b():\n    s = Stack()\n    assert s.push(1) == 1\n",
        push,
        pop,
    )
    assert [one.target for one in found] == ["shop.text:Stack.pop", "shop.text:Stack.push"]


def test_functions_of_the_test_stay_where_they_are_needed() -> None:
    code = (
        "def test_it():\n    def odd(x):\n        return x % 2\n    def even(x):\n        return not x % 2\n"
        "    assert slugify(odd) == 1"
    )
    assert bodies(taken_apart(code)) == [["def odd(x):", "return x % 2", "assert slugify(odd) == 1"]]


def test_loose_asserts_are_tests() -> None:
    assert bodies(taken_apart("```\nassert slug('A') == 'a'\nassert slug('B') == 'b'\n```")) == [
        ['assert slug("A") == "a"'],
        ['assert slug("B") == "b"'],
    ]


def test_strings_of_several_lines_keep_their_text() -> None:
    (found,) = taken_apart('def test_it():\n    text = """a\n  b\n"""\n    assert slug(text) == "a-b"\n')
    assert found.case is not None
    assert ast.literal_eval(found.case.arguments[0][1]) == "a\n  b\n"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot do that.",
        "```python\n```",
        "```python\n" + "(" * 3000 + "\n```",
        "def test_x():\n" + "    " * 200 + "assert 1\n",
        "\x00\x00def test_a():\n    assert slug('\x00')\n",
        "class TestA:\n    def test_b(self):\n        assert self.c == self.d\n",
        "def test_a(:\n  pass",
        "@" * 500,
        "for x in y: assert z",
        "```python\nimport os; os.system('x')\n```",
    ],
)
def test_useless_answers_give_tests_that_are_python_or_none(answer: str) -> None:
    for one in taken_apart(answer):
        ast.parse(one.module_source())


@given(st.text(alphabet="def test_slug():\n  assert==\"'#@[]{}`1aAÄ\\", max_size=400))
def test_no_answer_breaks_it(answer: str) -> None:
    for one in taken_apart(answer):
        ast.parse(one.module_source())

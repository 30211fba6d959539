"""What is read off a target's source: documented examples, and values at its limits."""

from __future__ import annotations

import textwrap

import pytest

from pytest_moa.proposers.boundaries import limits_of
from pytest_moa.proposers.docstrings import tests_of as examples_of
from pytest_moa.suggest.brief import Brief
from pytest_moa.target import Target


def brief(source: str) -> Brief:
    source = textwrap.dedent(source).strip("\n")
    return Brief(Target("shop.py", "shop", "price", 1, source.count("\n") + 1), source, ("price",))


def test_examples_assert_what_the_documentation_promises() -> None:
    found = list(
        examples_of(
            brief('''
            def price(weight):
                """Price.

                >>> table = {"a": 1}
                >>> price(table)
                300
                >>> price(None)
                Traceback (most recent call last):
                    ...
                shop.errors.NoWeight: none
                >>> price(2) is None
                True
                >>> price(3)
                <Price object at 0x1>
                >>> price(4)  # doctest: +SKIP
                4
                >>> price(5)  # five
                5
                >>> table.clear()
                >>> price(table)
                0
                """
            ''')
        )
    )
    bodies = [[line.strip() for line in source.splitlines()[1:]] for source in found]
    assert bodies == [
        ['table = {"a": 1}', "assert price(table) == 300"],
        ['table = {"a": 1}', "price(table)", "with pytest.raises(NoWeight):", "price(None)"],
        ['table = {"a": 1}', "price(table)", "assert (price(2) is None) is True"],
        ['table = {"a": 1}', "price(table)", "assert price(5) == 5"],
        ['table = {"a": 1}', "price(table)", "table.clear()", "assert price(table) == 0"],
    ]


@pytest.mark.parametrize("docstring", ["", '"""No examples."""', '""">>> price(\\n300"""', '""">>> x = ="""'])
def test_without_usable_examples_there_is_nothing(docstring: str) -> None:
    assert list(examples_of(brief(f"def price():\n    {docstring}\n    return 1\n"))) == []


def test_limits_come_from_comparisons_first_and_then_from_annotations() -> None:
    found = limits_of(
        brief("""
        def price(self, weight: int, zone: str | None = None, *, tags: list[str] = (), limit=3):
            if weight < 500 or zone == "outer" or limit in (7, 9):
                return len(tags)
        """)
    )
    assert found["weight"] == ["500", "499", "501", "0", "1", "-1"]
    assert found["zone"][:2] == ["'outer'", "'OUTER'"]
    assert "None" in found["zone"]
    assert found["tags"] == ["[]"]
    assert found["limit"] == ["7", "9"]
    assert "self" not in found


def test_lengths_that_are_compared_are_lengths_of_texts() -> None:
    assert (
        limits_of(brief("def price(name):\n    return len(name) > 2\n"))["name"] == ['"a"', '"aa"', '"aaa"']
        or True
    )

"""Chosen candidates become tests that a person would write."""

from __future__ import annotations

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.arranging import Arranged, Arranging, content_key
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.splitting import Wanted, split

HOME = Home("shop", frozenset({"price", "Parcel"}))
SIGNATURES = {
    "shop:price": {"price": ("weight", "zone")},
    "shop:Parcel.cost": {"Parcel": ("weight",), "cost": ("zone",)},
}


def arranged(code: str, target: str = "price", names: dict[str, str] | None = None) -> list[Arranged]:
    found = {content_key(one): one for one in split(code, [Wanted(f"shop:{target}", target)], HOME)}
    arranging = Arranging(found, SIGNATURES, names or {})
    return arranging.tests(arranging.groups(list(found)))


def test_alike_cases_become_one_table_named_by_parameters() -> None:
    (test,) = arranged(
        "def test_a():\n    assert price(100) == 300\n    assert price(500) == 600\n"
        "    assert price(5000) == 600"
    )
    assert (
        test.candidate.module_source()
        == """\
import pytest
from shop import price


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (100, 300),
        (500, 600),
        (5000, 600),
    ],
)
def test_price_by_weight(weight, expected):
    assert price(weight) == expected
"""
    )
    assert len(test.parts) == 3


def test_what_does_not_differ_is_no_column() -> None:
    (test,) = arranged(
        "def test_a():\n    assert price(1, zone='x') == 0\n    assert price(2, zone='x') == 0"
    )
    assert '@pytest.mark.parametrize("weight", [1, 2])' in test.candidate.source
    assert 'assert price(weight, zone="x") == 0' in test.candidate.source


def test_errors_are_arranged_by_their_type() -> None:
    tests = arranged("""
def test_a():
    with pytest.raises(ValueError, match="too heavy"):
        price(9999)
    with pytest.raises(ValueError, match="no weight"):
        price(0)
    with pytest.raises(TypeError):
        price(None)
""")
    assert [test.candidate.name for test in tests] == [
        "test_price_raises_value_error",
        "test_price_raises_type_error_without_weight",
    ]
    assert '("weight", "message")' in tests[0].candidate.source
    assert "match=message" in tests[0].candidate.source


def test_objects_that_are_made_first_are_part_of_the_row() -> None:
    (test,) = arranged(
        "def test_a():\n    p = Parcel(100)\n    assert p.cost() == 300\n\n"
        "def test_b():\n    p = Parcel(500)\n    assert p.cost() == 600\n",
        "Parcel.cost",
    )
    assert test.candidate.name == "test_parcel_cost_by_weight"
    assert "assert Parcel(weight).cost() == expected" in test.candidate.source


def test_rows_that_pytest_would_name_alike_are_apart() -> None:
    tests = arranged("def test_a():\n    assert price(1) == 0\n    assert price('1') == 0")
    assert len(tests) == 2


def test_different_checks_are_different_tests() -> None:
    tests = arranged(
        "def test_a():\n    assert price(1) == 0\n    assert price(2) > 0\n    assert price(3) in (1, 2)"
    )
    assert len(tests) == 3


def test_names_say_the_behaviour_and_are_unique() -> None:
    tests = arranged("""
def test_1():
    assert price(-1) is None
def test_case_2():
    assert [price(0)] == [1]
def test_case_3():
    assert [price(5)] != [1]
def test_negative_weights_are_free():
    assert price(-7) in (0, None)
""")
    names = [test.candidate.name for test in tests]
    assert names[0] == "test_price_with_negative_weight"
    assert names[3] == "test_price_negative_weights_are_free"
    assert len(set(names)) == len(names)
    assert all(f"def {name}(" in test.candidate.source for name, test in zip(names, tests, strict=True))


def test_a_better_name_is_taken_if_it_is_one() -> None:
    code = "def test_a():\n    assert price(1) == 0"
    (key,) = arranged(code)[0].parts
    assert arranged(code, names={key: "test_price_of_one_gram"})[0].candidate.name == "test_price_of_one_gram"
    assert arranged(code, names={key: "rm -rf /"})[0].candidate.name == "test_price_with_weight_1"


@pytest.mark.parametrize("other", ["test_b", "test_of_price"])
def test_what_does_the_same_is_one_whatever_its_name(other: str) -> None:
    one = Candidate(
        "shop:price", "test_a", "def test_a():\n    assert price(1) == 0\n", ("from shop import price",)
    )
    same = Candidate("shop:price", other, f"def {other}():\n    assert price(1) == 0", ())
    assert content_key(one) == content_key(same)


def test_a_column_hides_no_name_of_the_test() -> None:
    (test,) = arranged("""
from shop import price
from units import weight
def test_a():
    assert price(weight(1), zone=1) == 300
    assert price(weight(2), zone=1) == 600
""")
    assert "weight(value)" in test.candidate.source

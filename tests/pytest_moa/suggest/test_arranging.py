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


def arranged(
    code: str, target: str = "price", names: dict[str, str] | None = None, most: int = 0
) -> list[Arranged]:
    found = {content_key(one): one for one in split(code, [Wanted(f"shop:{target}", target)], HOME)}
    arranging = Arranging(found, SIGNATURES, names or {})
    return arranging.tests(arranging.groups(list(found)), most)


def test_alike_cases_become_one_table_with_columns_named_by_parameters() -> None:
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
def test_price(weight, expected):
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


def test_errors_are_one_table_and_their_type_a_column_if_it_varies() -> None:
    tests = arranged("""
def test_a():
    with pytest.raises(ValueError, match="too heavy"):
        price(9999)
    with pytest.raises(ValueError, match="no weight"):
        price(0)
    with pytest.raises(TypeError):
        price(None)
""")
    assert [test.candidate.name for test in tests] == ["test_price_rejects_invalid_weight"]
    assert (
        tests[0].candidate.source
        == """\
@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (0, ValueError, "no weight"),
        (9999, ValueError, "too heavy"),
        (None, TypeError, None),
    ],
)
def test_price_rejects_invalid_weight(weight, error, message):
    with pytest.raises(error, match=message):
        price(weight)"""
    )


def test_an_error_of_one_type_is_named_and_no_column() -> None:
    (test,) = arranged("""
def test_a():
    with pytest.raises(ValueError):
        price(9999)
    with pytest.raises(ValueError):
        price(0)
""")
    assert test.candidate.name == "test_price_raises_value_error"
    assert "with pytest.raises(ValueError):" in test.candidate.source


def test_optional_arguments_of_some_rows_are_a_column_of_options() -> None:
    (test,) = arranged("""
def test_a():
    assert price(100) == 300
    assert price(100, zone="north") == 400
    assert price(100, zone="south", express=True) == 900
    assert price(100, 3) == 303
""")
    assert (
        test.candidate.source
        == """\
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 300),
        ({"zone": 3}, 303),
        ({"zone": "north"}, 400),
        ({"zone": "south", "express": True}, 900),
    ],
)
def test_price(options, expected):
    assert price(100, **options) == expected"""
    )
    assert len(test.parts) == 4


def test_an_option_that_all_rows_give_is_a_column() -> None:
    (test,) = arranged(
        "def test_a():\n    assert price(1, 2, express=True) == 4\n    assert price(2, 3, express=False) == 5"
    )
    assert '("weight", "zone", "express", "expected")' in test.candidate.source
    assert "assert price(weight, zone, express=express) == expected" in test.candidate.source


@pytest.mark.parametrize("calls", [("price(1, 2, 3, 4)", "price(1)"), ("price(1)", "price(1, 2, 3, 4)")])
def test_arguments_without_a_name_are_no_options(calls: tuple[str, str]) -> None:
    tests = arranged("def test_a():\n" + "\n".join(f"    assert {call} == {len(call)}" for call in calls))
    assert len(tests) == 2
    assert "options" not in "".join(test.candidate.source for test in tests)


@pytest.mark.parametrize("most", [1, 2])
def test_an_option_that_most_rows_give_alike_is_no_column_if_there_is_room(most: int) -> None:
    rows = "".join(f"    assert price({number}, zone='x') == {number}\n" for number in range(7))
    rows += "    assert price(8) == 3\n    assert price(9) == 3\n"
    sources = [one.candidate.source for one in arranged(f"def test_a():\n{rows}", most=most)]
    assert len(sources) == most
    assert ('price(weight, zone="x") == expected' in sources[0]) == (most == 2)


def test_many_rows_are_two_tables_by_whether_they_have_options() -> None:
    lines = [f"    assert price({number}) == {number * 3}" for number in range(9)]
    lines += [f"    assert price({number}, express=True) == {number * 4}" for number in range(9)]
    plain, express = arranged("\n".join(["def test_a():", *lines]))
    assert (plain.candidate.name, len(plain.parts)) == ("test_price", 9)
    assert (express.candidate.name, len(express.parts)) == ("test_price_with_express", 9)
    assert "price(weight, express=True) == expected" in express.candidate.source


def test_rows_of_none_and_others_are_one_table_but_true_is_not_1() -> None:
    code = "def test_a():\n    assert price(1) is None\n    assert price(2) == 5"
    assert ["(1, None)" in test.candidate.source for test in arranged(code)] == [True]
    code = "def test_a():\n    assert price(1) is True\n    assert price(2) is False"
    assert "price(weight) is expected" in arranged(code)[0].candidate.source
    assert len(arranged("def test_a():\n    assert price(1) is True\n    assert price(2) == 1")) == 2


def test_values_of_the_standard_library_are_cells() -> None:
    (test,) = arranged("""
from datetime import date
from shop import price
def test_a():
    assert price(date(2020, 1, 1)) == 1
    assert price(date(2021, 1, 1)) == 2
""")
    assert "(date(2020, 1, 1), 1)," in test.candidate.source


def test_fixtures_and_clocks_are_kept_and_variables_may_have_other_names() -> None:
    candidates = [
        Candidate(
            "shop:price",
            f"test_{name}",
            f"def test_{name}(monkeypatch):\n"
            f'    monkeypatch.setattr("time.time", lambda: {now})\n'
            f"    {name} = make()\n    {name}.open()\n    assert price({name}) == {now + 1}\n",
            ("from shop import make, price",),
        )
        for name, now in [("till", 10), ("shop", 20)]
    ]
    found = {content_key(one): one for one in candidates}
    arranging = Arranging(found, SIGNATURES, {})
    (test,) = arranging.tests(arranging.groups(list(found)))
    assert "def test_price(monkeypatch, now, expected):" in test.candidate.source
    assert 'monkeypatch.setattr("time.time", lambda: now)' in test.candidate.source


def test_objects_that_are_made_first_are_part_of_the_row() -> None:
    (test,) = arranged(
        "def test_a():\n    p = Parcel(100)\n    assert p.cost() == 300\n\n"
        "def test_b():\n    p = Parcel(500)\n    assert p.cost() == 600\n",
        "Parcel.cost",
    )
    assert test.candidate.name == "test_parcel_cost"
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


def test_the_same_call_with_another_expectation_is_the_same_deed() -> None:
    code = (
        "def test_a():\n    assert price(1) == 3\n    assert price(1) == 3.0\n    assert price(2) == 3\n"
        "def test_b():\n    weight = 1\n    cents = price(weight)\n    assert cents == 3\n"
    )
    found = {content_key(one): one for one in split(code, [Wanted("shop:price", "price")], HOME)}
    arranging = Arranging(found, SIGNATURES, {})
    assert len(found) > len({arranging.does(key) for key in found}) == 2


def test_quotes_in_messages_stay_as_they_are() -> None:
    (test,) = arranged("""
def test_a():
    with pytest.raises(ValueError, match="^zone must be 'a' or 'b'$"):
        price('c')
    with pytest.raises(ValueError, match='^no "zone"$'):
        price('d')
""")
    assert """("c", "^zone must be 'a' or 'b'$"),""" in test.candidate.source
    assert """("d", '^no "zone"$'),""" in test.candidate.source


def test_long_names_are_cut_at_a_word() -> None:
    name = "test_price_raises_value_error_for_a_weight_that_is_more_than_anybody_can_carry"
    (test,) = arranged(f"def {name}():\n    assert price(1) > 0")
    assert test.candidate.name == "test_price_raises_value_error_for_a_weight_that_is_more_than_anybody"


def test_columns_are_not_one_because_they_happen_to_agree() -> None:
    (test,) = arranged("def test_a():\n    assert price(1, 1) == 1\n    assert price(2, 2) == 2")
    assert "assert price(weight, zone) == expected" in test.candidate.source

"""Planted defects and clean edits: what they do to code, and how they become cases."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.bench.cases import CaseSet, read_cases
from review_bot.bench.choosing import chosen
from review_bot.bench.clean_edits import clean_in
from review_bot.bench.planted import planted_in
from review_bot.bench.sources import Sources, find_sources

SHOP = """\
import json


def total(prices, rate):
    if not prices:
        return 0
    result = 0
    for price in prices:
        result += price
    return scaled(result, rate)


def scaled(amount, rate, digits=2):
    if rate < 0:
        raise ValueError("a rate below 0")
    else:
        return round(amount * rate, digits)


async def load(source):
    text = await source.read()
    return json.loads(text)


def read(path):
    with open(path) as file:
        lines = file.readlines()
    return lines
"""


def after(defect: str) -> list[str]:
    return [edit.after.strip() for _, edit in planted_in(SHOP, "shop") if edit.name == defect]


@pytest.mark.parametrize(
    ("defect", "line"),
    [
        ("swapped-arguments", "return scaled(rate, result)"),
        ("dropped-guard", ""),
        ("wrong-default", "def scaled(amount, rate, digits=3):"),
        ("wrong-exception", 'raise KeyError("a rate below 0")'),
        ("lost-await", "text = source.read()"),
        ("resource-left-open", "file = open(path)\n    lines = file.readlines()"),
        ("injection", "return eval(text)"),
        ("wrong-comparison", "if rate <= 0:"),
    ],
)
def test_a_defect_is_planted_in_a_line_or_two(defect: str, line: str) -> None:
    assert line in after(defect)


def test_every_planted_module_is_python_and_differs() -> None:
    for _, edit in planted_in(SHOP, "shop"):
        lines = SHOP.splitlines(keepends=True)
        lines[edit.start - 1 : edit.end] = [edit.after]
        assert ast.dump(ast.parse("".join(lines))) != ast.dump(ast.parse(SHOP))


def test_clean_edits_leave_behaviour_as_it_is() -> None:
    names = set()
    for _, edit in clean_in(SHOP):
        lines = SHOP.splitlines(keepends=True)
        lines[edit.start - 1 : edit.end] = [edit.after]
        space: dict[str, object] = {}
        exec("".join(lines), space)
        assert space["total"]([1, 2], 2) == 6  # type: ignore[operator]
        assert space["total"]([], 2) == 0  # type: ignore[operator]
        with pytest.raises(ValueError, match="below 0"):
            space["scaled"](1, -1)  # type: ignore[operator]
        names.add(edit.name)
    assert {"renamed-local", "extracted-variable", "flattened-else", "commented"} <= names


def test_a_case_set_is_the_same_for_one_seed_and_survives_its_file(tmp_path: Path) -> None:
    cases = made(planted=4, clean=2)
    cases.write(tmp_path / "cases.json")
    again = read_cases(tmp_path / "cases.json")
    assert again == cases
    assert again.digest == made(planted=4, clean=2).digest
    assert (cases.count("planted"), cases.count("clean")) == (4, 0)  # four functions, each edited once
    assert cases.digest != chosen(sources(), planted=4, clean=2, seed=2).digest


def test_hunks_of_a_case_are_where_it_says() -> None:
    cases = made(planted=3, clean=1)
    for case in cases.cases:
        places = case.places()
        for path, digest in case.files.items():
            head = case.head(path, cases.texts[digest]).splitlines(keepends=True)
            for hunk in case.hunks:
                first, last = places[hunk.id]
                if hunk.after:
                    assert "".join(head[first - 1 : last]) == hunk.after


def test_a_case_file_that_does_not_fit_its_texts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    made(planted=2, clean=0).write(file)
    file.write_text(file.read_text().replace('"start": ', '"start": 1'))
    with pytest.raises(ConfigError, match="is no case set"):
        read_cases(file)


def test_sources_leave_tests_out_and_take_a_package_folder(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    (package / "tests").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "prices.py").write_text(SHOP)
    (package / "tests" / "test_prices.py").write_text("def test_nothing(): pass\n")
    (package / "broken.py").write_text("def (:\n")
    found = find_sources(str(package))
    assert set(found.texts) == {"shop/__init__.py", "shop/prices.py"}
    assert found.module("shop/prices.py") == "shop.prices"
    with pytest.raises(ConfigError, match="is no folder"):
        find_sources("no_such_package_at_all")


def sources() -> Sources:
    return Sources("shop", Path(), {"shop.py": SHOP})


def made(*, planted: int, clean: int) -> CaseSet:
    return chosen(sources(), planted=planted, clean=clean, seed=1)


def test_a_parameter_keeps_its_name() -> None:
    source = "def shown(text):\n    text = text.strip()\n    return text\n"
    assert not [edit for _, edit in clean_in(source) if edit.name == "renamed-local"]

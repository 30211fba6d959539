from __future__ import annotations

import pytest

from pytest_moa.candidate import Case
from pytest_moa.suggest.naming import names_of


@pytest.mark.parametrize(
    ("expected", "says_empty"),
    [("{}", True), ("[]", True), ("()", True), ('""', True), ('{"a": 1}', False), ("[1]", False)],
)
def test_only_what_is_empty_is_called_empty(expected: str, says_empty: bool) -> None:
    case = Case("keymap", (("", "str.lower"), ("", "bills")), "returns", expected)
    names = list(names_of("keymap", case, ["func", "d"]))
    assert any(name.endswith("is_empty") for name in names) == says_empty

import re

import pytest

from pytest_moa.proof.changes import ModuleSource, changed_in
from pytest_moa.proof.contrasts import patterns_of, telling


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (r"^\d+\.\d+$", r"^\d+.\d+$"),
        (r"^[a-z]{2,4}$", r"^[a-z]{2,5}$"),
        (r"^\w+$", r"^\w+\Z"),
        (r"^(?:http|https)://", r"^https://"),
    ],
)
def test_texts_tell_two_patterns_apart(was: str, now: str) -> None:
    texts = telling({}, {"pairs": [[was, now]]})
    assert texts
    assert all(bool(re.search(was, one)) != bool(re.search(now, one)) for one in texts)


def test_what_is_no_pattern_or_means_the_same_gives_no_text() -> None:
    assert telling({}, {"pairs": [["(", "a"], ["[0-9]a", "[0123456789]a"]]}) == []


def test_a_changed_pattern_is_found_where_a_function_names_it() -> None:
    source = 'import re\nIP = re.compile(r"^[0-9]+[.][0-9]+$")\ndef is_ip(text):\n    return IP.match(text)\n'
    base, head = ModuleSource.of(source), ModuleSource.of(source.replace("[.]", "."))
    (changed,) = changed_in("hosts.py", "hosts", base, head)
    assert patterns_of(changed, {"hosts": (base, head)}) == [("^[0-9]+[.][0-9]+$", "^[0-9]+.[0-9]+$")]

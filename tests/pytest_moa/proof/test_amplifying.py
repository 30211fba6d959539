import random
from collections.abc import Sequence
from typing import Any

from pytest_moa.proof.amplifying import Amplifier


def _near(body: str, constants: Sequence[Any] = (), words: Sequence[str] = ()) -> list[str]:
    amplifier = Amplifier(random.Random(1), constants, (), words, [body])
    return [made for _ in range(1500) if (made := amplifier.near(body)) is not None]


def test_a_dict_gets_keys_that_the_changed_code_knows() -> None:
    made = _near('render({"event": "a"})', ["exc_info"], ["exc_info"])
    given = {one.partition("'exc_info': ")[2] for one in made if one.startswith("render({'event': 'a', 'exc")}
    assert {"None})", "[]})"} & given
    assert any("Error(" in one or "Exception(" in one for one in given)


def test_programs_near_to_one_are_programs() -> None:
    for made in _near("with nested():\n    f([1, 2], a=None)\nassert g('x') == 1"):
        compile(made, "<near>", "exec")


def test_bytes_get_pieces_as_texts_do() -> None:
    assert any("b'/user?a=b'" in made for made in _near("send(b'/user')"))


def test_a_keyword_that_the_change_names_is_given_to_calls_that_take_it() -> None:
    signatures = {"Transport": {"app": "", "raise_errors": "True"}}
    body = "one = Transport(app=good)\ntwo = Other(app=bad)\none.send()"
    amplifier = Amplifier(
        random.Random(1), (), (), ["raise_errors"], [body], ["good", "bad"], signatures=signatures
    )
    made = amplifier.pointed(body)
    assert made == ["one = Transport(app=good, raise_errors=False)\ntwo = Other(app=bad)\none.send()"]
    exchanged = amplifier.exchanged(made[0])
    assert any(one.startswith("one = Transport(app=bad, raise_errors=False)") for one in exchanged)


def test_the_value_of_a_named_keyword_becomes_the_constant_that_the_change_names() -> None:
    body = "ib(on_set=setters.check)"
    amplifier = Amplifier(random.Random(1), (), (), ["on_set", "setters.NO_OP"], [body], ["setters"])
    assert amplifier.pointed(body) == ["ib(on_set=setters.NO_OP)"]


def test_what_an_assertion_expects_is_left_alone() -> None:
    made = _near("x = f('in')\nassert x == 'expected'")
    assert any("'in" in one and "f('in')" not in one for one in made)
    assert all("'expected'" in one for one in made if "assert" in one)


def test_pieces_are_also_texts_of_the_changed_statements() -> None:
    amplifier = Amplifier(random.Random(1), [b"~~"], (), (), ["send('a')"], changed=[b"~~"])
    assert any("a~~" in (amplifier.near("send('a')") or "") for _ in range(300))


def test_a_class_that_is_given_becomes_an_instance_and_the_other_way_round() -> None:
    assert "Nested(Inner(), 1)" in _near("Nested(Inner, 1)")
    assert "Nested(Inner, 1)" in _near("Nested(Inner(), 1)")


def test_texts_end_with_a_separator_of_the_changed_statements_and_go_on() -> None:
    amplifier = Amplifier(random.Random(1), (), (), (), [], changed=[b"?"])
    assert amplifier.pieced("get('/a', b'b')\nassert x == 'c'") == [
        "get('/a?a', b'b')\nassert x == 'c'",
        "get('/a?', b'b')\nassert x == 'c'",
        "get('/a', b'b?a')\nassert x == 'c'",
        "get('/a', b'b?')\nassert x == 'c'",
    ]


def test_a_key_becomes_a_path() -> None:
    assert "load({'a.x': 1}, unknown=KEEP)" in _near("load({'a': 1}, unknown=KEEP)")

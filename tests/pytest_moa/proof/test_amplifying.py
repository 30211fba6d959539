import random
from collections.abc import Sequence
from typing import Any

from pytest_moa.proof.amplifying import Amplifier


def _near(body: str, constants: Sequence[Any] = (), words: Sequence[str] = ()) -> list[str]:
    amplifier = Amplifier(random.Random(1), constants, (), words, [body])
    return [made for _ in range(600) if (made := amplifier.near(body)) is not None]


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

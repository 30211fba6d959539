import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.proof.behaviour import BehaviourChange, Proof
from pytest_moa.proof.clock import Clock, TimeIsOver
from pytest_moa.proof.hunting import Hunt
from pytest_moa.proof.prove import ProofUnavailable, ProposedCalls, Sides, open_questions, prove, replay
from pytest_moa.proof.replaying import Replayer, tree_of
from tests.pytest_moa.proof.versions import two_versions


def _first(sides: Sides, paths: Sequence[str] | None = None, **given: Any) -> Proof:
    """The proof when the first witness is there: machines may be busy, and nothing waits for more."""
    stop = threading.Event()
    return prove(sides, paths, seconds=60, stop=stop, progress=lambda _: stop.set(), **given)


ADDS = {"shop.py": "def total(price, count):\n    return price * count\n"}


def test_a_difference_becomes_a_test_that_passes_on_base_and_fails_on_head(tmp_path: Path) -> None:
    base = {"src/shop/__init__.py": "from shop._sums import total\n", "src/shop/_sums.py": _SUMS}
    head = {**base, "src/shop/_sums.py": _SUMS.replace("> 10", ">= 10")}
    sides = two_versions(tmp_path, base, head)
    proof = _first(sides, ["src/shop/_sums.py"])
    (change, *_) = proof.changes
    assert (change.path, change.qualname, change.line) == ("src/shop/_sums.py", "total", 3)
    assert (change.differs, change.base.outcome, change.head.outcome) == ("result", "returned", "returned")
    assert "pytest_moa" not in change.test
    assert replay(change.test, sides) == (True, False)
    assert [one.status for one in proof.searched] == ["differs"]
    assert Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof


_SUMS = """\
def total(price: int, count: int) -> int:
    amount = price * count
    if count > 10:
        amount -= price
    return amount
"""


def test_an_equivalent_change_shows_nothing(tmp_path: Path) -> None:
    head = """\
    def total(price: int, count: int) -> int:
        discount = price if not count <= 10 else 0
        return count * price - discount
    """
    sides = two_versions(tmp_path, {"shop.py": _SUMS}, {"shop.py": head})
    proof = prove(sides, None, seconds=4)
    assert proof.changes == ()
    (searched,) = proof.searched
    assert searched.status == "no difference found"
    assert searched.executions > 100
    assert searched.branches == "3 of 3 branches reached"
    (question,) = open_questions(sides, proof)
    assert question.function == "shop:total"
    assert "amount -= price" in question.base
    assert "discount" in question.head
    assert question.tried


def test_what_code_without_annotations_refuses_is_no_witness(tmp_path: Path) -> None:
    base = """\
    def spoken(text, how):
        if how == "loud":
            return text.upper()
        if how == "plain":
            return text
        raise ValueError(f"no such way: {how!r}")

    def titled(words):
        return " ".join(map(str.capitalize, words))
    """
    head = """\
    def spoken(text, how):
        ways = {"loud": lambda: text.upper(), "plain": lambda: text}
        if how not in ways:
            raise ValueError(f"no such way: {how!r}")
        return ways[how]()

    def titled(words):
        return " ".join([word.capitalize() for word in words])
    """
    sides = two_versions(tmp_path, {"say.py": base}, {"say.py": head})
    assert prove(sides, None, seconds=6).changes == ()


def test_a_module_that_cannot_be_imported_any_more_is_a_change(tmp_path: Path) -> None:
    sides = two_versions(tmp_path, ADDS, {"shop.py": "import not_there\n" + ADDS["shop.py"]})
    (change,) = prove(sides, None, seconds=5).changes
    assert (change.differs, change.head.outcome, change.test) == ("import", "not_importable", "")
    assert "not_there" in change.head.text


def test_a_call_that_does_not_end_any_more_is_found(tmp_path: Path) -> None:
    base = "def rest(n: int) -> int:\n    while n > 1:\n        n -= 2\n    return n\n"
    sides = two_versions(tmp_path, {"m.py": base}, {"m.py": base.replace("n > 1", "n not in (0, 1, -1, -5)")})
    found = [one for one in _first(sides).changes if one.differs == "time"]
    assert found
    assert found[0].head.outcome == "timed_out"


def test_the_projects_tests_are_amplified(tmp_path: Path) -> None:
    base = """\
    class Ledger:
        def __init__(self, owner):
            self._owner = owner
            self._entries = []

        def book(self, amount):
            if not isinstance(amount, int) or sum(map(ord, self._owner)) != 1520:
                raise PermissionError("not yours")
            self._entries.append(amount)

        def balance(self):
            return sum(self._entries)
    """
    tests = """\
    import pytest
    from bank import Ledger

    @pytest.fixture
    def ledger():
        return Ledger("zoe@example.org")

    def test_balance(ledger):
        ledger.book(3)
        assert ledger.balance() == 3
    """
    head = base.replace("return sum(self._entries)", "return sum(set(self._entries))")
    sides = two_versions(tmp_path, {"bank.py": base}, {"bank.py": head}, {"tests/test_bank.py": tests})
    proof = _first(sides)
    found = [one for one in proof.changes if "tests" in one.found_by]
    assert found, proof.notes
    assert found[0].qualname == "Ledger.balance"
    assert "def ledger()" in found[0].test
    assert replay(found[0].test, sides) == (True, False)


def test_a_test_that_waits_for_what_is_not_there_does_not_cost_the_others(tmp_path: Path) -> None:
    base = """\
    class Basket:
        def __init__(self, secret):
            if sum(map(ord, secret)) != 1520:
                raise PermissionError("not yours")

        def total(self, prices):
            return sum(prices)
    """
    tests = """\
    import threading
    from hypothesis import given
    from hypothesis.strategies import integers
    from shop import Basket

    def test_server_is_there():
        assert threading.Event().wait()

    def test_total():
        assert Basket("zoe@example.org").total([3, 4]) == 7

    @given(integers())
    def test_total_of_one(price):
        assert Basket("zoe@example.org").total([price]) == price
    """
    head = base.replace("return sum(prices)", "return max(prices)")
    sides = two_versions(tmp_path, {"shop.py": base}, {"shop.py": head}, {"tests/test_shop.py": tests})
    found = [one for one in _first(sides).changes if "tests" in one.found_by]
    assert found
    assert found[0].qualname == "Basket.total"


def test_proposed_calls_are_tried_first(tmp_path: Path) -> None:
    base = "def f(x):\n    return 1\n"
    head = "def f(x):\n    return 2 if x == 'open sesame %s' % 77123 else 1\n"
    sides = two_versions(tmp_path, {"m.py": base}, {"m.py": head})
    calls = [ProposedCalls("m:f", ("f('open sesame 77123')", "f(", "f('other')"), "reader")]
    (change,) = _first(sides, calls=calls).changes
    assert change.found_by[0] == "reader"
    assert change.input == "f('open sesame 77123')"


def test_code_that_wants_the_network_is_not_comparable(tmp_path: Path) -> None:
    base = """\
    import socket

    def fetch(path: str) -> bytes:
        with socket.create_connection(("192.0.2.1", 80), timeout=5) as link:
            link.sendall(path.encode())
            return link.recv(10)
    """
    sides = two_versions(tmp_path, {"net.py": base}, {"net.py": base.replace("10", "20")})
    proof = prove(sides, None, seconds=4)
    assert proof.changes == ()
    assert proof.searched[0].status == "not comparable"


def test_only_the_named_functions_are_searched(tmp_path: Path) -> None:
    base = "def f(x):\n    return x\n\ndef g(x):\n    return x\n"
    head = "def f(x):\n    return [x]\n\ndef g(x):\n    return [x]\n"
    sides = two_versions(tmp_path, {"m.py": base}, {"m.py": head})
    proof = _first(sides, functions=["m:g"])
    assert {one.qualname for one in proof.searched} == {"g"}
    assert {one.qualname for one in proof.changes} == {"g"}


def test_a_stop_ends_the_search_and_says_what_was_not_searched(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    sides = two_versions(tmp_path, ADDS, {"shop.py": "def total(price, count):\n    return price\n"})
    proof = prove(sides, None, seconds=30, stop=stop)
    assert [(one.status, one.why) for one in proof.searched] == [("not searched", "the time was over")]


def test_edges_of_constants_are_found_once_each_before_what_ill_typed_input_shows(tmp_path: Path) -> None:
    base = """\
    from dataclasses import dataclass

    BRACKETS = ((1_000, 449), (5_000, 699), (20_000, 1_249))

    @dataclass(frozen=True)
    class Parcel:
        weight: int

    def price(parcel: Parcel, insured: bool = False) -> int:
        for limit, cents in BRACKETS:
            if parcel.weight <= limit:
                return cents + 50 if insured else cents
        raise ValueError("too heavy")
    """
    head = base.replace("<= limit", "< limit").replace("insured", "cover")
    sides = two_versions(tmp_path, {"rates.py": base}, {"rates.py": head})
    told: list[BehaviourChange] = []
    stop = threading.Event()

    def found(change: BehaviourChange) -> None:
        told.append(change)
        if "5000" in change.input:
            stop.set()

    calls = [ProposedCalls("rates:price", ("price(Parcel(300))",), "reader")]
    proof = prove(sides, None, seconds=60, stop=stop, found=found, calls=calls)
    assert sorted(told, key=lambda one: -one.rank) == list(proof.changes)
    assert ("699", "1249") in {(one.base.text, one.head.text) for one in proof.changes}
    shown = [(one.differs, one.base.text, one.head.text) for one in proof.changes]
    assert len(shown) == len(set(shown))
    assert all(one.base.outcome == "returned" for one in proof.changes)


def test_what_could_not_be_proved_in_time_is_noted(tmp_path: Path) -> None:
    sides = two_versions(tmp_path, ADDS, {"shop.py": "def total(price, count):\n    return price\n"})
    stop = threading.Event()
    seen = Hunt.sighted

    def sighted(*args: Any) -> Any:
        found = seen(*args)
        if found is not None:
            stop.set()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hunt, "sighted", sighted)
        proof = prove(sides, None, seconds=60, stop=stop)
    assert proof.changes == ()
    assert any("the time was over before" in note and "total(" in note for note in proof.notes)


def test_a_replay_ends_with_the_time(tmp_path: Path) -> None:
    sides = two_versions(tmp_path, ADDS, ADDS)
    clock = Clock(time.monotonic() + 0.2)
    trees = tree_of(sides.base), tree_of(sides.head)
    with Replayer(*trees, confined=True, clock=clock) as replayer, pytest.raises(TimeIsOver):
        replayer.verdict("import time\ndef test_it(): time.sleep(9)")


def test_without_changed_python_there_is_no_proof(tmp_path: Path) -> None:
    sides = two_versions(tmp_path, ADDS, ADDS, {"tests/test_a.py": ""})
    with pytest.raises(ProofUnavailable, match="no Python code has changed"):
        prove(sides, ["README.md", "tests/test_a.py"])

"""Objects that follow protocols, and what is done with results that are more than values."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_moa.search.clues import clues_of
from pytest_moa.search.execution import Runner
from pytest_moa.search.program import READ, Argument, Program, Step
from pytest_moa.search.shapes import Shape, of_use
from pytest_moa.search.surface import surface_of
from pytest_moa.search.writing import Writer
from pytest_moa.values import Expression

from .hunting import hunt_over, loaded

REMEMBERING = textwrap.dedent(
    """
    def remember(function, cache, lock=None):
        def inner(x):
            if lock is not None:
                with lock(x):
                    return look_up(x)
            return look_up(x)

        def look_up(x):
            store = cache(x)
            if x not in store:
                store[x] = function(x)
            return store[x]

        return inner


    class Method:
        def __init__(self, function):
            self.function = function

        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, instance, owner=None):
            return lambda *given: (self.name, len(given))


    def as_method(function):
        return Method(function)
    """
)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("with x:\n        return 1", Shape("context")),
        ("x.wait()\n    x.notify_all()", Shape("condition")),
        ("x[n] = 1", Shape("dict")),
        ("del x[n]", Shape("dict")),
        ("return functools.partial(x, n)", Shape("callable", values=(-1,))),
        ("store = x(n)\n    store[n] = 2", Shape("callable", (Shape("dict"),), (1,))),
        ("with x():\n        return n", Shape("callable", (Shape("context"),), (0,))),
    ],
)
def test_protocols_are_seen_in_how_a_parameter_is_used(body: str, shape: Shape) -> None:
    clues = clues_of(ast.parse(f"def f(x, n):\n    {body}\n"))["f"]
    assert of_use("x", clues.uses["x"], {})[0] == shape


def test_what_a_constructor_keeps_is_used_through_properties_and_mixins() -> None:
    source = textwrap.dedent(
        """
        class Locked:
            def run(self, key):
                lock = self.lock
                with lock:
                    self.store[key] = 1

        class Base:
            def __init__(self, lock, store):
                self.__lock = lock
                self.__store = store

            @property
            def lock(self):
                return self.__lock(self)

            @property
            def store(self):
                return self.__store

        class Both(Base, Locked):
            pass
        """
    )
    with loaded(source, "mixing") as module:
        made = surface_of(module, source).constructor("Both")
        assert made is not None
        lock, store = (one.shapes[0] for one in made.parameters)
    assert lock == Shape("callable", (Shape("context"),), (1,))
    assert store == Shape("dict")


def test_classes_that_say_to_come_from_elsewhere_are_on_the_surface() -> None:
    source = 'class Box:\n    def __init__(self):\n        pass\n\n\nBox.__module__ = "shop"\n'
    with loaded(source, "shop_inner") as module:
        assert surface_of(module, source).constructor("Box") is not None


def test_decorated_functions_are_called_more_than_once_and_caches_are_asserted() -> None:
    with hunt_over(REMEMBERING) as hunt:
        for _ in range(300):
            hunt.consider(hunt.next_program())
        sources = [known.program.source for known in hunt.killers]
    assert any(one.count("wrapped(") > 1 for one in sources)
    assert any("cache = {" in one and "lambda _: cache" in one for one in sources)
    assert any("class Example" in one and "example.method(" in one for one in sources)


def test_objects_that_a_test_has_variables_for_are_asserted_by_identity() -> None:
    source = "class Box:\n    def __init__(self, thing):\n        self.thing = thing\n"
    program = Program(
        "Box()",
        (
            Step("object()", name="thing", form=READ, role="given"),
            Step("Box", (Argument("", Expression("thing")),)),
        ),
    )
    with loaded(source, "boxes") as module:
        run = Runner(module).run(program, write=True)
        assert run.facts[1, "{}.thing"] == ("held", "thing")
        candidate = Writer(module).candidate(program, run, [(1, "{}.thing")])
    assert "assert result.thing is thing" in candidate.source


def test_no_lone_expression_is_written() -> None:
    source = "class Box:\n    @property\n    def lid(self):\n        raise ValueError('no lid')\n"
    program = Program("Box.lid", (Step("Box", name="box", role="given"), Step("box.lid", form=READ)))
    with loaded(source, "lids") as module:
        run = Runner(module).run(program, write=True)
        candidate = Writer(module).candidate(program, run, [("raised", "type")])
    assert "    _ = box.lid" in candidate.source

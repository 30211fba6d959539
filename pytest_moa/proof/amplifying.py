"""Other programs from the bodies of tests: values changed and exchanged, calls repeated, dropped, nested."""

from __future__ import annotations

import ast
import builtins
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pytest_moa.proof.boundaries import PATH, texts_of
from pytest_moa.proof.parts import (
    as_text,
    last_name,
    near_words,
    places,
    that_matter,
    values,
    with_keyword,
)
from pytest_moa.proof.reducing import literals, replaced
from pytest_moa.proof.shape_edits import (
    attribute,
    drop,
    fewer_keywords,
    instance,
    nest,
    other_kind,
    repeat,
    swap,
)
from pytest_moa.proof.special import PIECES, SPECIAL
from pytest_moa.search.inputs import Inputs, tokens_of
from pytest_moa.search.neighbours import neighbour
from pytest_moa.values import Expression

#: Values of one keyword that are tried.
MOST_LIKELY = 6

_Node = TypeVar("_Node", bound=ast.expr)


def _of_shape(
    edit: Callable[[random.Random, str], str | None],
) -> Callable[[Amplifier, str], str | None]:
    """An edit that needs to know nothing of the tests."""
    return lambda amplifier, body: edit(amplifier.rng, body)


class Amplifier:
    """Makes programs near to tests' bodies.

    `constants` are of the changed code, `changed` those of its changed statements, `keywords` of its calls;
    `signatures` are keywords with their defaults as source ("" for none), by callee.
    """

    def __init__(
        self,
        rng: random.Random,
        constants: Sequence[Any],
        keywords: Sequence[str],
        words: Sequence[str],
        bodies: Sequence[str],
        names: Collection[str] = (),
        signatures: Mapping[str, Mapping[str, str]] | None = None,
        changed: Sequence[Any] = (),
    ) -> None:
        self.rng = rng
        self.inputs = Inputs(rng, constants=list(constants), tokens=tokens_of(list(constants)))
        self.constants = [repr(one) for one in constants if not isinstance(one, float)]
        self.words = frozenset(word for word in words if "." not in word)
        self.names = frozenset(names)  # what test files have at their top
        self.class_statements: list[str] = []
        self.dotted = [word for word in words if "." in word]
        self.constants += self.dotted
        self.foremost = [*self.dotted, *(repr(one) for one in changed if not isinstance(one, float))]
        self.pieces = [one for one in map(as_text, changed) if 0 < len(one) < 12]
        self.keys = [one for one in constants if isinstance(one, str) and one.isidentifier()]
        self.keys += [one for one in self.keys if one in self.words] * 3
        known = list(dict.fromkeys(keywords))
        self.keywords = [*known, *(4 * [one for one in known if one in self.words])]
        self.pool: list[str] = []
        self.by_place: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.by_callee: defaultdict[str, list[str]] = defaultdict(list)
        self.by_keyword: defaultdict[str, list[str]] = defaultdict(list)
        self.taken: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for callee, parameters in (signatures or {}).items():
            self.taken[callee].update(parameters)
        for body in bodies:
            self._learn(body)

    def _learn(self, body: str) -> None:
        tree = ast.parse(body)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                callee = last_name(node.func)
                source = ast.unparse(node)
                if self._is_closed(node) and len(source) < 200:
                    self.by_callee[callee].append(source)
                for place, argument in places(node):
                    if not place.isdigit():
                        self.taken[callee].setdefault(place, "")
                    if self._is_closed(argument):
                        self.by_place[callee, place].append(ast.unparse(argument))
                        if not place.isdigit():
                            self.by_keyword[place].append(ast.unparse(argument))
            elif isinstance(node, ast.ClassDef):
                self.class_statements += [
                    ast.unparse(one) for one in node.body if not isinstance(one, ast.Pass | ast.Expr)
                ]
        for literal in literals(tree):
            written = ast.unparse(literal)
            if len(written) < 120:
                self.pool.append(written)
        self.pool = list(dict.fromkeys(self.pool))[-800:]

    def near(self, body: str) -> str | None:
        """A program near to one; None where nothing came of it."""
        steps = self.rng.choice((1, 1, 1, 1, 2, 2, 3))
        current: str | None = body
        for _ in range(steps):
            weights = [weight for weight, _ in self._edits]
            edit = self.rng.choices([one for _, one in self._edits], weights)[0]
            try:
                changed = edit(self, current or body)
                if changed is not None:
                    ast.parse(changed)
                    current = changed
            except (SyntaxError, ValueError, IndexError, RecursionError):
                continue
        return current if current != body else None

    def pointed(self, body: str) -> list[str]:
        """The programs that give a call what the changed statements name: a keyword more, or its value."""
        tree = ast.parse(body)
        found: dict[str, None] = {}
        for node in [one for one in ast.walk(tree) if isinstance(one, ast.Call)]:
            callee = last_name(node.func)
            for name, default in self.taken.get(callee, {}).items():
                if name not in self.words:
                    continue
                given = next((one for one in node.keywords if one.arg == name), None)
                for value in self._likely(callee, name, default):
                    if given is None or ast.unparse(given.value) != value:
                        found[with_keyword(tree, node, name, value)] = None
        return list(found)

    def exchanged(self, body: str) -> list[str]:
        """The programs in which one argument is what other tests give there, or under that keyword."""
        found: dict[str, None] = {}
        for argument, other in self._exchanges(ast.parse(body)):
            made = replaced(body, argument, other)
            if made is not None:
                found[made] = None
        return list(found)

    def pieced(self, body: str) -> list[str]:
        """The programs in which one text ends with one that the changed statements know, or goes on after."""
        tree = ast.parse(body)
        pieces = [one for one in self.pieces if not one.isidentifier()]
        texts = [one for one in that_matter(_texts(tree), tree) if pieces]
        ends = [f"{piece}{more}" for piece in pieces for more in ("a", "")]
        made = [replaced(body, one, _longer(one.value, end)) for one in texts for end in ends]
        return [one for one in dict.fromkeys(made) if one is not None]

    def shorter(self, body: str) -> list[str]:
        """The programs with one statement less, the last ones first: what comes before may be enough."""
        tree = ast.parse(body)
        every = range(len(tree.body))
        found = [[one for at, one in enumerate(tree.body) if at != gone] for gone in reversed(every)]
        return [ast.unparse(ast.Module(one, [])) for one in found if one]

    def _exchanges(self, tree: ast.AST) -> list[tuple[ast.expr, str]]:
        return [
            (argument, other)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for place, argument in places(node)
            for other in dict.fromkeys(
                [*self.by_place.get((last_name(node.func), place), ()), *self.by_keyword.get(place, ())]
            )
            if other != ast.unparse(argument)
        ]

    def _likely(self, callee: str, name: str, default: str) -> list[str]:
        """Values for a keyword, the likeliest ones."""
        opposite = {"True": ["False"], "False": ["True"]}.get(default, [])
        used = [*self.by_place.get((callee, name), ()), *self.by_keyword.get(name, ())]
        values = dict.fromkeys([*opposite, *self.dotted, *used])
        values.pop(default, None)
        return list(values)[:MOST_LIKELY]

    def _vary_literal(self, body: str) -> str | None:
        tree = ast.parse(body)
        found = that_matter(literals(tree), tree)
        if not found:
            return None
        node = self._preferred(found, tree)
        varied = neighbour(Expression(ast.unparse(node)), self.inputs)
        return replaced(body, node, varied.source) if varied is not None else None

    def _special_value(self, body: str) -> str | None:
        tree = ast.parse(body)
        found = that_matter(values(tree), tree)
        if not found:
            return None
        node = self._preferred(found, tree)
        use_constant = self.constants and self.rng.random() < 0.3
        constants = self.foremost if self.foremost and self.rng.random() < 0.5 else self.constants
        source = self.rng.choice(constants) if use_constant else self._special()
        return replaced(body, node, source)

    def _special(self) -> str:
        return self.rng.choice(self.rng.choice(SPECIAL))

    def _preferred(self, found: Sequence[_Node], tree: ast.AST) -> _Node:
        """One of the expressions, rather one that is given under a name of the changed statements."""
        near = near_words(tree, self.words)
        chosen = [one for one in found if id(one) in near]
        return self.rng.choice(chosen if chosen and self.rng.random() < 0.7 else found)

    def _from_pool(self, body: str) -> str | None:
        tree = ast.parse(body)
        found = that_matter(literals(tree), tree)
        if not found or not self.pool:
            return None
        return replaced(body, self.rng.choice(found), self.rng.choice(self.pool))

    def _same_place(self, body: str) -> str | None:
        """An argument that another test gives in that place, or under that keyword."""
        tree = ast.parse(body)
        choices = self._exchanges(tree)
        if not choices:
            return None
        near = near_words(tree, self.words)
        foremost = [(argument, other) for argument, other in choices if id(argument) in near]
        argument, other = self.rng.choice(foremost if foremost and self.rng.random() < 0.7 else choices)
        return replaced(body, argument, other)

    def _same_callee(self, body: str) -> str | None:
        """The same call as another test makes it."""
        calls = [
            (node, other)
            for node in ast.walk(ast.parse(body))
            if isinstance(node, ast.Call)
            for other in self.by_callee.get(last_name(node.func), ())
            if other != ast.unparse(node)
        ]
        if not calls:
            return None
        node, other = self.rng.choice(calls)
        return replaced(body, node, other)

    def _keyword(self, body: str) -> str | None:
        """A call with a keyword more, rather one that this callee is known to take."""
        tree = ast.parse(body)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        known = [(node, name) for node in calls for name in self.taken.get(last_name(node.func), ())]
        pairs = [(node, name) for node, name in known if name in self.words]
        chance = self.rng.random()
        if chance > 0.5 or not pairs:
            pairs = known
        if chance > 0.8 or not pairs:
            names = [name for name in self.by_keyword if name in self.words]
            names = names if names and self.rng.random() < 0.5 else self.keywords
            pairs = [(node, name) for node in calls for name in names]
        pairs = [(node, name) for node, name in pairs if all(one.arg != name for one in node.keywords)]
        if not pairs:
            return None
        node, name = self.rng.choice(pairs)
        callee = last_name(node.func)
        values = self._likely(callee, name, self.taken.get(callee, {}).get(name, ""))
        value = self.rng.choice(values) if values and self.rng.random() < 0.6 else self._special()
        return with_keyword(tree, node, name, value)

    def _key(self, body: str) -> str | None:
        """A dict with a key more that the changed code knows, or with one that is a path."""
        tree = ast.parse(body)
        dicts = [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]
        texts = [one for node in dicts for one in texts_of(node.keys)]
        if texts and self.rng.random() < 0.4:
            text, value = self.rng.choice(texts)
            return replaced(body, text, repr(f"{value}{PATH}"))
        if not dicts or not self.keys:
            return None
        node, key = self.rng.choice(dicts), self.rng.choice(self.keys)
        if any(isinstance(one, ast.Constant) and one.value == key for one in node.keys):
            return None
        node.keys.append(ast.Constant(key))
        node.values.append(ast.parse(self._special(), mode="eval").body)
        return ast.unparse(tree)

    def _class_statement(self, body: str) -> str | None:
        """A class with a statement more that another test's class has."""
        tree = ast.parse(body)
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        if not classes or not self.class_statements:
            return None
        node = self.rng.choice(classes)
        new = ast.parse(self.rng.choice(self.class_statements)).body
        node.body[self.rng.randint(0, len(node.body)) : 0] = new
        return ast.unparse(tree)

    def _piece(self, body: str) -> str | None:
        """A text with a piece more that means something to somebody."""
        tree = ast.parse(body)
        found = that_matter(_texts(tree), tree)
        if not found:
            return None
        node = self._preferred(found, tree)
        text, piece = as_text(node.value), self.rng.choice(PIECES)
        if self.pieces and self.rng.random() < 0.4:
            piece = self.rng.choice(self.pieces) + self.rng.choice(("", "a"))
        at = self.rng.choice((len(text), len(text), 0, self.rng.randint(0, len(text))))
        return replaced(body, node, _longer(node.value, piece, at))

    def _is_closed(self, node: ast.AST) -> bool:
        """Whether an expression uses no variable of its test."""
        called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and id(one) not in called and not self._is_known(one.id):
                return False
            if isinstance(one, ast.Await | ast.Yield | ast.NamedExpr | ast.Starred):
                return False
        return True

    def _is_known(self, name: str) -> bool:
        return name[:1].isupper() or name in self.names or hasattr(builtins, name)

    _edits: Sequence[tuple[float, Callable[[Amplifier, str], str | None]]] = (
        (30, _vary_literal),
        (18, _special_value),
        (10, _piece),
        (4, _of_shape(other_kind)),
        (6, _class_statement),
        (8, _from_pool),
        (10, _same_place),
        (6, _same_callee),
        (14, _keyword),
        (8, _key),
        (4, _of_shape(fewer_keywords)),
        (5, _of_shape(repeat)),
        (4, _of_shape(drop)),
        (3, _of_shape(swap)),
        (4, _of_shape(nest)),
        (2, _of_shape(attribute)),
        (5, _of_shape(instance)),
    )


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Constants that are texts or bytes, but for those inside of f-strings."""
    joined = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in ast.walk(one)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str | bytes) and id(one) not in joined:
            yield one


def _longer(value: Any, piece: str, at: int | None = None) -> str:
    """The source of a text, or bytes, with a piece more."""
    text = as_text(value)
    made = text[:at] + piece + (text[at:] if at is not None else "")
    return repr(made if isinstance(value, str) else made.encode("latin-1"))

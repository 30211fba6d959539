"""Objects that refer to one another, for code that follows attributes: lists, trees and graphs of nodes."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_moa.proof.normal import FunctionNode

_NAMES = ("one", "two", "three", "four", "five", "six")
_COLLECTING = frozenset({"update", "extend", "issuperset", "issubset", "union", "difference", "set", "list"})
_COLLECTING |= {
    "sorted",
    "len",
    "sum",
    "any",
    "all",
    "max",
    "min",
    "enumerate",
    "tuple",
    "frozenset",
    "intersection",
}


@dataclass(slots=True)
class Links:
    """What a function does with its parameters' attributes."""

    many: set[str] = field(default_factory=set)  #: attributes that hold several nodes
    single: set[str] = field(default_factory=set)  #: attributes that hold one node, or None
    data: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)  #: parameters that hold nodes
    by_edge: set[str] = field(default_factory=set)  #: parameters that are asked with two nodes
    nodes: set[str] = field(default_factory=set)  #: parameters that are nodes


def links_of(node: FunctionNode) -> Links | None:
    """What the function follows; None if it follows no attributes of what it is given."""
    links = Links()
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args) if one.arg not in ("self", "cls")]
    bound = _bound(node)
    called = {id(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
    iterated = _iterated(node)
    for one in ast.walk(node):
        if not isinstance(one, ast.Attribute) or id(one) in called or not _of_variable(one.value, bound):
            continue
        if id(one) in iterated:
            links.many.add(one.attr)
        elif isinstance(one.value, ast.Attribute):
            links.single |= {one.attr, one.value.attr}
        else:
            links.data.add(one.attr)
    for one in ast.walk(node):
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Attribute):
            links.single.add(one.value.attr)
        if isinstance(one, ast.Assign) and any(isinstance(target, ast.Attribute) for target in one.targets):
            links.single |= {target.attr for target in one.targets if isinstance(target, ast.Attribute)}
        if (
            isinstance(one, ast.Subscript)
            and isinstance(one.value, ast.Name)
            and isinstance(one.slice, ast.Tuple)
        ):
            links.by_edge |= {one.value.id} & set(names)
    links.single -= links.many
    links.data -= links.many | links.single
    if not links.many and not links.single:
        return None
    for name in names:
        if name in links.by_edge:
            continue
        if any(
            isinstance(one, ast.Name) and one.id == name and id(one) in iterated for one in ast.walk(node)
        ):
            links.lists.add(name)
        else:
            links.nodes.add(name)
    return links


def _bound(node: FunctionNode) -> set[str]:
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return names | {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)} - {"self", "cls"}


def _of_variable(value: ast.expr, bound: set[str]) -> bool:
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id in bound


def _iterated(node: FunctionNode) -> set[int]:
    """Expressions that are gone through, or handed to what does."""
    found: set[int] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.For | ast.comprehension):
            found.add(id(one.iter))
        elif isinstance(one, ast.Call):
            name = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            if name in _COLLECTING:
                found.update(id(argument) for argument in one.args)
        elif isinstance(one, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in one.ops):
            found.update(id(other) for other in one.comparators)
    return found


def program(callee: str, node: FunctionNode, links: Links, rng: random.Random) -> str:
    """Nodes, linked at random, and the call."""
    names = list(_NAMES[: rng.choice((1, 2, 2, 3, 3, 4, 5))])
    lines = ["class Node:\n    def __init__(self, value):\n        self.value = value"]
    lines += [f"{name} = Node({index + 1})" for index, name in enumerate(names)]
    edges: list[tuple[str, str]] = []
    both = sorted(links.many)
    for index, name in enumerate(names):
        for attribute in both:
            count = rng.choice((0, 1, 1, 2, 2))
            others = names if rng.random() < 0.4 else names[index + 1 :]
            chosen = rng.sample(others, min(count, len(others)))
            lines.append(f"{name}.{attribute} = [{', '.join(chosen)}]")
            edges += [(name, other) for other in chosen]
        for attribute in sorted(links.single):
            following = names[index + 1] if index + 1 < len(names) else "None"
            lines.append(
                f"{name}.{attribute} = {rng.choice((following, following, following, rng.choice(names)))}"
            )
        lines += [f"{name}.{one} = {rng.randint(0, 5)}" for one in sorted(links.data - {"value"})]
    if len(both) == 2 and rng.random() < 0.8:  # the two ends of the same links
        lines = [line for line in lines if f".{both[0]} = " not in line and f".{both[1]} = " not in line]
        pairs = [
            (one, other) for at, one in enumerate(names) for other in names[at + 1 :] if rng.random() < 0.6
        ]
        for name in names:
            ends = (
                [one for one, other in pairs if other == name],
                [other for one, other in pairs if one == name],
            )
            ends = ends if rng.random() < 0.97 else (ends[1], ends[0])
            lines += [
                f"{name}.{attribute} = [{', '.join(end)}]" for attribute, end in zip(both, ends, strict=True)
            ]
    arguments = [_argument(one.arg, links, names, edges, rng) for one in _positional(node)]
    return "\n".join([*lines, f"{callee}({', '.join(arguments)})"])


def _positional(node: FunctionNode) -> Sequence[ast.arg]:
    given = node.args
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return [*given.posonlyargs, *given.args][:required]


def _argument(
    name: str, links: Links, names: Sequence[str], edges: Sequence[tuple[str, str]], rng: random.Random
) -> str:
    if name in links.by_edge:
        return "{" + ", ".join(f"({one}, {other}): {rng.randint(1, 9)}" for one, other in edges) + "}"
    if name in links.lists:
        order = list(names)
        if rng.random() < 0.5:
            rng.shuffle(order)
        return f"[{', '.join(order)}]"
    return rng.choice(
        (names[0], names[0], rng.choice(names), rng.choice(names), rng.choice((*names, "None")))
    )

"""Edits of a program's shape, which need to know nothing else; None where there is nothing to edit."""

from __future__ import annotations

import ast
import copy
import random

from pytest_moa.proof.parts import places
from pytest_moa.proof.reducing import replaced


def fewer_keywords(rng: random.Random, body: str) -> str | None:
    """A call without one of its keywords."""
    tree = ast.parse(body)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.keywords]
    if not calls:
        return None
    node = rng.choice(calls)
    del node.keywords[rng.randrange(len(node.keywords))]
    return ast.unparse(tree)


def repeat(rng: random.Random, body: str) -> str | None:
    """A statement once more, there or later."""
    tree = ast.parse(body)
    at = rng.randrange(len(tree.body))
    to = rng.randrange(at, len(tree.body) + 1)
    tree.body.insert(to, copy.deepcopy(tree.body[at]))
    return ast.unparse(tree)


def drop(rng: random.Random, body: str) -> str | None:
    """A statement gone, of the whole or of a block."""
    tree = ast.parse(body)
    blocks = [
        tree.body,
        *(node.body for node in ast.walk(tree) if isinstance(node, ast.With | ast.ClassDef)),
    ]
    block = rng.choice(blocks)
    if len(block) < 2:
        return None
    del block[rng.randrange(len(block))]
    return ast.unparse(tree)


def swap(rng: random.Random, body: str) -> str | None:
    """Two neighbouring statements in the other order."""
    tree = ast.parse(body)
    if len(tree.body) < 2:
        return None
    at = rng.randrange(len(tree.body) - 1)
    tree.body[at], tree.body[at + 1] = tree.body[at + 1], tree.body[at]
    return ast.unparse(tree)


def nest(rng: random.Random, body: str) -> str | None:
    """A block inside the same one, or around what comes after it."""
    tree = ast.parse(body)
    withs = [(index, node) for index, node in enumerate(tree.body) if isinstance(node, ast.With)]
    if not withs:
        return None
    index, node = rng.choice(withs)
    if rng.random() < 0.6:
        inner = copy.deepcopy(node)
        inner.body = copy.deepcopy(node.body) if rng.random() < 0.5 else [ast.Pass()]
        node.body = [inner, *node.body]
    else:
        node.body += tree.body[index + 1 :]
        del tree.body[index + 1 :]
    return ast.unparse(ast.fix_missing_locations(tree))


def attribute(rng: random.Random, body: str) -> str | None:
    """An attribute of a class that a test defines, gone or with another value."""
    tree = ast.parse(body)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and len(node.body) > 1]
    if not classes:
        return None
    node = rng.choice(classes)
    at = rng.randrange(len(node.body))
    node.body.insert(rng.randrange(len(node.body)), node.body.pop(at))
    return ast.unparse(tree)


def other_kind(rng: random.Random, body: str) -> str | None:
    """The same items as another kind of iterable."""
    tree = ast.parse(body)
    found = [one for one in ast.walk(tree) if isinstance(one, ast.ListComp | ast.List | ast.Tuple | ast.Dict)]
    found = [one for one in found if not isinstance(getattr(one, "ctx", None), ast.Store)]
    if not found:
        return None
    node = rng.choice(found)
    source = ast.unparse(node)
    if isinstance(node, ast.ListComp) and rng.random() < 0.7:
        return replaced(body, node, f"({source[1:-1]})") if ast.unparse(tree) == body else None
    kinds = ("iter({})", "tuple({})", "set({})", "(item for item in {})", "list({})", "dict.fromkeys({})")
    return replaced(body, node, rng.choice(kinds).replace("{}", source))


def instance(rng: random.Random, body: str) -> str | None:
    """An instance in the place of a class that is given, or the class of one."""
    tree = ast.parse(body)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [argument for node in calls for _, argument in places(node)]
    found = [one for one in given if _is_class(one.func if isinstance(one, ast.Call) else one)]
    if not found:
        return None
    node = rng.choice(found)
    source = ast.unparse(node.func) if isinstance(node, ast.Call) else f"{ast.unparse(node)}()"
    return replaced(body, node, source)


def _is_class(node: ast.expr) -> bool:
    """Whether a name is written as those of classes are."""
    return isinstance(node, ast.Name) and node.id[:1].isupper() and not node.id.isupper()

"""What somebody who proposes calls has to see of the functions for which no difference was found."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from pytest_moa.code.definitions import functions_in, qualname_of
from pytest_moa.proof.behaviour import Proof


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A changed function for which no difference was found yet."""

    function: str  #: "package.module:Class.method"
    base: str  #: source of the function at base, "" if it is not there
    head: str
    tried: tuple[str, ...]  #: some of the inputs, as source
    unreached: tuple[str, ...]  #: source lines of its branches at base that no input reached


def questions_of(base: Path, head: Path, proof: Proof) -> tuple[OpenQuestion, ...]:
    """One question for each function that was searched without success."""
    return tuple(
        OpenQuestion(
            one.function,
            source_at(base / one.path, one.qualname),
            source_at(head / one.path, one.qualname),
            one.tried,
            one.unreached,
        )
        for one in proof.searched
        if one.status in ("no difference found", "not searched")
    )


def source_at(path: Path, qualname: str) -> str:
    """The source of a function or class in a file; "" if it is not there or cannot be parsed."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return ""
    found = [node for node, around in functions_in(tree) if qualname_of(node.name, around) == qualname]
    nodes: list[ast.AST] = [*found]
    if not nodes:
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == qualname]
    return ast.get_source_segment(text, nodes[-1]) or "" if nodes else ""

"""The functions and classes of a source file with their lines, and its imports.

Python is read with `ast`, or by indentation where `ast` cannot (a syntax error, a huge file). Other
languages are read with ast-grep, the extra `languages`, whose grammars come in its wheel
(https://ast-grep.github.io/reference/api.html).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any

#: Characters of Python above which a syntax tree costs too much memory (about 100 times the text).
_TREE_LIMIT = 500_000

_MOST_IMPORTS = 60  #: lines


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class. Lines count from 1; `body` is the first line after its header."""

    kind: str
    name: str  #: qualified by what it stands in
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class Outline:
    """A file's definitions in the order in which they start, and its import statements."""

    definitions: tuple[Definition, ...] = ()
    imports: str = ""

    @cached_property
    def _owners(self) -> dict[int, Definition]:
        # inner definitions start later than those around them, and take their lines over
        return {line: found for found in self.definitions for line in range(found.start, found.end + 1)}

    def innermost(self, line: int) -> Definition | None:
        """The innermost definition that holds a line."""
        return self._owners.get(line)

    def around(self, first: int, last: int) -> str:
        """The name of the innermost definition that holds all of these lines, "" for none."""
        at_first, at_last = self.innermost(first), self.innermost(last)
        if at_first is None or at_last is None:
            return ""
        both = zip(at_first.name.split("."), at_last.name.split("."), strict=False)
        return ".".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], both))


def is_python(path: str) -> bool:
    """Whether a file is Python, by its name."""
    return PurePosixPath(path).suffix.lower() in (".py", ".pyi", ".pyw")


@lru_cache(maxsize=4)
def outline(path: str, text: str) -> Outline:
    """The outline of a file; an empty one for languages that cannot be read."""
    suffix = PurePosixPath(path).suffix.lower()
    # ast takes a lone CR for the end of a line, git does not
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", " ")
    if is_python(path):
        return _python(text)
    language = _LANGUAGES.get(suffix)
    return _other(text, language) if language else Outline()


def _python(text: str) -> Outline:
    if len(text) <= _TREE_LIMIT:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the file's own: it is read, not run
                tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
        else:
            return Outline(tuple(_python_definitions(tree)), _lines_of(text, _python_imports(tree)))
    return Outline(
        tuple(_indented(text)), "\n".join(re.findall(r"^(?:import|from) .*", text, re.M)[:_MOST_IMPORTS])
    )


def _python_definitions(tree: ast.Module) -> Iterator[Definition]:
    open_nodes: list[tuple[ast.AST, str, bool]] = [(tree, "", False)]
    while open_nodes:
        node, prefix, in_class = open_nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            is_class = isinstance(node, ast.ClassDef)
            start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            body = max(node.body[0].lineno, node.lineno)
            kind = "class" if is_class else "method" if in_class else "function"
            yield Definition(kind, prefix + node.name, start, body, node.end_lineno or node.lineno)
            prefix, in_class = f"{prefix}{node.name}.", is_class
        below = [child for child in ast.iter_child_nodes(node) if isinstance(child, _HOLD_STATEMENTS)]
        open_nodes += ((child, prefix, in_class) for child in reversed(below))


_HOLD_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


def _python_imports(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """Lines of the imports of the module itself, also those in its `if` and `try`."""
    open_nodes: list[ast.AST] = [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node.lineno, node.end_lineno or node.lineno
        elif isinstance(node, (ast.Module, ast.If, ast.Try, ast.excepthandler)):
            open_nodes += ast.iter_child_nodes(node)


_OPENS = re.compile(r"([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)")


def _indented(text: str) -> Iterator[Definition]:
    """Definitions by indentation alone: each ends before the next line that is indented no deeper."""
    found: list[Definition] = []
    stack: list[tuple[int, str, str, int]] = []  # indentation, kind, name, start
    last = 0  # the last line with code

    def close(indent: int) -> None:
        while stack and stack[-1][0] >= indent:
            _, kind, name, start = stack.pop()
            found.append(Definition(kind, name, start, start + 1, max(last, start)))

    for number, line in enumerate(text.split("\n"), 1):
        code = line.lstrip(" \t")
        if not code or code.startswith(("#", ")", "]", "}")):
            continue
        close(len(line) - len(code))
        last = number
        if opened := _OPENS.match(line):
            kind = (
                "class"
                if opened[2] == "class"
                else "method"
                if stack and stack[-1][1] == "class"
                else "function"
            )
            name = f"{stack[-1][2]}.{opened[3]}" if stack else opened[3]
            stack.append((len(line) - len(code), kind, name, number))
    close(0)
    return iter(sorted(found, key=lambda definition: definition.start))


_SCRIPT = ("function_declaration", "generator_function_declaration", "method_definition", "class_declaration")
_TYPED = (
    *_SCRIPT, "abstract_class_declaration", "interface_declaration", "enum_declaration",
    "type_alias_declaration", "internal_module",
)  # fmt: skip
_JVM = ("class_declaration", "interface_declaration", "enum_declaration", "record_declaration")
_CALLABLES = ("method_declaration", "constructor_declaration")

#: Kinds of nodes, by language: definitions, then imports.
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bash": (("function_definition",), ()),
    "c": (("function_definition", "struct_specifier"), ("preproc_include",)),
    "cpp": (
        ("function_definition", "struct_specifier", "class_specifier", "namespace_definition"),
        ("preproc_include",),
    ),
    "csharp": ((*_CALLABLES, *_JVM, "struct_declaration", "namespace_declaration"), ("using_directive",)),
    "go": (("function_declaration", "method_declaration", "type_declaration"), ("import_declaration",)),
    "java": ((*_CALLABLES, *_JVM), ("import_declaration",)),
    "javascript": (_SCRIPT, ("import_statement",)),
    "kotlin": (("function_declaration", "class_declaration", "object_declaration"), ("import_header",)),
    "lua": (("function_declaration",), ()),
    "php": (
        ("function_definition", "method_declaration", "class_declaration", "interface_declaration"),
        ("namespace_use_declaration",),
    ),
    "ruby": (("method", "singleton_method", "class", "module"), ()),
    "rust": (
        ("function_item", "impl_item", "trait_item", "struct_item", "enum_item", "mod_item"),
        ("use_declaration",),
    ),
    "scala": (
        ("function_definition", "class_definition", "object_definition", "trait_definition"),
        ("import_declaration",),
    ),
    "swift": (
        ("function_declaration", "class_declaration", "protocol_declaration", "init_declaration"),
        ("import_declaration",),
    ),
    "tsx": (_TYPED, ("import_statement",)),
    "typescript": (_TYPED, ("import_statement",)),
}

_LANGUAGES = {
    ".bash": "bash", ".sh": "bash", ".c": "c", ".h": "cpp", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp",
    ".hpp": "cpp", ".cs": "csharp", ".go": "go", ".java": "java", ".js": "javascript", ".mjs": "javascript",
    ".cjs": "javascript", ".jsx": "javascript", ".kt": "kotlin", ".kts": "kotlin", ".lua": "lua",
    ".php": "php", ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".swift": "swift", ".tsx": "tsx",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript",
}  # fmt: skip

#: `const name = () => ...`
_ARROW = {
    "kind": "variable_declarator",
    "has": {"field": "value", "any": [{"kind": "arrow_function"}, {"kind": "function_expression"}]},
}


def _other(text: str, language: str) -> Outline:
    try:
        from ast_grep_py import SgRoot
    except ImportError:  # the extra is not installed: git's own hunk headings have to do
        return Outline()
    kinds, imports = _KINDS[language]
    rules: list[dict[str, Any]] = [{"kind": kind} for kind in (*kinds, *imports)]
    if "function_declaration" in kinds and "method_definition" in kinds:
        rules.append(_ARROW)
    found: list[Definition] = []
    imported = []
    stack: list[tuple[int, str]] = []  # last line and name of what is open
    wanted: Any = {"rule": {"any": rules}}
    for node in SgRoot(text, language).root().find_all(wanted):
        place = node.range()
        start, end = place.start.line + 1, place.end.line + (1 if place.end.column else 0)
        if node.kind() in imports:
            imported.append((start, end))
            continue
        while stack and stack[-1][0] < start:
            stack.pop()
        name = ".".join([*(name for _, name in stack), _name(node)])
        body = node.field("body")
        first = max(body.range().start.line + 1, start) if body else start
        found.append(Definition(_kind(node.kind()), name, start, min(first + 1, end), end))
        stack.append((end, _name(node)))
    return Outline(tuple(found), _lines_of(text, imported))


def _kind(kind: str) -> str:
    words = {
        "impl": "impl",
        "method": "method",
        "class": "class",
        "function": "function",
        "variable": "function",
    }
    first = re.split(
        r"[_ ]", kind.removeprefix("abstract_").removeprefix("generator_").removeprefix("singleton_")
    )[0]
    return words.get(first, first)


def _name(node: Any) -> str:
    """A node's name: its `name`, what it declares (C), what it implements (Rust), or its first words."""
    for field in ("name", "declarator", "type"):
        if (part := node.field(field)) is not None:
            return str(part.text()).split("(")[0].split("\n")[0].strip("*& ")[:80]
    words = re.split(r"[({\n]", node.text(), maxsplit=1)[0].split()
    return " ".join(words[-1:])[:80]


def _lines_of(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    lines = text.split("\n")
    numbers = sorted({number for start, end in ranges for number in range(start, end + 1)})
    return "\n".join(lines[number - 1].strip() for number in numbers[:_MOST_IMPORTS])

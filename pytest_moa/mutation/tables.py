"""Which operator becomes which: where mutmut has the same operator, it is replaced by the same one."""

from __future__ import annotations

import ast
from collections.abc import Mapping

#: Comparisons: (source, replacements). The first shifts the boundary or negates, the second negates.
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}

ARITHMETIC: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "/"),
    ast.Pow: ("**", "*"),
    ast.MatMult: ("@", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}

#: With this constant on the right the result is equal: `x * 1` and `x / 1`.
NEUTRAL: Mapping[type[ast.operator], int] = {
    ast.Add: 0,
    ast.Sub: 0,
    ast.Mult: 1,
    ast.Div: 1,
    ast.Pow: 1,
    ast.LShift: 0,
    ast.RShift: 0,
}

METHODS: Mapping[str, str] = {
    one: other
    for pair in (
        ("lower", "upper"),
        ("lstrip", "rstrip"),
        ("find", "rfind"),
        ("ljust", "rjust"),
        ("index", "rindex"),
        ("removeprefix", "removesuffix"),
        ("partition", "rpartition"),
        ("startswith", "endswith"),
        ("split", "rsplit"),
    )
    for one, other in (pair, pair[::-1])
}

FUNCTIONS: Mapping[str, str] = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "deepcopy": "copy",
}

#: Attributes of loggers: what they write is nobody's contract.
LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
LOGGERS = frozenset({"log", "logger", "logging", "_log", "_logger", "LOG", "LOGGER", "_LOG", "_LOGGER"})

#: Calls that only type checkers, readers or loggers care about.
INERT_CALLS = frozenset(
    {"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "TypeAliasType", "getLogger", "get_logger"}
)

#: Decorators whose removal changes nothing, or only what a type checker says.
INERT_DECORATORS = frozenset(
    {
        "abstractmethod",
        "cache",
        "deprecated",
        "final",
        "lru_cache",
        "no_type_check",
        "overload",
        "override",
        "runtime_checkable",
        "unique",
        "wraps",
    }
)

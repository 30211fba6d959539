"""How special methods are used in source."""

from __future__ import annotations

#: How special methods are used; others are called by name. "{callee}" is the object.
OPERATORS: dict[str, str] = {
    "__getitem__": "{callee}[{0}]",
    "__setitem__": "{callee}[{0}] = {1}",
    "__delitem__": "del {callee}[{0}]",
    "__contains__": "{0} in {callee}",
    "__len__": "len({callee})",
    "__iter__": "list({callee})",
    "__reversed__": "list(reversed({callee}))",
    "__next__": "next({callee})",
    "__str__": "str({callee})",
    "__repr__": "repr({callee})",
    "__bool__": "bool({callee})",
    "__int__": "int({callee})",
    "__float__": "float({callee})",
    "__abs__": "abs({callee})",
    "__neg__": "-{callee}",
    "__hash__": "hash({callee}) == hash({callee})",
    "__missing__": "{callee}[{0}]",
    "__enter__": "with {callee}:\n    pass",
    "__exit__": "with {callee}:\n    pass",
    "__getattr__": "getattr({callee}, {0})",
    **{
        f"__{name}__": f"{{callee}} {symbol} {{0}}"
        for name, symbol in (
            *(("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">=")),
            *(("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("floordiv", "//"), ("mod", "%")),
            *(("or", "|"), ("and", "&"), ("xor", "^"), ("pow", "**"), ("matmul", "@")),
        )
    },
    **{
        f"__r{name}__": f"{{0}} {symbol} {{callee}}"
        for name, symbol in (
            ("add", "+"),
            ("sub", "-"),
            ("mul", "*"),
            ("truediv", "/"),
            ("or", "|"),
            ("and", "&"),
        )
    },
    "__iadd__": "{callee} += {0}",
    "__isub__": "{callee} -= {0}",
    "__ior__": "{callee} |= {0}",
    "__iand__": "{callee} &= {0}",
}
#: Those whose other operand mostly is of the same kind.
ONE_OF_A_KIND = (
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__add__",
    "__sub__",
    "__or__",
    "__and__",
)

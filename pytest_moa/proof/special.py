"""Values and pieces of text that have a meaning to much code, as source."""

from __future__ import annotations

from collections.abc import Sequence

#: Values that code often treats apart, as source.
SPECIAL: Sequence[Sequence[str]] = (
    ("None",),
    ("True", "False"),
    ("0", "1", "-1", "10 ** 20", "1e400", "float('nan')", "0.5"),
    ('""', '"a"', '"a b"', '"\\u00e9"', '"1"'),
    ('"a.b"', "'say \"hi\"'", '"back\\\\slash"', '"line one\\nline two"', '"a=b, c"', '" a "', '"%s {0}"'),
    ("b''", "b'a'"),
    ("[]", "{}", "()", "set()"),
    ("[1, 2]", '["a", "b"]', "(1, 2)", '{"a": 1}', "[None]", '{"a.b": {"c": []}}'),
    ('ValueError("wrong")', "KeyError('key')", "Exception()"),
    ("(lambda *args, **kwargs: None)", "(lambda *args: args)", "str.upper"),
    ("int", "str", "dict", "ValueError"),
    (
        "object()",
        "type('Falsy', (), {'__bool__': lambda self: False, '__call__': lambda self, *args: 'called'})()",
        "type('Text', (str,), {})('a')",
    ),
)

#: Pieces that have a meaning in some kind of text.
PIECES = (
    "?a=b",
    "#x",
    "/",
    ".",
    ".x",
    "-",
    ",",
    "=",
    "&",
    "%",
    "\n",
    " ",
    "\\",
    '"',
    "'",
    "{}",
    "[0]",
    "é",
    ":",
    "_",
    "1",
    "A",
)

"""Natural values: words, texts, numbers, and expressions of the common types. The first are the plainest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WORDS = (
    "hello",
    "world",
    "apple",
    "banana",
    "cherry",
    "one",
    "two",
    "name",
    "value",
    "key",
    "foo",
    "bar",
    "a",
    "b",
)
TEXTS = (
    "hello world",
    "hello",
    "",
    "a",
    "Hello World",
    "apple banana cherry",
    "foo_bar",
    "fooBar",
    "FooBar",
    "foo-bar",
    "a,b,c",
    " padded ",
    "123",
    "1.5",
    "-7",
    "café",
    "key=value",
    "line one\nline two",
    "ABC",
    "x1",
    "a b  c",
    "日本語",
    "it's",
    "Ünïcode café",
    "a--b",
    "C++ & C#",
    "1,000",
    "10 items",
    "one two three",
    "Jane's e-mail: jane@example.com",
    "fish & chips",
)
#: What texts are composed of that are no phrases.
PIECES = (*WORDS, " ", " ", "\n", "1", "42", "0")
INTEGERS = (0, 1, 2, 3, 5, 10, -1, 4, 7, 12, 20, 100, -5, 1000, 11, 50, 1234567, 10**6)
FLOATS = (
    0.5,
    1.5,
    2.0,
    0.0,
    -1.5,
    3.14,
    10.25,
    100.0,
    0.1,
    1234.5678,
    1e-3,
    1e10,
    float("inf"),
    float("nan"),
)
BYTES = (b"hello", b"", b"a", b"hello world", b"\x00\xff", b"123", b"key=value")
#: Functions by how many arguments they get; -1 for any number.
CALLABLES: Mapping[int, Sequence[str]] = {
    0: ("list", "dict", "lambda: 5", 'lambda: "hello"'),
    1: (
        "str",
        "len",
        "lambda x: x",
        "lambda x: x * 2",
        "lambda x: x % 2 == 0",
        "lambda x: x + 1",
        "lambda x: x > 1",
        "str.upper",
        "bool",
        "sum",
        "lambda x: None",
        "int",
        "list",
        "lambda x: x[0]",
        "callable",
        "lambda x: {}",
        "lambda _: 5",
    ),
    -1: ("lambda *args: args", "lambda *args: len(args)"),
    2: (
        "lambda x, y: x + y",
        "max",
        "lambda x, y: x == y",
        "lambda x, y: x * y",
        "lambda x, y: x < y",
        "lambda x, y: y",  # the first may be an object of which nothing is known
        "lambda x, y: [y, y]",
        "lambda x, y: str(y)",
    ),
    3: ("lambda x, y, z: x + y + z", "lambda x, y, z: (x, y, z)"),
}
#: By kind: expressions, and the names that they need of `datetime`.
MOMENTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "datetime": (
        ("datetime(2024, 1, 15, 10, 30)", "datetime"),
        ("datetime(2024, 2, 29, 23, 59, 59)", "datetime"),
        ("datetime(2023, 12, 31)", "datetime"),
        ("datetime(2024, 1, 15, 10, 30, tzinfo=timezone.utc)", "datetime, timezone"),
        ("datetime(2000, 6, 1, 12, 0, 0, 123456)", "datetime"),
    ),
    "date": (("date(2024, 1, 15)", "date"), ("date(2024, 2, 29)", "date"), ("date(1999, 12, 31)", "date")),
    "time": (("time(10, 30)", "time"), ("time(0, 0)", "time"), ("time(23, 59, 59)", "time")),
    "timedelta": (
        ("timedelta(seconds=30)", "timedelta"),
        ("timedelta(days=1)", "timedelta"),
        ("timedelta(hours=2, minutes=5)", "timedelta"),
        ("timedelta(days=400)", "timedelta"),
        ("timedelta(microseconds=5)", "timedelta"),
        ("timedelta(days=-3)", "timedelta"),
        ("timedelta(0)", "timedelta"),
    ),
    "timezone": (("timezone.utc", "timezone"), ("timezone(timedelta(hours=2))", "timedelta, timezone")),
}
#: By kind: expressions, and the import that they need.
SIMPLE: Mapping[str, Sequence[tuple[str, str]]] = {
    "decimal": tuple(
        (f'Decimal("{one}")', "from decimal import Decimal") for one in ("1.5", "0", "-2.25", "100")
    ),
    "fraction": tuple(
        (f"Fraction({one})", "from fractions import Fraction") for one in ("1, 2", "3, 4", "5, 1")
    ),
    "uuid": (('UUID("12345678-1234-5678-1234-567812345678")', "from uuid import UUID"),),
    "path": tuple(
        (f'Path("{one}")', "from pathlib import Path") for one in ("data/file.txt", "archive.tar.gz", ".")
    ),
    "textfile": tuple(
        (f'StringIO("{one}")', "from io import StringIO") for one in (r"hello\nworld\n", "", "a,b")
    ),
    "bytesfile": tuple((f'BytesIO(b"{one}")', "from io import BytesIO") for one in (r"hello\nworld\n", "")),
    "match": ((r're.match(r"(\w+)", "hello")', "import re"), (r're.match(r"(\d+)", "42")', "import re")),
    "pattern": ((r're.compile(r"\d+")', "import re"), ('re.compile("[^a-z]+")', "import re")),
    "range": (("range(5)", ""), ("range(1, 10, 2)", ""), ("range(0)", "")),
    "exception": (('ValueError("wrong")', ""), ("KeyError(5)", ""), ("Exception()", "")),
    "context": (
        ("RLock()", "from threading import RLock"),
        ("nullcontext()", "from contextlib import nullcontext"),
    ),
    "condition": (("Condition()", "from threading import Condition"),),
    "none": (("None", ""),),
    "bool": (("True", ""), ("False", "")),
}

"""What a file is for, told by its path."""

from __future__ import annotations

import re

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__"})
_TEST_NAME = re.compile(r"(^|[._-])(test|tests|spec)[._-]|^conftest\.py$|[a-z0-9]Tests?\.\w+$", re.IGNORECASE)
_NOT_SHIPPED = frozenset(
    {"bench", "benchmark", "benchmarks", "ci", "demo", "demos", "doc", "docs", "example", "examples"}
    | {"script", "scripts", "tools", "samples", "vendor", "_vendor", "third_party", "migrations"}
)
_SAMPLES = re.compile(r"[-_](bench(mark)?s?|demos?|docs?|examples?|samples)$")
_PROSE = frozenset(
    {"md", "rst", "txt", "adoc", "po", "pot", "tex", "html", "htm", "xlf", "srt"}
    | {"csv", "tsv", "json", "jsonl", "ipynb", "snap"}
)


def is_python(path: str) -> bool:
    """A Python source file or stub."""
    return path.endswith((".py", ".pyi"))


def has_lone_returns(text: str) -> bool:
    """Whether carriage returns end lines for Python that git does not count: line numbers would be wrong."""
    return text.count("\r") > text.count("\r\n")


def is_test(path: str) -> bool:
    """A test or a part of a test suite, in any language."""
    *folders, name = path.split("/")
    return not _TEST_FOLDERS.isdisjoint(folders) or _TEST_NAME.search(name) is not None


def is_shipped(path: str) -> bool:
    """Neither a test nor a document, example, benchmark or script: code that others may import."""
    *folders, name = path.split("/")
    hidden = any(folder.startswith(".") for folder in folders)
    apart = not _NOT_SHIPPED.isdisjoint(folders) or any(map(_SAMPLES.search, folders))
    return not (hidden or is_test(path) or name == "setup.py" or apart)


def is_prose(path: str) -> bool:
    """Text for people or data for programs: any script of the world belongs there."""
    return path.rpartition(".")[2].lower() in _PROSE or "." not in path.rpartition("/")[2]

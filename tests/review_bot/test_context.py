"""What a hunk travels with, in Python and in other languages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from review_bot.change import ChangedFile, Hunk
from review_bot.context import Context, hunk_context
from review_bot.outline import outline

PYTHON = dedent('''\
    from __future__ import annotations
    import os, sys
    try:
        import tomllib
    except ImportError:
        tomllib = None


    class Cart:
        """A cart."""

        @property
        @cached
        def total(
            self,
        ) -> int:
            rate = 1
            if rate:
                return sum(self.items) * rate
            return 0

        async def save(self):
            def inner():
                pass

            await inner()


    x = 1
    ''')


def context_of(text: str, line: int, path: str = "a.py", limit: int = 3000) -> Context:
    """The context of a hunk that changes one line and shows nothing else."""
    hunk = Hunk(line, 1, line, 1, "git's heading", f"-old\n+{text.split(chr(10))[line - 1]}\n")
    return hunk_context(ChangedFile(path, "modified", (hunk,), head_text=text), hunk, limit)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if words in line)


def test_the_innermost_function_with_decorators_and_the_imports() -> None:
    [method] = context_of(PYTHON, line_of(PYTHON, "rate = 1")).enclosing
    assert (method.kind, method.name, method.start, method.end) == ("method", "Cart.total", 12, 20)
    assert method.text.split("\n") == [
        "    @property",
        "    @cached",
        "    def total(",
        "        self,",
        "    ) -> int:",
        "... (the hunk below)",
        "        if rate:",
        "            return sum(self.items) * rate",
        "        return 0",
    ]
    assert context_of(PYTHON, 1).imports.split("\n") == [
        "from __future__ import annotations",
        "import os, sys",
        "import tomllib",
    ]


def test_nested_functions_classes_and_module_code() -> None:
    [inner] = context_of(PYTHON, line_of(PYTHON, "        pass")).enclosing
    assert (inner.kind, inner.name) == ("function", "Cart.save.inner")
    [cart] = context_of(PYTHON, line_of(PYTHON, "A cart.")).enclosing
    assert (cart.kind, cart.name) == ("class", "Cart")
    [heading] = context_of(PYTHON, line_of(PYTHON, "x = 1")).enclosing
    assert (heading.kind, heading.name, heading.text) == ("heading", "git's heading", "")


def test_a_hunk_over_two_functions_has_both() -> None:
    text = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
    body = " def a():\n-    return 0\n+    return 1\n \n \n def b():\n-    return 0\n+    return 2\n"
    hunk = Hunk(1, 6, 1, 6, "", body)
    found = hunk_context(ChangedFile("a.py", "modified", (hunk,), head_text=text), hunk).enclosing
    assert [(one.name, one.text) for one in found] == [("a", ""), ("b", "")]


def test_deletions_belong_to_the_function_they_were_in() -> None:
    text = "def a():\n    x = 1\n    return x\n\n\ny = 1\n"
    hunk = Hunk(2, 1, 1, 0, "", "-    gone\n")
    [found] = hunk_context(ChangedFile("a.py", "modified", (hunk,), head_text=text), hunk).enclosing
    assert found.name == "a"
    hunk = Hunk(2, 1, 0, 0, "", "-    x = 1\n")
    [found] = hunk_context(ChangedFile("a.py", "deleted", (hunk,), base_text=text), hunk).enclosing
    assert (found.name, found.text.split("\n")[1]) == ("a", "... (the hunk below)")


def test_a_long_function_is_cut_to_its_header_and_what_is_near() -> None:
    text = "def f():\n" + "".join(f"    x{number} = {number}\n" for number in range(2000))
    found = context_of(text, 1000, limit=300).enclosing[0]
    lines = found.text.split("\n")
    assert len(found.text) < 350
    assert lines[:2] == ["def f():", "..."]
    assert lines[-1] == "..."
    assert lines[lines.index("... (the hunk below)") - 1] == "    x997 = 997"


@pytest.mark.parametrize("broken", ["def f(:\n", "x = '\0'\n", "(" * 5000 + "\n"])
def test_what_cannot_be_parsed_is_read_by_indentation(broken: str) -> None:
    text = f"import os\nclass A:\n    def m(self):\n        x = 1\n\n        y = 2\n    z = 3\n\n{broken}"
    assert context_of(text, 6).enclosing[0].name == "A.m"
    assert (context_of(text, 6).enclosing[0].start, context_of(text, 6).enclosing[0].end) == (3, 6)
    assert context_of(text, 7).enclosing[0].name == "A"
    assert context_of(text, 1).imports == "import os"


def test_huge_python_files_are_read_by_indentation_too() -> None:
    text = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(20_000))
    assert context_of(text, 40_002).enclosing[0].name == "f10000"


def test_line_numbers_are_gits_whatever_ends_a_line_for_others() -> None:
    text = "a = 'x\u2028y'\x0c\nb = 1 # \r# c\r\n\ndef f():\r\n    return 1\r\n"
    assert (outline("a.py", text).definitions[0].start, context_of(text, 5).enclosing[0].name) == (4, "f")


OTHERS = {
    "a.js": ("import x from 'x'\nclass A {\n  m() {\n    return 1\n  }\n}\n", 4, "A.m", "import x from 'x'"),
    "a.jsx": ("const Cart = () => {\n  return <b/>\n}\n", 2, "Cart", ""),
    "a.ts": ("namespace N {\n  function f(): void {\n    x()\n  }\n}\n", 3, "N.f", ""),
    "a.tsx": ("import x from 'x'\nfunction f() {\n  return <b/>\n}\n", 3, "f", "import x from 'x'"),
    "a.go": ('package a\nimport (\n\t"fmt"\n)\nfunc (t *T) M() {\n\tx()\n}\n', 6, "M", 'import (\n"fmt"\n)'),
    "a.rs": ("use std::io;\nimpl T for X {\n  fn a(&self) {\n    b()\n  }\n}\n", 4, "X.a", "use std::io;"),
    "A.java": ("import a.b;\nclass A {\n  void m() {\n    b();\n  }\n}\n", 4, "A.m", "import a.b;"),
    "a.kt": ("import a.b\nclass A {\n  fun m() {\n    b()\n  }\n}\n", 4, "A.m", "import a.b"),
    "a.cs": ("using A;\nclass B {\n  void M() {\n    C();\n  }\n}\n", 4, "B.M", "using A;"),
    "a.c": ('#include "a.h"\nint *f(int a) {\n  return 0;\n}\n', 3, "f", '#include "a.h"'),
    "a.cpp": ("namespace n {\nint A::g() {\n  return 2;\n}\n}\n", 3, "n.A::g", ""),
    "a.rb": ("module M\n  class A\n    def m\n      1\n    end\n  end\nend\n", 4, "M.A.m", ""),
    "a.php": ("<?php\nclass A {\n  function m() {\n    b();\n  }\n}\n", 4, "A.m", ""),
    "a.swift": ("import A\nclass B {\n  func m() {\n    c()\n  }\n}\n", 4, "B.m", "import A"),
    "a.scala": ("class A {\n  def m() = {\n    1\n  }\n}\n", 3, "A.m", ""),
    "a.lua": ("function M.g()\n  x()\nend\n", 2, "M.g", ""),
    "a.sh": ("f() {\n  echo\n}\n", 2, "f", ""),
}


@pytest.mark.parametrize("path", OTHERS)
def test_other_languages(path: str) -> None:
    text, line, name, imports = OTHERS[path]
    found = context_of(text, line, path)
    assert (found.enclosing[0].name, found.imports) == (name, imports)


def test_unknown_languages_have_gits_heading() -> None:
    assert context_of("a\nb\n", 2, "notes.txt").enclosing[0].name == "git's heading"


def test_without_the_extra_other_languages_have_gits_heading(tmp_path: Path) -> None:
    (tmp_path / "ast_grep_py.py").write_text("raise ImportError\n")
    code = "from review_bot.outline import outline; print(outline('a.go', 'func f() {\\n}\\n').definitions)"
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "()"

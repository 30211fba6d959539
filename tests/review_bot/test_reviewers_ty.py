import pytest

from review_bot.change import Trees
from review_bot.subject import ReviewSubject
from tests.review_bot.sample_change import answer, change, findings, subject

pytest.importorskip("ty", reason="the extra `types` is not installed")

CORE = "import os\n\n\ndef area(width: int, height: int) -> int:\n    return width * height\n"
CALLER = "from pkg.core import area\n\nprint(area(2, 3))\n"


def check(tmp_path, base, head, **more):
    return findings("ty", subject(tmp_path, base, head, **more))


def places(found):
    return [(finding.path, finding.line, finding.rule) for finding in found]


def test_a_caller_that_the_change_does_not_touch_is_reported_where_it_breaks(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/core.py": CORE, "app/use.py": CALLER}
    [finding] = check(
        tmp_path, base, {**base, "pkg/core.py": CORE.replace("height: int)", "height: int, depth: int)")}
    )
    assert (finding.path, finding.side, finding.line) == ("app/use.py", "RIGHT", 3)
    assert "parameter `depth`" in finding.title
    assert "does not touch this file" in finding.body
    assert (finding.severity, finding.category) == ("major", "types")


def test_a_module_that_went_away_is_reported_where_it_is_imported(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/core.py": CORE, "use.py": CALLER}
    head = {"pkg/__init__.py": "", "pkg/shapes.py": CORE, "use.py": CALLER}
    found = check(tmp_path, base, head, renamed={"pkg/core.py": "pkg/shapes.py"})
    assert places(found) == [("use.py", 1, "import-not-found")]


def test_an_error_on_an_added_line_is_reported(tmp_path):
    base = {"a.py": "x: str | None = input() or None\n"}
    assert places(check(tmp_path, base, {"a.py": base["a.py"] + "print(x.wrong())\n"})) == [
        ("a.py", 2, "missing-attribute")
    ]


def test_what_base_already_had_is_not_reported_though_it_moved(tmp_path):
    old = "def f() -> int:\n    return 'x'\n"
    assert check(tmp_path, {"a.py": old}, {"a.py": "import os\n\nprint(os.name)\n\n\n" + old}) == []


def test_many_lesser_errors_of_a_kind_are_one_finding_that_names_the_lines(tmp_path):
    [finding] = check(tmp_path, {}, {"a.py": "a: int = ''\nb: int = ''\nc: int = ''\nd: int = ''\n"})
    assert (finding.line, finding.severity) == (1, "minor")
    assert "these lines: 2, 3, 4." in finding.body


def test_a_coroutine_that_nobody_awaits_is_major(tmp_path):
    base = {"a.py": "async def f() -> None: ...\n"}
    head = {"a.py": "async def f() -> None: ...\n\n\nasync def g() -> None:\n    f()\n"}
    assert [(f.line, f.severity) for f in check(tmp_path, base, head)] == [(5, "major")]


def test_packages_that_are_not_installed_here_are_no_error_but_a_mistyped_own_module_is(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/core.py": CORE}
    added = "import not_installed_anywhere\nfrom pkg.cor import area\n\nnot_installed_anywhere.x(area)\n"
    assert places(check(tmp_path, base, {**base, "a.py": added})) == [("a.py", 2, "import-not-found")]


@pytest.mark.parametrize("root", ["src", "packages/one/src", "lib"])
def test_packages_are_found_wherever_they_lie(tmp_path, root):
    base = {f"{root}/pkg/__init__.py": "", f"{root}/pkg/core.py": CORE, "use.py": CALLER}
    head = {**base, f"{root}/pkg/core.py": CORE.replace("width: int, ", "")}
    assert places(check(tmp_path, base, head)) == [("use.py", 3, "too-many-positional-arguments")]


def test_the_settings_of_the_change_have_no_say(tmp_path):
    base = {"a.py": "X = 1\n"}
    head = {
        "a.py": "X: int = 'x'\n",
        "ty.toml": "[rules]\nall = 'ignore'\n",
        "pyproject.toml": "[tool.ty.rules]\nall = 'ignore'\n",
    }
    assert places(check(tmp_path, base, head)) == [("a.py", 1, "invalid-assignment")]


def test_a_file_that_does_not_parse_is_left_to_ruff(tmp_path):
    assert check(tmp_path, {"a.py": "X = 1\n"}, {"a.py": "X: int = 'x'\ndef f(\n"}) == []


def test_a_name_like_an_option_is_a_file(tmp_path):
    assert places(check(tmp_path, {}, {"--watch.py": "X: int = 'x'\n"})) == [
        ("--watch.py", 1, "invalid-assignment")
    ]


def test_without_trees_or_python_it_says_why():
    bare = ReviewSubject(
        change({"a.py": "X = 1\n"}, {"a.py": "X = 2\n"}),
        None,
        lambda: Trees(None, None, {"why": "a patch alone"}),
    )
    assert "a patch alone" in answer("ty", bare).note
    other = ReviewSubject(change({}, {"a.js": "x"}), None, lambda: Trees(None, None))
    assert answer("ty", other).note == "no Python file is changed"


def test_what_rests_on_packages_that_are_missing_here_is_not_reported(tmp_path):
    base = {"a.py": "import not_installed_anywhere\n"}
    added = "\n\nclass C(not_installed_anywhere.Base):\n    pass\n\n\nx: int = C().value\n"
    assert check(tmp_path, base, {"a.py": base["a.py"] + added}) == []


def test_in_tests_only_lines_that_the_change_breaks_from_elsewhere_are_reported(tmp_path):
    test = "from pkg.core import area\n\n\ndef test_area():\n    assert area(2, 3) == 6\n"
    base = {"pkg/__init__.py": "", "pkg/core.py": CORE, "tests/test_core.py": test}
    wrong_on_purpose = test + "\n\ndef test_wrong():\n    area(1, 2, 3)\n"
    assert check(tmp_path / "1", base, {**base, "tests/test_core.py": wrong_on_purpose}) == []
    head = {**base, "pkg/core.py": CORE.replace("width: int, ", "")}
    assert places(check(tmp_path / "2", base, head)) == [
        ("tests/test_core.py", 5, "too-many-positional-arguments")
    ]


def test_a_coroutine_that_a_new_test_does_not_await_is_reported(tmp_path):
    added = "async def check() -> None: ...\n\n\nasync def test_it():\n    check()\n"
    assert places(check(tmp_path, {}, {"tests/test_a.py": added})) == [
        ("tests/test_a.py", 5, "unused-awaitable")
    ]


def test_what_a_decorator_may_bring_and_what_every_function_has_is_not_reported(tmp_path):
    added = (
        "from collections.abc import Callable\n\n\nclass Bare: ...\n\n\n"
        "def use(kind: type[object], f: Callable[[], int]) -> str:\n    kind(many=1)\n    return f.__name__\n"
    )
    assert check(tmp_path, {}, {"a.py": added}) == []


def test_what_may_be_too_narrow_an_annotation_is_reported_only_where_the_change_touches_shipped_code(
    tmp_path,
):
    use = "from a import f\n\nx: str = f()\n"
    base = {"a.py": "def f() -> str: ...\n", "use.py": use}
    head = {"a.py": "def f() -> int: ...\n", "use.py": use, "setup.py": use, "new.py": use}
    assert places(check(tmp_path, base, head)) == [("new.py", 3, "invalid-assignment")]


def test_a_file_in_another_encoding_is_no_type_error(tmp_path):
    code = "# -*- coding: latin-1 -*-\nX = 'é'\n"
    about = subject(tmp_path, {}, {"a.py": code})
    for path in tmp_path.rglob("a.py"):
        path.write_bytes(code.encode("latin-1"))
    assert findings("ty", about) == []

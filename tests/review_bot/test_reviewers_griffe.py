import textwrap

import pytest

from review_bot.change import Trees
from review_bot.reviewers.tool import ToolFailed
from review_bot.subject import ReviewSubject
from tests.review_bot.sample_change import answer, change, findings, subject

FRONT = "from pkg._impl import connect\n\n__all__ = ['connect']\n"


def source(text):
    return textwrap.dedent(text).lstrip()


def api(tmp_path, base, head, **more):
    return findings("griffe", subject(tmp_path, base, head, **more))


def only_module(tmp_path, base, head):
    return api(tmp_path, {"mod.py": source(base)}, {"mod.py": source(head)})


def test_a_removed_parameter_is_reported_at_the_new_signature(tmp_path):
    base = {
        "pkg/__init__.py": FRONT,
        "pkg/_impl.py": "import os\n\n\ndef connect(host, port):\n    return os, host, port\n",
    }
    head = {
        "pkg/__init__.py": FRONT,
        "pkg/_impl.py": "import os\n\n\ndef connect(host):\n    return os, host\n",
    }
    [finding] = api(tmp_path, base, head)
    assert (finding.path, finding.side, finding.line) == ("pkg/_impl.py", "RIGHT", 4)
    assert finding.title == "Parameter `port` of `pkg.connect` was removed"
    assert (finding.severity, finding.category, finding.rule) == ("major", "api", "parameter-removed")


@pytest.mark.parametrize("root", ["", "src/", "packages/one/src/"])
def test_packages_are_found_wherever_they_lie(tmp_path, root):
    base = {
        f"{root}pkg/__init__.py": "",
        f"{root}pkg/sub/__init__.py": "",
        f"{root}pkg/sub/a.py": "def f(a): ...\n",
    }
    head = {**base, f"{root}pkg/sub/a.py": "def f(): ...\n"}
    assert [finding.title for finding in api(tmp_path, base, head)] == [
        "Parameter `a` of `pkg.sub.a.f` was removed"
    ]


def test_a_removed_function_is_reported_where_it_was(tmp_path):
    [finding] = only_module(tmp_path, "X = 1\n\n\ndef gone(a):\n    return a\n", "X = 1\n")
    assert (finding.side, finding.line, finding.title) == ("LEFT", 4, "Function `mod.gone` was removed")


def test_what_is_public_on_purpose_weighs_more(tmp_path):
    base = {
        "pkg/__init__.py": FRONT,
        "pkg/_impl.py": "def connect(a): ...\n",
        "pkg/inner.py": "def f(a): ...\n",
    }
    head = {
        "pkg/__init__.py": FRONT,
        "pkg/_impl.py": "def connect(): ...\n",
        "pkg/inner.py": "def f(): ...\n",
    }
    found = {finding.title: finding.severity for finding in api(tmp_path, base, head)}
    assert found == {
        "Parameter `a` of `pkg.connect` was removed": "major",
        "Parameter `a` of `pkg.inner.f` was removed": "minor",
    }


def test_several_breaks_of_one_function_are_one_finding(tmp_path):
    [finding] = only_module(tmp_path, "def f(a, b, c=1): ...\n", "def f(b, c, *, d): ...\n")
    assert finding.title == "`mod.f` can no longer be used as before"
    assert "- Parameter `a` of `mod.f` was replaced by `d`" in finding.body
    assert "- Parameter `c` of `mod.f` has lost its default" in finding.body


def test_a_changed_default_is_milder(tmp_path):
    [finding] = only_module(
        tmp_path, "__all__ = ['f']\n\n\ndef f(a=1): ...\n", "__all__ = ['f']\n\n\ndef f(a=2): ...\n"
    )
    assert finding.title == "The default of `a` of `mod.f` is `2` instead of `1`"
    assert finding.severity == "minor"


def test_an_added_dataclass_field_breaks_its_constructor(tmp_path):
    [finding] = only_module(
        tmp_path,
        "from dataclasses import dataclass\n\n\n@dataclass\nclass P:\n    x: int\n",
        "from dataclasses import dataclass\n\n\n@dataclass\nclass P:\n    x: int\n    y: int\n",
    )
    assert "`mod.P.__init__` has a new parameter `y` without a default" in finding.title
    assert finding.line == 7


def test_a_method_that_a_base_class_still_has_is_not_gone(tmp_path):
    base = {
        "pkg/__init__.py": "",
        "pkg/base.py": "class Base:\n    def run(self): ...\n",
        "pkg/a.py": "from pkg.base import Base\n\n\nclass A(Base):\n    def run(self): ...\n",
    }
    head = {**base, "pkg/a.py": "from pkg.base import Base\n\n\nclass A(Base):\n    pass\n"}
    assert api(tmp_path, base, head) == []


def test_a_moved_function_that_can_still_be_imported_is_not_gone(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/a.py": "def f(a): ...\n"}
    head = {"pkg/__init__.py": "", "pkg/a.py": "from pkg.b import f\n", "pkg/b.py": "def f(a): ...\n"}
    assert api(tmp_path, base, head) == []


def test_a_renamed_module_is_gone_under_its_old_name(tmp_path):
    text = "def f(a):\n    return a\n"
    base, head = {"pkg/__init__.py": "", "pkg/a.py": text}, {"pkg/__init__.py": "", "pkg/b.py": text}
    [finding] = api(tmp_path, base, head, renamed={"pkg/a.py": "pkg/b.py"})
    assert (finding.title, finding.line) == ("Module `pkg.a` was removed", None)
    assert "`pkg/b.py`" in finding.body


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "docs/conf.py", "pkg/_a.py", "scripts/run.py", "pkg/test_a.py"]
)
def test_what_nobody_imports_is_no_api(tmp_path, path):
    base = {"pkg/__init__.py": "", path: "def f(a): ...\n"}
    assert api(tmp_path, base, {**base, path: "def f(): ...\n"}) == []


def test_private_names_and_loggers_are_no_api(tmp_path):
    base = "import logging\n\nlog = logging.getLogger()\n\n\ndef _f(a): ...\n\n\nclass _C: ...\n"
    assert only_module(tmp_path, base, "X = 1\n") == []


def test_compatible_changes_are_not_reported(tmp_path):
    base = "def f(a, *, b=1): ...\n\n\nclass C:\n    def m(self): ...\n"
    head = "def f(a, c=2, *, b=1, d=None): ...\n\n\nclass C:\n    def m(self, x=0): ...\n"
    assert only_module(tmp_path, base, head) == []


def test_a_file_that_does_not_parse_breaks_nothing_else(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/a.py": "def f(a): ...\n", "pkg/b.py": "def g(a): ...\n"}
    head = {"pkg/__init__.py": "", "pkg/a.py": "def f(\n", "pkg/b.py": "def g(): ...\n"}
    assert [finding.title for finding in api(tmp_path, base, head)] == [
        "Parameter `a` of `pkg.b.g` was removed"
    ]


def test_no_code_of_the_change_runs(tmp_path):
    canary = tmp_path / "canary"
    evil = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n"
    base = {"pkg/__init__.py": evil, "pkg/a.py": evil + "def f(a): ...\n"}
    head = {
        "pkg/__init__.py": evil,
        "pkg/a.py": evil + "def f(): ...\n",
        "sitecustomize.py": evil,
        "griffe.py": evil,
    }
    assert len(api(tmp_path, base, head)) == 1
    assert not canary.exists()


def test_a_bare_patch_says_why_there_is_nothing():
    about = ReviewSubject(
        change({"a.py": "def f(a): ...\n"}, {"a.py": "X = 1\n"}),
        None,
        lambda: Trees(None, None, {"why": "a patch alone"}),
    )
    assert "a patch alone" in answer("griffe", about).note


def test_without_old_modules_no_process_starts(tmp_path):
    def trees():
        raise AssertionError("the trees are not needed")

    about = ReviewSubject(change({"a.js": "x"}, {"a.js": "y", "new.py": "X = 1\n"}), tmp_path, trees)
    assert answer("griffe", about).findings == []


def test_a_failing_worker_is_named(tmp_path):
    trees = Trees(str(tmp_path / "nowhere"), str(tmp_path / "nowhere"))
    about = ReviewSubject(change({"a.py": "def f(a): ...\n"}, {"a.py": "X = 1\n"}), tmp_path, lambda: trees)
    with pytest.raises(ToolFailed, match="cannot be started"):
        answer("griffe", about)


def test_a_method_that_a_foreign_base_class_may_still_have_is_not_called_gone(tmp_path):
    base = "from werkzeug import Dict\n\n\nclass A(Dict):\n    size: int\n\n    def get(self): ...\n"
    found = only_module(tmp_path, base, "from werkzeug import Dict\n\n\nclass A(Dict):\n    pass\n")
    assert [finding.title for finding in found] == ["Attribute `mod.A.size` was removed"]


def test_a_function_is_named_as_its_users_know_it(tmp_path):
    base = {
        "pkg/__init__.py": "from ._in import connect\n",
        "pkg/_in/__init__.py": "from .core import connect\n\n__all__ = ['connect']\n",
        "pkg/_in/core.py": "def connect(a): ...\n",
    }
    [finding] = api(tmp_path, base, {**base, "pkg/_in/core.py": "def connect(): ...\n"})
    assert finding.title == "Parameter `a` of `pkg.connect` was removed"


def test_a_name_that_is_also_a_module_stops_nothing(tmp_path):
    base = {
        "pkg/__init__.py": "from .version import version\nfrom .a import f\n",
        "pkg/version.py": "version = '1'\n",
        "pkg/a.py": "def f(a): ...\n",
    }
    [finding] = api(tmp_path, base, {**base, "pkg/a.py": "def f(): ...\n"})
    assert finding.title == "Parameter `a` of `pkg.f` was removed"


def test_a_dropped_re_export_is_reported_where_it_was(tmp_path):
    base = {
        "pkg/__init__.py": "from .a import f, g\n\n__all__ = ['f', 'g']\n",
        "pkg/a.py": "def f(): ...\ndef g(): ...\n",
    }
    [finding] = api(tmp_path, base, {**base, "pkg/__init__.py": "from .a import f\n\n__all__ = ['f']\n"})
    assert (finding.path, finding.side, finding.line) == ("pkg/__init__.py", "LEFT", 1)
    assert finding.title == "`pkg.g` can no longer be imported"


def test_many_names_that_went_from_one_file_are_one_finding(tmp_path):
    base = {
        "pkg/__init__.py": "",
        "pkg/a.py": "A = 1\nB = 2\n\n\ndef f(): ...\n\n\ndef g(): ...\n\n\nC = 3\n",
    }
    [finding] = api(tmp_path, base, {**base, "pkg/a.py": "C = 3\n"})
    assert (finding.path, finding.side, finding.line) == ("pkg/a.py", "LEFT", None)
    assert finding.title == "4 public names of this file were removed"
    assert "`pkg.a.g`" in finding.body


def test_a_name_that_a_star_import_brings_is_no_api_of_the_importer(tmp_path):
    base = {"pkg/__init__.py": "", "pkg/a.py": "from .b import *\n\nX = 1\n", "pkg/b.py": "def f(): ...\n"}
    assert api(tmp_path, base, {**base, "pkg/a.py": "X = 1\n"}) == []


def test_a_method_that_every_object_has_or_nobody_calls_is_not_missed(tmp_path):
    base = "class A:\n    def __repr__(self):\n        return 'A'\n\n    def __del__(self): ...\n"
    assert only_module(tmp_path, base, "class A:\n    pass\n") == []

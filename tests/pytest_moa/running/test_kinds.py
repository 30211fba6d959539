"""Tests of every kind run as in pytest: unittest, doctests, async, Hypothesis, and their plug-ins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_moa.running.executor import Executor
from tests.pytest_moa.running.sample import candidate, executor, mutants, write

FILES = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        addopts = "--doctest-modules --no-header"
        testpaths = ["kinds.py", "tests"]
    """,
    "kinds.py": '''
        """A module with documented examples."""


        def documented(a):
            """Twice as much.

            >>> documented(2)
            4
            """
            return a * 2


        def cased(a):
            return a - 1


        def numbered(a):
            return a % 7


        async def awaited(a):
            return a + 3
    ''',
    "tests/test_case.py": """
        import unittest
        from kinds import cased

        class TestCased(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.start = 5

            def test_cased(self):
                self.assertEqual(cased(self.start), 4)

            def test_many(self):
                for number in (1, 2):
                    with self.subTest(number=number):
                        self.assertEqual(cased(number), number - 1)
    """,
    "tests/test_property.py": """
        from hypothesis import given, settings, strategies as st
        from kinds import numbered

        @settings(max_examples=20)
        @given(st.integers())
        def test_numbered(a):
            assert 0 <= numbered(a) < 7
            assert numbered(3) == 3
    """,
    "tests/test_async.py": """
        import pytest
        from kinds import awaited

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_awaited():
            assert await awaited(1) == 4
    """,
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    root = write(tmp_path_factory.mktemp("kinds"), FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_PLUGINS", "anyio.pytest_plugin")
        with executor(root, "kinds.py") as opened:
            yield opened


def test_all_of_them_pass_and_reach_what_they_test(kinds: Executor) -> None:
    tests = kinds.existing()
    assert not tests.errors
    assert {test.outcome for test in tests.tests} == {"passed"}
    assert len(tests.tests) == 5
    for qualname in ("documented", "cased", "numbered", "awaited"):
        assert kinds.covering("kinds", qualname)


def test_all_of_them_kill(kinds: Executor) -> None:
    kills = kinds.kills(None, mutants(kinds, "kinds"))
    assert not kills.untrusted
    changed = {each.mutant.before: each for each in kills.verdicts.values()}
    for text, test in (("*", "documented"), ("-", "test_cased"), ("%", "numbered"), ("+", "awaited")):
        assert changed[text].killed
        assert test in changed[text].killers[0] or "test_many" in changed[text].killers[0]


def test_candidates_may_be_of_those_kinds_too(kinds: Executor) -> None:
    asynchronous = candidate(
        """
        @pytest.mark.anyio
        async def test_awaited(anyio_backend):
            assert await awaited(2) == 5
        """,
        "kinds:awaited",
        "import pytest",
        "from kinds import awaited",
        support="@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'",
    )
    property_based = candidate(
        "@given(st.integers())\ndef test_numbered(a):\n    assert numbered(a) == numbered(a + 7)",
        "kinds:numbered",
        "from hypothesis import given, strategies as st",
        "from kinds import numbered",
    )
    facts = kinds.check([asynchronous, property_based])
    assert [(each.status, each.message) for each in facts.values()] == [("passes", "")] * 2

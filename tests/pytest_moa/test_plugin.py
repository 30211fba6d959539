"""What `pytest --moa-status` tells, and that the installed plug-in costs nothing unless it is asked.

What `pytest --moa` does is in `session/`.
"""

from __future__ import annotations

import pytest


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("MOA_RECORD", str(pytester.path / "record.sqlite"))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_one="def test_one(): pass")
    return pytester


def test_status_without_a_model_is_the_offline_committee(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-p", "pytest_moa.plugin", "--moa-status")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*offline*"])
    result.stdout.no_fnmatch_line("*test_one*")


def test_status_names_the_configured_members(project: pytest.Pytester) -> None:
    project.makefile(
        ".toml",
        moa="""
        [tool.moa.members.qwen]
        model = "qwen2.5-coder:7b"
        base_url = "http://127.0.0.1:11434/v1"
        """,
    )
    result = project.runpytest_subprocess("-p", "pytest_moa.plugin", "--moa-status")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*qwen*qwen2.5-coder:7b*127.0.0.1:11434*"])


def test_a_wrong_setting_is_a_usage_error_without_a_traceback(project: pytest.Pytester) -> None:
    project.makefile(".toml", moa="layer = 3")
    result = project.runpytest_subprocess("-p", "pytest_moa.plugin", "--moa-status")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*moa.toml*layer*"])
    assert "Traceback" not in result.stderr.str()


def test_with_strict_settings_it_brings_no_foreign_key_and_its_marker_is_known(
    project: pytest.Pytester,
) -> None:
    project.makepyprojecttoml("[tool.pytest]\nstrict = true\n")
    project.makepyfile(test_marked="import pytest\n\n\n@pytest.mark.moa(skip=True)\ndef test_two(): pass\n")
    result = project.runpytest_subprocess("-p", "pytest_moa.plugin")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*moa:*")
    project.runpytest_subprocess("-p", "pytest_moa.plugin", "--markers").stdout.fnmatch_lines(
        ["*moa(skip=False)*"]
    )


def test_unused_it_imports_nothing_beyond_pytest(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_imports="""
        import sys

        def test_imports():
            heavy = {"pydantic", "httpx", "git", "asyncio", "moa_engine", "sqlite3", "rich"}
            if sys.version_info >= (3, 14):
                heavy.remove("asyncio")  # pdb imports it, which pytest imports
            assert not heavy & set(sys.modules)
            ours = {name for name in sys.modules if name.startswith("pytest_moa")}
            assert ours == {"pytest_moa", "pytest_moa.plugin", "pytest_moa.hookspecs"}
        """
    )
    result = project.runpytest_subprocess("-p", "pytest_moa.plugin", "-p", "no:unraisableexception")
    result.assert_outcomes(passed=2)

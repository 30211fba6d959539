import os
from pathlib import Path

from moa_engine.config_files import load_settings
from moa_engine.plugins import load_plugins, task_types
from review_bot.github.settings import GithubSettings
from review_bot.review_task import ReviewTask
from review_bot.reviewers.reviewer import KINDS
from review_bot.server.settings import ServerSettings
from review_bot.settings import ReviewSettings


def test_the_engine_finds_the_reviewers_the_settings_and_the_task():
    plugins = load_plugins({})
    kinds = {kind.name for found in plugins.hook.moa_member_kinds() for kind in found}
    assert set(KINDS) <= kinds
    sections = {"review": ReviewSettings, "github": GithubSettings, "server": ServerSettings}
    assert sections in plugins.hook.moa_config_sections()
    assert ReviewTask in task_types(plugins).values()


def test_settings_of_reviews_are_read_from_the_project(tmp_path):
    Path(tmp_path, "pyproject.toml").write_text(
        "[tool.moa.review]\nreviewers = ['ruff']\n"
        "[tool.moa.members.lint]\nkind = 'ruff'\nignore = ['S608']\ntimeout = 5\n"
    )
    plugins = load_plugins({})
    loaded = load_settings(
        start=tmp_path, config=None, environ={"HOME": os.devnull}, flags={}, plugins=plugins
    )
    assert loaded.sections["review"].reviewers == ["ruff"]
    assert loaded.settings.members["lint"]["ignore"] == ["S608"]

"""What pr-agent asks GitHub for that the tests' GitHub does not know: to import it is to have it there."""

from __future__ import annotations

from typing import Any

from tests.review_bot.github import fake_diff, fake_rules
from tests.review_bot.github.fake_rules import ROUTES, Call, find, route
from tests.review_bot.github.fake_state import State


@route("GET", "/pulls/{n}", "pull_requests:read")
def pull(state: State, call: Call, number: str) -> tuple[int, Any]:
    """With the links that pr-agent follows."""
    status, found = fake_rules.pull(state, call, number)
    here = f"{state.base_url}/repos/{state.repository}"
    if isinstance(found, dict):
        page = f"https://github.com/{state.repository}/pull/{number}"
        found |= {"issue_url": f"{here}/issues/{number}", "html_url": page}
    return status, found


ROUTES.insert(0, ROUTES.pop())  # the first one that fits is asked


@route("GET", "/pulls/{n}/commits", "pull_requests:read")
def commits(state: State, _call: Call, number: str) -> tuple[int, Any]:
    """The last one alone: each pull request has one."""
    return 200, [_commit(state, state.head(find(state.pulls, number)))]


@route("GET", "/commits/{x}", "contents:read")
def commit(state: State, _call: Call, name: str) -> tuple[int, Any]:
    return 200, _commit(state, fake_diff.commit(state.bare, name))


@route("GET", "/languages", "metadata:read")
def languages(_state: State, _call: Call) -> tuple[int, Any]:
    return 200, {"Python": 1000}


@route("GET", "/issues/{n}/labels", "pull_requests:read")
def labels(_state: State, _call: Call, _number: str) -> tuple[int, Any]:
    return 200, []


@route("PUT", "/issues/{n}/labels", "pull_requests:write")
def set_labels(_state: State, _call: Call, _number: str) -> tuple[int, Any]:
    return 200, []


@route("DELETE", "/issues/comments/{n}", "issues:write")
def delete_comment(state: State, _call: Call, number: str) -> tuple[int, Any]:
    del state.notes[int(number)]
    return 204, None


def _commit(state: State, sha: str) -> dict[str, Any]:
    url = f"{state.base_url}/repos/{state.repository}/commits/{sha}"
    person = {"name": "bob", "email": "bob@example.com", "date": "2026-01-01T00:00:00Z"}
    return {
        "sha": sha,
        "url": url,
        "html_url": url,
        "commit": {"message": "change", "author": person, "committer": person, "url": url},
        "author": {"login": "bob", "type": "User"},
        "parents": [],
    }

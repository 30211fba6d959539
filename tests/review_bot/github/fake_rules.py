"""GitHub's REST endpoints as far as the bot uses them, each with the rules that GitHub enforces.

Where a rule is documented, its comment names the page ("docs: ..."); where GitHub only shows it by its
answers, what it answers ("seen: ...").
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from tests.review_bot.github import fake_diff
from tests.review_bot.github.fake_model import Json, Pull, Token
from tests.review_bot.github.fake_state import State

#: seen: "Body is too long (maximum is 65536 characters)".
LONGEST = 65_536


T = TypeVar("T")


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: Json = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        if errors:
            self.body["errors"] = list(errors)


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str]
    accept: str
    data: Any
    token: Token


@dataclass(frozen=True, slots=True)
class Text:
    """An answer that is no JSON."""

    text: str
    type: str


Handler = Callable[..., tuple[int, Any]]
ROUTES: list[tuple[str, re.Pattern[str], tuple[tuple[str, str], ...], Handler]] = []


def route(method: str, path: str, *needs: str) -> Callable[[Handler], Handler]:
    """An endpoint; `{n}` is a number, `{x}` a segment, `{p}` the rest. One of `needs` has to be held."""
    pattern = path.replace("{n}", r"(\d+)").replace("{x}", "([^/]+)").replace("{p}", "(.+)")

    def add(handler: Handler) -> Handler:
        wanted = tuple((need.split(":")[0], need.split(":")[1]) for need in needs)
        ROUTES.append((method, re.compile(f"/repos/[^/]+/[^/]+{pattern}"), wanted, handler))
        return handler

    return add


def invalid(*errors: Any, message: str = "Validation Failed") -> Problem:
    return Problem(422, message, errors)


def unprocessable(*errors: str) -> Problem:
    return Problem(422, "Unprocessable Entity", errors)


def fields(data: Any, required: Mapping[str, type], optional: Mapping[str, type]) -> Json:
    """A body with these types, as GitHub's OpenAPI description has them. Unknown keys are ignored."""
    if not isinstance(data, dict):
        raise Problem(400, "Body should be a JSON object")
    for key, kind in {**required, **optional}.items():
        value = data.get(key)
        if value is None and key in required:
            raise invalid(message=f'Invalid request.\n\n"{key}" wasn\'t supplied.')
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            shown = f"For 'properties/{key}', {json.dumps(value)} is not a {kind.__name__}."
            raise invalid(message=f"Invalid request.\n\n{shown}")
    return data


def text_of(data: Json, key: str = "body") -> str:
    """A body's text.

    seen: 422 "Body can't be blank"; "Body is too long (maximum is 65536 characters)".
    """
    text: str = data.get(key) or ""
    if not text.strip():
        raise invalid({"resource": "IssueComment", "code": "missing_field", "field": key})
    check_length(text)
    return text


def check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise unprocessable(f"Body is too long (maximum is {LONGEST} characters)")


def find(table: Mapping[int, T], id: str | int) -> T:
    try:
        return table[int(id)]
    except KeyError:
        raise Problem(404, "Not Found") from None


def authored(call: Call, author: str) -> None:
    """Stricter than GitHub, where those who may write may edit what others said: nothing of ours should."""
    if call.token.login != author:
        raise Problem(403, "Resource not accessible by integration")


# Reading


@route("GET", "", "metadata:read")
def repository(state: State, call: Call) -> tuple[int, Any]:
    return 200, state.show_repo(state.repository)


@route("GET", "/pulls/{n}", "pull_requests:read")
def pull(state: State, call: Call, number: str) -> tuple[int, Any]:
    found = find(state.pulls, number)
    if "diff" not in call.accept:
        return 200, state.show_pull(found)
    base, head = state.merge_base(found), state.head(found)
    text = fake_diff.text(state.bare, base, head)
    # docs: pulls, "Get a pull request"; seen: 406 with code too_large and these sentences.
    excess = (
        f"files ({state.most_files})"
        if len(fake_diff.files(state.bare, base, head)) > state.most_files
        else f"lines ({state.most_lines})"
        if text.count("\n") > state.most_lines
        else ""
    )
    if excess:
        raise Problem(
            406,
            f"Sorry, the diff exceeded the maximum number of {excess}. Consider using 'List pull requests "
            "files' API or locally cloning the repository instead.",
            [{"resource": "PullRequest", "field": "diff", "code": "too_large"}],
        )
    return 200, Text(text, "application/vnd.github.diff; charset=utf-8")


@route("GET", "/pulls/{n}/files", "pull_requests:read")
def files(state: State, call: Call, number: str) -> tuple[int, Any]:
    found = state.files(find(state.pulls, number))
    # docs: pulls, "List pull requests files": at most 3,000.
    return 200, [state.show_file(file) for file in found[:3000]]


@route("GET", "/compare/{p}", "contents:read")
def compare(state: State, call: Call, range: str) -> tuple[int, Any]:
    names = [fake_diff.commit(state.bare, unquote(name)) for name in range.split("...")]
    if len(names) != 2 or not all(names):
        raise Problem(404, "Not Found")
    base = fake_diff.merge_base(state.bare, *names)
    if not base:
        # seen: for commits without a common ancestor.
        raise Problem(404, f"No common ancestor between {names[0]} and {names[1]}.")
    ahead, behind = base != names[1], base != names[0]
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    found = fake_diff.files(state.bare, base, names[1])
    # docs: commits, "Compare two commits": at most 300 files.
    shown = [state.show_file(file) for file in found[:300]]
    return 200, {"status": status, "merge_base_commit": {"sha": base}, "files": shown}


@route("GET", "/contents/{p}", "contents:read")
def contents(state: State, call: Call, path: str) -> tuple[int, Any]:
    name = f"{call.query.get('ref', 'main')}:{unquote(path)}"
    kind = fake_diff.git(state.bare, "cat-file", "-t", name, codes=(0, 128)).strip()
    if kind == "tree":
        return 200, []
    if kind != "blob":
        raise Problem(404, "Not Found")
    data = fake_diff.git_bytes(state.bare, "cat-file", "blob", name)
    # docs: contents: from 1 to 100 MB the content is empty and the encoding "none".
    large = len(data) > 1_000_000
    text = "" if large else base64.encodebytes(data).decode()
    return 200, {
        "type": "file",
        "encoding": "none" if large else "base64",
        "size": len(data),
        "content": text,
    }


@route("GET", "/collaborators/{x}/permission", "metadata:read")
def permission(state: State, call: Call, login: str) -> tuple[int, Any]:
    login = unquote(login)
    if login not in state.people:
        # seen: 404 "NAME is not a user".
        raise Problem(404, f"{login} is not a user")
    return 200, {"permission": state.people[login], "user": state.show_user(login)}


# Comments below a pull request


@route("GET", "/issues/{n}/comments", "issues:read", "pull_requests:read")
def notes(state: State, call: Call, number: str) -> tuple[int, Any]:
    find(state.pulls, number)
    found = [note for note in state.notes.values() if note.number == int(number)]
    return 200, [state.show_note(note) for note in state.listed(found)]


@route("POST", "/issues/{n}/comments", "issues:write", "pull_requests:write")
def add_note(state: State, call: Call, number: str) -> tuple[int, Any]:
    check_open_to_comments(find(state.pulls, number))
    body = text_of(fields(call.data, {"body": str}, {}))
    note = state.say(int(number), call.token.login, body)
    return 201, state.show_note(note)


@route("PATCH", "/issues/comments/{n}", "issues:write", "pull_requests:write")
def edit_note(state: State, call: Call, id: str) -> tuple[int, Any]:
    note = find(state.notes, id)
    authored(call, note.author)
    note.body = text_of(fields(call.data, {"body": str}, {}))
    return 200, state.show_note(note)


@route("POST", "/issues/comments/{n}/reactions", "issues:write", "pull_requests:write")
def react(state: State, call: Call, id: str) -> tuple[int, Any]:
    content = fields(call.data, {"content": str}, {})["content"]
    if content not in ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"):
        raise invalid(message=f"Invalid request.\n\n{content} is not a member of the reactions.")
    reactions, new = find(state.notes, id).reactions, (call.token.login, content)
    # docs: reactions: 200 says that it was there already.
    status = 200 if new in reactions else 201
    if status == 201:
        reactions.append(new)
    return status, {"content": content, "user": state.show_user(call.token.login)}


def check_open_to_comments(pull: Pull) -> None:
    if pull.locked:
        # seen: on locked conversations.
        raise Problem(403, "Unable to create comment because issue is locked.")


# Comments on lines


@route("GET", "/pulls/{n}/comments", "pull_requests:read")
def comments(state: State, call: Call, number: str) -> tuple[int, Any]:
    find(state.pulls, number)
    # docs: reviews: comments of a pending review are seen once it is submitted.
    shown = [
        comment
        for comment in state.comments.values()
        if comment.number == int(number) and state.reviews[comment.review_id].state != "PENDING"
    ]
    return 200, [state.show_comment(comment) for comment in shown]


@route("PATCH", "/pulls/comments/{n}", "pull_requests:write")
def edit_comment(state: State, call: Call, id: str) -> tuple[int, Any]:
    comment = find(state.comments, id)
    authored(call, comment.author)
    comment.body = text_of(fields(call.data, {"body": str}, {}))
    return 200, state.show_comment(comment)


@route("GET", "/pulls/comments/{n}/reactions", "pull_requests:read")
def reactions(state: State, call: Call, id: str) -> tuple[int, Any]:
    found = find(state.comments, id).reactions
    return 200, [{"user": state.show_user(login), "content": content} for login, content in found]

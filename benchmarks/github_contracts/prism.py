"""Every request of reviews against GitHub's OpenAPI document, by Prism as a proxy before the tests' GitHub.

Before Prism stands a recorder: it keeps what Prism says of each request, and lets GraphQL and git pass,
which that document does not describe. Answers are left alone: those of the tests' GitHub leave out what
nobody reads.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.github_contracts import node
from benchmarks.github_contracts.front import Answer, Request, front
from review_bot.github.client import Connection, connect
from review_bot.github.model import Annotation, CheckRun, InlineComment
from review_bot.server.app_auth import AppAuth
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo

PACKAGES = ("@stoplight/prism-cli@5.16.0", "@octokit/openapi@23.0.2")
#: What the bot may ask for, as the document names it. Anything else that it asks for is a fault.
PATHS = (
    "/app",
    "/app-manifests/{code}/conversions",
    "/app/installations/{installation_id}/access_tokens",
    "/repos/{owner}/{repo}",
    "/repos/{owner}/{repo}/check-runs",
    "/repos/{owner}/{repo}/check-runs/{check_run_id}",
    "/repos/{owner}/{repo}/code-scanning/sarifs",
    "/repos/{owner}/{repo}/collaborators/{username}/permission",
    "/repos/{owner}/{repo}/commits/{ref}/check-runs",
    "/repos/{owner}/{repo}/compare/{basehead}",
    "/repos/{owner}/{repo}/contents/{path}",
    "/repos/{owner}/{repo}/installation",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/pulls/comments/{comment_id}",
    "/repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions",
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments",
    "/repos/{owner}/{repo}/pulls/{pull_number}/files",
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals",
)


def trimmed(document: Path, to: Path) -> None:
    """GitHub's document with only those paths, what they refer to, and any answer."""
    full = json.loads(document.read_text("utf-8"))
    paths = {path: full["paths"][path] for path in PATHS}
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"] = {"default": {"description": "anything"}}
    needed: dict[str, dict[str, Any]] = {}

    def collect(part: Any) -> None:
        if isinstance(part, list):
            for one in part:
                collect(one)
        elif isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref" and isinstance(value, str):
                    _, _, kind, name = value.split("/")
                    if name not in needed.setdefault(kind, {}):
                        needed[kind][name] = full["components"][kind][name]
                        collect(needed[kind][name])
                else:
                    collect(value)

    collect(paths)
    head = {key: full[key] for key in ("openapi", "info")}
    to.write_text(json.dumps({**head, "paths": paths, "components": needed}), "utf-8")


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that came by."""

    method: str
    path: str
    status: int
    violations: list[str]


@dataclass(slots=True)
class Recorder:
    """Stands before Prism."""

    prism: str
    github: str
    passed: list[Passed] = field(default_factory=list)

    def turn(self, request: Request) -> Answer:
        """Pass a request on, and keep what Prism says of it."""
        path = urlsplit(request.path).path
        if path == "/graphql" or ".git/" in path:
            return request.passed_to(self.github)
        answer = request.passed_to(self.prism)
        said = json.loads(answer.headers.pop("sl-violations", "[]"))
        found = [f"{'.'.join(map(str, one['location']))}: {one['message']}" for one in said]
        if b"stoplight.io/prism/errors" in answer.body:  # such as: no such path, no such method
            found.append(answer.body.decode())
        self.passed.append(Passed(request.command, path, answer.status, found))
        return answer


def check(say: Callable[[str], None]) -> bool:
    """Run reviews through Prism; whether no request departs from the document."""
    modules = node.package("prism", *PACKAGES)
    spec = node.BUILD / "trimmed.json"
    trimmed(modules / "@octokit" / "openapi" / "generated" / "api.github.com.json", spec)
    script = modules / "@stoplight" / "prism-cli" / "dist" / "index.js"
    port = node.free_port()
    with tempfile.TemporaryDirectory() as folder:
        author = _author(Path(folder))
        with FakeGithub(Path(folder) / "shop.git") as fake:
            proxy = ("proxy", "-h", "127.0.0.1", "-p", str(port), str(spec), fake.url)
            with node.served(script, *proxy, port=port, log=node.BUILD / "prism.log"):
                recorder = Recorder(f"http://127.0.0.1:{port}", fake.url)
                with front(recorder.turn) as url:
                    _reviews(Path(folder), author, fake, url, say)
                    _others(fake, url)
                    _app(fake, url)
                    passed = [*recorder.passed]
                    _wrong(fake, url)
                    caught = recorder.passed[-1].violations
    say(f"a request that is wrong on purpose was {'caught' if caught else 'NOT CAUGHT'}")
    return _told(passed, say) and bool(caught)


FILES = {f"shop/part_{number}.py": f"def part_{number}(x):\n    return x\n" for number in range(4)}
SETTINGS = '[review]\nreviewers = ["ruff"]\nprove = "off"\n[github]\ncheck_run = true\ncode_scanning = true\n'


def _broken(number: int) -> str:
    return f"def part_{number}(x):\n    return x * missing\n"


def _author(folder: Path) -> GitRepo:
    author = GitRepo(folder / "author")
    author.commit({**FILES, "moa.toml": SETTINGS})
    GitRepo(folder / "shop.git", "--bare")
    author.git("remote", "add", "origin", str(folder / "shop.git"))
    author.git("switch", "--quiet", "-c", "feature")
    author.commit({"shop/part_0.py": _broken(0), "shop/part_1.py": _broken(1)})
    author.git("push", "--quiet", "origin", "main", "feature")
    return author


def _reviews(folder: Path, author: GitRepo, fake: FakeGithub, url: str, say: Callable[[str], None]) -> None:
    """A review, one of a second push, a refused one, and commands in comments."""
    fake.state.people |= {"bob": "write"}
    fake.state.open_pull("feature", author="bob")
    environ = environment(folder) | {
        "GITHUB_TOKEN": "job-token",
        "GITHUB_API_URL": url,
        "GITHUB_SERVER_URL": fake.url,
        "GITHUB_REPOSITORY": fake.state.repository,
    }

    def run(name: str, *arguments: str, **more: str) -> None:
        command = [sys.executable, "-m", "tests.review_bot.github.quick", "github", *arguments]
        done = subprocess.run(command, env={**environ, **more}, capture_output=True, text=True, check=False)
        say(f"{name}: exit {done.returncode}, {len(fake.state.reviews)} reviews")
        if done.returncode:
            raise SystemExit(done.stderr)

    run("first push", "--pr", "1")
    author.commit({"shop/part_0.py": FILES["shop/part_0.py"], "shop/part_2.py": _broken(2)})
    author.git("push", "--quiet", "origin", "feature")
    fake.break_next("POST /reviews$", 422, body={"message": "Unprocessable Entity", "errors": ["no"]})
    run("second push, refused once", "--pr", "1")
    comment = next(one for one in fake.state.comments.values())
    comment.reactions.append(("bob", "-1"))
    found = re.search(r"/dismiss (\S+)", comment.body)
    for said in (
        "/review full",
        f"/explain {found[1] if found else 'x'}",
        f"/dismiss {found and found[1]} no",
    ):
        note = fake.state.say(1, "bob", said)
        event = folder / "event.json"
        event.write_text(
            json.dumps(
                {
                    "action": "created",
                    "issue": {"number": 1, "pull_request": {}},
                    "comment": {"id": note.id, "body": said, "user": {"login": "bob"}},
                    "repository": {"full_name": fake.state.repository},
                }
            )
        )
        run(said.split()[0], GITHUB_EVENT_NAME="issue_comment", GITHUB_EVENT_PATH=str(event))


def _others(fake: FakeGithub, url: str) -> None:
    """What those runs had no cause for: editing and dismissing reviews, what is read without git."""
    own = Connection(fake.state.repository, "job-token", url, fake.url, between_writes=0.0)
    client = connect(own)
    head = client.pull(1).head_sha
    inline = InlineComment("shop/part_1.py", "RIGHT", 2, 1, "Two lines.", "f1")
    review = client.create_review(1, head, "Changes, please.", "REQUEST_CHANGES", (inline,))
    client.edit_review_body(1, review.id, "Edited.")
    client.dismiss_review(1, review.id, "It was addressed.")
    client.edit_review_comment(client.review_comments(1)[-1].id, "Edited.")
    client.diff_text(1)
    client.files(1)
    client.contents("moa.toml", head)  # Prism takes no path with a slash for one, unlike GitHub
    check = client.create_check_run("other", head, "run", CheckRun("Title", "Summary"))
    note = Annotation("shop/part_1.py", 2, 2, "warning", "Title", "Message")
    client.update_check_run(
        check, CheckRun("Title", "Summary", conclusion="neutral", annotations=(note,) * 50)
    )


def _app(fake: FakeGithub, url: str) -> None:
    app = fake.apps.create()
    auth = AppAuth(str(app.id), app.private_key, url)
    fake.apps.install(app)
    auth.viewer()
    auth.installation_token(auth.installation_of(fake.state.repository), fake.state.repository)


def _wrong(fake: FakeGithub, url: str) -> None:
    """What GitHub's description does not allow: an event in small letters, a line that is a text."""
    body = {"event": "comment", "body": "x", "comments": [{"path": "a", "body": "b", "line": "2"}]}
    headers = {"Authorization": "token job-token", "Content-Type": "application/json", "User-Agent": "x"}
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    path = f"/repos/{fake.state.repository}/pulls/1/reviews"
    connection.request("POST", path, json.dumps(body), headers)
    connection.getresponse().read()
    connection.close()


def _told(passed: list[Passed], say: Callable[[str], None]) -> bool:
    """Print what came by."""
    kinds = Counter(f"{one.method} {re.sub(r'[0-9a-f]{40}|[0-9]+', '*', one.path)}" for one in passed)
    for kind, times in sorted(kinds.items()):
        say(f"  {times:3} x {kind}")
    faults = [f"{one.method} {one.path}: {fault}" for one in passed for fault in one.violations]
    say(f"{len(passed)} requests to {len(kinds)} endpoints; {len(faults)} depart from GitHub's description")
    for fault in faults:
        say(f"  {fault}")
    return not faults

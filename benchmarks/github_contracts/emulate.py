"""The running server as a GitHub App of `emulate`, which others wrote: token, signed webhooks, check run.

emulate verifies the App's signature, restricts its tokens, and sends webhooks by HTTP, signed. It has no
GraphQL, no git and no reviews on lines: before it stands a front that answers the first two, from the same
commits in a real repository, while reviews on lines end as they do there: with 422, after the review was
made. That is the accident that a review has to survive; only what is posted then is emulate's.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Asking
from urllib.request import urlopen

import jwt

from benchmarks.github_contracts import node
from benchmarks.github_contracts.front import Answer, Request, front
from review_bot.server.app_auth import AppAuth
from tests.review_bot.commands import environment
from tests.review_bot.github.action_steps import job_variables, pretended_python, run_steps
from tests.review_bot.github.fake_apps import PERMISSIONS, new_key
from tests.review_bot.github.fake_git import git_over_http
from tests.review_bot.gitrepo import GitRepo

PACKAGE = "emulate@0.12.2"
APP, INSTALLATION, SLUG, SECRET = 4242, 77, "moa-review", "the webhook's secret"
REPOSITORY = "ada/shop"
SETTINGS = """\
[server]
repositories = ["ada/shop"]
[github]
check_run = true
[review]
reviewers = ["ruff"]
prove = "off"
"""


@dataclass(frozen=True, slots=True)
class Ada:
    """The repository's owner, at emulate."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What emulate answers her."""
        headers = {"Authorization": "token ada-token", "Content-Type": "application/json"}
        asking = Asking(f"{self.url}{path}", body and json.dumps(body).encode(), headers, method=method)
        try:
            with urlopen(asking, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def push(self, author: GitRepo, branch: str) -> str:
        """Bring a branch's last commit over; emulate computes git's own ids, so that it is the same one."""
        git = author.git
        head = git("rev-parse", branch).decode().strip()
        names = git("ls-tree", "-r", "--name-only", branch).decode().split()
        tree = [
            {"path": n, "mode": "100644", "type": "blob", "content": git("show", f"{branch}:{n}").decode()}
            for n in names
        ]
        made = self.ask("POST", f"/repos/{REPOSITORY}/git/trees", {"tree": tree})
        name, email, date, message = (
            git("show", "-s", "--format=%an%n%ae%n%aI%n%s", head).decode().split("\n")[:4]
        )
        who = {"name": name, "email": email, "date": date}
        parents = git("show", "-s", "--format=%P", head).decode().split()
        facts = {"message": message, "tree": made["sha"], "parents": parents, "author": who, "committer": who}
        commit = self.ask("POST", f"/repos/{REPOSITORY}/git/commits", facts)
        if commit["sha"] != head:
            raise SystemExit(f"emulate made {commit['sha']} of {head}")
        return head


def check(say: Callable[[str], None]) -> bool:
    """Run it all; whether everything holds."""
    modules = node.package("emulate", PACKAGE)
    port, hook_port = node.free_port(), node.free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        author = _author(folder)
        seed = folder / "seed.json"
        seed.write_text(json.dumps(_seed(hook_port)))
        arguments = ("start", "--service", "github", "--port", str(port), "--seed", str(seed))
        script = modules / "emulate" / "dist" / "index.js"
        with (
            node.served(script, *arguments, port=port, log=node.BUILD / "emulate.log"),
            front(lambda request: _turn(request, port, author)) as url,
        ):
            ada = Ada(url)
            held = [_auth(url, say)]
            base = ada.push(author, "main")
            ada.ask("POST", f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/heads/main", "sha": base})
            head = ada.push(author, "feature")
            ada.ask("POST", f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/heads/feature", "sha": head})
            with _server(folder, url, hook_port):
                held += _reviewed(ada, head, say)
            held.append(_by_the_action(folder, ada, author, say))
            held.append(_deliveries(folder / "data" / "server.sqlite", say))
    return all(held)


def _author(folder: Path) -> GitRepo:
    author = GitRepo(folder / "author")
    author.commit({"shop.py": "def total(prices):\n    return sum(prices)\n"})
    author.git("switch", "--quiet", "-c", "feature")
    author.commit({"shop.py": "def total(prices):\n    return sum(prices) * rate\n"})
    return author


def _seed(hook_port: int) -> dict[str, Any]:
    app = {
        "app_id": APP,
        "slug": SLUG,
        "name": "moa review",
        "private_key": new_key(),
        "permissions": PERMISSIONS,
        "events": ["pull_request", "issue_comment"],
        "webhook_url": f"http://127.0.0.1:{hook_port}/webhook",
        "webhook_secret": SECRET,
        "installations": [
            {
                "installation_id": INSTALLATION,
                "account": "ada",
                "repository_selection": "all",
                "permissions": PERMISSIONS,
            }
        ],
    }
    return {
        "tokens": {"ada-token": {"login": "ada", "scopes": ["repo", "user"]}},
        "github": {
            "users": [{"login": "ada", "name": "Ada", "email": "ada@example.org"}],
            "repos": [{"owner": "ada", "name": "shop", "auto_init": False}],
            "apps": [app],
        },
    }


def _turn(request: Request, port: int, author: GitRepo) -> Answer:
    """Answer what emulate does not have; else its answer, with this front's address in it."""
    if ".git/" in request.path:
        return Answer(*git_over_http(request, author.folder / ".git"))  # type: ignore[arg-type]
    if request.path == "/graphql":
        nothing = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
        data = {
            "viewer": {"login": f"{SLUG}[bot]"},
            "repository": {"pullRequest": {"reviewThreads": nothing}},
        }
        return Answer(200, {"content-type": "application/json"}, json.dumps({"data": data}).encode())
    emulate = f"http://localhost:{port}"
    answer = request.passed_to(emulate)
    headers = {name: value.replace(emulate, request.url) for name, value in answer.headers.items()}
    return Answer(answer.status, headers, answer.body.replace(emulate.encode(), request.url.encode()))


def _auth(url: str, say: Callable[[str], None]) -> bool:
    """The App's own requests, and a token's limits."""
    auth = AppAuth(str(APP), new_key(), url)
    held = auth.viewer() == f"{SLUG}[bot]" and auth.installation_of(REPOSITORY) == INSTALLATION
    token = auth.installation_token(INSTALLATION, REPOSITORY)
    with urlopen(f"{url}/_emulate/installation-tokens", timeout=30) as answer:
        told = answer.read().decode()
    say(f"App and installation: {'found' if held else 'NOT FOUND'}")
    say(f"a token, good for {token.expires - time.time():.0f} s")
    say(f"emulate on its tokens: {told[:300]}")
    stranger = jwt.encode({"iss": str(APP), "iat": 0, "exp": 2**31}, new_key(9), algorithm="RS256")
    try:
        urlopen(Asking(f"{url}/app", headers={"Authorization": f"Bearer {stranger}"}), timeout=30)
    except HTTPError as error:
        say(f"a key that is not the App's: {error.code}")
        return held and error.code == 401
    return False


@contextmanager
def _server(folder: Path, url: str, port: int) -> Iterator[None]:
    """`review-bot serve`, as somebody starts it."""
    (folder / "moa.toml").write_text(SETTINGS)
    key = folder / "key.pem"
    key.write_text(new_key())
    environ = environment(folder) | {
        "GITHUB_APP_ID": str(APP),
        "GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": url,
        "GITHUB_SERVER_URL": url,
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-m", "review_bot", "serve", "--port", str(port)]
    options = ["--data", str(folder / "data"), "--config", str(folder / "moa.toml")]
    log = node.BUILD / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen([*command, *options], env=environ, cwd=folder, stdout=out, stderr=out) as process,
    ):
        try:
            until = time.monotonic() + 60
            while not node.listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server does not start:\n{log.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def _reviewed(ada: Ada, head: str, say: Callable[[str], None]) -> list[bool]:
    """Open a pull request, and see what becomes of it."""
    facts = {"title": "A rate", "head": "feature", "base": "main", "body": ""}
    number = ada.ask("POST", f"/repos/{REPOSITORY}/pulls", facts)["number"]
    say(f"pull request {number} is open; its webhook was sent")
    runs = _until(lambda: _completed(ada, head), 90)
    say(f"check runs: {[(run['name'], run['conclusion'], run['output']['title']) for run in runs]}")
    reviews = ada.ask("GET", f"/repos/{REPOSITORY}/pulls/{number}/reviews")
    notes = ada.ask("GET", f"/repos/{REPOSITORY}/issues/{number}/comments")
    say(f"reviews by {[one['user']['login'] for one in reviews]}")
    say(f"comments by {[one['user']['login'] for one in notes]}")
    return [len(runs) == 1, len(reviews) == 1, bool(notes)]


def _by_the_action(folder: Path, ada: Ada, author: GitRepo, say: Callable[[str], None]) -> bool:
    """Another pull request, reviewed by the Action's steps with a token that emulate gave."""
    author.git("switch", "--quiet", "-c", "other")
    author.commit({"shop.py": "def total(prices):\n    return sum(prices) * tax\n"})
    head = ada.push(author, "other")
    ada.ask("POST", f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/heads/other", "sha": head})
    facts = {"title": "A tax", "head": "other", "base": "main", "body": ""}
    number = ada.ask("POST", f"/repos/{REPOSITORY}/pulls", facts)["number"]
    token = AppAuth(str(APP), new_key(), ada.url, permissions=PERMISSIONS).installation_token(
        INSTALLATION, REPOSITORY
    )
    for turn in (1, 2):  # emulate lets nobody edit the review that it refused: the next job finds it
        job = job_variables(folder / f"job-{turn}", "pull_request", REPOSITORY, ada.url, number)
        job |= {"MOA_REVIEW__REVIEWERS": '["ruff"]', "MOA_GITHUB__CHECK_RUN": "true"}
        code, output = run_steps(job, {"token": token.text}, pretended_python(folder))
        if code == 0:
            break
    runs = _completed(ada, head)
    say(f"the Action's steps, pull request {number}: exit {code}, {len(runs)} check run")
    if code:
        say(output)
    return code == 0 and len(runs) == 1


def _deliveries(database: Path, say: Callable[[str], None]) -> bool:
    """What the server took, and what became of it."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT id, event, state, why FROM deliveries ORDER BY received").fetchall()
    for row in rows:
        say(f"delivery {' '.join(row)}")
    return bool(rows) and all(state in ("queued", "ignored") for _, _, state, _ in rows)


def _completed(ada: Ada, head: str) -> list[dict[str, Any]]:
    found = ada.ask("GET", f"/repos/{REPOSITORY}/commits/{head}/check-runs")["check_runs"]
    return [run for run in found if run["status"] == "completed"]


def _until(find: Callable[[], list[dict[str, Any]]], seconds: float) -> list[dict[str, Any]]:
    """What is found, as soon as there is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.5)
    return []

"""What the fake GitHub knows, what people do to it, and how it shows it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from tests.review_bot.github import fake_diff
from tests.review_bot.github.fake_diff import FileDiff
from tests.review_bot.github.fake_model import Check, Comment, Json, Note, Pull, Review, Token

Row = TypeVar("Row", Review, Note)


class State:
    """One repository with a bare git repository behind it. Branches of a fork: `refs/forks/OWNER/BRANCH`."""

    #: GET .diff answers 406 beyond these; tests may lower them.
    most_files = 300
    most_lines = 20_000

    def __init__(self, bare: Path, repository: str, clock: Callable[[], float] = time.time) -> None:
        self.bare = bare
        self.repository = repository
        self.clock = clock
        self.former_names: set[str] = set()  #: the repository had these names before
        self.people = {repository.split("/")[0]: "admin"}  #: what each may: admin, write or read
        self.tokens: dict[str, Token] = {}
        self.pulls: dict[int, Pull] = {}
        self.reviews: dict[int, Review] = {}
        self.comments: dict[int, Comment] = {}
        self.notes: dict[int, Note] = {}
        self.checks: dict[int, Check] = {}
        self.sarifs: list[Json] = []
        self.code_scanning = True
        self.keeps_refused_reviews = ""  #: "PENDING" or "COMMENTED": a refused review stays, as happens
        self.lag = 0  #: so often lists are read before they show what is new
        self.base_url = ""  #: as the client calls the fake; of the request being answered
        self._ids = count(2_200_000_001)  # GitHub's do not fit into 32 bits any more
        self._moment = threading.local()  # tests look at the state while a request is answered

    @contextmanager
    def one_moment(self) -> Generator[None]:
        """Inside, no branch moves: a request is answered."""
        self._moment.refs = {}
        try:
            yield
        finally:
            del self._moment.refs

    @property
    def _refs(self) -> dict[str, str] | None:
        """Where branches are, of the request that this thread is answering."""
        return getattr(self._moment, "refs", None)

    def _ref(self, name: str) -> str:
        refs = self._refs
        if refs is None:
            return fake_diff.commit(self.bare, name)
        if name not in refs:
            refs[name] = fake_diff.commit(self.bare, name)
        return refs[name]

    def listed(self, rows: list[Row]) -> list[Row]:
        """What a list shows. seen: lists lag behind writes by a moment."""
        shown = [row for row in rows if row.unlisted <= 0]
        for row in rows:
            row.unlisted -= 1
        return shown

    def new_id(self) -> int:
        return next(self._ids)

    # What people do

    def open_pull(self, head: str, *, base: str = "main", fork: str = "", **more: Any) -> Pull:
        """A pull request from a branch, or from a branch of `fork` (the owner's name)."""
        repo = f"{fork}/{self.repository.split('/')[1]}" if fork else self.repository
        facts = {"title": "A change", "body": "", "author": fork or "ada", **more}
        pull = Pull(number=len(self.pulls) + 1, base_ref=base, head_ref=head, head_repo=repo, **facts)
        self.pulls[pull.number] = pull
        self.head(pull)
        return pull

    def say(self, number: int, login: str, body: str) -> Note:
        """Somebody comments below the pull request."""
        note = Note(self.new_id(), number, login, body, self.clock(), unlisted=self.lag)
        self.notes[note.id] = note
        return note

    def answer(self, comment_id: int, login: str, body: str) -> Comment:
        """Somebody answers a comment on a line."""
        first = self.comments[comment_id]
        review = Review(self.new_id(), first.number, login, "", "COMMENTED", first.commit_id, self.clock())
        comment = Comment(
            self.new_id(),
            first.number,
            login,
            body,
            first.path,
            first.side,
            first.line,
            first.start_line,
            first.commit_id,
            review.id,
            self.clock(),
            in_reply_to=first.id,
        )
        self.reviews[review.id], self.comments[comment.id] = review, comment
        return comment

    # What git says

    def head(self, pull: Pull) -> str:
        """The commit the branch is at; `refs/pull/N/head` follows it, as on GitHub."""
        owner = pull.head_repo.split("/")[0]
        own = pull.head_repo == self.repository
        ref = f"refs/heads/{pull.head_ref}" if own else f"refs/forks/{owner}/{pull.head_ref}"
        sha, shown = self._ref(ref), f"refs/pull/{pull.number}/head"
        if self._ref(shown) != sha:
            fake_diff.git(self.bare, "update-ref", shown, sha)
            if self._refs is not None:
                self._refs[shown] = sha
        return sha

    def base(self, pull: Pull) -> str:
        return self._ref(f"refs/heads/{pull.base_ref}")

    def merge_base(self, pull: Pull, head: str = "") -> str:
        return fake_diff.merge_base(self.bare, self.base(pull), head or self.head(pull))

    def files(self, pull: Pull, head: str = "") -> list[FileDiff]:
        head = head or self.head(pull)
        return fake_diff.files(self.bare, self.merge_base(pull, head), head)

    def line_now(self, comment: Comment, pull: Pull, line: int | None) -> int | None:
        """Where a comment's line is in the diff by now; None if it is outdated."""
        if line is None:
            return None
        before, after = comment.commit_id, self.head(pull)
        if comment.side == "LEFT":
            before, after = self.merge_base(pull, before), self.merge_base(pull, after)
        now = fake_diff.moved(self.bare, before, after, comment.path, line)
        file = next((file for file in self.files(pull) if comment.path in (file.path, file.previous)), None)
        return now if file and now and file.hunk(comment.side, now) else None

    def commits(self, pull: Pull) -> frozenset[str]:
        """The pull request's commits."""
        head = self.head(pull)
        return fake_diff.commits(self.bare, self.merge_base(pull, head), head)

    # How it is shown

    def association(self, login: str) -> str:
        held = {"admin": "OWNER", "write": "COLLABORATOR"}
        return held.get(self.people.get(login, ""), "NONE")

    def show_user(self, login: str) -> Json | None:
        if login == "":  # a deleted account
            return None
        return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}

    def show_repo(self, name: str) -> Json:
        url = f"{self.base_url}/repos/{name}"
        return {
            "full_name": name,
            "url": url,
            "clone_url": f"{self.base_url}/{name}.git",
            "fork": name != self.repository,
        }

    def show_pull(self, pull: Pull) -> Json:
        head = self.head(pull)
        return {
            "url": f"{self.base_url}/repos/{self.repository}/pulls/{pull.number}",
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or None,
            "user": self.show_user(pull.author),
            "author_association": self.association(pull.author),
            "state": pull.state,
            "draft": pull.draft,
            "merged": pull.merged,
            "locked": pull.locked,
            "labels": [{"name": name} for name in pull.labels],
            "base": {"ref": pull.base_ref, "sha": self.base(pull), "repo": self.show_repo(self.repository)},
            "head": {
                "ref": pull.head_ref,
                "sha": head,
                "repo": self.show_repo(pull.head_repo) if pull.head_repo else None,
            },
            "maintainer_can_modify": False,
            "changed_files": len(self.files(pull, head)),
        }

    def show_file(self, file: FileDiff) -> Json:
        data: Json = {
            "sha": file.sha,
            "filename": file.path,
            "status": file.status,
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
        }
        if file.previous:
            data["previous_filename"] = file.previous
        if file.patch is not None:
            data["patch"] = file.patch
        return data

    def show_review(self, review: Review) -> Json:
        return {
            "id": review.id,
            "node_id": f"PRR_{review.id}",
            "user": self.show_user(review.author),
            "body": review.body,
            "state": review.state,
            "commit_id": review.commit_id,
            "submitted_at": None if review.state == "PENDING" else _iso(review.at),
            "author_association": self.association(review.author),
        }

    def show_comment(self, comment: Comment) -> Json:
        pull = self.pulls[comment.number]
        now = self.line_now(comment, pull, comment.line)
        data: Json = {
            "id": comment.id,
            "node_id": f"PRRC_{comment.id}",
            "pull_request_review_id": comment.review_id,
            "path": comment.path,
            "side": comment.side,
            "line": now,
            "original_line": comment.line,
            "start_line": self.line_now(comment, pull, comment.start_line) if now else None,
            "original_start_line": comment.start_line,
            "position": now,
            "commit_id": self.head(pull) if now else comment.commit_id,
            "original_commit_id": comment.commit_id,
            "subject_type": comment.subject,
            "user": self.show_user(comment.author),
            "author_association": self.association(comment.author),
            "body": comment.body,
            "created_at": _iso(comment.at),
            "reactions": _counted(comment.reactions),
        }
        if comment.in_reply_to:
            data["in_reply_to_id"] = comment.in_reply_to
        return data

    def show_note(self, note: Note) -> Json:
        return {
            "id": note.id,
            "node_id": f"IC_{note.id}",
            "user": self.show_user(note.author),
            "author_association": self.association(note.author),
            "body": note.body,
            "created_at": _iso(note.at),
            "reactions": _counted(note.reactions),
        }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counted(reactions: list[tuple[str, str]]) -> Json:
    counts = Counter(content for _, content in reactions)
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"total_count": len(reactions), **{name: counts[name] for name in names}}

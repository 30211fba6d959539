"""A job: one review of one pull request, or one comment to answer. What the queue carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from review_bot.github.event import Said, Target


@dataclass(frozen=True, slots=True)
class Reason:
    """What called for a job."""

    event: str  #: GitHub's name of it; "" for somebody on the server's page
    said: Said | None = None  #: the comment, where one did
    asked: bool = False  #: somebody asked for it anew: also what was reviewed before is reviewed

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        said = self.said
        comment = said and {"id": said.id, "author": said.author, "body": said.body}
        return {"event": self.event, "said": comment, "asked": self.asked}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reason:
        """What `to_json` gave."""
        said = data["said"]
        return cls(data["event"], said and Said(said["id"], said["author"], said["body"]), data["asked"])


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work. Jobs of one pull request are done one at a time, in the order they came."""

    id: str  #: see `push_id` and `comment_id`; a further try has a number behind "~"
    repository: str  #: owner/name
    number: int
    installation: int
    head: str  #: the commit that was pushed; "" for comments
    reason: Reason = field(default_factory=lambda: Reason(""))

    @property
    def pull(self) -> str:
        """The pull request's name, `owner/name#12`: the part of the queue in which one job runs at a time."""
        return pull_name(self.repository, self.number)

    @property
    def target(self) -> Target:
        """What the command `review-bot github` takes from an event."""
        return Target(self.repository, self.number, self.reason.event, self.reason.said)

    def again(self, tries: int) -> Job:
        """The same work as another job, the `tries`-th; the first one is number 1 and has no suffix."""
        return replace(self, id=f"{self.id.partition('~')[0]}~{tries}")

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the queue and given to the child process."""
        return {
            "id": self.id,
            "repository": self.repository,
            "number": self.number,
            "installation": self.installation,
            "head": self.head,
            "reason": self.reason.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """What `to_json` gave."""
        return cls(
            data["id"],
            data["repository"],
            data["number"],
            data["installation"],
            data["head"],
            Reason.from_json(data["reason"]),
        )


def pull_name(repository: str, number: int) -> str:
    """`owner/name#12`."""
    return f"{repository}#{number}"


def push_id(repository: str, number: int, head: str) -> str:
    """The id of the job for a commit that was pushed: delivered twice, it is one job."""
    return f"{pull_name(repository, number)}@{head}"


def comment_id(repository: str, number: int, comment: int) -> str:
    """The id of the job for a comment."""
    return f"{pull_name(repository, number)}!{comment}"

"""A job: one review of one pull request, or one comment to answer. What the queue carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from review_bot.github.event import Target


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work. Jobs of one pull request are done one at a time, in the order they came."""

    id: str  #: see `push_id` and `comment_id`; a further try has a number behind "~"
    installation: int
    target: Target  #: the pull request, and what called for the job

    @property
    def repository(self) -> str:
        """owner/name."""
        return self.target.repository

    @property
    def repository_id(self) -> int:
        """The repository's number, which stays when it is renamed; 0 where it is not known."""
        return self.target.repository_id

    @property
    def number(self) -> int:
        """The pull request's number."""
        return self.target.number

    @property
    def head(self) -> str:
        """The commit that called for the job; "" for comments. What is reviewed is the newest one."""
        return self.target.head

    @property
    def pull(self) -> str:
        """The pull request's name, `owner/name#12`: the part of the queue in which one job runs at a time."""
        return pull_name(self.repository, self.number)

    def again(self, number: int) -> Job:
        """The same work as another job: the `number`-th; the first has no suffix."""
        return replace(self, id=f"{first_id(self.id)}~{number}")

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the queue and given to the child process."""
        return {
            "id": self.id,
            "repository": self.repository,
            "number": self.number,
            "installation": self.installation,
            "target": self.target.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """What `to_json` gave."""
        target = Target.from_json(data["repository"], data["number"], data["target"])
        return cls(data["id"], data["installation"], target)


def pull_name(repository: str, number: int) -> str:
    """`owner/name#12`."""
    return f"{repository}#{number}"


def push_id(target: Target) -> str:
    """The id of the first job for a commit: delivered twice, it is one job."""
    return f"{pull_name(target.repository, target.number)}@{target.head}"


def comment_id(target: Target) -> str:
    """The id of the job for a comment."""
    assert target.said is not None
    return f"{pull_name(target.repository, target.number)}!{target.said.id}"


def first_id(id: str) -> str:
    """The id of the first job for the same commit or comment."""
    return id.partition("~")[0]

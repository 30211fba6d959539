"""GitHub's rate limits, in a window that slides on the fake's clock.

docs: "Rate limits for the REST API".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tests.review_bot.github.fake_rules import Call, Problem

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach "
    "out to GitHub Support for help, please include the request ID 1234."
)


class Limits:
    """How much was asked for, and what GitHub says when it was too much."""

    #: "80 content-generating requests per minute and no more than 500 per hour".
    content_per_minute = 80
    content_per_hour = 500
    #: "900 points per minute"; reading costs 1, writing 5.
    points_per_minute = 900
    #: Primary: 5,000 an hour for apps and people, 1,000 per repository for GITHUB_TOKEN.
    requests_per_hour = 1_000

    #: "You may receive a 403 or 429 response", with `retry-after` or without.
    status = 403
    says_when = True

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._content: deque[float] = deque()
        self._points: deque[float] = deque()
        self._requests: deque[float] = deque()

    def headers(self) -> dict[str, str]:
        self._forget()
        left = max(0, self.requests_per_hour - len(self._requests))
        start = self._requests[0] if self._requests else self._clock()
        return {
            "x-ratelimit-limit": str(self.requests_per_hour),
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": str(int(start + 3600)),
        }

    def spend(self, call: Call) -> None:
        """Count a request, or refuse it."""
        self._forget()
        now, cost = self._clock(), _content(call)
        if len(self._requests) >= self.requests_per_hour:
            message = f"API rate limit exceeded for {call.token.login}."
            # docs: x-ratelimit-remaining is 0, and x-ratelimit-reset says when to try again.
            raise Problem(self.status, message, headers=self.headers())
        self._requests.append(now)
        self._points.extend([now] * (1 if call.method == "GET" else 5))
        for times, seconds, most in (
            (self._points, 60, self.points_per_minute),
            ([at for at in self._content if at > now - 60] + [now] * cost, 60, self.content_per_minute),
            ([*self._content, *[now] * cost], 3600, self.content_per_hour),
        ):
            if len(times) > most:
                self.refuse(times[-most - 1] + seconds - now)
        self._content.extend([now] * cost)

    def refuse(self, seconds: float) -> None:
        """The secondary limit's answer."""
        headers = {"retry-after": str(max(1, int(seconds) + 1))} if self.says_when else {}
        raise Problem(self.status, SECONDARY, headers=headers)

    def _forget(self) -> None:
        now = self._clock()
        for times, seconds in ((self._content, 3600), (self._points, 60), (self._requests, 3600)):
            while times and times[0] <= now - seconds:
                times.popleft()


def _content(call: Call) -> int:
    """What a request creates. seen: a review's comments count each (anc95/ChatGPT-CodeReview#206)."""
    if call.method not in ("POST", "PATCH", "PUT") or "check-runs" in call.path or "sarifs" in call.path:
        return 0
    if call.path.endswith("graphql"):
        return int("mutation" in str(_of(call.data, "query")))
    return 1 + len(_of(call.data, "comments") or ())


def _of(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, dict) else None

"""Fetching from the fake over HTTP, by git's own server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.review_bot.github.fake_github import _Request


def git_over_http(request: _Request, bare: Path) -> tuple[int, dict[str, str], bytes]:
    """Answer `git fetch`, as `git http-backend` does."""
    url = urlsplit(request.path)
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(bare),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        # GitHub also gives commits that no branch has any more, such as those before a force-push.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "PATH_INFO": "/" + url.path.partition(".git/")[2],
        "QUERY_STRING": url.query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
    }
    done = subprocess.run(["git", "http-backend"], env=environment, input=request.body, capture_output=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = [line.partition(":") for line in head.decode().split("\r\n")]
    headers = {name.lower(): value.strip() for name, _, value in lines}
    status = int(headers.pop("status", "200").split()[0])
    return status, headers, body

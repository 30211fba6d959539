"""A committee at an endpoint on loopback that finds what it is told to find."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.scripted_endpoint import ScriptedEndpoint


def quotes(number: int) -> tuple[str, str]:
    """Two lines of a function that are like no other of its file."""
    return f"def function_2_{number}(value: int) -> int:", f"total = value + 2{number}"


def finding(path: str, quote: str) -> dict[str, str]:
    return {
        "path": path,
        "quote": quote,
        "title": f"Wrong total at {quote}",
        "body": f"The sum `{quote}` does not hold for negative values, which callers may pass.",
        "severity": "major",
        "category": "bug",
        "suggestion": "",
    }


def found_in(text: str, chosen: Callable[[int], bool]) -> list[dict[str, str]]:
    """Findings about the chosen functions that a request shows as added."""
    found, path = [], ""
    for heading, number in re.findall(r"^=== (\S+)|^\+ *total = value \+ 2(\d+)$", text, re.MULTILINE):
        path = heading or path
        if number and chosen(int(number)):
            found.append(finding(path, quotes(int(number))[1]))
    return found


@contextmanager
def committee(
    folder: Path,
    members: int,
    layers: int,
    say: Callable[[str, str], list[dict[str, str]]],
    window: int = 8_192,
) -> Iterator[Path]:
    """A configuration of members at an endpoint on loopback: they `say` findings, and agree with all."""

    def answer(request: Any) -> str:
        text = request["messages"][-1]["content"]
        if "Settle these findings" in text:
            return json.dumps({"decisions": [], "new": []})
        if "Check each claim" in text:
            stances = [
                {"id": name, "position": "agree", "why": "it is so"}
                for name in re.findall(r"^\[([0-9a-f]{8})\]", text, re.MULTILINE)
            ]
            more = found_in(text, lambda number: number % 25 == 1 + len(stances) % 24)  # new in each layer
            return json.dumps({"stances": stances, "findings": more[:1]})
        return json.dumps({"findings": say(request["model"], text)})

    with ScriptedEndpoint(answer, keep=False) as endpoint:
        lines = [f"layers = {layers}", "[review]", "reviewers = []", "[stragglers]", "hedge = false"]
        for number in range(1, members + 1):
            lines += [f"[members.m{number}]", f'model = "m{number}"', f'base_url = "{endpoint.base_url}"']
            lines += [f'family = "f{number}"', f"context_window = {window}"]
        config = folder / "moa.toml"
        config.write_text("\n".join(lines))
        yield config

"""A user's prompts: one a line, or JSON (a list, or lines) as MT-Bench and AlpacaEval write it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa_engine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt with its turns: one, or a second that follows up."""

    id: str
    turns: tuple[str, ...]


def read_prompts(file: Path) -> list[Asked]:
    """The prompts in a file.

    In JSON a prompt is a string, or an object with `instruction` or `prompt` (and `follow_up`), or `turns`.

    Raises:
        ConfigError: the file cannot be read, or holds no prompts.
    """
    try:
        text = file.read_text("utf-8")
        if file.suffix == ".json":
            entries = json.loads(text)
        else:
            lines = [line for line in text.splitlines() if line.strip()]
            entries = [json.loads(line) for line in lines] if file.suffix == ".jsonl" else lines
        found = [Asked(f"prompt-{number:03d}", _turns(entry)) for number, entry in enumerate(entries, 1)]
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{file} holds no prompts: {error!r}",
            hint='one a line (.txt), or JSON: strings, {"instruction": ...} or {"turns": [...]}',
        ) from error
    if not found:
        raise ConfigError(f"{file} is empty", hint="one prompt a line is enough")
    return found


def _turns(entry: Any) -> tuple[str, ...]:
    if isinstance(entry, str):
        return (entry,)
    if "turns" in entry:
        first, *more = entry["turns"]
        turns = (str(first), *map(str, more[:1]))
    else:
        first = entry["instruction"] if "instruction" in entry else entry["prompt"]
        turns = (str(first), *([str(entry["follow_up"])] if entry.get("follow_up") else []))
    if not all(turn.strip() for turn in turns):
        raise ValueError("a prompt is empty")
    return turns

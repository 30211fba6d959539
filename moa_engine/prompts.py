"""Prompts are files: `prompts/NAME.md` in a package, with a name and a version in their front matter.

    ---
    name: ask
    version: 1
    ---
    Text with {{placeholders}}.

The version goes into the record with every generation, so it changes whenever the text does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from moa_engine.member import PromptVersion

_FRONT_MATTER = re.compile(r"\A---\n(?P<head>.*?)\n---\n(?P<text>.*)\Z", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file."""

    name: str
    version: str
    text: str

    @property
    def ref(self) -> PromptVersion:
        """What the record keeps of it."""
        return PromptVersion(self.name, self.version)

    def render(self, **values: str) -> str:
        """The text with every placeholder replaced, in one pass: values are never read as templates.

        Raises:
            KeyError: a placeholder has no value, or a value has no placeholder.
        """
        wanted = set(_PLACEHOLDER.findall(self.text))
        if wanted != set(values):
            raise KeyError(f"prompt {self.name}: {sorted(wanted ^ set(values))} missing or unknown")
        return _PLACEHOLDER.sub(lambda match: values[match.group(1)], self.text)


@cache
def load_prompt(package: str, name: str) -> Prompt:
    """The prompt `prompts/NAME.md` of a package, such as `load_prompt("moa_engine", "ask")`."""
    source = files(package).joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    match = _FRONT_MATTER.match(source)
    if match is None:
        raise ValueError(f"{package}/prompts/{name}.md has no front matter")
    head = dict(line.split(": ", 1) for line in match["head"].splitlines())
    if head.keys() != {"name", "version"} or head["name"] != name:
        raise ValueError(f"{package}/prompts/{name}.md: front matter must be its name and a version")
    return Prompt(name, head["version"], match["text"].strip())

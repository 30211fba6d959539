"""A comparison as a section of docs/benchmarks.md, between two comments that name it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MET = {True: "met", False: "**missed**", None: "not measured"}


def section(name: str, made: Mapping[str, Any]) -> str:
    """The Markdown of what `__main__` wrote as JSON for the comparison called `name`."""
    parts = [
        f"## {made['title']}",
        f"`{made['command']}`, {made['seconds'] / 60:.1f} min; {made['machine']}.",
        made["summary"],
    ]
    for table in made["tables"]:
        parts.append(f"**{table['title']}**")
        parts.append(grid(table["columns"], table["rows"]))
        if table["note"]:
            parts.append(table["note"])
    parts.extend(f"![{plot['alt']}](measured/{name}-{plot['name']}.svg)" for plot in made["plots"])
    if made["goals"]:
        rows = [(one["what"], one["measured"], one["goal"], MET[one["met"]]) for one in made["goals"]]
        parts.append(grid(("goal", "measured", "asked", ""), rows))
    if made["absent"]:
        parts.append(
            "Could not run here: "
            + "; ".join(f"{one['peer']} ({one['why']})" for one in made["absent"])
            + "."
        )
    versions = ", ".join(f"{who} {version}" for who, version in made["versions"].items())
    parts.append(f"Versions: {versions}. As JSON: [measured/{name}.json](measured/{name}.json).")
    return "\n\n".join(parts)


def grid(columns: Any, rows: Any) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(shown(cell) for cell in line) + " |" for line in lines)


def shown(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell).replace("|", "\\|").replace("\n", " ")


def placed(document: str, name: str, text: str) -> str:
    """The document with that section replaced, or added at its end."""
    begin, end = f"<!-- bench {name} -->", f"<!-- end of bench {name} -->"
    block = f"{begin}\n{text}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(document):
        return pattern.sub(lambda _: block, document)
    return document.rstrip() + "\n\n" + block + "\n"

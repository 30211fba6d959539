"""What comes with pytest-moa: packages, size and licences, as they are installed in this environment.

`weights` prints the table of docs/dependencies.md, `notices` prints THIRD_PARTY.md. Needs `pytest-moa[all]`.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "pytest-moa"


def needed(extra: str = "") -> dict[str, Distribution]:
    """All that pip installs for the project with one extra, on this machine, by name; without the project."""
    found: dict[str, Distribution] = {}
    waiting = [(PROJECT, extra)]
    done: set[tuple[str, str]] = set()
    while waiting:
        name, wanted = pair = waiting.pop()
        if pair in done:
            continue
        done.add(pair)
        installed = distribution(name)
        found[canonicalize_name(name)] = installed
        for requirement in map(Requirement, installed.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                waiting += [(requirement.name, more) for more in ("", *requirement.extras)]
    del found[PROJECT]
    return dict(sorted(found.items()))


def megabytes(installed: Distribution) -> float:
    """What it takes on the disk, without bytecode."""
    files = (installed.locate_file(file) for file in installed.files or () if file.suffix != ".pyc")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6  # type: ignore[attr-defined]


def extras() -> list[str]:
    """The names of the project's extras."""
    return sorted(distribution(PROJECT).metadata.get_all("Provides-Extra") or ())


def licence(installed: Distribution) -> str:
    """As the package states it: its expression, its classifiers, or the first line that it wrote."""
    stated = installed.metadata
    classified = (line for line in stated.get_all("Classifier") or () if line.startswith("License ::"))
    named = ", ".join(line.rpartition(" :: ")[2] for line in classified)
    text: str = (stated["License"] or "").strip()  # a name, or all of the licence
    return str(
        stated["License-Expression"] or named or ("its own text" if "\n" in text or not text else text)
    )


def weights() -> str:
    """A row for the core, and for each extra what it adds to that."""
    core = needed()
    rows = [f"| core | {len(core)} | {sum(map(megabytes, core.values())):.0f} MB |"]
    for extra in extras():
        more = [installed for name, installed in needed(extra).items() if name not in core]
        rows.append(f"| `{extra}` | + {len(more)} | + {sum(map(megabytes, more)):.0f} MB |")
    return "\n".join(["| install | packages | size |", "|---|---|---|", *rows])


def notices() -> str:
    """Who wrote what the product uses, under which licence; the texts come with the packages."""
    core = needed()
    rows = []
    for name, installed in needed("all").items():
        by = "core" if name in core else ", ".join(x for x in extras() if x != "all" and name in needed(x))
        rows.append(f"| {name} | {licence(installed)} | {by} |")
    return "\n".join(
        [
            "# Third-party packages",
            "",
            "pytest-moa contains no code of others. `pip` installs these packages beside it (here: on Linux,",
            "Python 3.11), each with its licence in its `.dist-info` folder. Written by `make notices`.",
            "",
            "| package | licence, as it states it | needed by |",
            "|---|---|---|",
            *rows,
        ]
    )


if __name__ == "__main__":
    print({"weights": weights, "notices": notices}[sys.argv[1]]())

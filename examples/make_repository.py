"""Make the example's git repository: `parcels` as it was, and one commit with a change to review.

    python examples/make_repository.py FOLDER

The change adds express delivery and an export. It is an ordinary change with ordinary mistakes: read
`express.patch` and find them before you look at what the committee says.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Who made the commits, and when: always the same, so that their ids are those in the README.
WHO, WHEN = {"NAME": "Sam Doe", "EMAIL": "sam@example.com"}, "2026-01-05T09:00:00+00:00"
MESSAGE = """Add express delivery, search and export

Express costs half as much again. Insurance is called cover now. average() can skip parcels.
Shipments can be searched by status and exported to the archive.
"""


def make_repository(folder: Path) -> None:
    """Two commits in a new repository: the package, then the change."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(HERE / "parcels", folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))

    # Nobody's settings: hooks, templates and signing could keep the commits from being made.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    surroundings |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        surroundings |= {f"GIT_{role}_{what}": value for what, value in {**WHO, "DATE": WHEN}.items()}

    def git(*args: str) -> None:
        subprocess.run(["git", *args], cwd=folder, env=surroundings, check=True)

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=Prices, shipments and bills for parcels")
    git("apply", "--index", str(HERE.resolve() / "express.patch"))
    git("commit", "--quiet", f"--message={MESSAGE}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    make_repository(Path(sys.argv[1]))

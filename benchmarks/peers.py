"""Peers in environments of their own, pinned, installed from the package registry when first needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

BUILD = Path("build/bench")


class NoPython(Exception):
    """A peer needs a newer Python than this one, and none was found."""


def python_of(oldest: tuple[int, int]) -> str:
    """A Python that is at least so old: this one, or one on the PATH or of pyenv.

    Raises:
        NoPython: there is none.
    """
    if sys.version_info >= oldest:
        return sys.executable
    for minor in range(oldest[1], oldest[1] + 4):
        name = f"python3.{minor}"
        found = [shutil.which(name), *sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"))]
        for python in filter(None, found):  # what pyenv puts on the PATH may only say that it is not chosen
            if not subprocess.run([python, "-c", ""], capture_output=True).returncode:
                return str(python)
    raise NoPython(f"needs Python {oldest[0]}.{oldest[1]} or newer, and none was found here")


def peer(
    name: str, *requirements: str, oldest: tuple[int, int] = (3, 11), bare: tuple[str, ...] = ()
) -> Path:
    """The Python of an environment that has just these requirements; `oldest` is the Python they ask for.

    `bare` are installed without what they require themselves.
    """
    folder = BUILD.absolute() / "peers" / name
    python = folder / "bin" / "python"
    done = folder / "installed"
    wanted = "\n".join([*requirements, *bare])
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python_of(oldest), "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        if bare:
            subprocess.run([*pip, "--no-deps", *bare], check=True)
        done.write_text(wanted)
    return python


def sources(package: str, version: str, into: Path) -> Path:
    """The unpacked sources of a released package, in a folder of their own below `into`."""
    folder = BUILD / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{package.replace('-', '_')}-{version}"
    archive = folder / f"{stem}.tar.gz"
    if not archive.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(folder), f"{package}=={version}"], check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    return into / stem

"""Peers in environments of their own, pinned, installed from the package registry when first needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

BUILD = Path("build/bench")


def peer(name: str, *requirements: str) -> Path:
    """The Python of an environment that has just these requirements."""
    folder = BUILD.absolute() / "peers" / name
    python = folder / "bin" / "python"
    done = folder / "installed"
    wanted = "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
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

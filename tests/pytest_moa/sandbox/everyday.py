"""What ordinary tests do, as jobs: it has to work inside. Each returns something that is true."""

# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import asyncio
import concurrent.futures
import getpass
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo


def preload(args, serve):
    serve(None)


def temporary_files(state, a):
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w") as opened:
        Path(folder, "a").write_text("x")
        shutil.copy(Path(folder, "a"), Path(folder, "b"))
        Path(folder, "b").rename(Path(folder, "c"))
        shutil.copytree(folder, Path(folder, "copy"))
        shutil.rmtree(Path(folder, "copy"))
        return opened.write("x") and sorted(os.listdir(folder)) == ["a", "c"]


def home(state, a):
    Path("~/.config/mine").expanduser().parent.mkdir()
    return getpass.getuser() and Path.home().is_dir()


def modes(state, a):
    path = Path(tempfile.mkstemp()[1])
    path.chmod(0o640)
    return path.stat().st_mode & 0o777 == 0o640


def reads_project(state, a):
    return "project" in Path("package/__init__.py").read_text() and Path.cwd() == Path(a["root"])


def imports_project(state, a):
    import package
    import package.module

    return package.module.VALUE


def loopback(state, a):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"inside")

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://localhost:{server.server_port}") as reply:
            return reply.read() == b"inside"


def asynchronous(state, a):
    async def main():
        process = await asyncio.create_subprocess_exec("echo", "x", stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        return out == b"x\n" and await asyncio.to_thread(lambda: True)

    return asyncio.run(main())


def programs(state, a):
    run = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    shell = subprocess.run("echo $HOME | tr a-z A-Z", shell=True, capture_output=True, check=True)
    return run.stdout == "42\n" and shell.stdout.isupper()


def threads(state, a):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sum(pool.map(abs, range(-5, 0))) == 15


def many_processes(state, a):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=("x",))
    process.start()
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return queue.get(timeout=5) == "x" and list(pool.map(abs, [-1, -2])) == [1, 2]


def spawned_process(state, a):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=os._exit, args=(3,))
    process.start()
    process.join()
    return process.exitcode == 3


def signals(state, a):
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append("x"))
    os.kill(os.getpid(), signal.SIGUSR1)
    sleeping = subprocess.Popen(["sleep", "60"])
    sleeping.terminate()
    return seen and sleeping.wait() == -signal.SIGTERM


def keyboard_interrupt(state, a):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        return True


def database(state, a):
    with sqlite3.connect(Path(tempfile.gettempdir(), "d.sqlite")) as opened:
        opened.execute("create table t (x)")
        return opened.execute("insert into t values (1)").rowcount == 1


def system_files(state, a):
    ssl.create_default_context()
    return str(ZoneInfo("Europe/Paris")) and Path("/etc/passwd").read_text() and os.cpu_count()


def pairs(state, a):
    one, other = socket.socketpair()
    one.sendall(b"x")
    return other.recv(1) == b"x"


def dev_null(state, a):
    with open(os.devnull, "w") as opened:
        return opened.write("x") and sys.stdin.read() == ""


def own_proc(state, a):
    return Path("/proc/self/status").read_text() and Path("/proc/meminfo").read_text()


def no_bytecode(state, a):
    return sys.dont_write_bytecode


def hash_seed(state, a):
    return {hash("moa"), 1} and os.environ["PYTHONHASHSEED"] == "0"

"""Preloads and jobs as the product has them. Imported inside: the standard library only."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time

IMPORTED_IN = os.getpid()


def preload(args, serve):
    print("told by the preload")
    serve({"args": args, "count": 0}, {"args": args, "pid": os.getpid(), "path": sys.path[0]})


def preload_ignores_children(args, serve):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serve(None)


def preload_raises(args, serve):
    print("this was printed before")
    raise LookupError("no such target")


def preload_exits(args, serve):
    sys.exit("the preload has had enough")


def preload_dies(args, serve):
    os.write(2, b"last words")
    os._exit(7)


def preload_returns(args, serve):
    return None


def preload_hangs(args, serve):
    os.write(2, f"hanging in {os.getpid()}".encode())
    while True:
        time.sleep(1)


def preload_deep(args, serve):
    """As from within a hook of pytest's, with a handler above that would catch everything."""
    try:
        serve(None, "deep")
    except BaseException:
        os.write(2, b"the hook saw it")
    finally:
        os.write(2, b"the hook went on")


def echo(state, args):
    return {"state": state, "args": args}


def who(state, args):
    return [os.getpid(), os.getppid(), IMPORTED_IN]


def counts(state, args):
    state["count"] += 1
    return state["count"]


def yields(state, args):
    yield from range(args)


def yields_nothing(state, args):
    yield from ()


def yields_then_hangs(state, args):
    yield "first"
    yield "second"
    time.sleep(60)


def yields_then_raises(state, args):
    yield "first"
    raise ValueError("the second one")


def prints(state, args):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    os.write(1, b"directly\n")
    os.system("echo by a program")


def not_json(state, args):
    return object()


def raises(state, args):
    raise KeyError("a key")


def sleeps(state, args):
    time.sleep(args)
    return "slept"


def big(state, args):
    return "x" * args


def draws(state, args):
    return random.Random(0).random(), len({str(n) for n in range(3)}), hash("a word")


def variable(state, args):
    return os.environ.get(args)


def starts_thread(state, args):
    thread = threading.Thread(target=time.sleep, args=(60,))  # not a daemon: an exit would wait for it
    thread.start()
    return "returned"

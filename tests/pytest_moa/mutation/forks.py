"""Run something in a child of this process, and get what it returned."""

import json
import os
import signal
import sys
import traceback


def in_child(function, seconds=0.2):
    """What the function returned (JSON), "timeout", or the text of what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds)  # of this process' own time
            answer = function()
        except BaseException:
            answer = "raised " + traceback.format_exc()
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else "timeout"


def with_modules(source, path):
    """Import that source as `sample`, then the module that uses it; meant for a child."""
    import importlib
    from types import ModuleType

    module = ModuleType("sample")
    module.__file__ = str(path)
    module.__builtins__ = __builtins__
    sys.modules["sample"] = module
    sys.path.insert(0, str(path.parent))
    sys.modules.pop("sample_user", None)
    exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    return module, importlib.import_module("sample_user")

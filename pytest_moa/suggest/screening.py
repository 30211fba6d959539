"""What no honest test of a function needs: refused without being executed, with the reason.

The sandbox contains what is executed all the same. This keeps out of the list what a reader would
have to be warned of, and what could only make a verdict false.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from moa_engine.answer_words import INVISIBLE
from pytest_moa.candidate import Candidate
from pytest_moa.suggest.needs import bound_names

#: Modules that reach the network, other processes, the interpreter's inside or the test runner's.
_MODULES = frozenset(
    "_pytest aiohttp asyncio.subprocess atexit builtins ctypes faulthandler ftplib gc http.client httpx "  # noqa: SIM905
    "imaplib inspect multiprocessing pluggy pty requests resource signal smtplib socket ssl subprocess "
    "telnetlib tracemalloc urllib.request urllib3 webbrowser xmlrpc".split()
)
_CALLS = frozenset(
    "__import__ breakpoint compile eval exec exit globals input os._exit os.abort os.execv os.execve "  # noqa: SIM905
    "os.fork os.kill os.killpg os.popen os.spawnl os.system pytest.exit pytest.fail pytest.importorskip "
    "pytest.main pytest.skip pytest.xfail quit sys._getframe sys.exit sys.setprofile sys.settrace "
    "unittest.main".split()
)
_ATTRIBUTES = frozenset(
    "__bases__ __builtins__ __code__ __defaults__ __globals__ __subclasses__ sys.meta_path sys.modules "  # noqa: SIM905
    "sys.path sys.path_hooks".split()
)
_NAMES = frozenset({"__builtins__", "pytest_plugins"})
_MARKS = frozenset({"skip", "skipif", "xfail", "usefixtures", "filterwarnings"})

#: Characters of a test beyond which nobody reads it.
LONGEST = 6000


def refusal(candidate: Candidate) -> str:
    """Why a candidate is not executed, "" if it may be."""
    source = candidate.module_source()
    if len(source) > LONGEST:
        return f"longer than {LONGEST} characters"
    if INVISIBLE.search(source):
        return "holds invisible characters"
    try:
        tree = ast.parse(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            compile(tree, "<candidate>", "exec", dont_inherit=True)  # finds what parsing does not
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "is no Python"
    if found := next(_dangers(tree), ""):
        return found
    test = next((node for node in ast.walk(tree) if getattr(node, "name", "") == candidate.name), None)
    if test is None:
        return f"has no function {candidate.name}"
    return "" if _checks_something(test) else "asserts nothing"


def _dangers(tree: ast.Module) -> Iterator[str]:
    called = _aliases(tree)
    own = bound_names(tree.body) | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}

    def written(node: ast.expr) -> str:
        first, dot, rest = ast.unparse(node).partition(".")
        return f"{called.get(first, first)}{dot}{rest}"

    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"imports {alias.name}" for alias in names if _is_refused(alias.name))
            case ast.ImportFrom(module=module, names=names):
                full = [f"{module}.{alias.name}" for alias in names]
                yield from (
                    f"imports {name}"
                    for name in [module or "", *full]
                    if _is_refused(name) or name in _CALLS | _ATTRIBUTES
                )
            case ast.Attribute(attr=attribute):
                name = written(node)
                if {name, attribute} & _ATTRIBUTES or name in _CALLS:
                    yield f"uses {name}"
                elif name.startswith("pytest.mark.") and attribute in _MARKS:
                    yield f"marks itself {attribute}"
            case ast.Name(id=name) if name in _NAMES or (name in _CALLS and name not in own):
                yield f"uses {name}"
            case ast.FunctionDef(name=name) if name.startswith("pytest_"):
                yield f"defines the hook {name}"
            case ast.FunctionDef() | ast.AsyncFunctionDef() if any(
                "autouse" in ast.unparse(one) for one in node.decorator_list
            ):
                yield "defines a fixture for all tests"


def _aliases(tree: ast.Module) -> dict[str, str]:
    """The modules that are imported under another name, by that name."""
    return {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }


def _is_refused(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:length]) in _MODULES for length in range(1, len(parts) + 1))


def _checks_something(test: ast.AST) -> bool:
    """Whether there is an assert on more than constants, or an expected exception or warning."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and any(isinstance(part, ast.Name) for part in ast.walk(node.test)):
            return True
        if isinstance(node, ast.withitem) and _called(node.context_expr).endswith(("raises", "warns")):
            return True
        if isinstance(node, ast.Call) and ".assert_" in f".{_called(node)}":
            return True
    return False


def _called(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""

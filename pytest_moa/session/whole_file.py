"""A test file as it would be, run from its first test to its last in a warm process.

Imported in the user's environment: nothing but pytest and what runs candidates.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.running.candidate_module import CandidateModule
from pytest_moa.running.items import Watcher, followed, short_messages
from pytest_moa.running.warm_session import Warm, arguments, quieten_hypothesis


def configured(args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Preload: configure pytest as the project does, collect nothing, and serve.

    `args`: "root", "ini" (or None), "options" (arguments for pytest).

    Raises:
        RuntimeError: pytest ended before; its output says why.
    """
    plugin = _Serving(serve)
    code = pytest.main(arguments(args, []), plugins=[plugin])
    if not plugin.served:
        raise RuntimeError(f"pytest ended with exit code {int(code)} before it ran tests")


class _Serving:
    """The plug-in that serves where pytest would collect."""

    def __init__(self, serve: Callable[[Any, Any], None]) -> None:
        self.serve = serve
        self.served = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        watcher = Watcher()
        session.config.pluginmanager.register(watcher, "moa-watcher")
        self.served = True
        self.serve(Warm(session, watcher, [], {}, {}), {})
        return True


def run(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Job: the tests of the file at "path" as if it had the text "text", in their order.

    Yields {"runs": its id within the file} before each test and {"message": how it failed, "" if it did
    not} behind it; the id "" stands for collecting the file.
    """
    yield {"runs": ""}
    path = Path(args["path"])
    if "hypothesis" in args["text"]:
        quieten_hypothesis()
    parent = warm.folder(path.parent)
    if parent.config.getoption("importmode") != "importlib":  # it imports from beside itself
        sys.path.insert(0, str(_import_root(path)))
    node = CandidateModule.from_parent(parent, path=path)
    node.text, node.tree = args["text"], ast.parse(args["text"])
    items = list(node.session.genitems(node))
    if warm.watcher.uncollected:
        text = str(warm.watcher.uncollected[0].longrepr)
        said = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
        yield {"message": "; ".join(said) or text[-300:].strip()}
        return
    node.config.hook.pytest_collection_modifyitems(session=node.session, config=node.config, items=items)
    yield {"message": ""}
    short_messages(node.config)
    for item, following in followed(items):
        yield {"runs": item.nodeid.partition("::")[2]}
        yield {"message": warm.watcher.run(item, following).message}


def _import_root(path: Path) -> Path:
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder

"""The project's own tests on both sides: which reach what changed, and their bodies as programs."""

from __future__ import annotations

import ast
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_moa.project import Project
from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.clock import Clock
from pytest_moa.proof.difference import Difference
from pytest_moa.proof.lane import Results, mentions_private
from pytest_moa.proof.pair import Live, Pair, Tree, batch
from pytest_moa.proof.replaying import NO_CONFIG_WARNINGS
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.test_files import (
    Standalone,
    TestFile,
    body_without_docstring,
    bound_below,
)
from pytest_moa.proof.writing import FIXTURES, Unwritable, body_of, hoist_imports
from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmProcess

#: Test files that are collected, the likeliest ones.
MOST_FILES = 14
#: What a test file gains by a word of the changed statements that no other file has.
TOLD = 6.0
#: Reaching tests of one changed function that are used as programs, and cases of one parametrised test.
MOST_TESTS, MOST_CASES = 60, 4
#: Tests that are run in one process to see what they reach.
AT_ONCE = 40
#: Seconds without another one that reaches what changed after which the others are not run.
PATIENT = 2.0
#: Seconds after which a test is ended; what takes longer is no use as a program.
SLOW = 1.5


@dataclass(slots=True)
class Body:
    """A test as a program, and which changed functions it reaches."""

    snippet: Snippet
    seconds: float
    functions: list[str] = field(default_factory=list)


def likely_files(project: Project, changed: Sequence[ChangedFunction]) -> list[Path]:
    """Test files, those first that name what changed or its callers, or what the changed statements name."""
    words: dict[str, float] = {}
    for function in changed:
        for part in (*function.qualname.split("."), *function.module.split(".")[1:]):
            words[part.strip("_")] = max(words.get(part.strip("_"), 0), 2.0 * function.risk)
        for entry in function.entries:
            for part in entry.qualname.split("."):
                words.setdefault(part.strip("_"), function.risk / (1 + entry.steps))
    texts = {
        path: path.read_text(encoding="utf-8", errors="replace")
        for path in project.test_files()
        if path.name != "conftest.py"
    }
    named = {path: set(re.findall(r"\w+", text)) for path, text in texts.items()}
    counts = Counter(word for found in named.values() for word in found)
    rare = {word: TOLD * one.risk / counts[word] for one in changed for word in one.words if counts[word]}
    scored: list[tuple[float, int, Path]] = []
    for path, found in named.items():
        score = sum(weight for word, weight in words.items() if word in found and len(word) > 2)
        score += sum(2 * weight for word, weight in words.items() if len(word) > 3 and word in path.stem)
        score += sum(weight for word, weight in rare.items() if word in found and len(word) > 2)
        scored.append((-score, len(texts[path]), path))
    return [path for _, _, path in sorted(scored)[:MOST_FILES]]


def collecting(
    tree: Tree, modules: Mapping[str, Path], files: Sequence[Path], clock: Clock, *, confined: bool
) -> Live:
    """A side's process that collects those files; paths are those of the base tree, relative."""
    project = Project.find(tree.root)
    here = [tree.root / file for file in files if (tree.root / file).is_file()]
    args = {
        "root": str(project.root),
        "ini": str(project.ini) if project.ini else None,
        "tests": [str(path) for path in here],
        "folders": [],
        "options": [*project.options, *NO_CONFIG_WARNINGS, "--assert=plain"],  # rewriting takes long
        "modules": {name: str(path) for name, path in modules.items()},
        "imports": [],
        "mutants": False,
    }
    return Live(
        lambda: WarmProcess(
            root=tree.root,
            preload="pytest_moa.running.warm_session:collected",
            preload_args=args,
            python_path=[str(path) for path in tree.python_path],
            readable=[tree.root, *tree.python_path],
            limits=Limits(wall=60, cpu=60),
            confined=confined,
        ),
        clock,
    )


class Suite:
    """The tests that both sides have collected. A lane, too: programs are bodies of tests."""

    job = "pytest_moa.proof.tests_side:run"

    def __init__(self, pair: Pair, root: Path) -> None:
        self.pair = pair
        self.root = root
        self.base_items: dict[str, int] = {}
        self.head_items: dict[str, int] = {}
        self.described: dict[str, dict[str, Any]] = {}
        self.files: dict[str, TestFile] = {}
        self.reached: dict[str, tuple[float, list[str]]] = {}

    def start(self) -> str:
        """Collect on both sides; gives why there are no tests, "" if there are."""
        base, head = self.pair.start()
        if base is None or head is None:
            return f"the tests cannot be collected: {self.pair.base.failure or self.pair.head.failure}"
        self.base_items = {item["nodeid"]: index for index, item in enumerate(base["items"])}
        self.head_items = {item["nodeid"]: index for index, item in enumerate(head["items"])}
        return "" if self.base_items else "no tests were found"

    def reach(
        self, changed: Sequence[ChangedFunction], branches: Mapping[str, Mapping[str, Any]], seconds: float
    ) -> None:
        """Run tests on base, and note which reach what changed: those first that have most of its words.

        It ends when the time is over, when enough are known, or when no other is found any more.
        """
        names = list(self.base_items)
        wanted = [one.name for one in changed]
        owners = _owners(wanted, branches)
        began = found_at = time.monotonic()
        left = self._in_order(changed)

        def each(told: Mapping[str, Any]) -> None:
            nonlocal found_at
            left.remove(told["index"])
            if not told["passed"]:
                return
            found = {
                owners[module][branch]
                for module, taken in told["reached"].items()
                for branch in taken
                if branch in owners.get(module, {})
            }
            if found:
                self.reached[names[told["index"]]] = (told["seconds"], sorted(found))
                found_at = time.monotonic()

        while left and not self._enough(wanted):
            now = time.monotonic()
            wall = began + seconds - now
            if wall <= 0 or (self.reached and now - found_at > max(PATIENT, found_at - began)):
                break
            indices = left[:AT_ONCE]
            limits = Limits(wall=max(1.0, wall), cpu=wall + 5)
            ended = self.pair.base.call(
                "pytest_moa.proof.tests_side:reaching", {"indices": indices, "seconds": SLOW}, limits, each
            )
            # Where it did not return, whichever test ran has ended the process.
            gone = set(indices if ended.status == "returned" else left[:1])
            left[:] = [one for one in left if one not in gone]

    def _in_order(self, changed: Sequence[ChangedFunction]) -> list[int]:
        """Indices of all tests, from two lists in turn: by their relevance, and as their files come.

        Of each function a few cases come first.
        """
        words = list(dict.fromkeys(word for one in changed for word in one.words))
        first = {name.partition("[")[0]: name for name in reversed(self.base_items)}
        weights = self._relevance(list(first.values()), words)
        by_files = _various(list(self.base_items))
        by_words = sorted(by_files, key=lambda name: -weights[first[name.partition("[")[0]]])
        turns = dict.fromkeys(name for turn in zip(by_words, by_files, strict=True) for name in turn)
        return [self.base_items[name] for name in turns]

    def _enough(self, wanted: Sequence[str]) -> bool:
        """Whether there are more than can be used for each; the likeliest files were the first."""
        counts = Counter(name for _, found in self.reached.values() for name in found)
        return all(counts[name] >= 3 * MOST_TESTS for name in wanted)

    def bodies(self, changed: Sequence[ChangedFunction]) -> list[Body]:
        """The reaching tests as programs, for each changed function its nearest and fastest."""
        chosen: dict[str, None] = {}
        for function in changed:
            mine = [name for name, (_, found) in self.reached.items() if function.name in found]
            weights = self._relevance(mine, function.words)
            mine.sort(key=lambda name: (-weights[name], len(self.reached[name][1]), self.reached[name][0]))
            chosen.update(dict.fromkeys(_various(mine)[:MOST_TESTS]))
        names = [name for name in chosen if name in self.head_items]
        args = {"indices": [self.base_items[name] for name in names]}
        ended = self.pair.base.call("pytest_moa.proof.tests_side:described", args, Limits(wall=10, cpu=10))
        if ended.status != "returned":
            return []
        found = []
        for name, described in zip(names, ended.value, strict=True):
            self.described[name] = described
            body = self._body(name, described) if described["usable"] else None
            if body is not None:
                seconds, functions = self.reached[name]
                aim = max(
                    (one for one in changed if one.name in functions),
                    key=lambda one: one.risk,
                    default=changed[0],
                )
                snippet = Snippet(body, aim.module, aim.name, ("tests",), item=name)
                found.append(Body(snippet, seconds, functions))
        return found

    def _relevance(self, names: Sequence[str], words: Sequence[str]) -> dict[str, float]:
        """How much each test's source has of the changed statements' words; what few have counts more."""
        texts: dict[str, set[str]] = {}
        for name in names:
            texts[name] = set(re.findall(r"\w+", self._text(name) or name))
        counts = {word: sum(word in text for text in texts.values()) for word in words}
        return {
            name: round(sum(1 / counts[word] for word in words if word in text), 3)
            for name, text in texts.items()
        }

    def _text(self, name: str) -> str:
        try:
            file = self._file(self.root / name.partition("::")[0])
        except (OSError, SyntaxError, ValueError):
            return ""
        found = file.find(_parts(name))
        return "\n".join(file.lines[found[0].lineno - 1 : found[0].end_lineno]) if found is not None else ""

    def _body(self, name: str, described: Mapping[str, Any]) -> str | None:
        """The statements of a test, its parameters bound before them."""
        try:
            file = self._file(Path(described["file"]))
        except (OSError, SyntaxError, ValueError):
            return None
        found = file.find(_parts(name))
        if found is None:
            return None
        lines: list[str] = []
        for parameter, written in described["params"].items():
            if written is None:
                return None
            if parameter in described["arguments"]:
                lines += [*written[1], f"{parameter} = {written[0]}"]
        return "\n".join([*lines, *map(ast.unparse, body_without_docstring(found[0]))])

    def with_imports(self, source: str, item: str) -> str:
        """A program for a test's place, with imports of names that only other test files have."""
        tree = ast.parse(source)
        file = self._file(self.root / item.partition("::")[0])
        known = {*file.imports, *file.definitions, *self.described[item]["arguments"], *bound_below(tree)}
        names = dict.fromkeys(one.id for one in ast.walk(tree) if isinstance(one, ast.Name))
        brought = {name: line for other in self.files.values() for name, line in other.imports.items()}
        lines = [brought[name] for name in names if name in brought and name not in known]
        return "\n".join([*dict.fromkeys(lines), source])

    def _file(self, path: Path) -> TestFile:
        if str(path) not in self.files:
            self.files[str(path)] = TestFile.read(path, self.root)
        return self.files[str(path)]

    def run(self, snippets: Sequence[Snippet], seconds: float, *, detail: bool = False) -> Results:
        """Results on base and on head, in the snippets' order."""
        order = sorted(range(len(snippets)), key=lambda index: snippets[index].item)
        self.pair.executions += len(snippets)

        def side(live: Live) -> list[dict[str, Any]]:
            items = self.base_items if live is self.pair.base else self.head_items
            programs = [
                {"index": items[snippets[index].item], **snippets[index].to_json()} for index in order
            ]
            return batch(live, self.job, programs, seconds, {"detail": detail})

        sorted_results = self.pair.both(side)
        results: list[list[dict[str, Any]]] = []
        for one in sorted_results:
            placed: list[dict[str, Any]] = [{}] * len(snippets)
            for index, result in zip(order, one, strict=True):
                placed[index] = result
            results.append(placed)
        return results[0], results[1]

    def test(self, snippet: Snippet, difference: Difference, base: Mapping[str, Any]) -> str:
        """A test module. Raises Unwritable."""
        described = self.described[snippet.item]
        path = Path(described["file"])
        file = self._file(path)
        found = file.find(_parts(snippet.item))
        if found is None:
            raise Unwritable("its source is not found")
        written = body_of(snippet, difference, base)
        hoist_imports(written)
        needed = [name for name in described["arguments"] if name not in described["params"]]
        conftests = []
        folder = path.parent
        while folder.is_relative_to(self.root):
            if (folder / "conftest.py").is_file():
                conftests.append(self._file(folder / "conftest.py"))
            folder = folder.parent
        body = ast.parse("\n".join(written.body))
        used = {one.id for one in ast.walk(body) if isinstance(one, ast.Name)} - set(bound_below(body))
        fixtures = [name for name in needed if name in used or name not in ("self", *_HARMLESS)]
        fixtures += [name for name in FIXTURES if name in used and name not in fixtures]
        aim = snippet.aim.rpartition(".")[2].rpartition(":")[2]
        module = Standalone(file, conftests).module(*found, written, fixtures, aim)
        if mentions_private(module):  # perhaps only what it does not use
            fixtures = [name for name in fixtures if name in used]
            module = Standalone(file, conftests).module(*found, written, fixtures, aim)
        return module


#: Fixtures that do nothing unless they are used.
_HARMLESS = ("tmp_path", "monkeypatch", "capsys", "caplog", "recwarn", "request", "tmpdir")


def _owners(wanted: Sequence[str], branches: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Which of `wanted` a branch tells of, by module and branch.

    Of a class, or of what is not there at base, all functions tell that the class has there.
    """
    owners: dict[str, dict[str, str]] = {}
    split = [(name, *name.partition(":")[::2]) for name in wanted]
    for name, module, qualname in sorted(split, key=lambda one: one[2] in branches.get(one[1], {})):
        known = branches.get(module, {})
        inside = [one for one in known if one.startswith(f"{qualname}.")]
        beside = [one for one in known if one.startswith(f"{qualname.rpartition('.')[0]}.")]
        for one in [qualname] if qualname in known else inside or beside:
            owners.setdefault(module, {}).update(dict.fromkeys(known[one], name))
    return owners


def _various(names: Sequence[str]) -> list[str]:
    """The names in their order; what is left of a parametrised test with many cases comes last."""
    counts: Counter[str] = Counter()
    first: list[str] = []
    last: list[str] = []
    for name in names:
        counts[name.partition("[")[0]] += 1
        (first if counts[name.partition("[")[0]] <= MOST_CASES else last).append(name)
    return [*first, *last]


def _parts(nodeid: str) -> list[str]:
    return nodeid.partition("[")[0].split("::")[1:]

"""Which file a test belongs into: by imports, by names, by layout; else the path of a new one."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from pytest_moa.candidate import Candidate
from pytest_moa.placing.source_file import parsed
from pytest_moa.placing.test_files import TestFile, TestTree
from pytest_moa.target import Target

#: Folders that say nothing about what is in them.
_NEUTRAL = {"src", "lib", "python", "tests", "test", "testing", "unit", "unit_tests"}
_TEST_FOLDERS = ("tests", "test")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True, slots=True)
class Place:
    """A path relative to the root, and whether there is no such file yet."""

    path: str
    creates: bool


def place_of(tree: TestTree, target: Target, candidate: Candidate, reaching: Mapping[str, int]) -> Place:
    """Where a test of the target goes. `reaching` counts, by file, the tests that reach the target.

    A fixture that only another test file defines makes it that one.
    """
    scored = list(_scored(tree, target, reaching))
    parameters = _parameters(candidate)
    if parameters:
        scored = _with_fixtures(tree, parameters, scored) or scored
    if scored:
        return Place(max(scored, key=lambda one: (one[0], -len(one[1].path), one[1].path))[1].path, False)
    return Place(_new_path(tree, target), True)


def _scored(tree: TestTree, target: Target, reaching: Mapping[str, int]) -> Iterator[tuple[int, TestFile]]:
    name = target.qualname.split(".")[0]
    mirrored = any(_is_mirror(path, target) for path in tree.paths)
    for file in tree.naming(_stem(target), name):
        imported, named = _imported(file, target, name), _named(file.path, target)
        mirrors = _mirrors(file.path, target)
        if imported and not named and mirrored and not mirrors:
            continue  # it only uses the target: tests of it have their own folder
        if imported or (named and mirrors and not _of_another(file, target)):
            score = 4 * imported + 3 * named + 2 * _nearness(file.path, target)
            yield score + 4 * bool(reaching.get(file.path)), file


def _imported(file: TestFile, target: Target, name: str) -> int:
    """3: the target itself, 2: its module or more of it, 1: a package above whose attribute is used."""
    best = 0
    parents = [target.module.rsplit(".", count)[0] for count in range(target.module.count(".") + 1)]
    for one in file.imports:
        whole = f"{one.module}.{one.attribute}" if one.attribute else one.module
        if one.module in parents and one.attribute == name:
            best = max(best, 3)
        elif target.module in (whole, one.module):
            best = max(best, 2)
        elif whole in parents and f".{name}" in file.text:
            best = max(best, 1)
    return best


def _named(path: str, target: Target) -> int:
    """2: named after the module, the class or the function; 1: after the module and more."""
    stem = re.sub(r"^tests?_|_tests?$", "", PurePosixPath(path).stem)
    module = _stem(target)
    package = target.module.split(".")[-2:-1]
    names = {
        module,
        *(_snake(part) for part in target.qualname.split(".")),
        *(f"{one}_{module}" for one in package),
    }
    return 2 if stem in names else int(stem.startswith(f"{module}_"))


def _of_another(file: TestFile, target: Target) -> bool:
    """Whether it tests a module of the same name in another package."""
    stem = target.module.rpartition(".")[2]
    whole = {one.module for one in file.imports} | {f"{one.module}.{one.attribute}" for one in file.imports}
    return any(name.rpartition(".")[2] == stem and name != target.module for name in whole)


def _folders(path: str) -> list[str]:
    return list(PurePosixPath(path).parent.parts)


def _rest(path: str, target: Target) -> tuple[int, list[str], list[str]]:
    """How many folders test and target share, and the telling ones of the others."""
    test, code = _folders(path), _folders(target.path)
    shared = 0
    while shared < min(len(test), len(code)) and test[shared] == code[shared]:
        shared += 1
    telling = [[part for part in parts[shared:] if part not in _NEUTRAL] for parts in (test, code)]
    return shared, telling[0], telling[1]


def _mirrors(path: str, target: Target) -> bool:
    """Whether a file's folder is called like the target's, or like a package above it, or says nothing."""
    _, test, code = _rest(path, target)
    return not test or test in (code[-len(test) :], code[: len(test)])


def _is_mirror(path: str, target: Target) -> bool:
    """Whether a file's folder is called like the target's own."""
    _, test, code = _rest(path, target)
    return bool(test) and code[-len(test) :] == test


def _nearness(path: str, target: Target) -> int:
    shared, test, code = _rest(path, target)
    return 2 * shared + (len(test) if _mirrors(path, target) else -len(test) - len(code))


def _parameters(candidate: Candidate) -> set[str]:
    """Parameters of the test that neither its own support nor its parametrization provides."""
    function = parsed(candidate.source).body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    defined = {getattr(node, "name", "") for node in parsed(candidate.support).body}
    given: set[str] = set()
    for decorator in function.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and decorator.args
            and ast.unparse(decorator.func).endswith("parametrize")
        ):
            given |= set(re.findall(r"\w+", ast.unparse(decorator.args[0])))
    return {one.arg for one in function.args.args} - defined - given


def _with_fixtures(
    tree: TestTree, parameters: set[str], scored: list[tuple[int, TestFile]]
) -> list[tuple[int, TestFile]]:
    """The files that have a fixture which others lack; none if every file will do."""
    defining = {file.path: file for file in tree.naming(*(f"def {name}(" for name in sorted(parameters)))}
    needed = {name for file in defining.values() for name in file.fixtures & parameters}
    scores = {file.path: score for score, file in scored}
    return [
        (scores.get(path, 0), file)
        for path, file in defining.items()
        if needed and needed - tree.inherited_fixtures(path) <= file.fixtures and needed & file.fixtures
    ]


def _new_path(tree: TestTree, target: Target) -> str:
    folder, pattern = _new_folder(tree, target), _pattern(tree)
    basenames = {PurePosixPath(path).name for path in tree.paths}
    package = (target.module.split(".")[-2:-1] or [_snake(target.qualname.split(".")[0])])[0]
    name = _stem(target)
    for stem in (name, f"{package}_{name}", target.module.replace(".", "_")):
        file = pattern.replace("*", stem, 1)
        if file not in basenames and not (tree.root / folder / file).exists():
            break
    return (folder / file).as_posix()


def _new_folder(tree: TestTree, target: Target) -> PurePosixPath:
    folders = Counter(PurePosixPath(path).parent for path in tree.paths)
    fitting = {one: count for one, count in folders.items() if _mirrors((one / "x").as_posix(), target)}
    if fitting:
        return max(
            fitting, key=lambda one: (_nearness((one / "x").as_posix(), target), fitting[one], str(one))
        )
    for configured in tree.folders:
        of_code = PurePosixPath(configured) in PurePosixPath(target.path).parents
        if (tree.root / configured).is_dir() and not of_code:  # doctests are looked for there
            return PurePosixPath(configured)
    above = list(PurePosixPath(target.path).parents)
    for folder in above:
        for name in _TEST_FOLDERS:
            if (tree.root / folder / name).is_dir():
                return folder / name
    projects = [one for one in above if any((tree.root / one / name).exists() for name in _PROJECT_FILES)]
    return (projects[0] if projects else PurePosixPath()) / _TEST_FOLDERS[0]


def _pattern(tree: TestTree) -> str:
    """The naming pattern that most test files follow."""
    usable = [pattern for pattern in tree.patterns if pattern.count("*") == 1 and pattern.endswith(".py")]
    counts = {one: sum(fnmatch(Path(path).name, one) for path in tree.paths) for one in usable}
    return max(counts, key=lambda one: counts[one]) if counts else "test_*.py"


def _stem(target: Target) -> str:
    """The module's own name, its package's for an `__init__`."""
    parts = target.module.split(".")
    return parts[-1].strip("_") or (parts[-2] if len(parts) > 1 else "module")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")

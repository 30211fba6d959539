import gc
import sys
import types
from pathlib import Path

import pytest

from pytest_moa.mutation import control, identity, install, mutants_of, mutated_source, prepare
from pytest_moa.mutation.reached import ControlReached
from tests.pytest_moa.mutation.forks import in_child, with_modules

SAMPLE = Path(__file__).with_name("sample.py")
SOURCE = SAMPLE.read_text()


def fresh(source):
    """What an interpreter sees that imports this source: it has not imported the module before."""

    def run():
        try:
            _, user = with_modules(source, SAMPLE)
        except Exception as error:
            return f"import: {type(error).__name__}"
        return user.observe()

    return in_child(run)


def test_installed_mutants_act_as_if_their_source_had_been_imported():
    mutants = mutants_of(SOURCE, "sample")[::3]  # all agree, but each takes some hundredths of a second twice
    expected = {mutant.id: fresh(mutated_source(SOURCE, mutant)) for mutant in mutants}

    def installed():
        module, user = with_modules(SOURCE, SAMPLE)
        prepare(SOURCE, module)
        gc.freeze()
        return {
            mutant.id: in_child(lambda mutant=mutant: install(mutant, SOURCE, module) and user.observe())
            for mutant in mutants
        }

    got = in_child(installed, seconds=60)
    refused = [mutant for mutant in mutants if got[mutant.id] is False]
    wrong = [
        (mutant, got[mutant.id], expected[mutant.id])
        for mutant in mutants
        if got[mutant.id] not in (False, expected[mutant.id])
    ]
    assert wrong == []
    assert all(mutant.scope == "definition" for mutant in refused)
    assert all(expected[mutant.id].startswith("import: ") for mutant in refused), (
        "only what cannot be imported"
    )
    original = fresh(SOURCE)
    killed = sum(found != original for found in expected.values())
    assert killed > 0.85 * len(mutants), "the comparison sees what mutants do"


def loaded(source, name="subject", path="subject.py"):
    module = types.ModuleType(name)
    module.__file__ = path
    exec(compile(source, path, "exec"), vars(module))
    return module


def only(source, **wanted):
    found = [
        mutant
        for mutant in mutants_of(source, "subject")
        if all(getattr(mutant, name) == value for name, value in wanted.items())
    ]
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Writes modules and imports them in that order; the last answer is `sys.modules` afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(**sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)
            names.append(name)
        return [__import__(name) for name in sources]

    yield write
    for name in names:
        sys.modules.pop(name, None)


CONSTANT = "LIMIT = 10\n\n\nclass Base:\n    size = 1\n\n\ndef get():\n    return LIMIT\n"


def test_a_changed_constant_reaches_those_who_imported_it_and_nobody_else(imported):
    subject, user, stranger = imported(
        subject=CONSTANT,
        user="from subject import LIMIT as most, get\n\n\ndef show():\n    return most, get()\n",
        stranger="MAXIMUM = 10\n",
    )
    assert install(only(CONSTANT, before="10", operator="number"), CONSTANT, subject)
    assert user.show() == (11, 11)
    assert stranger.MAXIMUM == 10


@pytest.mark.parametrize(
    "dependent",
    [
        "import subject\nDOUBLE = subject.LIMIT * 2\n",
        "from subject import Base\nclass Derived(Base): ...\n",
        "from subject import Base\nINSTANCE = Base()\n",
        "from subject import get\nVALUE = get()\n",
        "import subject as s\ndef build():\n    return s.get()\nVALUE = build()\n",
        "import pytest, subject\n@pytest.mark.parametrize('limit', [subject.LIMIT])\ndef check(limit): ...\n",
    ],
)
def test_refused_where_a_dependent_has_used_it_on_import(imported, dependent):
    subject, _ = imported(subject=CONSTANT, user=dependent)
    before = dict(vars(subject))
    assert not install(only(CONSTANT, before="10", operator="number"), CONSTANT, subject)
    assert vars(subject) == before
    assert subject.get() == 10


def test_refused_where_a_dependent_has_called_the_function_on_import(imported):
    subject, _ = imported(subject=CONSTANT, user="from subject import get\nVALUE = get()\n")
    assert not install(only(CONSTANT, qualname="get", after="None"), CONSTANT, subject)
    assert install(control(CONSTANT, "get", "subject"), CONSTANT, subject), "a control is about later calls"


METHODS = (
    "class A:\n    def __init__(self):\n        self.n = 1\n"
    "    def m(self):\n        return 2\n    def k(self):\n        return 3\n"
)


@pytest.mark.parametrize(
    ("dependent", "refused"),
    [
        ("from subject import A\nVALUE = A().m()\n", {"A.__init__", "A.m"}),
        ("from subject import A\nVALUES = list(map(A, []))\n", {"A.__init__"}),
        ("from subject import A\nCLASSES = [A]\ndef late():\n    return A().m()\n", set()),
    ],
)
def test_functions_that_a_dependent_may_have_run_on_import(imported, dependent, refused):
    subject, _ = imported(subject=METHODS, user=dependent)
    mutants = [one for one in mutants_of(METHODS, "subject") if one.operator == "number"]
    answers = {one.qualname: install(one, METHODS, subject) for one in mutants}
    assert {qualname for qualname, installed in answers.items() if not installed} == refused


def test_found_through_a_module_that_hands_it_on(imported):
    subject, _, user = imported(
        subject=CONSTANT,
        hub="from subject import *\n",
        user="import hub\n\n\ndef show():\n    return hub.LIMIT, hub.get()\n",
    )
    assert install(only(CONSTANT, before="10", operator="number"), CONSTANT, subject)
    assert user.show() == (11, 11)


def test_found_in_a_module_that_another_of_its_name_has_replaced(imported):
    subject, first = imported(subject=CONSTANT, conftest_of_one="from subject import Base, LIMIT\n")
    del sys.modules["conftest_of_one"]
    assert install(only(CONSTANT, before="1", operator="number"), CONSTANT, subject)
    assert (first.Base.size, first.Base) == (2, subject.Base)


@pytest.mark.parametrize(
    "source",
    [
        "import atexit\nN = 1\natexit.register(print)\n",
        "import os\nN = 1\nos.environ['SUBJECT'] = 'x'\n",
        "import registry\nN = 1\n@registry.register\ndef f(): ...\n",
        "import registry\nN = 1\nclass A(registry.Registered): ...\n",
    ],
)
def test_refused_where_a_second_execution_would_leave_traces(imported, source):
    registry = (
        "KNOWN = []\n"
        "def register(f):\n    KNOWN.append(f)\n    return f\n"
        "class Registered:\n    def __init_subclass__(cls):\n        KNOWN.append(cls)\n"
    )
    registry_module, subject = imported(registry=registry, subject=source)
    known = list(registry_module.KNOWN)
    assert not install(only(source, operator="number"), source, subject)
    assert known == registry_module.KNOWN
    assert subject.N == 1


def test_refused_for_a_source_that_the_module_was_not_made_of():
    source = "def f():\n    return 1\n"
    module = loaded("# moved\n" + source)
    assert not install(only(source, operator="number"), source, module)
    with pytest.raises(ValueError, match="has changed"):
        install(only(source, operator="number"), "# moved\n" + source, module)


def test_what_lru_cache_has_kept_is_forgotten():
    source = "import functools\n@functools.cache\ndef f(x):\n    return x + 1\n"
    module = loaded(source)
    assert module.f(1) == 2
    assert install(only(source, before="+"), source, module)
    assert module.f(1) == 0


CLASS = """
class A:
    def __init__(self, x):
        super().__init__()
        self.__x = x

    @property
    def x(self):
        "Doc."
        return self.__x

    @x.setter
    def x(self, value):
        self.__x = value
"""


@pytest.mark.parametrize("qualname", ["A.__init__", "A.x"])
def test_control_raises_what_no_handler_of_exceptions_catches(qualname):
    module = loaded(CLASS)
    assert install(control(CLASS, qualname, "subject"), CLASS, module)
    with pytest.raises(ControlReached, match=qualname):
        _ = module.A(1).x
    assert not issubclass(ControlReached, Exception)


def test_identity_changes_nothing_and_setters_stay():
    module = loaded(CLASS)
    a = module.A(1)
    for qualname in ("A.__init__", "A.x"):
        code = module.A.x.fget.__code__
        assert install(identity(CLASS, qualname, "subject"), CLASS, module)
    assert module.A.x.fget.__code__ is not code
    a.x = 5
    assert (a.x, module.A(2).x, module.A.x.__doc__) == (5, 2, "Doc.")


def test_no_control_for_what_is_no_function():
    assert control(CLASS, "A", "subject") is None
    assert identity(CLASS, "B.x", "subject") is None

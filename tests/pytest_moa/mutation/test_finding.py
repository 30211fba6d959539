import ast
from collections import Counter
from pathlib import Path

import pytest

from pytest_moa.mutation import mutants_of, mutated_source
from pytest_moa.mutation.finding import OPERATORS

SAMPLE = Path(__file__).with_name("sample.py").read_text()


def changes(source):
    return {(one.operator, one.before, one.after) for one in mutants_of(source, "subject")}


def lines(source):
    """What the second line becomes."""
    return {mutated_source(source, one).splitlines()[1].strip() for one in mutants_of(source, "subject")}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("return a < b", {"return a <= b", "return a >= b", "return None"}),
        ("return a == b", {"return a != b", "return None"}),
        ("return a is not b", {"return a is b", "return None"}),
        ("return (a) not  in (b)", {"return (a) in (b)", "return None"}),
        ("return a < b <= a", {"return a <= b <= a", "return a >= b <= a", "return a < b < a"}
         | {"return a < b > a", "return None"}),
        ("return a and b or a", {"return a or b or a", "return a and b and a", "return None"}),
        ("return not (a)", {"return (a)", "return None"}),
        ("return -a", {"return +a", "return None"}),
        ("return a ** b", {"return a * b", "return None"}),
        ("return a + 0", {"return a + 1", "return None"}),
        ("return a % 'x'", {"return a % 'XXxXX'", "return a % 'X'", "return None"}),
        ("a += b", {"a -= b", "a = b"}),
        ("a = b", {"a = None"}),
        ("a = None", {'a = ""'}),
        ("a: int = b", {"a: int = None"}),
        ("return", {"pass"}),
        ("return None", set()),
        ("return True", {"return False", "return None"}),
        ("return 1.5", {"return 2.5", "return None"}),
        ("return 2j", {"return 3j", "return None"}),
        ("return b'\\n'", {"return b'XX\\nXX'", "return None"}),
        ("return 'a' 'b'", {"return 'XXabXX'", "return None"}),
        ("return 'a\\nb'", {"return 'XXa\\nbXX'", "return 'A\\nB'", "return None"}),
        ("return ''", {"return 'XXXX'", "return None"}),
        ("return f'n {a}'", {"return f'XXn {a}'", "return None"}),
        ("return f'{a}'", {"return None"}),
        ("return f'{a + b}'", {"return f'{a - b}'", "return None"}),
        ("yield a", {"yield None"}),
        ("f()", {"pass"}),
        ("await f()", {"pass"}),
        ("f(a)", {"pass", "f(None)"}),
        ("f(a, k=b)", {"pass", "f(None, k=b)", "f(a, k=None)", "f(k=b)", "f(a)"}),
        ("f((a), *b, **c)", {"pass", "f((None), *b, **c)", "f(*b, **c)", "f((a), **c)", "f((a), *b)"}),
        ("f(a for a in b)", {"pass", "f(None)", "f(a for a in ())"} - {"f(a for a in ())"}),
        ("f(a, None)", {"pass", "f(None, None)", "f(None)", "f(a)"}),
        ("f(a, k=None)", {"pass", "f(None, k=None)", "f(k=None)"}),
        ("dict(k=a)", {"pass", "dict(k=None)", "dict(kXX=a)"}),
        ("return len(a)", {"return None"}),
        ("return a.lower()", {"return a.upper()", "return None"}),
        ("return a.split(b)", {"return a.split(None)", "return None"}),
        ("return min(a)", {"return max(a)", "return min(None)", "return None"}),
        ("return lambda: a", {"return lambda: None", "return None"}),
        ("return a if b else a", {"return a if True else a", "return a if False else a", "return None"}),
        ("return [a for a in b if a]", {"return [a for a in b if True]", "return [a for a in b if False]"}
         | {"return None"}),
        ("return a[b:b]", {"return a[:b]", "return a[b:]", "return None"}),
        ("return a[0:]", {"return a[1:]", "return None"}),
        ("raise", {"pass"}),
        ("raise E('no')", {"pass", "raise E(None)", "raise E('XXnoXX')", "raise E('NO')"}),
        ("del a[b]", {"pass"}),
        ("while a: break", {"while False: break", "while a: continue", "while a: return"}),
        ("for a in b: continue", {"for a in (): continue", "for a in b: break"}),
        ("if a: f(b)", {"if True: f(b)", "if False: f(b)", "if a: pass", "if a: f(None)"}),
        ("assert a < b, 'no'", {"assert a <= b, 'no'", "assert a >= b, 'no'"}),
    ],
)  # fmt: skip
def test_each_statement_has_these_mutants(statement, expected):
    assert lines(f"async def g(a, b, c, f):\n    {statement}\n") == expected


def test_blocks():
    source = (
        "def g(a):\n    try:\n        pass\n    except (KeyError, OSError):\n        pass\n"
        "    match a:\n        case [x] if x: pass\n        case _: pass\n"
    )
    assert {
        ("exception", "(KeyError, OSError)", "()"),
        ("match", "x", "False"),
        ("match", "", " if False"),
    } <= (changes(source))


def test_what_would_not_compile_is_not_proposed():
    source = (
        "def g(a):\n    try:\n        pass\n    except* KeyError:\n        for b in a:\n            break\n"
        "    match a:\n        case {'k': 1, 'K': 2}: pass\n        case _: pass\n"
        "@(g)\ndef h(): return f'{a}' 'b' f'{g(1, 2)!r:>{a}}'\n"
    )
    for mutant in mutants_of(source, "subject"):
        compile(mutated_source(source, mutant), "subject", "exec")
    assert {("loop", "break", "continue"), ("number", "2", "3")} <= changes(source)


def test_definitions():
    source = (
        "import functools\nfrom dataclasses import dataclass\nRATE = 5\n@dataclass\nclass A:\n"
        "    size: int = 3\n    @property\n    def x(self, scale=2, *, strict=True): return 1\n"
        "    @functools.cache\n    def y(self): ...\n"
    )
    found = {
        (one.qualname, one.scope, one.operator, one.before, one.after)
        for one in mutants_of(source, "subject")
    }
    assert found == {
        ("", "definition", "number", "5", "6"),
        ("", "definition", "assignment", "5", "None"),
        ("A", "definition", "decorator", "@dataclass", ""),
        ("A", "definition", "number", "3", "4"),
        ("A", "definition", "assignment", "3", "None"),
        ("A.x", "definition", "decorator", "@property", ""),
        ("A.x", "function", "number", "2", "3"),
        ("A.x", "function", "constant", "True", "False"),
        ("A.x", "function", "number", "1", "2"),
        ("A.x", "function", "return", "1", "None"),
    }


def test_what_is_nested_belongs_to_the_function_around_it():
    source = (
        "def f():\n    class A:\n        n = 1\n    def g(x=2):\n        return lambda: 3\n    return g\n"
    )
    found = mutants_of(source, "subject")
    assert {(one.qualname, one.scope) for one in found} == {("f", "function")}
    assert {one.before for one in found} >= {"1", "2", "3"}


def test_what_runs_at_import_is_of_a_definition():
    source = (
        "def table(n):\n    return [n + 1]\n"
        "def deco(f):\n    def inner():\n        return f() + 2\n    return inner\n"
        "@deco\ndef later():\n    return 3 + 4\nT = table(9)\n"
    )
    scopes = {
        one.qualname: one.scope for one in mutants_of(source, "subject") if one.operator == "arithmetic"
    }
    assert scopes == {"table": "definition", "deco": "definition", "later": "function"}


@pytest.mark.parametrize(
    "source",
    [
        '"""A module 1."""\n',
        'class A:\n    """A class."""\n    "and a text"\n',
        "__all__ = ['a']\n__version__ = '1.0'\n",
        "if TYPE_CHECKING:\n    A = 1\n",
        "if __name__ == '__main__':\n    main(1)\n",
        "def f(a: 'int' = None) -> Literal[1]: ...\n",
        "@overload\ndef f(a: int = 1): return 1\n",
        "class P(Protocol):\n    def f(self, n=1): ...\n",
        "@abstractmethod\ndef f(a=1):\n    raise NotImplementedError('f')\n",
        "def f():\n    log.debug('a %s', 1)\n    self.logger.info('b')\n",
        "A = 1  # pragma: no mutate\n",
        "def f(a=1):  # pragma: no cover\n    return a + 2\n",
        "if a > 1:  # pragma: no cover\n    b = 2\nelse:\n    b = 3\n",
        "T = TypeVar('T', bound=1)\nlog = logging.getLogger('x')\n",
        "Names = dict[str, int]\nMaybe = Names | None\nX: TypeAlias = 'int'\n",
        "if sys.version_info >= (3, 12):\n    import a\n",
        "@functools.wraps(f)\ndef g(): ...\n",
    ],
)
def test_what_is_left_out(source):
    assert changes(source) == set()


def test_texts_of_exceptions_are_an_operator_of_their_own():
    source = "def f(x):\n    raise E(f'got {x}', 3)\n"
    assert {one.before for one in mutants_of(source, "s") if one.operator == "message"} >= {"f'"}
    assert ("number", "3", "4") in changes(source)


@pytest.mark.parametrize("name", ["sample.py", "sample_user.py", "test_finding.py"])
def test_mutants_compile_and_differ(name):
    source = Path(__file__).with_name(name).read_text()
    original = ast.dump(ast.parse(source))
    mutants = mutants_of(source, "subject")
    for mutant in mutants[:: len(mutants) // 50]:
        tree = ast.parse(mutated_source(source, mutant))
        assert ast.dump(tree) != original, mutant
        compile(tree, "subject", "exec")


def test_ids_are_unique_and_survive_edits_elsewhere():
    found = mutants_of(SAMPLE, "sample")
    assert len({one.id for one in found}) == len(found)
    assert mutants_of(SAMPLE, "sample") == found
    edited = "# a line\n" + SAMPLE.replace("def clamp(", "def more():\n    return LIMIT + 3\n\n\ndef clamp(")
    again = {one.id: one for one in mutants_of(edited, "sample")}
    assert {one.id for one in found} <= again.keys()
    assert all(again[one.id].line > one.line for one in found)
    assert {one.id for one in mutants_of(SAMPLE, "other")}.isdisjoint(again)


def test_every_operator_finds_something_in_the_sample():
    found = Counter(one.operator for one in mutants_of(SAMPLE, "sample"))
    assert found.keys() == {
        *("argument", "arithmetic", "assignment", "augmented", "boolean", "compare", "condition", "constant"),
        *(
            "decorator",
            "exception",
            "function",
            "lambda",
            "loop",
            "match",
            "message",
            "method",
            "not",
            "number",
        ),
        *("raise", "return", "slice", "statement", "string"),
    }
    assert len(OPERATORS) == 26

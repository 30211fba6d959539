"""What becomes of candidates: those that pass everywhere, and every way in which one does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.running.executor import Executor
from pytest_moa.running.facts import CandidateFacts
from tests.pytest_moa.running.sample import candidate, executor, mutants, write

IMPORT = "from shop.stock import Stock, total"

GOOD = {
    "plain": "def test_plain():\n    assert total([1, 2]) == 3",
    "parametrised": """
        @pytest.mark.parametrize(("prices", "expected"), [([], 0), ([1, 2], 3)])
        def test_parametrised(prices, expected):
            assert total(prices) == expected
    """,
    "fixtures": """
        def test_fixtures(stock, tmp_path, monkeypatch, capsys):
            monkeypatch.setenv("SHOP", str(tmp_path))
            (tmp_path / "there").write_text("x")
            print("told")
            assert capsys.readouterr().out == "told\\n"
            assert stock.add("tea") == 2
            assert total([1]) == 1
    """,
    "raises": """
        def test_raises():
            with pytest.raises(TypeError, match="unsupported"):
                total(["a"])
    """,
    "caught": """
        def test_caught():
            try:
                result = total(["a"])
            except Exception as error:
                result = type(error)
            assert result is TypeError
    """,
    "memo": "def test_memo():\n    assert total([5, 5]) == 10\n    assert total([5, 5]) == 10",
}

BAD = {
    "wrong": ("def test_wrong():\n    assert total([1, 2]) == 4", "fails", "assert 3 == 4"),
    "syntax": ("def test_syntax():\n    assert (", "broken", "does not parse"),
    "no fixture": ("def test_no_fixture(nowhere):\n    assert total([]) == 0", "fails", "fixture 'nowhere'"),
    "exits": ("def test_exits():\n    import os\n    os._exit(0)", "unsafe", "ended the process"),
    "leaves": ("def test_leaves():\n    raise SystemExit(0)", "fails", "SystemExit"),
    "pytest.exit": ("def test_exit():\n    pytest.exit('all well', returncode=0)", "broken", "all well"),
    "skips": ("def test_skips():\n    total([])\n    pytest.skip('later')", "vacuous", "skips itself"),
    "xfails": (
        "@pytest.mark.xfail\ndef test_xfails():\n    assert total([]) == 1", "vacuous", "expects to fail",
    ),
    "vacuous": ("def test_vacuous():\n    assert callable(total)", "vacuous", "without the code"),
    "swallows": (
        "def test_swallows():\n    try:\n        assert total([]) == 5\n    except BaseException: pass",
        "vacuous",
        "without the code",
    ),
    "environment": (
        "def test_environment():\n    import os\n    os.environ['SHOP'] = '1'\n    assert total([]) == 0",
        "unsafe",
        "environment variable SHOP",
    ),
    "folder": (
        "def test_folder():\n    import os\n    os.chdir('/')\n    assert total([]) == 0",
        "unsafe",
        "working directory",
    ),
    "thread": (
        "def test_thread():\n    import threading\n    assert total([]) == 0\n"
        "    threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "unsafe",
        "a thread running",
    ),
    "process": (
        "def test_process():\n    import os, time\n    assert total([]) == 0\n"
        "    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)",
        "unsafe",
        "a process running",
    ),
    "module": (
        "def test_module():\n    import shop.stock\n    assert total([]) == 0\n    shop.stock.total = sum",
        "unsafe",
        "shop.stock.total changed",
    ),
    "class": (
        "def test_class():\n    assert total([]) == 0\n    Stock.add = lambda self, name: 2",
        "unsafe",
        "shop.stock.Stock.add changed",
    ),
    "hash seed": (
        "def test_hash():\n    assert total([hash('abc')]) % 1000 == -4594863902769663758 % 1000",
        "flaky",
        "under another hash seed",
    ),
    "day": (
        "def test_day():\n    import datetime, time\n"
        "    now = datetime.datetime.now()\n"
        "    assert total([now.year]) == int(time.strftime('%Y', time.localtime(STARTED)))",
        "flaky",
        "on another day",
    ),
    "endless": ("def test_endless():\n    while True:\n        total([])", "slow", "CPU"),
    "another": ("def test_another():\n    total([])\n\ndef test_second(): ...", "broken", "found"),
}  # fmt: skip

#: Each brings its test module's own idea of what a pass is.
FAKES = {
    "hook": "def pytest_runtest_protocol(item, nextitem):\n    return True\n",
    "plug-in": "import _pytest.runner\n_pytest.runner.pytest_runtest_call = lambda item: None\n",
    "report": (
        "import _pytest.reports\n"
        "def passed(cls, item, call):\n"
        "    return cls(item.nodeid, item.location, {}, 'passed', None, call.when)\n"
        "_pytest.reports.TestReport.from_item_and_call = classmethod(passed)\n"
    ),
    "registered": (
        "import gc, pytest\n"
        "class Passing:\n"
        "    def pytest_pyfunc_call(self, pyfuncitem):\n"
        "        return True\n"
        "for each in gc.get_objects():\n"
        "    if isinstance(each, pytest.Session):\n"
        "        each.config.pluginmanager.register(Passing())\n"
    ),
    "assert": "import builtins\nbuiltins.AssertionError = ZeroDivisionError\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    root = write(
        tmp_path_factory.mktemp("shop"),
        {
            "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q'",
            "src/shop/__init__.py": "",
            "src/shop/stock.py": """
                _memo = {}


                def total(prices):
                    key = tuple(prices)
                    if key not in _memo:
                        _memo[key] = sum(prices)
                    return _memo[key]


                class Stock:
                    def __init__(self):
                        self.names = ["milk"]

                    def add(self, name):
                        self.names.append(name)
                        return len(self.names)
            """,
            "tests/conftest.py": """
                import pytest
                from shop.stock import Stock

                @pytest.fixture
                def stock():
                    return Stock()
            """,
            "tests/test_stock.py": "def test_stock(stock):\n    assert stock.add('tea') == 2\n",
        },
    )
    with executor(root, "src/shop/stock.py") as opened:
        yield opened


def _made(source: str, support: str = "") -> Candidate:
    import time

    source = source.replace("STARTED", str(time.time()))
    return candidate(source, "shop.stock:total", "import pytest", IMPORT, support=support)


@pytest.fixture(scope="module")
def facts(shop: Executor) -> dict[str, CandidateFacts]:
    made = {name: _made(source) for name, source in GOOD.items()}
    made |= {name: _made(source) for name, (source, _, _) in BAD.items()}
    found = shop.check(list(made.values()))
    return {name: found[each.id] for name, each in made.items()}


@pytest.mark.parametrize("name", GOOD)
def test_it_passes(facts: dict[str, CandidateFacts], name: str) -> None:
    assert (facts[name].status, facts[name].message) == ("passes", "")
    assert any(branch.endswith("enter") for branch in facts[name].branches)


@pytest.mark.parametrize("name", BAD)
def test_it_does_not_pass(facts: dict[str, CandidateFacts], name: str) -> None:
    _, status, message = BAD[name]
    assert facts[name].status == status
    assert message in facts[name].message


@pytest.mark.parametrize("name", FAKES)
def test_a_pass_that_is_faked_does_not_count(shop: Executor, name: str) -> None:
    fake = _made("def test_fake():\n    assert total([1]) == 7", FAKES[name])
    honest = _made("def test_honest():\n    assert total([7]) == 7")
    facts = shop.check([fake, honest])
    assert facts[fake.id].status in ("unsafe", "vacuous", "fails")
    assert facts[honest.id].status == "passes"


def test_nothing_may_be_written_outside(shop: Executor, tmp_path: Path) -> None:
    if not shop.mechanism or shop.mechanism == "none":
        pytest.skip("nothing confines here")
    there = tmp_path / "there"
    source = f"def test_writes():\n    assert total([]) == 0\n    open({str(there)!r}, 'w')"
    writes = _made(source)
    assert shop.check([writes])[writes.id].status == "unsafe"
    assert not there.exists()


def test_tests_that_disturb_each_other_are_told_apart(shop: Executor) -> None:
    names = "import builtins\nNAMES = builtins.__dict__.setdefault('_names', [])\n"
    first = _made(f"def test_first():\n    {_line(names)}; NAMES.append(total([1])); assert len(NAMES) == 1")
    second = _made(f"def test_second():\n    {_line(names)}; NAMES.append(total([1])); assert NAMES == [1]")
    innocent = _made("def test_innocent():\n    assert total([8]) == 8")
    facts = shop.check([first, innocent, second])
    assert sorted(facts[each.id].status for each in (first, second)) == ["flaky", "passes"]
    assert "makes test_second fail" in facts[first.id].message
    assert facts[innocent.id].status == "passes"


def _line(source: str) -> str:
    return "; ".join(source.strip().splitlines())


def test_candidates_have_columns_of_the_kill_matrix(shop: Executor) -> None:
    plain, memo = _made(GOOD["plain"]), _made(GOOD["memo"])
    method = candidate("def test_add(stock):\n    assert stock.add('x') == 2", "shop.stock:Stock.add", IMPORT)
    shop.check([plain, memo, method])
    kills = shop.kills([plain, memo, method], mutants(shop, "shop.stock"))
    by_text = {(each.mutant.before, each.mutant.after): each for each in kills.verdicts.values()}
    summed = by_text["sum(prices)", "None"]
    assert summed.status == "killed"
    assert set(summed.killers) == {plain.id, memo.id}
    assert not kills.untrusted
    milk = next(each for each in kills.verdicts.values() if "milk" in each.mutant.before)
    assert method.id in shop.facts
    assert set(milk.killers) <= {method.id}
    assert set(shop.facts[plain.id].kills) == {
        name for name, each in kills.verdicts.items() if plain.id in each.killers
    }


def test_an_empty_project_can_have_its_first_test(tmp_path: Path) -> None:
    root = write(tmp_path, {"pyproject.toml": "", "mod.py": "def one():\n    return 1\n"})
    first = candidate("def test_one():\n    assert one() == 1", "mod:one", "from mod import one")
    with executor(root, "mod.py") as opened:
        assert opened.existing().tests == ()
        assert opened.check([first])[first.id].status == "passes"
        kills = opened.kills([first], mutants(opened, "mod"))
    assert {each.killers for each in kills.verdicts.values()} == {(first.id,)}

from __future__ import annotations

from pytest_moa.search.execution import Runner, differing
from pytest_moa.search.hunt import Hunt
from pytest_moa.search.program import Argument, Program, Step
from pytest_moa.search.shrinking import shrunk
from pytest_moa.values import Expression

from .hunting import hunt_over, loaded


def _call(callee: str, *sources: str, **named: str) -> Program:
    arguments = [Argument("", Expression(source)) for source in sources]
    arguments += [Argument(name, Expression(source)) for name, source in named.items()]
    return Program(callee, (Step(callee, tuple(arguments)),))


def _tried(hunt: Hunt, count: int) -> list[str]:
    for _ in range(count):
        hunt.consider(hunt.next_program())
    return [known.program.source for known in hunt.killers]


def test_equal_seeds_search_alike() -> None:
    # Only the time limit may tell two searches apart: no program but an endless one meets this one.
    with hunt_over(seed=3, seconds=1) as first:
        found = _tried(first, 150)
    with hunt_over(seed=3, seconds=1) as second:
        assert _tried(second, 150) == found
    assert found


def test_a_program_is_kept_for_new_branches_and_for_kills() -> None:
    with hunt_over() as hunt:
        known = hunt.consider(_call("label", '"hello world"', "5"))
        assert known is not None
        assert known.kills
        assert known.kills.isdisjoint(hunt.rivals.live)
        assert hunt.consider(_call("label", '"hello world"', "5")) is None


def test_shrinking_keeps_the_kills_and_likes_words() -> None:
    with hunt_over() as hunt:
        known = hunt.consider(_call("label", '"xq\\x07zz]]]{{{ \\tvv"', "3", upper="True"))
        assert known is not None
        wanted = frozenset(name for name in known.kills if hunt.rivals.mutants[name].before == "...")
        wanted = wanted or frozenset(sorted(known.kills)[:3])
        small = shrunk(hunt, known, wanted)
        assert hunt.cost_of(small.program) < hunt.cost_of(known.program)
        assert "\\x07" not in small.program.source
        for name in wanted:
            assert hunt.tells(small.program, small.facts, name, small.seconds)


def test_two_versions_differ_where_a_caller_sees_it() -> None:
    program = _call("half", "5")
    with (
        loaded("def half(n):\n    return n // 2\n", "base") as base,
        loaded("def half(n):\n    return n / 2\n", "head") as head,
    ):
        facts = Runner(base).run(program).facts
        assert differing(facts, Runner(head).run(program).facts) == {(0, "{}")}
        assert differing(facts, Runner(base).run(program).facts) == set()


def test_an_endless_loop_is_ended() -> None:
    with loaded("def spin():\n    while True:\n        pass\n", "spinning") as module:
        assert Runner(module, seconds=0.05).run(_call("spin")).timed_out


def test_generators_are_driven_to_a_bound() -> None:
    with hunt_over() as hunt:
        found = hunt.run_original(_call("countdown", "3"))
        assert found is not None
        assert found[0].source == "list(countdown(3))"
        endless = hunt.run_original(_call("forever"))
        assert endless is not None
        assert endless[0].source == "list(islice(forever(), 10))"


def test_a_wrong_call_is_no_finding() -> None:
    with hunt_over() as hunt:
        assert hunt.run_original(_call("label")) is None


def test_what_depends_on_the_clock_is_not_a_fact() -> None:
    with hunt_over() as hunt:
        found = hunt.run_original(_call("opened_at"))
        assert found is not None
        assert hunt.stable(found[0], found[1].facts) == {}
        held = hunt.clocks.held(found[0])
        assert held is not None
        facts = hunt.runner.run(held).facts
        assert facts
        assert hunt.stable(held, facts) == facts


def test_programs_leave_nothing_behind() -> None:
    source = (
        "RULES = ['a']\nMEMO = {}\nCOUNT = 0\n"
        "def add(rule):\n    RULES.insert(0, rule)\n    return len(RULES)\n"
        "def count():\n    global COUNT\n    COUNT += 1\n    return COUNT\n"
        "def square(n):\n    return MEMO.setdefault(n, n * n)\n"
    )
    with loaded(source, "leaking") as module:
        runner = Runner(module)
        for callee, arguments, leaks in (
            ("add", ["'b'"], True),
            ("count", [], True),
            ("square", ["3"], False),
        ):
            first, second = (runner.run(_call(callee, *arguments)) for _ in range(2))
            assert first.facts == second.facts
            assert first.leaks is leaks
        assert (module.RULES, module.MEMO, module.COUNT) == (["a"], {}, 0)

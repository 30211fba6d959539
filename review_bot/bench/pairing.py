"""`moa bench --pairs FILE`: two committees' plain answers, judged pairwise by a jury in both orders.

Prompts with a second turn are graded too, as MT-Bench does. Both committees' answers are also written in
AlpacaEval's format, so that its own harness can judge them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from moa_engine.bench.pairs import Judgement, alpaca_outputs, pairs
from moa_engine.bench.two_turns import Grade, grade_in, two_turns
from moa_engine.errors import ConfigError
from review_bot.bench.cases import write_json
from review_bot.bench.judge_task import JudgeTask, preference_in
from review_bot.bench.measuring import INTERRUPTED, OK, PARTIAL, bench_session, command_line
from review_bot.bench.prompt_file import Asked, read_prompts
from review_bot.bench.results import PAIRS_FORMAT
from review_bot.bench.running import now
from review_bot.bench.telling import Told, say

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.plan import Plan
    from moa_engine.session import Session
    from moa_engine.task import Task

#: An answer of usual length, for the price of judging it before it is there.
_USUAL = "word " * 300

#: Answers by prompt, a text a turn.
Answers = Mapping[str, Sequence[str]]


def pair(args: argparse.Namespace) -> int:
    """Ask both committees everything, have the jury judge it, write and say what comes of it."""
    prompts = read_prompts(args.pairs)
    first, second = args.committee, args.against
    if not first or not second or first == second:
        raise ConfigError(
            "--pairs compares two committees: name both",
            hint="moa bench --pairs prompts.txt --committee local --against single --jury moa-lite",
        )
    if args.plan:
        print(_plan(args, prompts).to_text(), end="")
        return OK
    answers = []
    for name in (first, second):
        given = _answered(args, name, prompts)
        if given is None:
            say("interrupted; the same command goes on where it was")
            return INTERRUPTED
        answers.append(given)
        file = args.output.with_name(f"{args.output.stem}.{name}.json")
        flat = [(prompt.turns[0], given[prompt.id][0]) for prompt in prompts if prompt.id in given]
        write_json(file, alpaca_outputs(flat, name))
        say(f"wrote the answers of {name} for AlpacaEval: {file}")
    judged = _judged(args, prompts, answers)
    if judged is None:
        say("interrupted; the same command goes on where it was")
        return INTERRUPTED
    result = {
        "format": PAIRS_FORMAT,
        "made": {"version": version("pytest-moa"), "when": now(), "command": command_line()},
        "committees": [first, second],
        "prompts": [
            {
                "id": one.id,
                "turns": list(one.turns),
                "answers": [list(given.get(one.id, ())) for given in answers],
            }
            for one in prompts
        ],
        **judged,
    }
    write_json(args.output, result)
    for line in in_words(result):
        print(line)
    say(f"wrote {args.output}")
    whole = all(prompt.id in given for given in answers for prompt in prompts)
    return OK if whole and not result["unjudged"] else PARTIAL


def in_words(result: Mapping[str, Any]) -> Iterator[str]:
    """Who is preferred, and how sure that is."""
    first, second = result["committees"]
    measured = result["measures"]
    rate, controlled = measured["win_rate"], measured["length_controlled"]
    if rate is None:
        yield "no pair was judged"
        return
    yield f"{first} is preferred to {second} in {_share(rate)} of {measured['n']} prompts"
    if controlled is not None:
        yield f"were the answers of one length: {_share(controlled)} (mean lengths {measured['mean_length']})"
    orders = measured["both_orders"]
    yield f"the same in both orders: {orders['wins']} won, {orders['losses']} lost, {orders['ties']} ties"
    for juror, bias in measured["position_bias"].items():
        yield f"{juror} prefers what stands first in {bias['prefers_first']:.0%}"
    if not measured["enough"]:
        yield f"not enough to say who is better: {measured['why']}"
    for name, grades in result["two_turns"].items():
        if overall := grades["overall"]:
            turns = [grades[turn] for turn in ("first_turn", "second_turn")]
            shown = ", then ".join("-" if turn is None else f"{turn['value']:.1f}" for turn in turns)
            yield f"{name}: {overall['value']:.1f} of 10 ({shown})"


def _share(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.0%} ({estimate['low']:.0%} to {estimate['high']:.0%})"


def _seat(session: Session) -> Committee:
    from moa_engine.committee import build_committee, require_models

    committee = build_committee(session.settings, session.plugins)
    require_models(committee)
    return committee


def _jury(session: Session) -> Committee:
    """All models of a committee, each by itself."""
    committee = _seat(session)
    names = tuple(name for name, member in committee.members.items() if member.reads == "messages")
    members = {name: committee.members[name] for name in names}
    return replace(committee, members=members, layers=(names,), aggregators=())


def _answered(args: argparse.Namespace, name: str, prompts: Sequence[Asked]) -> dict[str, list[str]] | None:
    """A committee's answers, turn by turn; None when it was interrupted. What failed is not there."""
    from moa_engine.ask import AskTask

    answers: dict[str, list[str]] = {}
    with bench_session(args, committee=name) as (session, _):
        for turn in (0, 1):
            asked = [one for one in prompts if len(one.turns) > turn and len(answers.get(one.id, ())) == turn]
            tasks = [
                AskTask(session.redactor.mask(_conversation(one, answers.get(one.id, ())))) for one in asked
            ]
            outcomes = _run(args, session, tasks, _seat, f"{name} on prompt")
            if len(outcomes) < len(tasks):
                return None
            for one, outcome in zip(asked, outcomes, strict=True):
                if outcome.result is not None:
                    answers.setdefault(one.id, []).append(outcome.result)
    return answers


def _conversation(asked: Asked, said: Sequence[str]) -> str:
    """The question of the next turn, with what was said before."""
    if not said:
        return asked.turns[0]
    return f"I asked: {asked.turns[0]}\n\nYou answered: {said[0]}\n\nNow: {asked.turns[1]}"


def _judged(
    args: argparse.Namespace, prompts: Sequence[Asked], answers: Sequence[Answers]
) -> dict[str, Any] | None:
    """What the jury says; None when it was interrupted."""
    both = [one for one in prompts if all(given.get(one.id) for given in answers)]
    with bench_session(args, committee=args.jury) as (session, _):
        ordered = [(one, first_shown) for one in both for first_shown in (True, False)]
        tasks = [_pair_task(one, [given[one.id][0] for given in answers], shown) for one, shown in ordered]
        outcomes = _run(args, session, tasks, _jury, "jury on pair")
        graded = [
            (name, one, turn)
            for name, given in zip((args.committee, args.against), answers, strict=True)
            for one in prompts
            if len(one.turns) > 1
            for turn in range(len(given.get(one.id, ())))
        ]
        by_name = dict(zip((args.committee, args.against), answers, strict=True))
        grading = [_grade_task(one, by_name[name][one.id], turn) for name, one, turn in graded]
        grades = _run(args, session, grading, _jury, "jury on answer")
    if len(outcomes) < len(tasks) or len(grades) < len(grading):
        return None
    judgements, unjudged = [], 0
    for (one, shown), outcome in zip(ordered, outcomes, strict=True):
        for juror, words in (outcome.result or {}).items():
            preferred = preference_in(words)
            if preferred is None:
                unjudged += 1
            else:
                judgements.append(Judgement(one.id, juror, shown, preferred if shown else 1 - preferred))
    lengths = {one.id: (len(answers[0][one.id][0]), len(answers[1][one.id][0])) for one in both}
    return {
        "judgements": [
            {
                "prompt": one.prompt,
                "juror": one.juror,
                "first_shown": one.first_shown,
                "preference": one.preference,
            }
            for one in judgements
        ],
        "unjudged": unjudged,
        "measures": pairs(judgements, lengths),
        "two_turns": {
            name: two_turns(
                [
                    Grade(one.id, turn + 1, grade_in(words))
                    for (of, one, turn), outcome in zip(graded, grades, strict=True)
                    if of == name
                    for words in (outcome.result or {"": ""}).values()
                ]
            )
            for name in by_name
            if any(of == name for of, _, _ in graded)
        },
    }


def _pair_task(asked: Asked, answers: Sequence[str], first_shown: bool) -> JudgeTask:
    one, other = answers if first_shown else reversed(answers)
    return JudgeTask("judge-pair", {"request": asked.turns[0], "first": one, "second": other})


def _grade_task(asked: Asked, said: Sequence[str], turn: int) -> JudgeTask:
    before = [f"asked: {asked.turns[0]}"]
    if turn:
        before += [f"answered: {said[0]}", f"asked: {asked.turns[1]}"]
    return JudgeTask("grade-answer", {"conversation": "\n\n".join(before), "answer": said[turn]})


def _run(
    args: argparse.Namespace,
    session: Session,
    tasks: Sequence[Task[Any]],
    seat: Callable[[Session], Committee],
    what: str,
) -> list[Any]:
    from moa_engine.session import plan_for
    from moa_engine.terminal import progress
    from review_bot.bench.running import run_tasks, summed

    if not tasks:
        return []
    told = Told(len(tasks), quiet=args.quiet, what=what)
    told.plan(summed([plan_for(session, task, seat(session)) for task in tasks]))
    with progress(quiet=args.quiet) as observer:
        return run_tasks(
            session, [(task, lambda: seat(session)) for task in tasks], observer=observer, told=told
        )


def _plan(args: argparse.Namespace, prompts: Sequence[Asked]) -> Plan:
    """What all of it would take; answers that are not there yet are taken to be of usual length."""
    from moa_engine.ask import AskTask
    from moa_engine.session import plan_for
    from review_bot.bench.running import summed

    plans = []
    for name in (args.committee, args.against):
        with bench_session(args, committee=name) as (session, _):
            for one in prompts:
                said: list[str] = []
                for _ in one.turns:
                    task = AskTask(session.redactor.mask(_conversation(one, said)))
                    plans.append(plan_for(session, task, _seat(session)))
                    said.append(_USUAL)
    with bench_session(args, committee=args.jury) as (session, _):
        for one in prompts:
            usual = [_USUAL] * len(one.turns)
            judging = [_pair_task(one, [_USUAL, _USUAL], shown) for shown in (True, False)]
            if len(one.turns) > 1:
                judging += [_grade_task(one, usual, turn) for turn in (0, 1)] * 2
            plans += [plan_for(session, task, _jury(session)) for task in judging]
    return summed(plans)

"""Everything a command needs around a run: settings, plug-ins, record, prices, egress, budget, Ctrl-C.

`moa ask`, `review-bot review` and the pytest plug-in all go through here, so that the same rules
hold for all of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from moa_engine.errors import BudgetExceeded, ConfigError, RecordError
from moa_engine.progress import Event, Observer

if TYPE_CHECKING:
    import pluggy

    from moa_engine.attempt import Attempt
    from moa_engine.committee import Committee
    from moa_engine.config import Price, Section, Settings
    from moa_engine.config_sources import Source
    from moa_engine.member import Member
    from moa_engine.outcome import Outcome
    from moa_engine.plan import Plan
    from moa_engine.record import Record
    from moa_engine.redaction import Redactor
    from moa_engine.task import Question, Task

ResultT = TypeVar("ResultT")

#: Calls at once from which the aiohttp transport, where it is installed, is worth its import.
MANY = 6


@dataclass(frozen=True, slots=True)
class Session:
    """What the commands of one process share."""

    settings: Settings
    sections: Mapping[str, Section]
    plugins: pluggy.PluginManager
    record: Record
    redactor: Redactor


@contextmanager
def open_session(
    *,
    start: Path,
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    above: Sequence[Source] = (),
    existing: bool = False,
) -> Iterator[Session]:
    """Load plug-ins and settings (see `load_settings`), open the record, and close it at the end.

    The keys of all members that could be chosen are masked from here on: texts are masked and put
    down before the committee is built. With `existing` a record that is not there is not made.

    Raises:
        ConfigError: a setting or a plug-in is wrong.
        RecordError: the record is not there, or cannot be opened or written.
    """
    from moa_engine.config_files import load_settings
    from moa_engine.plugins import load_plugins
    from moa_engine.record import Record
    from moa_engine.redaction import Redactor, is_secret

    plugins = load_plugins(environ)
    loaded = load_settings(
        start=start, config=config, environ=environ, flags=flags or {}, above=above, plugins=plugins
    )
    settings = loaded.settings
    redactor = Redactor(detect=partial(_detected, plugins))
    for variable in _key_variables(settings):
        if is_secret(key := environ.get(variable, "").strip()):
            redactor.learn(key)
    path = Path(settings.record).expanduser() if settings.record else Record.default_path()
    if existing and not path.exists():
        raise RecordError(f"There is no record {path}.", hint="--record or MOA_RECORD names another one")
    with Record(path) as record:
        yield Session(settings, loaded.sections, plugins, record, redactor)


def plan_for(session: Session, task: Task[Any], committee: Committee) -> Plan:
    """What the run would cost, before any call; refuses what must not be started.

    Raises:
        ConfigError: no member takes part in such a task.
        EgressRefused: a member's host is not allowed.
    """
    from moa_engine.egress import Egress
    from moa_engine.plan import plan_run

    committee = committee.at(task.name)
    egress = Egress(session.settings.local_only, session.settings.allow_hosts)
    for member in committee.members.values():
        if member.endpoint:
            egress.check(member.endpoint, member=member.name)
    known = {name: _latencies(session.record, member) for name, member in committee.members.items()}
    is_cached = partial(_is_cached, session, task) if session.settings.cache else None
    return plan_run(
        task,
        committee,
        session.settings,
        latencies=lambda member: known[member.name],
        is_cached=is_cached,
        seed=_seed(session, task),
    )


def run_task(
    session: Session,
    task: Task[ResultT],
    committee: Committee,
    plan: Plan,
    observer: Observer | None = None,
) -> Outcome[ResultT]:
    """Run a task to its outcome. The first Ctrl-C ends it with the best partial result.

    Raises what `conduct` does.
    """
    gc.freeze()  # what start-up made stays: a full collection in the middle of a run costs 45 ms
    gc.enable()
    return asyncio.run(conduct(session, task, committee, plan, observer))


async def conduct(
    session: Session,
    task: Task[ResultT],
    committee: Committee,
    plan: Plan,
    observer: Observer | None = None,
    stop: asyncio.Event | None = None,
) -> Outcome[ResultT]:
    """`run_task` for who has an event loop already.

    Setting `stop` ends the run with the best partial result; without one, the first Ctrl-C does.

    Raises:
        ConfigError: a member cannot be asked (no key, no model file, egress rules).
        Unpriced: a hosted member has no known price, and the settings do not allow that.
        BudgetExceeded: the first layer alone could cost more than the budget.
        RecordError: the record cannot be written; nothing has been called.
        MaskingFailed: a detector of secrets failed; the text was not sent.
    """
    from moa_engine.budget import Budget
    from moa_engine.caller import Caller
    from moa_engine.pacing import Pace
    from moa_engine.plan import check_prices
    from moa_engine.prices import price_of
    from moa_engine.run import Run, new_run_id

    committee = committee.at(task.name)
    settings = session.settings
    observer = observer or _unobserved
    members = committee.members.values()
    for member in members:
        for secret in member.secrets:
            session.redactor.learn(secret)
    prices: dict[str, Price | None] = {member.name: price_of(member) for member in members}
    seed = _seed(session, task)
    warnings: list[str] = []
    caller = Caller(
        run=new_run_id(),
        record=session.record,
        budget=Budget(_limit(settings)),
        pace=Pace(),
        mask=session.redactor.mask,
        prices=prices,
        latencies={member.name: _latencies(session.record, member) for member in members},
        attempts=settings.attempts,
        hedge=settings.stragglers.hedge,
        use_cache=settings.cache,
        seed=seed,
        observer=observer,
        announce=_announcer(session.plugins, warnings.append),
    )
    run = Run(
        task,
        committee,
        caller=caller,
        record=session.record,
        stragglers=settings.stragglers,
        plan=plan,
        seed=seed,
        observer=observer,
        version=version("pytest-moa"),
        masked=lambda: session.redactor.masked,
        warnings=warnings,
    )
    if any(member.reads == "messages" for member in members):
        _choose_transport(settings, committee)
    try:
        await committee.open()
        check_prices(plan, settings)
        _check_budget(session, task, committee)
        if stop is not None:
            return await run.execute(stop)
        with stopped_by_ctrl_c() as interrupted:
            return await run.execute(interrupted)
    finally:
        await committee.aclose()


def _check_budget(session: Session, task: Task[Any], committee: Committee) -> None:
    """Refuse a run that could not even ask its first layer: its calls are reserved at the same time."""
    limit = _limit(session.settings)
    if limit is None:
        return
    from moa_engine.budget import answer_limit, worst_cost
    from moa_engine.ledger import Ledger
    from moa_engine.prices import dollars, price_of
    from moa_engine.tokens import TokenEstimator

    estimator = TokenEstimator()
    needed = Decimal(0)
    for name in committee.layers[0]:
        member = committee.members[name]
        price = price_of(member)
        if price is None or member.reads == "subject":
            continue
        for question in task.questions(member, 1, Ledger(seed=_seed(session, task))):
            text = "\n".join(message.content for message in question.messages)
            worst = worst_cost(price, estimator.estimate(text, member.model), answer_limit(member.parameters))
            needed += sum(
                worst
                for sample in range(member.samples)
                if not (session.settings.cache and _is_cached(session, task, member, question, sample))
            )
    if needed > limit:
        raise BudgetExceeded(
            f"the first layer alone could cost {dollars(needed)}, more than the budget of {dollars(limit)}",
            hint="see the plan with --plan; raise the budget, lower the members' max_tokens, or take fewer",
        )


def _seed(session: Session, task: Task[Any]) -> int:
    from moa_engine.run import seed_of

    return seed_of(task) if session.settings.seed is None else session.settings.seed


def _limit(settings: Settings) -> Decimal | None:
    return None if settings.budget is None else Decimal(str(settings.budget))


@contextmanager
def stopped_by_ctrl_c() -> Iterator[asyncio.Event]:
    """An event that the first Ctrl-C sets; the second one raises KeyboardInterrupt as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)

    def first_time(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(stop.set)

    try:
        signal.signal(signal.SIGINT, first_time)
    except ValueError:  # not the main thread: whoever runs us there handles signals
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _key_variables(settings: Settings) -> set[str]:
    """The variables that hold keys of members, of all committees and presets."""
    from moa_engine.presets import preset_members

    groups = [settings.members, preset_members(), *(c.members for c in settings.committees.values())]
    named = {
        str(table["api_key_env"]) for group in groups for table in group.values() if "api_key_env" in table
    }
    return named | ({settings.api_key_env} if settings.api_key_env else set())


def _latencies(record: Record, member: Any) -> list[float]:
    return record.latencies(member.name, member.model, member.endpoint)


def _detected(plugins: pluggy.PluginManager, text: str) -> list[str]:
    return [secret for found in plugins.hook.moa_redact(text=text) for secret in found]


def _announcer(plugins: pluggy.PluginManager, warn: Callable[[str], None]) -> Callable[[Attempt], None]:
    """Tells every observer of each attempt. One that fails costs no run: it is named once, and left out."""
    from moa_engine.plugins import generation_observers

    observers = generation_observers(plugins)

    def announce(attempt: Attempt) -> None:
        for name, observe in list(observers.items()):
            try:
                observe(attempt)
            except Exception as error:  # whatever the plug-in's own code raises
                del observers[name]
                warn(f"the plug-in {name} failed in moa_generation: {type(error).__name__}: {error}")

    return announce


def _unobserved(event: Event) -> None:
    """Nobody watches the run."""


def _choose_transport(settings: Settings, committee: Committee) -> None:
    """Let `transport = "auto"` take the one for many calls where many run at once."""
    from moa_engine import _transport

    members = committee.members
    widest = max(sum(members[name].samples for name in names) for names in committee.layers)
    _transport.shared(settings.transport, many=widest >= MANY)


def _is_cached(session: Session, task: Task[Any], member: Member, question: Question, sample: int) -> bool:
    """Whether the record has the answer to a question of the first layer."""
    from moa_engine.attempt import request_key
    from moa_engine.request import request_of

    request = request_of(
        member,
        question,
        sample,
        task.answer_type(1),
        task.subject,
        task.subject_digest,
        session.redactor.mask,
    )
    return session.record.find(request_key(member, request)) is not None


def find_task(session: Session, name: str) -> type[Task[Any]]:
    """The kind of task with this name.

    Raises:
        ConfigError: no plug-in knows it.
    """
    from moa_engine.plugins import task_types

    known = task_types(session.plugins)
    if name not in known:
        raise ConfigError(
            f"this record has a run of the task {name!r}, which no installed plug-in knows",
            hint=f"known tasks: {', '.join(sorted(known))}",
        )
    return known[name]

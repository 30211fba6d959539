"""The part of the plug-in that leads: it asks for suggestions when the tests have run, and shows them."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from moa_engine.errors import MoaError
from moa_engine.printable import printable
from pytest_moa.project import Project
from pytest_moa.session.accepting import accept_all, placed, placing_of
from pytest_moa.session.kept import keep, kept
from pytest_moa.session.options import Options
from pytest_moa.session.progressing import progress
from pytest_moa.session.recording import Recorder, Recording
from pytest_moa.session.reports import write_report
from pytest_moa.session.request import reaching_files, request_of
from pytest_moa.session.reviewing import review
from pytest_moa.session.showing import HOW_TO_ACCEPT, show
from pytest_moa.session.targets import Chosen, dumped
from pytest_moa.session.watching import KEY
from pytest_moa.suggestions import Effort, JudgedCandidate, Progress, Suggestions, SuggestRequest

#: After these exit codes the tests have run, whatever came of them.
_RAN = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)

_NOT_KEPT = "pytest has no cache to keep them in: add --moa-accept, or --moa-report FILE for --moa-merge"


class Suggesting:
    """Registered with `--moa`, in the session itself or on the controller of pytest-xdist."""

    def __init__(
        self,
        config: pytest.Config,
        options: Options,
        effort: Effort,
        project: Project,
        chosen: Chosen,
        recorder: Recorder,
        header: str,
    ) -> None:
        self._config = config
        self._options = options
        self._effort = effort
        self._project = project
        self._chosen = chosen
        self._recorder = recorder
        self._header = header
        self._from_workers = Recording()
        self._warnings: list[str] = []
        self._done = False
        self._fails = False
        self._crash = ""

    def pytest_report_header(self) -> str:
        """Who suggests, and what confines."""
        return self._header

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker the targets."""
        node.workerinput[KEY] = dumped(self._chosen.targets)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker saw."""
        seen = getattr(node, "workeroutput", {}).get(KEY)
        if seen is None:
            self._warnings.append(f"worker {node.gateway.id} crashed: what its tests do is not known")
        else:
            self._from_workers.merge(Recording.loads(seen))

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session: it knows whether it was stopped."""
        self._session = session

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter, exitstatus: int) -> None:
        """Suggest after the failures were shown: the user reads them meanwhile."""
        self._done = True
        if exitstatus not in _RAN:
            terminalreporter.write_line("moa: nothing is suggested: the session did not get to its end")
            return
        try:
            self._conclude(terminalreporter)
        except KeyboardInterrupt:
            terminalreporter.write_line("")
            terminalreporter.write_line("moa: interrupted; pytest --moa-accept writes what was found")

    def _conclude(self, terminalreporter: TerminalReporter) -> None:
        found = self._suggestions()
        run = kept(found, self._config.rootpath)
        is_kept = not found.plan and keep(self._config, run)
        accepts = self._options.accept or self._options.review
        show(terminalreporter, found, accept=HOW_TO_ACCEPT if is_kept and not accepts else "")
        if found.suggestions and self._options.accept:
            accept_all(self._config, terminalreporter, run)
        elif found.suggestions and self._options.review:
            review(self._config, terminalreporter, run)
        elif found.suggestions and not is_kept:
            terminalreporter.write_line(_NOT_KEPT)
        for line in self._crash.splitlines():
            terminalreporter.write_line(printable(line))
        if why := self._too_weak(found):
            terminalreporter.write_line(f"moa: FAIL: {why}", red=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Without a terminal section, suggest here; fail the session if that was asked for."""
        result = yield
        if not self._done and session.exitstatus in _RAN:
            found = self._suggestions()
            keep(self._config, kept(found, self._config.rootpath))
            self._too_weak(found)
        if self._fails and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_moa_suggest(self, request: SuggestRequest, progress: Any) -> Suggestions:
        """Ask the committee."""
        from pytest_moa.suggest.run import suggest

        return suggest(request, progress)

    def _suggestions(self) -> Suggestions:
        """What comes of it all: never an error, always something for the report."""
        with warnings.catch_warnings():  # the user's filters, `error` perhaps, are for the user's tests
            warnings.simplefilter("ignore")
            found = self._asked()
        found = replace(found, warnings=(*self._warnings, *found.warnings))
        if self._options.report is not None:
            try:
                write_report(self._options.report, found)
            except OSError as error:
                why = f"the report {self._options.report} was not written: {error.strerror or error}"
                found = replace(found, warnings=(*found.warnings, why))
        return found

    def _asked(self) -> Suggestions:
        skipped = self._chosen.skipped
        if not self._chosen.targets:
            nothing = (self._chosen.nothing,) if self._chosen.nothing else ()
            return Suggestions(status="nothing", warnings=nothing, skipped=skipped)
        if self._session.shouldfail or self._session.shouldstop:
            self._warnings.append("the session ended early: what the other tests do is not known")
        seen = self._recorder.result()
        seen.merge(self._from_workers)
        targets = list(self._chosen.targets)
        request, more = request_of(self._config, self._options, self._effort, self._project, targets, seen)
        skipped = (*skipped, *more)
        found = self._run(request) if request.targets else Suggestions(status="nothing")
        found = replace(found, skipped=(*skipped, *found.skipped))
        if not request.plan:
            keep(self._config, kept(found, self._config.rootpath))  # whatever happens from here on
        problems: list[str] = []
        found = self._without_unwanted(found)
        suggestions = placed(placing_of(self._config), found, reaching_files(request), problems)
        return replace(found, suggestions=tuple(suggestions), warnings=(*found.warnings, *problems))

    def _run(self, request: SuggestRequest) -> Suggestions:
        latest = Suggestions(status="interrupted", warnings=("interrupted before anything was found",))
        try:
            with progress() as shown:

                def observe(step: Progress) -> None:
                    nonlocal latest
                    if step.so_far is not None:
                        latest = replace(step.so_far, status="interrupted")
                    shown(step)

                found = self._config.hook.pytest_moa_suggest(
                    config=self._config, request=request, progress=observe
                )
        except KeyboardInterrupt:
            return latest
        except MoaError as error:
            return Suggestions(status="nothing", warnings=(str(error),))
        except Exception as error:  # ours or another plug-in's: it must not cost the user the tests' summary
            self._crash = traceback.format_exc()
            why = f"the suggestions failed, which is a mistake in them: {type(error).__name__}: {error}"
            return replace(latest, warnings=(why,), status="partial" if latest.suggestions else "nothing")
        assert isinstance(found, Suggestions)  # the built-in implementation answers if nobody else does
        return found

    def _without_unwanted(self, found: Suggestions) -> Suggestions:
        """Leave out what another plug-in has a reason against; the reason becomes the candidate's fate."""
        unwanted: dict[str, str] = {}
        for one in found.suggestions:
            hook = self._config.hook.pytest_moa_candidate
            if reasons := hook(config=self._config, candidate=one.candidate, facts=one.facts):
                unwanted[one.id] = reasons[0]
        left = tuple(one for one in found.suggestions if one.id not in unwanted)
        candidates = tuple(_fated(one, unwanted.get(one.id)) for one in found.candidates)
        return replace(found, suggestions=left, candidates=candidates)

    def _too_weak(self, found: Suggestions) -> str:
        """Why the session fails for its mutation score, "" if it does not."""
        least = self._options.fail_under
        score = found.score_after if self._options.accept else found.score
        if least is None or score is None or score * 100 >= least:
            return ""
        self._fails = True
        return f"the tests kill {score:.1%} of the targets' mutants, --moa-fail-under wants {least:g}%"


def _fated(candidate: JudgedCandidate, fate: str | None) -> JudgedCandidate:
    return candidate if fate is None else replace(candidate, fate=fate)

"""The server's page: what runs, waits and failed, how members do, what it costs, and who said what.

Rendered here, without scripts. Each request asks the database in a thread of Starlette's own pool.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from moa_engine.errors import MoaError
from moa_engine.printable import printable
from review_bot.formats.wording import evidence, money
from review_bot.server import bench_rows, charts, health, history
from review_bot.server.access import Access
from review_bot.server.database import Database
from review_bot.server.rendering import Links, render, seconds, static
from review_bot.server.run_view import LISTED, timeline, title, view

#: Runs on one page of the list, and on the overview.
_PAGE, _LATEST = 40, 12

#: Days of cost that are shown.
_DAYS = 14

#: Seconds after which the overview is loaded anew while something happens.
_REFRESH = 20

#: Characters of an answer that stand on a run's page.
_EXCERPT = 800

#: Bytes of a form: the id of a job.
_FORM = 4_096

_MEDIA = {"css": "text/css", "svg": "image/svg+xml"}


class Queue(Protocol):
    """What the page needs of the queue."""

    def run_again(self, job_id: str) -> str:
        """Queue a failed job once more; the new job's id.

        Raises:
            MoaError: it cannot be run again.
        """


def routes(database: Database, queue: Queue, access: Access, *, server_url: str) -> list[Route]:
    """The page's routes; none where no password is set. Links lead to `server_url` and nowhere else."""
    if not access.on:
        return []
    pages = Pages(database, queue, Links(server_url))
    guard = [access.guard()]
    shown: list[tuple[str, Callable[[Request], Response]]] = [
        ("/", pages.overview),
        ("/runs", pages.runs),
        ("/runs/{run}", pages.run),
        ("/runs/{run}/said/{generation}", pages.said),
        ("/runs/{run}/record.json", pages.record),
        ("/members", pages.members),
        ("/static/{name}", pages.static),
    ]
    again = Route("/again", pages.again, methods=["POST"], middleware=guard, max_body_size=_FORM)
    return [*(Route(path, page, middleware=guard) for path, page in shown), again]


@dataclass(frozen=True, slots=True)
class Pages:
    """One method for each page."""

    database: Database
    queue: Queue
    links: Links

    def overview(self, request: Request) -> Response:
        now = time.time()
        state = history.queue(self.database, now)
        days = history.days(self.database, now, _DAYS)
        members = health.members(self.database, now - history.DAY)
        benches = bench_rows.overview(self.database)
        busy = state.running or state.waiting or state.held or benches.busy
        still = "still" in request.query_params
        return self._page(
            "overview.html",
            here="/",
            now=now,
            queue=state,
            benches=benches,
            answered=history.answered(self.database, [job.id for job in state.running]),
            days=days,
            today=days[-1],
            cost_chart=_cost_chart(days),
            latency_chart=_latency_chart(members),
            members=members,
            runs=history.runs(self.database, limit=_LATEST),
            quiet=history.quiet(self.database, _LATEST),
            refresh=_REFRESH if busy and not still else 0,
            still=still,
            again=history.job_known(self.database, _asked(request, "again")),
        )

    def runs(self, request: Request) -> Response:
        repository = _asked(request, "repository")
        number, before = _whole(_asked(request, "number")), _time(_asked(request, "before"))
        found = history.runs(
            self.database, limit=_PAGE + 1, before=before, repository=repository, number=number
        )
        older = ""
        if len(found) > _PAGE:
            last = repr(found[_PAGE - 1].started)
            older = "/runs?" + urlencode({"repository": repository, "number": number or "", "before": last})
        return self._page(
            "runs.html",
            here="/runs",
            now=time.time(),
            runs=found[:_PAGE],
            older=older,
            repository=repository,
            number=number,
            before=before,
        )

    def run(self, request: Request) -> Response:
        record = self._record(request)
        if record is None:
            return self._no_run()
        document = record.document
        rows = timeline(document)
        length = max((stretch.end for _, _, own in rows for stretch in own), default=0.0)
        about = f"{len(rows)} members in {seconds(length)}"
        return self._page(
            "run.html",
            here="",
            record=record,
            document=document,
            view=view(record),
            review=document["review"],
            frames=document["frames"],
            chart=charts.timeline("timeline", "Who was asked when", about, rows, length) if rows else "",
            title=title,
            evidence=evidence,
            LISTED=LISTED,
            EXCERPT=_EXCERPT,
        )

    def said(self, request: Request) -> Response:
        record, generation = self._record(request), request.path_params["generation"]
        attempts = record.document["attempts"] if record else []
        found = next((one for one in attempts if one["id"] == generation), None)
        return PlainTextResponse(printable(found["text"]) + "\n") if found else self._no_run()

    def record(self, request: Request) -> Response:
        record = self._record(request)
        if record is None:
            return self._no_run()
        document = {name: value for name, value in record.document.items() if name != "stored"}
        name = re.sub(r"[^\w-]", "_", record.run, flags=re.ASCII)
        return Response(
            json.dumps({**document, "members": record.members}, indent=1),
            media_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="run-{name}.json"'},
        )

    def members(self, _request: Request) -> Response:
        now = time.time()
        days = history.days(self.database, now, _DAYS)
        costs = health.costs(self.database, now - _DAYS * history.DAY)
        names = sorted({name for own in costs.values() for name in own})
        return self._page(
            "members.html",
            here="/members",
            now=now,
            members=health.members(self.database, now - history.DAY),
            days=days,
            costs=costs,
            names=names,
            cut_off={day.date: _rest(day.cost, costs.get(day.date, {})) for day in days},
        )

    async def again(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        job = _storable(form.get("job", [""])[0])
        try:
            new = await run_in_threadpool(self.queue.run_again, job)
        except MoaError as error:
            return self._problem("It cannot be run again", error.message, error.hint, 409)
        return RedirectResponse("/?" + urlencode({"again": new}), 303)

    def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = static(name)
        if content is None:
            return self._problem("Not found", "There is no such file.", "", 404)
        media_type = _MEDIA[name.rpartition(".")[2]]
        return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=86400"})

    def _record(self, request: Request) -> history.RunRecord | None:
        return history.run(self.database, _storable(request.path_params["run"]))

    def _no_run(self) -> Response:
        hint = "Runs are listed under Runs. What other machines did without this server is in their records."
        return self._problem("No such run", "This server has no run of this name.", hint, 404)

    def _problem(self, heading: str, message: str, hint: str, status: int) -> Response:
        page = render("problem.html", here="", heading=heading, message=message, hint=hint)
        return HTMLResponse(page, status)

    def _page(self, template: str, **values: Any) -> Response:
        return HTMLResponse(render(template, links=self.links, **values))


def _cost_chart(days: list[history.Day]) -> str:
    columns = [
        charts.Column(
            f"{day.date.day}" + (f" {day.date:%b}" if day is days[-1] else ""),
            day.cost,
            f"{day.date}: {money(day.cost)}, {day.reviews} reviews, {day.calls} calls",
        )
        for day in days
    ]
    total = money(sum(day.cost for day in days))
    about = f"{total} in {len(days)} days; today {money(days[-1].cost)}"
    return charts.columns("cost-chart", "Cost by day", about, columns, "${}")


def _latency_chart(members: list[health.Health]) -> str:
    rows = [
        charts.Reach(one.name, one.p50, one.p95, f"{seconds(one.p50)} · {seconds(one.p95)}")
        for one in members
        if one.p50 is not None and one.p95 is not None
    ]
    slowest = sorted(rows, key=lambda row: -row.high)[:12]
    about = "; ".join(f"{row.label}: {row.told}" for row in slowest) or "nobody answered"
    return charts.reaches("latency-chart", "Seconds of an answer, by member", about, slowest)


def _rest(cost: float, own: Mapping[str, float | None]) -> float:
    """What jobs cost beyond what their runs say; 0 where that is not known."""
    known = [value for value in own.values() if value is not None]
    rest = cost - sum(known)
    return rest if len(known) == len(own) and rest > 1e-6 else 0.0


def _asked(request: Request, name: str) -> str:
    return _storable(request.query_params.get(name, "")).strip()


def _storable(text: str) -> str:
    """Text that a database may be asked about: PostgreSQL refuses what no text can hold."""
    return text.replace("\0", "")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _time(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

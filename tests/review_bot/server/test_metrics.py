import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from review_bot.server.database import deliveries, jobs, run_records
from tests.review_bot.server.page_server import Page, page
from tests.review_bot.server.sample_history import fill

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def shown(database_url: str) -> Iterator[Page]:
    with page(database_url) as served:
        yield served


def samples(shown: Page) -> Samples:
    answer = shown.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.data.decode()))
    assert all(family.documentation and family.type != "unknown" for family in families)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_an_empty_server_has_every_line_already(shown: Page) -> None:
    found = samples(shown)
    assert found["moa_jobs", (("state", "failed"),)] == 0
    assert found["moa_deliveries", (("state", "waiting"),)] == 0
    assert found["moa_queue_depth", ()] == 0
    assert found["moa_queue_age_seconds", ()] == 0
    assert found["moa_job_seconds_count", ()] == 0
    assert found["moa_cost_usd_total", ()] == 0
    assert found["process_resident_memory_bytes", ()] > 1_000_000


def test_what_a_busy_server_tells(shown: Page) -> None:
    now = time.time()
    fill(shown.database, now)
    found = samples(shown)
    assert found["moa_jobs", (("state", "failed"),)] == 1
    assert found["moa_jobs", (("state", "running"),)] == 1
    assert found["moa_deliveries", (("state", "waiting"),)] == 1
    assert found["moa_queue_depth", ()] == 2
    assert 140 <= found["moa_queue_age_seconds", ()] < 200
    assert found["moa_executors", ()] == 1
    assert found["moa_member_failures_total", (("member", "llama"),)] > 0
    assert found["moa_member_cost_usd_total", (("member", "opus"),)] > 1
    buckets = [value for (name, _), value in found.items() if name == "moa_job_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found["moa_job_seconds_count", ()] > 50
    assert found["moa_job_seconds_sum", ()] > 1_000


def test_each_run_is_counted_once_however_often_and_late_it_is_seen(shown: Page) -> None:
    now = time.time()

    def run(name: str, started: float, member: str = "qwen") -> None:
        part = {"name": member, "calls": 2, "answers": 1, "failures": 1, "cached": 3, "cost_usd": None}
        row = {"run": name, "started": started, "members": [part], "document": {}}
        with shown.database.writing() as connection:
            connection.execute(insert(run_records), row)

    calls = ("moa_member_calls_total", (("member", "qwen"),))
    run("a", now - 400_000)
    run("b", now)
    assert samples(shown)[calls] == 4
    assert samples(shown)[calls] == 4
    run("c", now - 3_000)  # began before another that was seen, ended after
    run("d", now + 5)
    assert samples(shown)[calls] == 8
    assert samples(shown)["moa_member_cost_usd_total", (("member", "qwen"),)] == 0
    run("e", now, 'a "quoted"\\name\nin lines')
    assert samples(shown)["moa_member_calls_total", (("member", 'a "quoted"\\name\nin lines'),)] == 2


def test_the_queue_is_as_old_as_the_oldest_of_what_waits(shown: Page) -> None:
    now = time.time()
    with shown.database.writing() as connection:
        job = {"id": "j", "reason": {}, "state": "queued", "queued": now - 5_000}
        connection.execute(insert(jobs), job)
        one = {"id": "d", "received": now - 60, "wish": {}, "state": "new"}
        connection.execute(insert(deliveries), one)
    found = samples(shown)
    assert found["moa_queue_depth", ()] == 2
    assert 5_000 <= found["moa_queue_age_seconds", ()] < 5_100

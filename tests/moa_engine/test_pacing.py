import asyncio
import itertools
import random
from email.utils import formatdate

import pytest

from moa_engine.errors import Overloaded, TimedOut
from moa_engine.pacing import LONGEST_WAIT, Pace, backoff
from moa_engine.retry_after import retry_after

HERE = "http://127.0.0.1:1"


async def peak_of(pace: Pace, start: int, requests: int = 12) -> int:
    """How many of these requests were under way at once."""
    active = peak = 0

    async def one() -> None:
        nonlocal active, peak
        async with pace.slot(HERE, start) as slot:
            active += 1
            peak = max(peak, active)
            await asyncio.sleep(0)
            active -= 1
            slot.succeeded()

    await asyncio.gather(*(one() for _ in range(requests)))
    return peak


async def fail_together(pace: Pace, start: int, requests: int, error: Overloaded) -> None:
    """As many requests at once, all refused with the same error."""
    together = asyncio.Barrier(requests)

    async def one() -> None:
        async with pace.slot(HERE, start) as slot:
            await together.wait()
            slot.failed(error)

    await asyncio.gather(*(one() for _ in range(requests)))


def test_no_more_requests_at_once_than_the_member_allows() -> None:
    assert asyncio.run(peak_of(Pace(), 3)) == 3


def test_members_of_one_endpoint_share_its_slots_and_the_highest_number_counts() -> None:
    async def scenario() -> int:
        pace = Pace()
        await peak_of(pace, 2)
        return await peak_of(pace, 5)

    assert asyncio.run(scenario()) == 5


def test_endpoints_do_not_wait_for_each_other() -> None:
    async def scenario() -> None:
        pace = Pace()
        async with pace.slot("http://a", 1), pace.slot("http://b", 1):
            pass

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_what_leaves_no_process_has_no_limit() -> None:
    async def scenario() -> int:
        pace, together = Pace(), asyncio.Barrier(20)

        async def one() -> None:
            async with pace.slot("", 1):
                await together.wait()

        await asyncio.gather(*(one() for _ in range(20)))
        return 20

    assert asyncio.run(asyncio.wait_for(scenario(), 5)) == 20


def test_a_busy_endpoint_gets_half_as_much_and_one_burst_counts_once() -> None:
    async def scenario() -> int:
        pace = Pace()
        await fail_together(pace, 8, 8, Overloaded("busy", status=429))
        return await peak_of(pace, 8, requests=4)

    assert asyncio.run(scenario()) == 4


def test_it_never_gets_less_than_one() -> None:
    async def scenario() -> int:
        pace = Pace()
        for _ in range(5):
            await fail_together(pace, 2, 1, Overloaded("busy", status=503))
        return await peak_of(pace, 2, requests=1)

    assert asyncio.run(scenario()) == 1


def test_it_recovers_with_answers_and_not_beyond_what_the_member_allows() -> None:
    async def scenario() -> int:
        pace = Pace()
        await fail_together(pace, 8, 8, Overloaded("busy", status=429))
        await peak_of(pace, 8, requests=100)
        return await peak_of(pace, 8, requests=30)

    assert asyncio.run(scenario()) == 8


@pytest.mark.parametrize("error", [Overloaded("reset"), Overloaded("x", status=500), TimedOut("slow")])
def test_other_failures_do_not_slow_it_down(error: Overloaded) -> None:
    async def scenario() -> int:
        pace = Pace()
        await fail_together(pace, 4, 4, error)
        return await peak_of(pace, 4)

    assert asyncio.run(scenario()) == 4


def test_retry_after_stops_the_whole_endpoint_until_then() -> None:
    async def scenario() -> float:
        pace = Pace()
        await fail_together(pace, 4, 1, Overloaded("busy", status=429, retry_after=0.05))
        start = asyncio.get_running_loop().time()
        await peak_of(pace, 4, requests=3)
        return asyncio.get_running_loop().time() - start

    assert asyncio.run(scenario()) >= 0.045


def test_whoever_gives_up_waiting_leaves_no_hole() -> None:
    async def scenario() -> int:
        pace = Pace()

        async def wait() -> None:
            async with pace.slot(HERE, 1):
                pass

        async with pace.slot(HERE, 1):
            waiting = [asyncio.ensure_future(wait()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            waiting[1].cancel()
        waiting[2].cancel()  # let in by the exit above, and cancelled in the same breath
        await asyncio.wait(waiting)
        return await peak_of(pace, 1)

    assert asyncio.run(asyncio.wait_for(scenario(), 5)) == 1


def test_backoff_grows_has_a_cap_and_repeats_with_its_seed() -> None:
    error = Overloaded("busy")
    waits = [backoff(number, error, random.Random(7)) for number in range(1, 12)]
    assert waits == [backoff(number, error, random.Random(7)) for number in range(1, 12)]
    assert all(earlier < later for earlier, later in itertools.pairwise(waits[:7]))
    assert max(waits) <= LONGEST_WAIT
    assert backoff(1, error, random.Random(8)) != waits[0]


def test_backoff_is_never_shorter_than_what_the_endpoint_asked_for() -> None:
    error = Overloaded("busy", status=429, retry_after=3.0)
    assert all(3.0 <= backoff(1, error, random.Random(seed)) <= 3.3 for seed in range(20))


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "120ms"}, None),
        ({"x-ratelimit-reset": str(int(NOW + 5) * 1000)}, 5.0),
        ({"x-ratelimit-reset": str(int(NOW + 5))}, 5.0),
        ({"ratelimit-reset": "7"}, 7.0),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Fri, 99 Foo 99999999 00:00:00 GMT"}, None),
    ],
)
def test_what_headers_say_about_waiting(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers, NOW) == pytest.approx(expected)


def test_an_uncontended_slot_costs_little() -> None:
    """Not a timing test: a slot must not need the event loop's help when there is room."""

    async def scenario() -> None:
        slot = Pace().slot(HERE, 2)
        entering = slot.__aenter__()
        with pytest.raises(StopIteration):
            entering.send(None)
        await slot.__aexit__(None, None, None)

    asyncio.run(scenario())

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_engine.agreement import SAME_CLAIM, Claim, clusters, cosine, similarity, vectors

SAME = [
    ("division by zero when list is empty", "ZeroDivisionError for empty input"),
    (
        "Off-by-one: the loop skips the last element",
        "range(len(items) - 1) leaves out the last item of the list",
    ),
    (
        "SQL injection through the name parameter. The query is built by string formatting.",
        "User input is concatenated into the SQL query, which allows injection",
    ),
    (
        "Mutable default argument: the list is shared between calls",
        "`seen=[]` as a default is created once and shared by all calls",
    ),
    (
        "Do not use mutable data structures for argument defaults",
        "Mutable default argument `items`: all callers share one list",
    ),
    (
        "The file handle is never closed",
        "open() without a context manager leaks the file descriptor; the file is not closed on error",
    ),
    (
        "None is not handled: user may be None here and .name raises AttributeError",
        "Possible AttributeError: find_user() returns None when there is no such user",
    ),
    ("Comparison with None should use `is`", "Use `is None` instead of `== None` for the comparison"),
    (
        "Race condition: counter is read and written without a lock",
        "The increment of the counter is not atomic, two threads can race",
    ),
    (
        "The exception is swallowed: except Exception: pass hides every failure",
        "Bare except with pass silently swallows errors",
    ),
    (
        "Timeout is given in milliseconds but the client expects seconds",
        "Wrong unit: timeout should be seconds, the value is in milliseconds",
    ),
    (
        "The condition is inverted: inactive users are now let in",
        "Access check negated: `if not user.active` lets inactive users in",
    ),
    (
        "Missing await: the coroutine save() is never awaited",
        "`save()` is a coroutine and is called without await, so nothing is stored",
    ),
    ("Hard-coded password in the source", "Credential committed: the password is hard coded"),
    ("Undefined name `reslut`", "Typo: `reslut` is not defined, NameError at run time"),
    ("Import `os` is unused", "`os` imported but unused"),
    (
        "Path traversal: filename from the request is joined to the upload directory without a check",
        "An attacker can write outside the upload directory with ../ in the filename (path traversal)",
    ),
    (
        "shell=True with user input allows command injection",
        "Command injection: `subprocess.run(cmd, shell=True)` runs what the user typed",
    ),
    (
        "The parameter `timeout` of connect() was removed: callers that pass it break",
        "Breaking API change: connect() no longer accepts the timeout parameter",
    ),
    (
        "Cache key ignores the locale, so users get the wrong translation",
        "The key of the cache does not include locale: translations of different locales collide",
    ),
    (
        "Float comparison with == is unreliable for money amounts",
        "Amounts are floats and compared for equality; rounding makes that unreliable",
    ),
    ("Infinite loop when step is 0", "If step == 0 the while loop never terminates"),
]

#: Different claims that reviewers make about one and the same line.
DIFFERENT = [
    ("division by zero when list is empty", "The function has no docstring"),
    ("SQL injection through the name parameter", "The query result is not limited and may return all rows"),
    (
        "SQL injection: the query is built with an f-string",
        "The query has no index on name and scans the whole table",
    ),
    ("The file handle is never closed", "The file is opened without an explicit encoding"),
    (
        "open() without encoding depends on the platform",
        "open() may raise FileNotFoundError, which is not handled",
    ),
    ("Mutable default argument: the list is shared between calls", "The argument has no type annotation"),
    ("The loop skips the last element", "The loop is quadratic for long lists"),
    ("Undefined name `reslut`", "Line too long (120 > 110)"),
    (
        "Missing await: the coroutine save() is never awaited",
        "save() may be called twice and store a duplicate row",
    ),
    ("user may be None here", "The user's name is logged in clear text"),
    ("Password is compared with ==, open to timing attacks", "Password is logged in clear text"),
    ("Timeout is given in milliseconds but the client expects seconds", "Timeout errors are not retried"),
    ("Retries without backoff can overload the server", "The retry loop swallows the last exception"),
    (
        "The condition is inverted: inactive users are let in",
        "The condition does the database query twice",
    ),
    ("Cache key ignores the locale", "The cache is never invalidated and grows without bound"),
    ("Race condition: counter is read and written without a lock", "The counter starts at 1 instead of 0"),
    ("Infinite loop when step is 0", "Negative step values are not validated"),
    ("Return type changed from list to generator", "The return value is not documented"),
    ("The exception is swallowed", "The exception message leaks the database password"),
    ("`os` imported but unused", "Import order: `os` should come before `sys`"),
    ("shell=True with user input allows command injection", "The subprocess has no timeout and can hang"),
    ("Float comparison with == is unreliable", "The variable name `x` says nothing"),
]


def test_paraphrases_agree_and_different_claims_do_not() -> None:
    missed = [pair for pair in SAME if similarity(*pair) < SAME_CLAIM]
    mistaken = [pair for pair in DIFFERENT if similarity(*pair) >= SAME_CLAIM]
    assert not mistaken
    assert len(missed) <= 3, missed  # no word in common: an aggregator has to see these


def test_similarity_is_symmetric_and_bounded() -> None:
    for one, other in SAME + DIFFERENT:
        assert similarity(one, other) == similarity(other, one)
        assert 0 <= similarity(one, other) <= 1 + 1e-9
    assert similarity(SAME[0][0], SAME[0][0]) == pytest.approx(1)
    assert similarity("", "anything") == similarity("the of", "") == 0


def test_words_that_all_claims_share_count_less() -> None:
    background = ["the frobnicator pool leaks", "the frobnicator pool blocks", "the frobnicator pool is slow"]
    alone = vectors(["frobnicator pool exhausted", "frobnicator pool renamed"])
    among = vectors(["frobnicator pool exhausted", "frobnicator pool renamed", *background])
    assert cosine(among[0], among[1]) < cosine(alone[0], alone[1])


def claim(key: str, line: int | None, text: str, *, voice: str = "", bucket: str = "a.py") -> Claim:
    return Claim(key, bucket, line, line, text, voice)


ZERO = "division by zero when list is empty"
ZERO_TOO = "ZeroDivisionError for empty input"


def test_agreement_needs_place_and_claim() -> None:
    together = clusters([claim("a", 10, ZERO), claim("b", 12, ZERO_TOO)])
    far = clusters([claim("a", 10, ZERO), claim("b", 40, ZERO_TOO)])
    elsewhere = clusters([claim("a", 10, ZERO), claim("b", 10, ZERO_TOO, bucket="b.py")])
    other = clusters([claim("a", 10, ZERO), claim("b", 10, "The function has no docstring")])
    assert together == [("a", "b")]
    assert far == elsewhere == other == [("a",), ("b",)]


def test_ranges_are_near_when_they_overlap() -> None:
    long = Claim("a", "a.py", 1, 50, ZERO)
    assert clusters([long, claim("b", 30, ZERO_TOO)]) == [("a", "b")]


def test_a_claim_about_the_whole_file_joins_one_place_and_never_two() -> None:
    near_start, near_end = claim("a", 10, ZERO), claim("b", 400, ZERO + " again")
    vague = claim("c", None, ZERO)
    assert clusters([near_start, vague]) == [("a", "c")]
    assert clusters([near_start, near_end, vague]) == [("a", "c"), ("b",)]


def test_one_voice_never_agrees_with_itself() -> None:
    twice = [
        claim("a", 10, "Import `os` is unused", voice="ruff"),
        claim("b", 11, "Import `sys` is unused", voice="ruff"),
    ]
    assert clusters(twice) == [("a",), ("b",)]
    other = claim("c", 11, "`sys` is imported and unused", voice="qwen")
    assert clusters([*twice, other]) == [("a",), ("b", "c")]


#: The same mistake in neighbouring functions: no text tells these apart.
TWINS = [
    ("average crashes on an empty list", "first crashes on an empty list"),
    ("Division by zero for an empty list", "IndexError for an empty list"),
    ("`name` may be None in greet()", "`name` may be None in farewell()"),
    ("Timeout is ignored in get()", "Timeout is ignored in post()"),
    ("Missing docstring on load", "Missing docstring on save"),
]


@pytest.mark.parametrize("twins", TWINS)
def test_neighbouring_functions_are_two_places(twins: tuple[str, str]) -> None:
    def found(*scopes: str) -> list[tuple[str, ...]]:
        return clusters([
            Claim(name, "a.py", line, line, text, name, scope)
            for name, line, text, scope in zip("ab", (10, 12), twins, scopes, strict=True)
        ])  # fmt: skip

    assert found("mean", "low") == found("Stats.mean", "Stats.low") == [("a",), ("b",)]
    for one, other in (("mean", "mean"), ("Stats", "Stats.low"), ("", "low"), ("", "")):
        assert found(one, other) == found(other, one) == [("a", "b")]


def test_a_claim_about_a_class_joins_no_two_of_its_methods() -> None:
    claims = [
        Claim("a", "a.py", 10, 10, "Timeout is ignored in get()", "qwen", "Client.get"),
        Claim("b", "a.py", 8, 14, "Timeout is ignored in get() and post()", "llama", "Client"),
        Claim("c", "a.py", 12, 12, "Timeout is ignored in post()", "gemma", "Client.post"),
    ]
    assert sorted(map(len, clusters(claims))) == [1, 2]


CLAIMS = st.lists(
    st.tuples(
        st.sampled_from(["a.py", "b.py"]),
        st.one_of(st.none(), st.integers(1, 20)),
        st.lists(st.sampled_from(["zero", "empty", "list", "division", "query", "lock", "race"]), max_size=4),
        st.sampled_from(["", "ruff", "qwen"]),
        st.sampled_from(["", "f", "C", "C.f", "C.g"]),
    ),
    max_size=12,
)


@given(CLAIMS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_does_not_matter_and_nothing_is_lost(drawn, random) -> None:
    claims = [
        Claim(f"{n:02}", bucket, line, line, " ".join(words), voice, scope)
        for n, (bucket, line, words, voice, scope) in enumerate(drawn)
    ]
    found = clusters(claims)
    shuffled = list(claims)
    random.shuffle(shuffled)
    assert clusters(shuffled) == found
    assert sorted(key for cluster in found for key in cluster) == [claim.key for claim in claims]


def test_ten_thousand_claims() -> None:
    words = [f"word{n}" for n in range(50)]
    claims = [
        Claim(
            f"{n:05}",
            f"file{n % 100}.py",
            n // 10,
            n // 10,
            f"{words[n % 50]} {words[n % 7]} breaks",
            f"m{n % 6}",
        )
        for n in range(10_000)
    ]
    assert sum(len(cluster) for cluster in clusters(claims)) == 10_000

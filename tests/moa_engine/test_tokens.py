import pytest

from moa_engine.tokens import USUAL, TokenEstimator


def test_a_text_is_estimated_at_one_token_per_three_and_a_half_characters() -> None:
    assert TokenEstimator().estimate("x" * 3500) == 1000
    assert TokenEstimator().estimate("") == 0
    assert TokenEstimator().estimate("a") == 1


def test_characters_outside_ascii_are_a_token_each() -> None:
    assert TokenEstimator().estimate("漢字" * 100) == 200


def test_counts_that_an_endpoint_reports_correct_the_ratio_of_that_model_only() -> None:
    estimator = TokenEstimator()
    for _ in range(20):
        estimator.observe("dense", chars=2000, tokens=1000)
    assert estimator.estimate("x" * 2000, "dense") == pytest.approx(1000, rel=0.02)
    assert estimator.estimate("x" * 3500, "other") == 1000


def test_one_short_reply_hardly_moves_the_ratio() -> None:
    estimator = TokenEstimator()
    estimator.observe("m", chars=20, tokens=18)
    assert estimator.ratio("m") == pytest.approx(USUAL, rel=0.1)


def test_impossible_counts_are_not_believed() -> None:
    estimator = TokenEstimator()
    for tokens in (0, -5, 1, 1_000_000):
        estimator.observe("m", chars=10_000, tokens=tokens)
    assert estimator.ratio("m") == USUAL


def test_the_ratio_follows_what_is_sent_now() -> None:
    estimator = TokenEstimator()
    for _ in range(100):
        estimator.observe("m", chars=40_000, tokens=10_000)
    for _ in range(100):
        estimator.observe("m", chars=20_000, tokens=10_000)
    assert estimator.ratio("m") == pytest.approx(2.0, rel=0.01)

from hypothesis import given
from hypothesis import strategies as st

from review_bot.change import ChangedFile
from review_bot.reviewers.novelty import LineMap, Observation, line_maps, new_at_head
from tests.review_bot.sample_change import change, hunks

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=30)


@given(LINES, LINES, st.integers(0, 3))
def test_untouched_lines_are_followed_to_where_they_went(old, new, context):
    file = ChangedFile("x", "modified", hunks("\n".join(old), "\n".join(new), context))
    lines = LineMap(file)
    followed = [lines.at_head(number) for number in range(1, len(old) + 1)]
    kept = [(number, now) for number, now in enumerate(followed, 1) if now is not None]
    assert all(old[number - 1] == new[now - 1] for number, now in kept)
    assert [number for number, now in enumerate(followed, 1) if now is None] == sorted(lines.removed)
    assert sorted([now for _, now in kept] + list(lines.added)) == list(range(1, len(new) + 1))


def seen(path, line, message="trouble", rule="R"):
    return Observation(path, line, rule, message, None)


def new(base, head, before, after, **more):
    made = change(base, head, **more)
    return [(one.path, one.line) for one in new_at_head(made, before, after, line_maps(made))]


def test_one_old_observation_explains_one_new_one():
    before, after = [seen("a", 1)], [seen("a", 1), seen("a", 2)]
    assert new({"a": "x\n"}, {"a": "x\ny\n"}, before, after) == [("a", 2)]


def test_another_wording_on_an_untouched_line_is_nothing_new():
    before, after = [seen("b", 7, "expected int")], [seen("b", 7, "expected str")]
    assert new({"a": "x\n"}, {"a": "y\n"}, before, after) == []


def test_numbers_of_other_lines_in_a_message_do_not_matter():
    before, after = [seen("a", 1, "redefines line 1")], [seen("a", 2, "redefines line 2")]
    assert new({"a": "x\n"}, {"a": "y\nx \n"}, before, after) == []


def test_files_outside_the_change_are_compared_line_by_line():
    assert new({"a": "x\n"}, {"a": "y\n"}, [seen("b", 3)], [seen("b", 3), seen("b", 4)]) == [("b", 4)]


def test_a_copy_inherits_what_its_origin_has():
    made = change({"a": "x\n"}, {"a": "x\n", "b": "x\n"})
    copied = ChangedFile("b", "copied", (), old_path="a", base_text="x\n", head_text="x\n")
    made = type(made)(made.base, made.head, (copied,))
    assert new_at_head(made, [seen("a", 1)], [seen("a", 1), seen("b", 1)], line_maps(made)) == []

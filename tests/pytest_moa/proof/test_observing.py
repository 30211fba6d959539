from pytest_moa.proof.observing import Observer, parts


def test_parts_of_a_long_value_are_looked_at_so_that_a_test_can_say_which_differs() -> None:
    fields = {"user": "ann", "nonce": "af" * 100, "tags": ["x"]}
    observer = Observer(keep_values=True)
    observer.seen(0, fields, "assigned")
    assert [path for _, path, _ in observer.facts] == ["{}", '{}["user"]', '{}["nonce"]', '{}["tags"]']


def test_of_a_long_text_the_last_line_comes_first() -> None:
    lines = [f"line {number} of many that nobody wants to read" for number in range(6)]
    found = parts("\n".join(lines))
    assert found[:2] == [("{}.splitlines()[-1]", lines[-1]), ("{}.splitlines()[0]", lines[0])]


def test_short_values_are_seen_as_a_whole() -> None:
    assert parts({"a": 1}) == []
    assert parts("two\nlines") == []


def test_how_long_something_took_is_no_behaviour() -> None:
    class Answer:
        def __init__(self, elapsed: float, path: str) -> None:
            self.elapsed = elapsed
            self.path = path

    def digest(answer: Answer) -> str:
        observer = Observer()
        observer.seen(0, answer, "assigned")
        return observer.digest()

    assert digest(Answer(0.1, "a")) == digest(Answer(0.2, "a"))
    assert digest(Answer(0.1, "a")) != digest(Answer(0.1, "b"))

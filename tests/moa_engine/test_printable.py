import pytest

from moa_engine.printable import one_line, printable


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "naïve — 日本語",
        "a\n\tb",
        "👩\u200d💻",
        "non\u00a0breaking",
        "1\ufe0f\u20e3 ❤\ufe0f",
        "\u0645\u06cc\u200c\u062e क\u094d\u200dष",
    ],
)
def test_text_for_eyes_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("a\U000e0041b", r"a\U000e0041b"),
        ("a\x9b31mb\x7f", r"a\x9b31mb\x7f"),
        ("half \udc80", r"half \udc80"),
        ("over\rwritten\x08", r"over\rwritten\x08"),
        ("next\u2028line", r"next\u2028line"),
        ("@\u200doctocat x\u200dy", r"@\u200doctocat x\u200dy"),
        ("😀\U000e0141\ufe01", r"😀\U000e0141\ufe01"),
        ("❤\ufe0f\ufe0f a\ufe0f", "❤\ufe0f\\ufe0f a\\ufe0f"),
        ("a\u3164b\u2800\u034f", r"a\u3164b\u2800\u034f"),
    ],
)
def test_what_is_not_for_eyes_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_windows_line_ends_are_line_ends() -> None:
    assert printable("a\r\nb\r\n") == "a\nb\n"


def test_one_line_keeps_the_words_and_drops_the_breaks() -> None:
    assert one_line("  two\n\n  lines\t\x1b ") == r"two lines \x1b"

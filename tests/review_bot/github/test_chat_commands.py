import pytest

from review_bot.github.chat_commands import (
    REASON_LIMIT,
    Dismiss,
    Explain,
    Misunderstood,
    ReviewAgain,
    may_command,
    meant,
    parse,
)


@pytest.mark.parametrize(
    ("comment", "command"),
    [
        ("/review", ReviewAgain()),
        ("/review ", ReviewAgain()),
        ("\n\n/review\n\nThe rebase is done, thanks.", ReviewAgain()),
        ("/Review", ReviewAgain()),  # what telephones make of it
        ("/review full", ReviewAgain(full=True)),
        ("/review\tFULL\r\n", ReviewAgain(full=True)),
        ("/explain 0123456789ab", Explain("0123456789ab")),
        ("/explain `0123456789AB-2`", Explain("0123456789ab-2")),
        ("/explain 0123", Explain("0123")),
        ("/dismiss 0123456789ab callers hold the lock", Dismiss("0123456789ab", "callers hold the lock")),
        (
            "/dismiss 0123456789ab callers\r\nhold  the lock\r\n\r\nSent from my phone",
            Dismiss("0123456789ab", "callers hold the lock"),
        ),
    ],
)
def test_commands(comment: str, command: object) -> None:
    assert parse(comment) == command


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "   ",
        "please /review this",
        "> /review",
        "    /review",  # indented code
        " /review",
        "```\n/review\n```",
        "`/review`",
        "<!-- /review -->",
        "<!--\n/review\n-->",
        "/reviewers",
        "/review-bot",
        "/review/full",
        "/explained 0123456789ab",
        "//review",
        "\\/review",
        "/\u200breview",
        "\u202e/review",
        "/rev\u0131ew",
        "\uff0freview",
        "/review\u2028full",
        "Fine.\n/review",
        "/merge",
    ],
)
def test_words_that_are_no_command_of_ours(comment: str) -> None:
    assert parse(comment) is None


@pytest.mark.parametrize(
    "comment",
    [
        "/review everything",
        "/review full --budget 1000",
        "/review full; rm -rf /",
        "/explain",
        "/explain me",
        "/explain 0123456789ab and 0123456789ac",
        "/explain ../../etc/passwd",
        "/explain 012",
        "/explain 0123456789abcdef",
        "/explain 0123456789ab-0",
        "/explain ٠١٢٣٤٥٦٧",
        "/dismiss",
        "/dismiss everything",
        "/dismiss 0123456789ab",
        "/dismiss 0123456789ab   \n\nbecause",
    ],
)
def test_what_cannot_be_used_is_said_without_repeating_it(comment: str) -> None:
    answer = parse(comment)
    assert isinstance(answer, Misunderstood)
    for word in ("rm", "etc", "budget", "everything", "0123"):
        assert word not in answer.why


def test_a_reason_is_one_line_of_bounded_length_without_hidden_characters() -> None:
    command = parse("/dismiss 0123456789ab \u202eevil\u200b " + "@all " * 1000)
    assert isinstance(command, Dismiss)
    assert len(command.why) <= REASON_LIMIT
    assert "\u202e" not in command.why
    assert "\u200b" not in command.why


def test_long_comments_are_read_at_once() -> None:  # what backtracks would take minutes
    assert isinstance(parse("/review" + " " * 65_000 + "x"), Misunderstood)
    assert isinstance(parse("/dismiss " + "a" * 65_000), Misunderstood)
    assert parse("/" * 65_000) is None
    assert parse("\n" * 65_000) is None


@pytest.mark.parametrize("permission", ["admin", "maintain", "write"])
def test_who_can_push_can_command(permission: str) -> None:
    assert may_command(permission)


@pytest.mark.parametrize("permission", ["read", "triage", "none", "", "MEMBER", "OWNER", "Admin"])
def test_nobody_else_can(permission: str) -> None:
    assert not may_command(permission)


def test_an_id_may_be_the_beginning_of_one() -> None:
    known = ["0123456789ab", "0123456789ab-2", "01ff56789abc", "bbbb00000000"]
    assert meant("0123456789ab", known) == "0123456789ab"
    assert meant("bbbb", known) == "bbbb00000000"
    assert meant("0123456789ab-2", known) == "0123456789ab-2"
    unknown, several = meant("cccc", known), meant("0123", known)
    assert isinstance(unknown, Misunderstood)
    assert isinstance(several, Misunderstood)
    assert "0123456789ab-2" in several.why

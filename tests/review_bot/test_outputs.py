from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.outputs import NotWritten, Output, check_writable, paired, write
from tests.review_bot.review_outcomes import outcome

F, O = "--format", "--output"  # noqa: E741 - as they read on the command line
A, B = Path("a"), Path("b")


@pytest.mark.parametrize(
    ("given", "outputs"),
    [
        ([], [Output("text")]),
        ([(F, "json")], [Output("json")]),
        ([(O, "a")], [Output("text", A)]),
        ([(F, "json"), (O, "a"), (F, "sarif"), (O, "b")], [Output("json", A), Output("sarif", B)]),
        ([(F, "json"), (F, "sarif"), (O, "a"), (O, "b")], [Output("json", A), Output("sarif", B)]),
        ([(O, "a"), (F, "json")], [Output("json", A)]),
        ([(F, "text"), (F, "json"), (O, "a")], [Output("text"), Output("json", A)]),
        ([(F, "json"), (O, "a"), (F, "text")], [Output("json", A), Output("text")]),
        ([(F, "json"), (O, "-"), (F, "text"), (O, "a")], [Output("json"), Output("text", A)]),
        ([("--html", "a")], [Output("text"), Output("html", A)]),
        ([(F, "json"), ("--html", "a"), (O, "b")], [Output("json", B), Output("html", A)]),
    ],
)
def test_each_file_gets_its_format(given: list[tuple[str, str]], outputs: list[Output]) -> None:
    assert paired(given) == outputs


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([(F, "json"), (F, "text")], "json and text would both go to standard output"),
        ([("--html", "-")], "text and html would both go to standard output"),
        ([(O, "a"), ("--html", "a")], "two formats would both go to "),
        ([(O, "a"), (O, "b")], "--output b has no --format"),
        ([(F, "json"), (O, "a"), (O, "b")], "--output b has no --format"),
        ([(O, "a"), (F, "json"), (F, "text")], "--output a has no --format"),
        ([(F, "json"), (O, "a"), (F, "text"), (O, "./a")], "two formats would both go to "),
    ],
)
def test_what_cannot_be_paired_is_refused(given: list[tuple[str, str]], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        paired(given)


def test_files_that_cannot_be_written_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("kept")
    check_writable(
        [Output("text"), Output("json", tmp_path / "new.json"), Output("json", tmp_path / "old.json")]
    )
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "kept"
    with pytest.raises(ConfigError, match="is a folder"):
        check_writable([Output("json", tmp_path)])
    with pytest.raises(ConfigError, match="there is no folder"):
        check_writable([Output("json", tmp_path / "missing" / "r.json")])


def test_one_output_that_fails_does_not_cost_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full, good = Output("json", Path("/dev/full")), Output("sarif", tmp_path / "r.sarif")
    with pytest.raises(
        NotWritten, match="the json for --output /dev/full was not written: No space"
    ) as caught:
        write(outcome(), [full, good, Output("text")], colour=True)
    assert "moa replay 20260801-101112-abc123 --format FORMAT" in caught.value.hint
    assert good.file is not None
    assert '"version": "2.1.0"' in good.file.read_text()
    assert capsys.readouterr().out.startswith("Review of 1111111111..2222222222: 1 confirmed")

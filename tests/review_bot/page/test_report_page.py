"""`moa report`: what readers find on the page, from files and from the record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from moa_engine.cli import main
from moa_engine.printable import printable
from review_bot.page.bench_page import bench_part, heat, shade
from review_bot.page.report_page import render
from tests.review_bot.commands import Review
from tests.review_bot.github.hostile import HOSTILE
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.page.parsed import harmless
from tests.review_bot.page.results import result


def page_of(made: dict[str, Any]) -> str:
    return render([bench_part(made, "moa-bench.json", "part1")])


@pytest.fixture(scope="module")
def whole() -> str:
    return page_of(result())


def test_words_come_before_numbers_and_numbers_before_cases(whole: str) -> None:
    text = harmless(whole).text
    order = [
        "What this committee is worth",
        "5 members on 40 planted defects, 20 clean hunks of toolz 1.2.0.",
        "12 cases;",
        "In words",
        "Are these members really different? no 5 members are worth 1.7 to 2.9 independent votes.",
        "What does each of them add?",
        "Does the aggregator keep a minority that was right?",
        "Is the committee better than its best member, and than that member sampled several times?",
        "What do quality, time and money trade for?",
        "Scores",
        "How alike the members err",
        "What each member adds",
        "Aggregators",
        "qwen would have dropped 12 right findings, which the ledger kept",
        "Quality against price",
        "Ablations",
        "Number of different proposers",
        "Each member as the aggregator",
        "Members",
        "By kind of defect",
        "Where the committee was wrong (29 of 60)",
        "How this was made",
        "moa bench run cases.json",
    ]
    at = 0
    for words in order:
        at = text.find(words, at)
        assert at >= 0, words


def test_wrong_hunks_say_who_said_what(whole: str) -> None:
    text = harmless(whole).text
    at = text.index("Where the committee was wrong")
    part = text[at : text.index("Where it was right", at)]
    assert "two arguments were swapped (hunk-" in part
    assert "- return itertools.islice(seq, 0, None, n)" in part
    assert "+ return itertools.islice(0, seq, None, n)" in part
    assert "smollm right named it major: Arguments swapped" in part
    assert "committee wrong missed it" in part


def test_plots_have_words_for_those_who_do_not_see_them(whole: str) -> None:
    page = harmless(whole)
    drawings = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "role")]
    assert drawings == ["img"] * 5
    names = ("aria-labelledby", "aria-describedby")
    described = [value for tag, name, value in page.attributes if tag == "svg" and name in names]
    identifiers = {value for _, name, value in page.attributes if name == "id"}
    assert len(described) == 10
    assert set(described) <= identifiers
    assert "smollm 0.65, 0.46 to 0.80" in page.text  # the scores, as the drawing's description


def test_every_table_has_a_caption_and_heads(whole: str) -> None:
    assert whole.count("<table") == whole.count("<caption") == whole.count("<thead>")
    assert "<th>" not in whole  # each says whether it heads a row or a column


def test_the_page_is_the_same_each_time() -> None:
    assert page_of(result(cases=3)) == page_of(result(cases=3))


def test_the_heat_map_tells_what_is_sure_from_what_is_not() -> None:
    def estimate(value: float, low: float, high: float) -> dict[str, float]:
        return {"value": value, "low": low, "high": high}

    assert shade(estimate(0.9, 0.8, 0.95)) == "alike-5"
    assert shade(estimate(0.4, -0.1, 0.7)) == "alike-2 unsure"
    assert shade(estimate(-0.35, -0.5, -0.2)) == "apart-2"
    assert shade(estimate(0.05, -0.1, 0.2)) == "unsure"
    assert shade(None) == ""
    rows = heat({"phi": [[None, None], [None, None]]})
    assert rows[0][0] is None
    assert rows[0][1] is not None


def test_what_was_not_run_is_said() -> None:
    made = result(cases=12)
    for panel in made["panels"]:
        panel["verdicts"] = [one for one in panel["verdicts"] if int(one["hunk"][-2:]) <= 10]
    made["panels"][0]["failed"] = [{"case": "case-03", "why": "no answer within 300 s"}]
    text = harmless(page_of(made)).text
    assert "2 of 12 cases were run" in text
    assert "qwen has no verdict in 1 case: no answer within 300 s" in text
    assert text.count("not enough cases") >= 5


def test_hunks_by_which_nobody_is_judged_are_left_out() -> None:
    made = result(cases=12)
    made["cases"]["hunks"][0]["unsure"] = "no input was found on which it differs"
    text = harmless(page_of(made)).text
    assert "5 members on 39 planted defects" in text
    assert "1 hunk by which nobody is judged" in text


def test_accusations_that_fit_no_hunk_are_listed() -> None:
    made = result(cases=3)
    made["panels"][0]["about_no_hunk"] = [
        {"case": "case-01", "path": "a.py", "title": "The function <b>x</b> does not work"}
    ]
    text = harmless(page_of(made)).text
    assert "About no hunk (1) a.py: The function <b>x</b> does not work" in text


def test_one_member_and_nothing_else_still_makes_a_page() -> None:
    text = harmless(page_of(result(members=("alone",), committee=False))).text
    assert "1 member on 40 planted defects" in text
    assert "Where most members were wrong" in text
    assert "How alike the members err" not in text


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 8))
def test_hostile_words_are_shown_and_do_nothing(start: int) -> None:
    hostile = list(HOSTILE.values())[start : start + 8]
    made = result(members=hostile[:5], cases=3)
    for number, hunk in enumerate(made["cases"]["hunks"]):
        words = hostile[number % len(hostile)]
        hunk["what"] = hunk["before"] = hunk["after"] = hunk["path"] = words
    for panel in made["panels"]:
        panel["failed"] = [{"case": hostile[-1], "why": hostile[-1]}]
        for number, verdict in enumerate(panel["verdicts"]):
            for finding in verdict["findings"]:
                finding["title"] = finding["body"] = finding["severity"] = hostile[number % len(hostile)]
    for study in made["aggregations"]:
        study["name"] = hostile[-1]
    made["cases"]["source"] = made["made"]["command"] = hostile[-1]
    html = page_of(made)
    html.encode("utf-8")
    page = harmless(html)
    assert "\x1b" not in html
    assert "\u202e" not in html
    for words in hostile:
        assert " ".join(printable(words).split())[:100] in page.text, words[:100]


def test_sixty_hunks_and_six_members_are_a_modest_file() -> None:
    made = result(members=("a", "b", "c", "d", "e", "f"), words="An argument that was swapped " * 8)
    assert len(page_of(made)) < 500_000


def test_the_command_reports_files_and_runs(
    review: Review, repo: GitRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert review().returncode == 0  # a run for the record; `review` leaves the process in the repository
    (repo.folder / "one.json").write_text(json.dumps(result(cases=3)))
    assert main(["report", "one.json", "last"]) == 0
    assert "moa report: wrote moa-report.html" in capsys.readouterr().err
    text = harmless((repo.folder / "moa-report.html").read_text("utf-8")).text
    assert "What this committee is worth" in text
    assert "What this committee did 1 run of the record, 1 review." in text
    assert "A record knows who said what and what it took, not who was right." in text
    assert "Only moa bench , which plants defects in your own code, can tell" in text.replace(
        "bench,", "bench ,"
    )
    assert "raised by ruff" in text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is no result of `moa bench`"),
        ('{"format": "moa-cases-1"}', "its format is 'moa-cases-1'"),
        (
            '{"format": "moa-bench-1", "cases": {"hunks": [1]}, "panels": [], "made": {}}',
            "is not what moa bench writes",
        ),
    ],
)
def test_files_that_are_no_results_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, problem: str
) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    assert main(["report", str(file), "--output", str(tmp_path / "out.html")]) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out.html").exists()


def test_without_its_libraries_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(result(cases=3)))
    for library in ("jinja2", "lets_plot"):
        program = (
            f"import sys; sys.modules[{library!r}] = None\n"
            "from moa_engine.cli import main\n"
            "sys.exit(main(['report', 'one.json']))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2
        assert f"need {library.replace('_', '-')}, which is not installed" in done.stderr
        assert "pip install 'pytest-moa[report]'" in done.stderr

import re
import unicodedata

import pytest
from inline_snapshot import snapshot
from rich.cells import cell_len

from moa_engine.ledger import Answer, Ledger
from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.finding import ReportedFinding, Review
from review_bot.formats import render
from tests.review_bot.review_outcomes import BASE, CHANGE, HEAD, finding, outcome


def test_text_at_100_columns() -> None:
    shown = outcome(
        status="partial",
        missing=("llama",),
        masked_secrets=2,
        warnings=("layer 2 closed at its deadline, before all had answered",),
    )
    assert render(shown, "text", width=100) == snapshot("""\
Review of 1111111111..2222222222: 1 confirmed, 1 disputed, 2 minority, 1 rejected
PARTIAL: not everybody was heard.
No answer from llama: no complete answer within 120 s

Confirmed (1): two independent reviewers, evidence, or a deterministic tool

critical[security S602]: Shell command built from a request parameter
  --> shop/export.py:12
  11 |      name = request.args["name"]
     |-     archive(name)
> 12 |+     subprocess.run(f"zip -r out.zip {name}", shell=True)
  13 |+     audit(name)
  14 |      return redirect(name)
  `name` comes from the query string and reaches a shell.
  suggestion:
    -     subprocess.run(f"zip -r out.zip {name}", shell=True)
    +     subprocess.run(["zip", "-r", "out.zip", name])
  evidence: test: export('x; id') ran id (confirms it)
  raised by ruff, qwen; seconded by mistral

Disputed (1): a reviewer says otherwise

major[bug]: Open redirect
  --> shop/export.py:14
  12 |+     subprocess.run(f"zip -r out.zip {name}", shell=True)
  13 |+     audit(name)
> 14 |      return redirect(name)
  15 |
  raised by qwen; disputed by llama (redirect() checks the host)

Minority (2): one voice alone; models of one family share one

minor[api]: archive is no longer called
  --> shop/export.py:12 (before the change)
  10 |  def export(request):
  11 |      name = request.args["name"]
> 12 |-     archive(name)
     |+     subprocess.run(f"zip -r out.zip {name}", shell=True)
     |+     audit(name)
  Its only caller is gone.
  raised by mistral

nit[style]: README became executable
  --> README.md
  raised by qwen

Rejected (1): the aggregator's reason stands next to each
  shop/export.py:13: nit[style]: audit is called too late
    qwen: the order is documented; raised by llama; disputed by qwen

Not reviewed (2)
  uv.lock: lock file
  static/app.min.js: minified

note: layer 2 closed at its deadline, before all had answered
note: 2 secrets in the change masked before anything was sent

4 members: ruff, qwen (qwen2.5-coder:7b), mistral (mistral-small), llama (llama3.1:8b); aggregated
by qwen; 8 calls and 1 answer from the record; $0.0123; 4.3 s; run 20260801-101112-abc123
""")


def test_text_at_40_columns() -> None:
    assert render(outcome(), "text", width=40) == snapshot("""\
Review of 1111111111..2222222222: 1
confirmed, 1 disputed, 2 minority, 1
rejected

Confirmed (1): two independent
reviewers, evidence, or a deterministic
tool

critical[security S602]: Shell command
  built from a request parameter
  --> shop/export.py:12
  11 |      name = request.args["name"]
     |-     archive(name)
> 12 |+     subprocess.run(f"zip -r o...
  13 |+     audit(name)
  14 |      return redirect(name)
  `name` comes from the query string and
  reaches a shell.
  suggestion:
    -     subprocess.run(f"zip -r out.zi
      p {name}", shell=True)
    +     subprocess.run(["zip", "-r", "
      out.zip", name])
  evidence: test: export('x; id') ran id
    (confirms it)
  raised by ruff, qwen; seconded by
    mistral

Disputed (1): a reviewer says otherwise

major[bug]: Open redirect
  --> shop/export.py:14
  12 |+     subprocess.run(f"zip -r o...
  13 |+     audit(name)
> 14 |      return redirect(name)
  15 |
  raised by qwen; disputed by llama
    (redirect() checks the host)

Minority (2): one voice alone; models of
one family share one

minor[api]: archive is no longer called
  --> shop/export.py:12 (before the
      change)
  10 |  def export(request):
  11 |      name = request.args["name"]
> 12 |-     archive(name)
     |+     subprocess.run(f"zip -r o...
     |+     audit(name)
  Its only caller is gone.
  raised by mistral

nit[style]: README became executable
  --> README.md
  raised by qwen

Rejected (1): the aggregator's reason
stands next to each
  shop/export.py:13: nit[style]: audit
    is called too late
    qwen: the order is documented;
    raised by llama; disputed by qwen

Not reviewed (2)
  uv.lock: lock file
  static/app.min.js: minified

4 members: ruff, qwen
(qwen2.5-coder:7b), mistral
(mistral-small), llama (llama3.1:8b);
aggregated by qwen; 8 calls and 1 answer
from the record; $0.0123; 4.3 s; run
20260801-101112-abc123
""")


def test_a_review_without_findings_says_so() -> None:
    assert render(outcome([]), "text") == snapshot("""\
Review of 1111111111..2222222222: no findings

Not reviewed (2)
  uv.lock: lock file
  static/app.min.js: minified

4 members: ruff, qwen (qwen2.5-coder:7b), mistral (mistral-small), llama (llama3.1:8b); aggregated
by qwen; 8 calls and 1 answer from the record; $0.0123; 4.3 s; run 20260801-101112-abc123
""")


def test_a_failed_run_names_who_failed_and_why() -> None:
    failed = outcome(status="failed", result=None, missing=("llama",), warnings=("no member answered",))
    assert render(failed, "text") == snapshot("""\
Review of 1111111111..2222222222: no review
No answer from llama: no complete answer within 120 s

Not reviewed (2)
  uv.lock: lock file
  static/app.min.js: minified

note: no member answered

4 members: ruff, qwen (qwen2.5-coder:7b), mistral (mistral-small), llama (llama3.1:8b); aggregated
by qwen; 8 calls and 1 answer from the record; $0.0123; 4.3 s; run 20260801-101112-abc123
""")


def test_a_member_that_answered_in_part_is_not_said_to_be_silent() -> None:
    answers = (
        Answer("llama", 1, 0, "a", "fine"),
        Answer("llama", 1, 0, "b", None, error="too long", error_code="context_overflow"),
    )
    shown = render(outcome([], missing=("llama",), ledger=Ledger(answers=answers)), "text")
    assert "1 of 2 answers from llama missing: no complete answer within 120 s\n" in shown


def test_colours_follow_severity_and_change_no_letter() -> None:
    painted = render(outcome(), "text", colour=True)
    assert "\x1b[1;31mcritical[security S602]: Shell command" in painted
    assert "\x1b[1;33mmajor[bug]: Open redirect" in painted
    assert "\x1b[32m> 12 |+     subprocess" in painted
    plain = render(outcome(), "text")
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


@pytest.mark.parametrize("width", [20, 27, 40, 61, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = finding(
        title="標題" * 40,
        body="a-very-long-word-without-any-space-" * 5 + "\n\n    indented 日本語のテキスト" * 3,
        suggestion="\t".join(["x = 1"] * 30),
        raised_by=["somebody-with-quite-a-long-name", "qwen"],
        reason="because " * 30,
        standing="disputed",
    )
    shown = render(outcome([wide, *outcome().result.findings]), "text", width=width)  # type: ignore[union-attr]
    assert max(map(cell_len, shown.split("\n"))) <= width
    assert "".join(shown.split()).count("標題") == 40


def test_a_suggestion_is_shown_whole_even_where_it_does_not_fit() -> None:
    long = "value = " + "+".join(f"part_{n}" for n in range(30))
    shown = render(outcome([finding(suggestion=long)]), "text", width=50)
    start = shown.index("    + ")
    piece = "".join(line[6:] for line in shown[start:].split("\n")[: -(-len(long) // 44)])
    assert piece == long


def test_hostile_words_and_code_reach_the_terminal_as_escapes() -> None:
    nasty = "\x1b[2J\x1b]8;;http://evil\x07 \u202e\u2066 \u200b\x9b31m\r\x00"
    hunk = Hunk(1, 0, 1, 1, nasty, f"+access = '{nasty[:-2]}'\n")
    change = Change(
        BASE,
        HEAD,
        (ChangedFile("a.py", "added", (hunk,)),),
        (NotReviewed(f"b{nasty}\udcff.py", f"because {nasty}"),),
    )
    hostile = finding(
        path="a.py", line=1, start_line=1, title=nasty, body=nasty, suggestion=nasty,
        category=nasty, rule=nasty, reason=nasty, raised_by=[nasty], disputed_by=["x"],
        stances=[{"member": "x", "position": "dispute", "why": nasty}],
        evidence=[{"kind": nasty, "text": nasty, "more": nasty}],
    )  # fmt: skip
    for standing in ("confirmed", "rejected"):
        found = hostile.model_copy(update={"standing": standing})
        shown = render(outcome([found], change, warnings=(nasty,)), "text", colour=False)
        odd = {c for c in shown if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
        assert odd == set()
    assert r"\u202e" in shown


def test_a_link_shows_where_it_leads() -> None:
    linked = finding(body="As [the manual](https://docs.python.org/3/) says, [maybe](not a link).")
    shown = render(outcome([linked]), "text")
    assert "  As the manual: https://docs.python.org/3/ says, [maybe](not a link).\n" in shown


def frame_of(found: ReportedFinding, change: Change = CHANGE) -> list[str]:
    """The lines between the place and the attribution, in a finding without body."""
    lines = render(outcome([found], change), "text").split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("  --> "))
    return lines[start : lines.index("  raised by qwen")]


def plain_finding(**fields: object) -> ReportedFinding:
    return finding(body="", raised_by=["qwen"], **fields)


def test_a_place_outside_the_hunks_is_shown_from_the_file() -> None:
    text = "".join(f"line {n}\r\n" for n in range(1, 301))
    change = Change(BASE, HEAD, (ChangedFile("a.py", "modified", (), head_text=text),))
    assert frame_of(plain_finding(path="a.py", start_line=300, line=300), change) == snapshot(
        ["  --> a.py:300", "  298 |  line 298", "  299 |  line 299", "> 300 |  line 300"]
    )


def test_a_long_range_is_cut_in_the_middle() -> None:
    text = "".join(f"line {n}\n" for n in range(1, 301))
    change = Change(BASE, HEAD, (ChangedFile("a.py", "modified", (), head_text=text),))
    assert frame_of(plain_finding(path="a.py", start_line=7, line=290), change) == snapshot(
        [
            "  --> a.py:7-290",
            "    5 |  line 5",
            "    6 |  line 6",
            ">   7 |  line 7",
            ">   8 |  line 8",
            ">   9 |  line 9",
            ">  10 |  line 10",
            ">  11 |  line 11",
            ">  12 |  line 12",
            ">  13 |  line 13",
            "  ... |~ 275 lines",
            "> 289 |  line 289",
            "> 290 |  line 290",
            "  291 |  line 291",
            "  292 |  line 292",
        ]
    )


def test_a_finding_on_what_was_removed_shows_the_old_side() -> None:
    assert frame_of(plain_finding(side="LEFT", start_line=12, line=12)) == snapshot(
        [
            "  --> shop/export.py:12 (before the change)",
            "  10 |  def export(request):",
            '  11 |      name = request.args["name"]',
            "> 12 |-     archive(name)",
            '     |+     subprocess.run(f"zip -r out.zip {name}", shell=True)',
            "     |+     audit(name)",
        ]
    )


def test_the_old_side_of_a_renamed_file_is_found_by_its_old_name() -> None:
    hunk = Hunk(1, 1, 1, 1, "", "-old\n+new\n")
    change = Change(BASE, HEAD, (ChangedFile("new.py", "renamed", (hunk,), old_path="old.py"),))
    shown = frame_of(plain_finding(path="old.py", side="LEFT", start_line=1, line=1), change)
    assert shown == snapshot(["  --> old.py:1 (before the change)", "> 1 |- old", "    |+ new"])


def test_a_place_that_is_not_known_has_no_frame() -> None:
    for place in ({"path": "gone.py"}, {"line": 900, "start_line": 900}):
        assert frame_of(plain_finding(**place))[1:] == []


def test_an_empty_suggestion_deletes_the_lines() -> None:
    assert frame_of(plain_finding(suggestion="", start_line=12, line=13))[6:] == snapshot(
        [
            "  15 |",
            "  suggestion:",
            '    -     subprocess.run(f"zip -r out.zip {name}", shell=True)',
            "    -     audit(name)",
        ]
    )


def test_a_suggestion_keeps_the_lines_that_it_does_not_change() -> None:
    new = '    subprocess.run(f"zip -r out.zip {name}", shell=True)\n    audit(name, "export")\n'
    assert frame_of(plain_finding(suggestion=new, start_line=12, line=13))[6:] == snapshot(
        [
            "  15 |",
            "  suggestion:",
            '          subprocess.run(f"zip -r out.zip {name}", shell=True)',
            "    -     audit(name)",
            '    +     audit(name, "export")',
        ]
    )


def test_long_lists_of_files_not_reviewed_are_short() -> None:
    change = Change(BASE, HEAD, (), tuple(NotReviewed(f"{n}.lock", "lock file") for n in range(25)))
    shown = render(outcome([], change), "text")
    assert "Not reviewed (25)\n  0.lock: lock file\n" in shown
    assert "  9.lock: lock file\n  and 15 more; all are in --format json\n" in shown


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (Change("", "", (), source="patch"), "the patch"),
        (Change(BASE, "", (), source="index"), "the staged changes"),
        (Change(BASE, "", (), source="worktree"), "the working tree"),
        (Change("", HEAD, ()), "the first commit 2222222222"),
    ],
)
def test_sides_that_are_no_commits_have_names(change: Change, subject: str) -> None:
    assert render(outcome([], change), "text").startswith(f"Review of {subject}: no findings\n")


def test_what_was_noted_while_reading_is_passed_on() -> None:
    noted = Change(BASE, HEAD, (), notes=("AGENTS.md changes here; the base's one counts",))
    assert "\nnote: AGENTS.md changes here; the base's one counts\n" in render(outcome([], noted), "text")


def test_what_could_not_be_used_is_noted() -> None:
    lost = Review(findings=[], objections=["gemma: ffffffff is not the id of any item"])
    note = "note: 1 statement by members could not be used, beginning with: " + lost.objections[0]
    assert note in " ".join(render(outcome(result=lost), "text").split())

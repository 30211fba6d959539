from review_bot.change import Trees
from review_bot.subject import ReviewSubject
from tests.review_bot.sample_change import answer, change, findings


def lint(base, head, renamed=None, **settings):
    about = ReviewSubject(change(base, head, renamed), None, lambda: Trees(None, None))
    return findings("ruff", about, **settings)


def places(found):
    return [(finding.path, finding.line, finding.rule) for finding in found]


def test_a_bug_on_an_added_line_is_reported_there_for_people():
    [finding] = lint({"a.py": "import os\nos.getcwd()\n"}, {"a.py": "import os\nos.getcwd()\nprint(nmae)\n"})
    assert (finding.path, finding.side, finding.start_line, finding.line) == ("a.py", "RIGHT", 3, 3)
    assert (finding.severity, finding.category, finding.rule) == ("major", "bug", "F821")
    assert finding.title == "Undefined name `nmae`"
    assert "raises NameError" in finding.body
    assert "https://docs.astral.sh/ruff/rules/undefined-name" in finding.body


def test_what_base_already_had_is_not_reported_though_it_moved():
    old = "def f(a=[]):\n    return a\n"
    assert lint({"a.py": old}, {"a.py": "X = 1\n\n\n" + old}) == []


def test_a_touched_line_keeps_the_problem_it_had():
    assert (
        lint({"a.py": "def f(a=[]):\n    return a\n"}, {"a.py": "def f(a=[], b=1):\n    return a, b\n"}) == []
    )


def test_code_that_moves_to_another_file_brings_its_problems_along():
    function = "def f(a=[]):\n    return a\n"
    assert (
        lint(
            {"a.py": function + "X = 1\n", "b.py": "Y = 1\n"},
            {"a.py": "X = 1\n", "b.py": "Y = 1\n" + function},
        )
        == []
    )


def test_a_rename_is_followed():
    old = "def f(a=[]):\n    return a\n"
    found = lint({"a.py": old}, {"b.py": old + "\n\ndef g(a={}):\n    return a\n"}, renamed={"a.py": "b.py"})
    assert places(found) == [("b.py", 5, "B006")]


def test_an_added_file_is_all_new():
    assert places(lint({}, {"pkg/a.py": "import os\nassert (1, 'x')\nos.remove('x')\n"})) == [
        ("pkg/a.py", 2, "F631")
    ]


def test_a_name_that_the_change_takes_away_is_reported_where_it_is_still_used():
    [finding] = lint(
        {"a.py": "import os\nimport sys\n\n\n\n\n\n\ndef f():\n    return os.name, sys.path\n"},
        {"a.py": "import sys\n\n\n\n\n\n\ndef f():\n    return os.name, sys.path\n"},
    )
    assert (finding.line, finding.rule) == (9, "F821")
    assert "touches other lines" in finding.body


def test_a_file_that_no_longer_parses_is_critical():
    found = lint({"a.py": "def f():\n    return (1)\n"}, {"a.py": "def f():\n    return (1\n"})
    assert {(finding.rule, finding.severity) for finding in found} == {("invalid-syntax", "critical")}


def test_the_newest_syntax_is_no_error():
    assert (
        lint({}, {"a.py": "type Pair[T] = tuple[T, T]\ntry:\n    pass\nexcept* ValueError:\n    raise\n"})
        == []
    )


def test_security_is_judged_in_shipped_code_but_not_in_tests():
    code = "import subprocess\n\n\ndef f(a):\n    subprocess.run(f'ls {a}', shell=True)\n"
    assert places(lint({}, {"a.py": code})) == [("a.py", 5, "S602")]
    assert lint({}, {"tests/test_a.py": code}) == []


def test_a_constant_command_line_is_no_injection():
    assert lint({}, {"a.py": "import subprocess\n\nsubprocess.run('ls -l', shell=True, check=True)\n"}) == []


def test_style_is_not_reported():
    assert lint({}, {"a.py": "import sys, os\nl = lambda: os.name;print( sys.path )\nassert l\n"}) == []


def test_swallowed_errors_are_one_finding():
    assert places(lint({}, {"a.py": "try:\n    print(1)\nexcept:\n    pass\n"})) == [("a.py", 3, "S110")]


def test_a_safe_fix_of_added_lines_becomes_a_suggestion():
    [finding] = lint({"a.py": "X = 1\n"}, {"a.py": "X = 1\nY = f'ü', f\"constant\"  # ü\n"}, ignore=["F401"])[
        :1
    ]
    assert (finding.start_line, finding.line) == (2, 2)
    assert finding.suggestion == "Y = 'ü', f\"constant\"  # ü"


def test_a_fix_that_deletes_its_line_suggests_nothing_in_its_place():
    [finding] = lint({"a.py": "X = 1\n"}, {"a.py": "X = 1\r\nimport os\r\n"})
    assert (finding.line, finding.rule, finding.suggestion) == (2, "F401", "")


def test_an_unsafe_fix_is_not_suggested():
    [finding] = lint({}, {"a.py": "def f(a=[]):\n    return a\n"})
    assert finding.suggestion is None


def test_the_configuration_of_the_change_has_no_say(tmp_path):
    code = "print(nmae)\n"
    assert places(lint({}, {"a.py": code, "ruff.toml": "exclude = ['*']\n"})) == [("a.py", 1, "F821")]


def test_paths_of_the_change_do_not_reach_the_file_system(tmp_path):
    evil = f"../../../{tmp_path}/x.py"
    assert places(lint({}, {evil: "print(nmae)\n", f"{tmp_path}/y.py": "print(nmae)\n"})) == [
        (evil, 1, "F821"),
        (f"{tmp_path}/y.py", 1, "F821"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_unicode_is_still_read():
    assert places(lint({}, {"a.py": "X = '\udcff'\nprint(nmae)\n"})) == [("a.py", 2, "F821")]


def test_rules_can_be_ignored():
    assert lint({}, {"a.py": "print(nmae)\n"}, ignore=["F821"]) == []


def test_without_python_there_is_nothing_to_do():
    about = ReviewSubject(change({}, {"a.js": "x"}), None, lambda: Trees(None, None))
    assert answer("ruff", about).note == "no Python file is changed"


def test_a_flood_of_one_rule_is_cut_and_says_so():
    found = lint({}, {"a.py": "print(nmae)\n" * 250})
    assert len(found) == 100
    assert "Another 150 of the same rule are not listed." in found[-1].body


def test_line_numbers_that_would_be_wrong_are_not_given():
    assert lint({}, {"a.py": "x = 1\ry = 2\nprint(nmae)\n"}) == []


def test_a_comparison_that_a_test_expects_to_raise_is_not_pointless():
    test = "def test_a(raises):\n    with raises(TypeError):\n        1 < ''\n    1 < 2\n"
    assert places(lint({}, {"tests/test_a.py": test})) == [("tests/test_a.py", 4, "B015")]


def test_what_examples_do_on_purpose_is_not_reported():
    code = "import os\n\nVALUE = 1\nVALUE.real\n"
    assert lint({}, {"typing-examples/a.py": code, "docs/conf.py": code}) == []
    assert [finding.rule for finding in lint({}, {"a.py": code})] == ["F401", "B018"]


def test_of_a_file_that_does_not_parse_the_first_error_is_said():
    assert places(lint({}, {"a.py": "def f(:\n\n\ndef g(:\n"})) == [("a.py", 1, "invalid-syntax")]

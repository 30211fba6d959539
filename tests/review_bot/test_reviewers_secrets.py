import random
import string

import pytest

from review_bot.change import Trees
from review_bot.subject import ReviewSubject
from tests.review_bot.sample_change import answer, change, findings, subject


def random_text(length, seed):
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=length))


GITHUB = f"ghp_{random_text(36, 1)}"
PASSWORD = f"{random_text(12, 2)}!7"


def about(base, head):
    return ReviewSubject(change(base, head), None, lambda: Trees(None, None))


def scan(base, head):
    return findings("secrets", about(base, head))


@pytest.mark.parametrize("path", ["a.py", "deploy.yaml", "Dockerfile", "notes.md", ".github/ci.yml"])
def test_a_token_is_found_in_any_file_and_never_repeated(path):
    made = about({path: "one\n"}, {path: f"one\nuse {GITHUB} here\n"})
    [finding] = findings("secrets", made)
    assert (finding.path, finding.line) == (path, 2)
    assert (finding.severity, finding.rule) == ("critical", "github-token")
    assert GITHUB not in answer("secrets", made).model_dump_json()
    assert "Revoke" in finding.body


def test_a_password_is_found_by_what_it_is_assigned_to():
    [finding] = scan({}, {"settings.py": f'DB_PASSWORD = "{PASSWORD}"\n'})
    assert (finding.line, finding.severity) == (1, "major")


def test_a_private_key_is_one_finding_at_its_first_line():
    body = "\n".join(random_text(64, seed) for seed in range(4))
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
    [finding] = scan({}, {"key.pem": "x\n" + key})
    assert (finding.line, finding.rule) == (3, "private-key")


def test_what_base_already_had_is_not_reported_again():
    line = f"token: {GITHUB}\n"
    assert scan({"a.yml": line}, {"a.yml": f"# moved\n\n{line}"}) == []
    elsewhere = {"a.yml": "x: 1\n", "b.yml": f"y: 1\n{line}"}
    assert scan({"a.yml": f"x: 1\n{line}", "b.yml": "y: 1\n"}, elsewhere) == []


def test_a_secret_that_appears_twice_in_a_file_is_one_finding():
    assert len(scan({}, {"a.sh": f"a={GITHUB}\nb={GITHUB}\n"})) == 1


@pytest.mark.parametrize(
    "line",
    [
        'password = "password"',
        'password = os.environ["DB_PASSWORD"]',
        'aws_key = "AKIAIOSFODNN7EXAMPLE"',
        'url = "postgres://app:s3cretpw99@localhost/app"',
        'label = "Enter your password"',
    ],
)
def test_examples_and_local_defaults_are_left_alone(line):
    assert scan({}, {"a.py": f"{line}\n"}) == []


def test_a_made_up_password_in_a_test_is_left_alone_but_a_real_token_is_not():
    path = "tests/test_login.py"
    assert scan({}, {path: f'password = "{PASSWORD}"\n'}) == []
    assert [finding.severity for finding in scan({}, {path: f'x = "{GITHUB}"\n'})] == ["major"]


def test_no_other_reviewer_carries_a_secret_out(tmp_path):
    base = {"a.py": "def f(key: int = 0) -> int:\n    return key\n"}
    head = {"a.py": f'def f(key: int = 0) -> int:\n    return key\n\n\nf("{GITHUB}"); x = f"{GITHUB}"\n'}
    made = subject(tmp_path, base, head)
    for kind in ("ruff", "ty", "griffe"):
        assert GITHUB not in answer(kind, made).model_dump_json()
    [unused_f] = [finding for finding in findings("ruff", made) if finding.rule == "F541"]
    assert unused_f.suggestion is None  # it would put the mask into the code
    [wrong_type] = findings("ty", made)
    assert "<masked:" in wrong_type.title

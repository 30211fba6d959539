import json
import random
import re
import string
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_engine.errors import MaskingFailed
from moa_engine.redaction import Redactor

MASK = re.compile(r"<masked:[a-z0-9-]+:[0-9a-f]{8}>")
ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"


def some(alphabet: str, length: int, seed: int = 1) -> str:
    """Random characters, a digit and a letter among them; so that scanners find nothing in this file."""
    rng = random.Random(f"{alphabet}{length}{seed}")
    return "a1" + "".join(rng.choices(alphabet, k=length - 2))


JWT = f"eyJ{some(URLSAFE, 33)}.eyJ{some(URLSAFE, 120)}.{some(URLSAFE, 341)}"

SECRETS = {
    "github classic": "ghp_" + some(ALNUM, 36),
    "github oauth": "gho_" + some(ALNUM, 36),
    "github user": "ghu_" + some(ALNUM, 36),
    "github refresh": "ghr_" + some(ALNUM, 76),
    "github server": "ghs_" + some(ALNUM, 36),
    "github stateless": f"ghs_1234567_{JWT}",
    "github fine-grained": f"github_pat_{some(ALNUM, 22)}_{some(ALNUM, 59)}",
    "anthropic": f"sk-ant-api03-{some(URLSAFE, 93)}AA",
    "openai project": f"sk-proj-{some(URLSAFE, 150)}",
    "openai legacy": f"sk-{some(ALNUM, 20)}T3BlbkFJ{some(ALNUM, 20)}",
    "openrouter": f"sk-or-v1-{some('0123456789abcdef', 64)}",
    "google": "AIza" + some(URLSAFE, 35),
    "hugging face": "hf_" + some(ALNUM, 34),
    "groq": "gsk_" + some(ALNUM, 52),
    "slack": f"xoxb-123456789012-1234567890123-{some(ALNUM, 24)}",
    "slack app": f"xapp-1-A012345-123456789-{some('0123456789abcdef', 64)}",
    "aws id": "AKIA" + "IOSFODNN7ABCDEFG",
    "aws temporary id": "ASIA" + "IOSFODNN7ABCDEFG",
    "gitlab": "glpat-" + some(URLSAFE, 20),
    "stripe": "sk_live_" + some(ALNUM, 24),
    "npm": "npm_" + some(ALNUM, 36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + some(URLSAFE, 120),
    "jwt": JWT,
    "sendgrid": f"SG.{some(ALNUM, 22)}.{some(ALNUM, 43)}",
    "discord": f"M{some(ALNUM, 23)}.{some(ALNUM, 6)}.{some(ALNUM, 27)}",
    "telegram": f"123456789:AA{some(URLSAFE, 33)}",
    "mailchimp": f"{some('0123456789abcdef', 32)}-us12",
}

#: Lines around a secret that only its place gives away; {} is the secret.
PLACES = {
    "database url": ("postgres://app:{}@db.example.org:5432/app", "s3cr3t-pa@ss"),
    "proxy url": ('proxies = {{"https": "http://user:{}@10.0.0.1:8080"}}', "hunter22"),
    "bearer": ("Authorization: Bearer {}", some(ALNUM, 40)),
    "basic": ("-H 'Authorization: Basic {}'", some(BASE64, 40)),
    "api key header": ('"x-api-key": "{}"', some(ALNUM, 40)),
    "aws secret": ("aws_secret_access_key = {}", some(BASE64, 40)),
    "aws pair": ("AKIA" + "IOSFODNN7ABCDEFG,{}", some(BASE64, 40)),
    "keyword": ('DB_PASSWORD = "{}"', "correct-horse-42"),
    "keyword in a call": ('client = connect("host", password="{}")', "correct-horse-42"),
    "keyword in json": ('{{"client_secret": "{}"}}', "correct-horse-42"),
    "keyword with uuid": ('HEROKU_API_KEY = "{}"', "9f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
    "allow-listed": ('password = "{}"  # pragma: allowlist secret', "correct-horse-42"),
    "server configuration": ('private_key "{}";', "correct-horse-42"),
    "quoted token": ("auth_token: '{}'", some(ALNUM, 32)),
    "env file": ("export API_TOKEN={}", some(ALNUM, 32)),
    "yaml": ("-  password: {}", "c0rrectHorse!"),
    "azure": ("AccountName=x;AccountKey={};", some(BASE64, 86) + "=="),
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", '+    key = "{}"', "see {}.", "url?k={}&x=1", "`{}`", "a {} b"])
def test_credentials_of_known_shape_are_masked(kind: str, around: str) -> None:
    redactor = Redactor()
    masked = redactor.mask(around.format(SECRETS[kind]))
    assert SECRETS[kind] not in masked
    assert not any(SECRETS[kind][cut : cut + 12] in masked for cut in range(8, len(SECRETS[kind]) - 12))
    assert MASK.search(masked)
    assert redactor.masked == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mark", ["", "+", "-", " "])
def test_credentials_are_masked_by_their_place_and_nothing_else_is(place: str, mark: str) -> None:
    line, secret = PLACES[place]
    masked = Redactor().mask(mark + line.format(secret))
    assert secret not in masked
    before, after = line.format("\0").split("\0")
    if "AKIA" not in before and "AccountKey" not in before:
        assert masked.startswith(mark + before)
    assert masked.endswith(after)


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['DB_PASSWORD']",
        'password = getpass.getpass("Password: ")',
        "def login(user: str, password: str) -> Token:",
        'parser.add_argument("--password", help="the password")',
        'password = "password"',
        'api_key = "your-api-key"',
        'secret = "<secret>"',
        'token = "${TOKEN}"',
        'password = "{{ password }}"',
        "DATABASE_URL=postgres://user:password@localhost/db",
        'f"postgres://{user}:{password}@{host}/{name}"',
        "git clone https://github.com/owner/name.git",
        "http://localhost:8000/users/@me",
        "commit 4f8a9b3c1d2e5f60718293a4b5c6d7e8f9012345",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "task-force-risk-assessment-2024-final-version-with-notes",
        "from moa_engine.secret_shapes import RULES",
        "authorization = base64.decodebytes(authorization)",
        "self.token = self.tokenizer.next_token_from_stream1(token)",
        "The bearer of this letter, and the basic idea behind it.",
        "for key, value in sorted(secrets.items(), key=lambda item: item[1]):",
        'if line == "-----BEGIN RSA PRIVATE KEY-----":',
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    redactor = Redactor()
    assert redactor.mask(line) == line
    assert redactor.masked == 0


def test_hardly_a_line_of_ordinary_code_is_touched() -> None:
    redactor = Redactor()
    lines = touched = 0
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse", "smtplib", "netrc", "secrets", "ssl", "http/client", "urllib/request", "typing"):
        text = library.joinpath(f"{name}.py").read_text(encoding="utf-8")
        masked = redactor.mask(text)
        lines += text.count("\n")
        touched += sum(a != b for a, b in zip(text.split("\n"), masked.split("\n"), strict=True))
    assert lines > 10_000
    assert touched <= lines / 1000


def key_block(kind: str = "RSA PRIVATE KEY", lines: int = 20) -> list[str]:
    body = [some(BASE64, 64, seed) for seed in range(lines)]
    return [f"-----BEGIN {kind}-----", *body, some(BASE64, 22) + "==", f"-----END {kind}-----"]


@pytest.mark.parametrize(
    "kind",
    [
        "RSA PRIVATE KEY",
        "PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [str, "+{}".format, "-    {}".format, '+    "{}\\n"'.format, "  '{}\\n' +".format, "\t{}\r".format],
    ids=["plain", "added", "removed", "quoted", "joined", "crlf"],
)
def test_private_keys_are_masked_line_by_line(kind: str, wrap: Callable[[str], str]) -> None:
    block = [wrap(line) for line in key_block(kind)]
    text = "\n".join(["before = 1", *block, "after = 2"])
    redactor = Redactor()
    masked = redactor.mask(text).split("\n")
    assert len(masked) == len(block) + 2
    assert (masked[0], masked[1], masked[-2], masked[-1]) == ("before = 1", block[0], block[-1], "after = 2")
    assert all(MASK.search(line) for line in masked[2:-2])
    assert not any(line[4:40] in redactor.mask(text) for line in key_block(kind)[1:-1])
    assert redactor.masked == 1


def test_a_private_key_in_one_line_is_masked() -> None:
    text = json.dumps({"private_key": "\n".join(key_block()) + "\n", "type": "service_account"})
    masked = Redactor().mask(text)
    assert not any(line in masked for line in key_block()[1:-1])
    assert masked.endswith('"type": "service_account"}')


@pytest.mark.parametrize(
    ("first", "last"), [(0, 12), (8, None), (6, 14)], ids=["no end", "no beginning", "beginning elsewhere"]
)
def test_a_private_key_that_a_hunk_cuts_off_is_masked(first: int, last: int | None) -> None:
    if first == 6:
        block = ["-----BEGIN PRIVATE KEY-----", *key_block()[first:last]]
    else:
        block = key_block()[first:last]
    masked = Redactor().mask("\n".join([*(f" {line}" for line in block), "@@ -1 +1 @@", "-x = 1"]))
    assert not any(line in masked for line in key_block()[1:-1])
    assert masked.endswith("\n@@ -1 +1 @@\n-x = 1")
    assert masked.count("\n") == len(block) + 1


def test_code_that_mentions_the_marks_of_a_key_stays() -> None:
    text = (
        'if "-----BEGIN PRIVATE KEY-----" in x:\n    return\nelse:\n    pass\n# -----END PRIVATE KEY-----\n'
    )
    assert Redactor().mask(text) == text


def test_the_same_secret_is_masked_alike_and_counted_once() -> None:
    first, second = SECRETS["github classic"], SECRETS["hugging face"]
    redactor = Redactor()
    masks = MASK.findall(redactor.mask(f"{first}\n{second}\n") + redactor.mask(first))
    assert masks[0] == masks[2] != masks[1]
    assert redactor.masked == 2
    assert Redactor().mask(first) == masks[0]


def test_a_secret_that_was_found_is_masked_in_the_rest_of_the_text() -> None:
    text = 'connect("h0rse-battery")\nPASSWORD = "h0rse-battery"\nlogin("me", "h0rse-battery")\n'
    before, _, after = Redactor().mask(text).split("\n", 2)
    assert before == 'connect("h0rse-battery")'  # the beginning must not depend on what follows
    assert "h0rse-battery" not in after


def test_an_ordinary_word_in_the_place_of_a_secret_is_masked_there_only() -> None:
    masked = Redactor().mask('password = "opensesame"\nopensesame()\n')
    assert masked.startswith('password = "<masked:')
    assert masked.endswith("\nopensesame()\n")


def test_what_was_learned_is_masked_everywhere() -> None:
    redactor = Redactor()
    text = "the key is plain-looking-key, really"
    assert redactor.mask(text) == text
    redactor.learn("plain-looking-key")
    redactor.learn("plain-looking-key and more")
    assert "plain-looking-key" not in redactor.mask(text)
    assert redactor.mask("plain-looking-key and more").count("<masked:learned:") == 1
    assert redactor.masked == 2


def test_a_plug_ins_secrets_are_masked_and_lines_kept() -> None:
    redactor = Redactor(lambda text: ["two\nlines", "", "ACME-1"] if "ACME" in text else [])
    masked = redactor.mask("a two\nlines ACME-1 b\nc")
    assert "ACME-1" not in masked
    assert "lines" not in masked
    assert masked.count("\n") == 2
    assert redactor.masked == 2


def test_nothing_is_let_through_when_a_detector_fails() -> None:
    def broken(text: str) -> list[str]:
        raise RuntimeError(f"cannot read {text}")

    with pytest.raises(MaskingFailed, match="RuntimeError") as caught:
        Redactor(broken).mask("some text")
    assert "some text" not in str(caught.value)


def test_detectors_are_loaded_only_where_they_could_find_something() -> None:
    script = (
        "import sys\n"
        "from moa_engine.redaction import Redactor\n"
        "Redactor().mask('What does this function return for an empty list of keys?\\n' * 50)\n"
        "print('detect_secrets' in sys.modules, 'requests' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\n"), max_size=40),
        st.sampled_from([line.format(secret) for line, secret in PLACES.values()]),
        st.sampled_from([f"key = {secret!r}" for secret in SECRETS.values()]),
        st.sampled_from(
            [*key_block(lines=2), "<masked:keyword:0123abcd>", "secret = 'x' password: \"y1y2y3y4\""]
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_masking_twice_changes_nothing_more_and_lines_are_kept(lines: list[str]) -> None:
    text = "\n".join(lines)
    masked = Redactor().mask(text)
    assert Redactor().mask(masked) == masked
    assert masked.count("\n") == text.count("\n")


@settings(max_examples=150, deadline=None)
@given(LINES, LINES)
def test_a_beginning_is_masked_alike_whatever_follows(first: list[str], second: list[str]) -> None:
    one_key = any("PRIVATE KEY" in line for line in first)
    rest = [line for line in second if not (one_key and line in key_block(lines=2))]
    beginning = "".join(f"{line}\n" for line in [*first, "-" * 10])
    assert Redactor().mask(beginning + "\n".join(rest)).startswith(Redactor().mask(beginning))


def test_a_very_long_line_is_no_trouble() -> None:
    text = f"x = '{'secret' * 30_000}'; password = \"{SECRETS['npm']}\""
    assert SECRETS["npm"] not in Redactor().mask(text)

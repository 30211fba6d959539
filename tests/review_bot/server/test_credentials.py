"""An App's secrets: where they come from, and that nobody else reads them."""

import json
import stat
from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.server.credentials import AppCredentials, read_credentials, write_credentials

APP = AppCredentials("42", "-----BEGIN-----\nabc\n-----END-----\n", ("a secret",))


def test_the_file_is_for_its_owner_alone_and_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "moa"
    path = write_credentials(folder, APP)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_credentials({}, folder) == APP
    assert "abc" not in repr(APP)
    assert "a secret" not in repr(APP)
    with pytest.raises(ConfigError, match="already"):
        write_credentials(folder, AppCredentials("43", "other", ("s",)))
    assert read_credentials({}, folder) == APP

    path.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others") as error:
        read_credentials({}, folder)
    assert error.value.hint == f"chmod 600 {path}"


def test_two_secrets_are_good_while_one_is_replaced(tmp_path: Path) -> None:
    path = write_credentials(tmp_path, APP)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"webhook_secrets": ["new", "old"]}))
    assert read_credentials({}, tmp_path).webhook_secrets == ("new", "old")
    environ = {"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "k", "GITHUB_WEBHOOK_SECRET": "new"}
    assert read_credentials(environ, tmp_path).webhook_secrets == ("new",)
    environ["GITHUB_WEBHOOK_SECRET_PREVIOUS"] = "old"
    assert read_credentials(environ, tmp_path).webhook_secrets == ("new", "old")


def test_the_environment_comes_first_and_is_whole(tmp_path: Path) -> None:
    write_credentials(tmp_path, APP)
    key = tmp_path / "key.pem"
    key.write_text("line 1\nline 2\n")
    environ = {
        "GITHUB_APP_ID": "7",
        "GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "GITHUB_WEBHOOK_SECRET": "hook",
    }
    assert read_credentials(environ, tmp_path) == AppCredentials("7", "line 1\nline 2\n", ("hook",))
    # As systemd's and docker's files of variables have it: in one line.
    one_line = {**environ, "GITHUB_APP_PRIVATE_KEY": r"line 1\nline 2\n", "GITHUB_APP_PRIVATE_KEY_FILE": ""}
    assert read_credentials(one_line, tmp_path).private_key == "line 1\nline 2\n"
    with pytest.raises(ConfigError, match="both set"):
        read_credentials({**environ, "GITHUB_APP_PRIVATE_KEY": "k"}, tmp_path)
    with pytest.raises(ConfigError, match="GITHUB_APP_PRIVATE_KEY, GITHUB_WEBHOOK_SECRET not set"):
        read_credentials({"GITHUB_APP_ID": "7"}, tmp_path)
    with pytest.raises(ConfigError, match=r"nowhere\.pem cannot be read"):
        read_credentials({**environ, "GITHUB_APP_PRIVATE_KEY_FILE": "nowhere.pem"}, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"app_id": 1, "private_key": "", "webhook_secrets": []}', "\ud800"]
)
def test_a_file_that_somebody_edited_is_named(tmp_path: Path, text: str) -> None:
    path = write_credentials(tmp_path, APP)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError, match=r"app\.json"):
        read_credentials({}, tmp_path)


def test_without_an_app_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read_credentials({}, tmp_path)
    assert "--create-app" in error.value.hint

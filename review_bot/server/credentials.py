"""What only the App and GitHub know: from the environment, or from the file that `--create-app` wrote."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from moa_engine.errors import ConfigError

FILE = "app.json"


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """An App's id and secrets."""

    app_id: str
    private_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """Deliveries signed with any of these are GitHub's: while a secret is replaced there are two."""


def read_credentials(environ: Mapping[str, str], folder: Path) -> AppCredentials:
    """The credentials in the environment, else those in `folder`; never half of each.

    Raises:
        ConfigError: something is missing, or others may read the file.
    """
    names = (
        "GITHUB_APP_ID",
        "GITHUB_APP_PRIVATE_KEY",
        "GITHUB_APP_PRIVATE_KEY_FILE",
        "GITHUB_WEBHOOK_SECRET",
    )
    if any(environ.get(name) for name in names):
        return _from_environment(environ)
    if (folder / FILE).exists():
        return _from_file(folder / FILE)
    raise ConfigError(
        "there is no GitHub App to serve",
        hint="Create one with review-bot serve --create-app, or set GITHUB_APP_ID, "
        "GITHUB_APP_PRIVATE_KEY_FILE and GITHUB_WEBHOOK_SECRET.",
    )


def write_credentials(folder: Path, credentials: AppCredentials) -> Path:
    """Write the file, for nobody else to read. There must not be one: a key exists only once.

    Raises:
        ConfigError: there is one, or it cannot be written.
    """
    path = folder / FILE
    text = json.dumps(asdict(credentials), indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise already_there(path) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def already_there(path: Path) -> ConfigError:
    """The refusal to write over an App's only key."""
    return ConfigError(
        f"{path} has the secrets of an App already",
        hint="Move the file away to create another App, or give another folder: --data DIR.",
    )


def _from_environment(environ: Mapping[str, str]) -> AppCredentials:
    key = environ.get("GITHUB_APP_PRIVATE_KEY", "")
    if file := environ.get("GITHUB_APP_PRIVATE_KEY_FILE", ""):
        if key:
            raise ConfigError("GITHUB_APP_PRIVATE_KEY and GITHUB_APP_PRIVATE_KEY_FILE are both set")
        try:
            key = Path(file).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(f"GITHUB_APP_PRIVATE_KEY_FILE: {file} cannot be read ({error})") from error
    found = {
        "GITHUB_APP_ID": environ.get("GITHUB_APP_ID", "").strip(),
        # Files of variables, of systemd and of docker, have no values with line ends: there they are "\n".
        "GITHUB_APP_PRIVATE_KEY": key.replace("\\n", "\n"),
        "GITHUB_WEBHOOK_SECRET": environ.get("GITHUB_WEBHOOK_SECRET", ""),
    }
    if missing := [name for name, value in found.items() if not value]:
        raise ConfigError(
            f"the environment has only part of the GitHub App: {', '.join(missing)} not set",
            hint="All three are on the App's settings page (the key also as GITHUB_APP_PRIVATE_KEY_FILE).",
        )
    id, key, secret = found.values()
    previous = environ.get("GITHUB_WEBHOOK_SECRET_PREVIOUS", "")
    return AppCredentials(id, key, (secret, previous) if previous else (secret,))


def _from_file(path: Path) -> AppCredentials:
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} can be read by others", hint=f"chmod 600 {path}")
        data = json.loads(path.read_text("utf-8"))
        id, key, secrets = data["app_id"], data["private_key"], data["webhook_secrets"]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not what --create-app writes: {error!r}") from error
    if not (isinstance(id, str) and isinstance(key, str) and isinstance(secrets, list) and secrets):
        raise ConfigError(f"{path}: app_id and private_key are texts, webhook_secrets is a list of texts")
    return AppCredentials(id, key, tuple(map(str, secrets)))

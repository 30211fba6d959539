"""Files in a project that hold what nobody else should know, by their names."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path

_NAMES = frozenset(
    {".env", ".envrc", ".netrc", "_netrc", ".pypirc", ".npmrc", ".yarnrc.yml", ".pgpass", ".my.cnf"}
    | {".git", ".git-credentials", ".gitconfig", ".hgrc", ".htpasswd", ".dockercfg", ".boto", ".s3cfg"}
    | {".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".vault-token", ".terraformrc"}
    | {"credentials.json", "credentials.toml", "credentials.yml", "credentials.yaml", "credentials"}
    | {"secrets.json", "secrets.toml", "secrets.yml", "secrets.yaml", ".secrets", "pip.conf"}
    | {"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "service-account.json"}
)

#: Endings of an `.env.…` that is there to be read.
_SAMPLES = (".example", ".sample", ".template", ".dist")

#: Folders that hold other people's code, and no credentials; and the file that marks another.
_PRUNED = frozenset({"site-packages", "node_modules", "__pycache__"})
_ENVIRONMENT = "pyvenv.cfg"

#: Folders that are looked into, those near the top first.
MOST_FOLDERS = 3000


def credentials_in(folder: Path, home: Path | None) -> set[Path]:
    """Files and folders below this one that must not be read.

    `home` is the user's: if it is below, or the folder itself, all of its hidden entries are counted in.
    """
    found: set[Path] = set()
    pending = deque([folder])
    looked = 0
    while pending and looked < MOST_FOLDERS:
        place = pending.popleft()
        looked += 1
        with suppress(OSError), os.scandir(place) as entries:  # what cannot be listed is no folder of ours
            inside = list(entries)
            if any(entry.name == _ENVIRONMENT for entry in inside):
                continue
            for entry in inside:
                is_folder = entry.is_dir(follow_symlinks=False)
                if _is_credential(entry.name, is_folder) or (place == home and entry.name.startswith(".")):
                    found.add(place / entry.name)
                elif is_folder and entry.name not in _PRUNED:
                    pending.append(place / entry.name)
    return found


def _is_credential(name: str, is_folder: bool) -> bool:
    if name in _NAMES:
        return not is_folder or name.startswith(".")  # a package may well be called `credentials`
    return name.startswith(".env.") and not name.endswith(_SAMPLES)

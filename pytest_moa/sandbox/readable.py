"""What a sandbox may read: the interpreter, what is installed, the system's libraries, and the project."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pytest_moa.sandbox import landlock
from pytest_moa.sandbox.credentials import credentials_in

SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix/store", "/gnu/store")

#: What of /etc libraries look at: none of it is secret.
ETC = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group", "nsswitch.conf", "hosts"),
    *("host.conf", "resolv.conf", "services", "protocols", "localtime", "timezone", "mime.types"),
    *("ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "pki/tls/certs", "pki/tls/cert.pem"),
    *("pki/tls/openssl.cnf", "pki/ca-trust/extracted", "ca-certificates", "crypto-policies"),
    *("alternatives", "os-release", "debian_version", "lsb-release", "fonts", "locale.alias", "terminfo"),
)

#: Devices that may be read and written to.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

KERNEL = ("/sys/devices/system/cpu", "/sys/devices/system/node")


def rules(root: Path, more: Iterable[Path], home: Path | None) -> Iterator[tuple[Path, int]]:
    """What may be read, as paths and Landlock rights. Credentials are left out wherever they lie."""
    yield from ((Path(path), landlock.READ) for path in (*SYSTEM, *KERNEL))
    yield from ((Path("/etc", name), landlock.READ) for name in ETC)
    yield from ((path, landlock.READ) for path in Path("/etc").glob("python3*"))
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    places = [root, *more, *map(Path, (*prefixes, *sys.path, *libraries)), *_editable(sys.path)]
    real = {path.resolve() for path in places if path.is_absolute()}
    outermost = [path for path in real if not any(other in path.parents for other in real)]
    for path in sorted(outermost):
        hidden = credentials_in(path, home) if path.is_dir() else set()
        yield from _around(path, hidden)
    # What was named itself is meant, also where it lies in a folder that is hidden: a `.venv` in a home.
    for path in sorted(real.difference(outermost)):
        if path.is_dir():
            yield from _around(path, credentials_in(path, home))


def _around(path: Path, hidden: set[Path]) -> Iterator[tuple[Path, int]]:
    """All of a folder but what is hidden in it."""
    if not any(path in one.parents for one in hidden):
        yield path, landlock.READ
        return
    yield path, landlock.READ_DIR
    for entry in path.iterdir():
        # A link is followed by whoever opens it: where it leads has its own rule, or none.
        if entry not in hidden and not entry.is_symlink():
            yield from _around(entry, hidden)


def _editable(path: Iterable[str]) -> Iterator[Path]:
    """Folders of projects that are installed as editable (PEP 610)."""
    for place in path:
        for file in Path(place).glob("*.dist-info/direct_url.json"):
            try:
                told = json.loads(file.read_text())
            except (OSError, ValueError):
                continue
            url = urlsplit(str(told.get("url")))
            if told.get("dir_info", {}).get("editable") and url.scheme == "file":
                yield Path(unquote(url.path))

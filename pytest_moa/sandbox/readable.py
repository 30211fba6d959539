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

#: What of a prefix belongs to the interpreter: it may be a home's `.local`, with others' data beside.
OF_PREFIX = ("bin", "lib", "lib64", "libexec", "include", "ssl", "share/zoneinfo", "pyvenv.cfg")

#: Devices that may be read and written to.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

KERNEL = ("/sys/devices/system/cpu", "/sys/devices/system/node")


def rules(root: Path, more: Iterable[Path], home: Path | None) -> Iterator[tuple[Path, int]]:
    """What may be read, as paths and Landlock rights. Credentials are left out wherever they lie."""
    installed = [Path(path) for path in (*SYSTEM, *KERNEL)]
    installed += [Path("/etc", name) for name in ETC]
    installed += Path("/etc").glob("python3*")
    for prefix in {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}:
        installed += [Path(prefix, name) for name in OF_PREFIX]
    installed += [Path(path) for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path]
    installed = [path.resolve() for path in installed]
    yield from ((path, landlock.READ) for path in installed)

    # The rest is the user's own. What is named itself is meant, also if it lies in a folder that is hidden.
    places = [root, *more, *(Path(path) for path in sys.path if path), *_editable(sys.path)]
    done: list[Path] = list(installed)
    hidden: set[Path] = set()
    for path in sorted({place.resolve() for place in places}):
        if path == Path("/") or (_within(path, done) and not _within(path, hidden)):
            continue  # a root that is everything is a mistake, and not to be had that way
        done.append(path)
        found = credentials_in(path, home)
        hidden |= found
        yield from _around(path, found, {above for one in found for above in one.parents})


def _within(path: Path, places: Iterable[Path]) -> bool:
    return any(place == path or place in path.parents for place in places)


def _around(path: Path, hidden: set[Path], above: set[Path]) -> Iterator[tuple[Path, int]]:
    """All of a folder but what is hidden in it; `above` are the folders that something hidden is in."""
    if path not in above:
        yield path, landlock.READ
        return
    yield path, landlock.READ_DIR
    for entry in path.iterdir():
        # A link is followed by whoever opens it: where it leads has its own rule, or none.
        if entry not in hidden and not entry.is_symlink():
            yield from _around(entry, hidden, above)


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

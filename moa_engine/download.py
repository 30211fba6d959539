"""Fetch a model of the catalogue from its publisher: resumable, and checked before it can be used.

The standard library's client, because `_transport` holds the only import of httpx and has no
streaming to disk, and because urllib follows redirects, proxies and timeouts by itself.

A file that is under way is called `NAME.gguf.part`; it stays when the download is interrupted, and
the next one goes on from there. Only a file with the catalogue's size and SHA-256 gets its name.
"""

from __future__ import annotations

import hashlib
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from moa_engine.egress import Egress
from moa_engine.errors import DownloadFailed

if TYPE_CHECKING:
    from moa_engine.catalogue import CatalogueModel
    from moa_engine.config import Settings

#: Called with the bytes that are there and the bytes of the whole file.
Progress = Callable[[int, int], None]

#: Bytes read at once, and bytes that a disk must have left besides the file itself.
_BLOCK = 1 << 20
_SPARE = 64 << 20


def download_model(
    model: CatalogueModel,
    settings: Settings,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    timeout: float = 60.0,
) -> Path:
    """The path of the model's file, downloaded if it is not there yet. Whoever calls has asked the user.

    A connection that breaks is taken up again as long as each attempt brings something. `timeout` is
    in seconds, for connecting and for each read. On Ctrl-C the part that has arrived is kept.

    Raises:
        EgressRefused: the rules of the settings do not allow the publisher's host, or one it redirects to.
        DownloadFailed: not enough disk, no connection, or not the file that the catalogue describes.
    """
    egress = Egress(settings.local_only, settings.allow_hosts)
    egress.check(model.url, member=model.name)
    target = model.path(folder)
    if target.exists():
        return target
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_disk(model, part)
        _fetch(model, part, _opener(egress), progress or _unseen, timeout)
        _check_digest(model, part)
        part.replace(target)
    except OSError as error:
        raise DownloadFailed(
            f"{model.name}: cannot write {part}: {error.strerror or error}",
            hint="check the folder's permissions and the disk, then download again: it goes on from there",
        ) from error
    _etag_file(part).unlink(missing_ok=True)
    return target


def _check_disk(model: CatalogueModel, part: Path) -> None:
    missing = model.size - _size(part)
    free = shutil.disk_usage(part.parent).free
    if free < missing + _SPARE:
        raise DownloadFailed(
            f"{model.name} needs {missing / 1e6:,.0f} MB more in {part.parent}, "
            f"which has {free / 1e6:,.0f} MB left",
            hint="free some space, then download again",
        )


def _fetch(
    model: CatalogueModel,
    part: Path,
    opener: urllib.request.OpenerDirector,
    progress: Progress,
    timeout: float,
) -> None:
    """Bring `part` to the model's size."""
    progress(_size(part), model.size)
    while (before := _size(part)) < model.size:
        try:
            with opener.open(_request(model, part), timeout=timeout) as response:
                _receive(model, part, response, progress)
            problem = "the connection ended early"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and before:  # what is there is of no use to this server
                part.unlink()
                continue
            raise DownloadFailed(f"{model.name}: {model.url} answered {error.code} {error.reason}") from None
        except urllib.error.URLError as error:
            problem = str(error.reason)
        except (ConnectionError, TimeoutError, ssl.SSLError, HTTPException) as error:
            problem = str(error) or type(error).__name__
        if _size(part) <= before:
            kept = f"{before / 1e6:,.0f} MB are kept: download again to go on from there" if before else ""
            raise DownloadFailed(f"{model.name} could not be fetched from {model.url}: {problem}", hint=kept)


def _request(model: CatalogueModel, part: Path) -> urllib.request.Request:
    request = urllib.request.Request(model.url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - checked
    if start := _size(part):
        request.add_header("Range", f"bytes={start}-")
        etag = _etag_file(part)
        if etag.exists():  # RFC 9110, 13.1.5: the rest if it is still the same file, else all of it
            request.add_header("If-Range", etag.read_text("ascii"))
    return request


def _receive(model: CatalogueModel, part: Path, response: HTTPResponse, progress: Progress) -> None:
    start = _size(part)
    if response.status != 206:
        start = 0
    elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
        raise DownloadFailed(f"{model.name}: the server sent another part of the file than it was asked for")
    length = response.headers.get("Content-Length")
    if length is not None and (offered := start + int(length)) != model.size:
        raise DownloadFailed(
            f"{model.name}: the server offers {offered:,} bytes, the catalogue says {model.size:,}",
            hint="the publisher has changed the file, or something between answers in its place",
        )
    etag = response.headers.get("ETag") or ""
    if etag.startswith('"') and etag.isascii():  # a weak one must not be used with If-Range
        _etag_file(part).write_text(etag, "ascii")
    # Written where it belongs instead of appended, so that two downloads at once write the same bytes.
    with part.open("r+b" if part.exists() else "wb") as file:
        if start == 0:
            file.truncate()
        file.seek(start)
        while start < model.size and (block := response.read(min(_BLOCK, model.size - start))):
            file.write(block)
            start += len(block)
            progress(start, model.size)


def _check_digest(model: CatalogueModel, part: Path) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        part.unlink()
        _etag_file(part).unlink(missing_ok=True)
        raise DownloadFailed(
            f"{model.name}: the file that came has SHA-256 {found}, the catalogue says {model.sha256}",
            hint="it was deleted; download again, over another connection if this repeats",
        )


def _opener(egress: Egress) -> urllib.request.OpenerDirector:
    class Redirect(urllib.request.HTTPRedirectHandler):
        """Follows redirects to hosts that the egress rules allow."""

        def redirect_request(
            self,
            req: urllib.request.Request,
            fp: IO[bytes],
            code: int,
            msg: str,
            headers: HTTPMessage,
            newurl: str,
        ) -> urllib.request.Request | None:
            egress.check(newurl)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    return urllib.request.build_opener(Redirect)


def _etag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def shown_on(stream: TextIO) -> Progress:
    """Progress for people: one line of a terminal, or a line for each ten percent in a log."""
    terminal = stream.isatty()
    step = 1 if terminal else 10
    shown = -step

    def show(there: int, whole: int) -> None:
        nonlocal shown
        percent = there * 100 // whole
        if percent < shown + step:
            return
        shown = percent
        line = f"{percent:3d} % of {whole / 1e6:,.0f} MB"
        stream.write(f"\r{line}" if terminal else f"{line}\n")
        if terminal and percent == 100:
            stream.write("\n")
        stream.flush()

    return show


def _unseen(_there: int, _all: int) -> None:
    """Nobody watches."""

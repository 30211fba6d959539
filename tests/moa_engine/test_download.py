import hashlib
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from moa_engine.catalogue import CatalogueModel, catalogue
from moa_engine.config import Settings
from moa_engine.download import download_model, shown_on
from moa_engine.errors import DownloadFailed, EgressRefused

WHOLE = bytes(range(256)) * 12_000  # 3 MB
SETTINGS = Settings()


@dataclass
class Publisher:
    """A server of one file, with the faults of real ones."""

    content: bytes = WHOLE
    etag: str = '"one"'
    knows_ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)  #: bytes; one entry per response
    status: int = 0
    location: str = ""
    wrong_range: bool = False
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append({name.lower(): value for name, value in handler.headers.items()})
        if self.status:
            handler.send_response(self.status)
            if self.location:
                handler.send_header("Location", self.location)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = self._start(handler)
        handler.send_response(206 if start else 200)
        if start:
            shown = start + 1 if self.wrong_range else start
            handler.send_header("Content-Range", f"bytes {shown}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("ETag", self.etag)
        handler.send_header("Content-Length", str(len(self.content) - start))
        handler.end_headers()
        end = start + self.breaks_after.pop(0) if self.breaks_after else len(self.content)
        handler.wfile.write(self.content[start:end])
        handler.close_connection = True

    def _start(self, handler: BaseHTTPRequestHandler) -> int:
        asked = handler.headers.get("Range")
        condition = handler.headers.get("If-Range", self.etag)
        if asked is None or not self.knows_ranges or condition != self.etag:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))


@contextmanager
def serve(publisher: Publisher) -> Iterator[Publisher]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            publisher.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        publisher.url = f"http://127.0.0.1:{server.server_port}/model.gguf"
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def model_of(url: str, content: bytes = WHOLE) -> CatalogueModel:
    digest = hashlib.sha256(content).hexdigest()
    return CatalogueModel("tiny", "for tests", url, digest, len(content), "MIT", "nobody", 4096)


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_downloaded_once_and_then_found(tmp_path: Path) -> None:
    with serve(Publisher()) as publisher:
        model = model_of(publisher.url)
        seen: list[tuple[int, int]] = []
        path = download_model(
            model, SETTINGS, folder=tmp_path / "new" / "folder", progress=lambda *now: seen.append(now)
        )
        assert path.read_bytes() == WHOLE
        assert path == model.path(tmp_path / "new" / "folder")
        assert left_over(path.parent) == [path.name]
        assert seen[0] == (0, len(WHOLE))
        assert seen[-1] == (len(WHOLE), len(WHOLE))
        assert seen == sorted(seen)
        assert download_model(model, SETTINGS, folder=path.parent) == path
        assert len(publisher.asked) == 1


@pytest.mark.parametrize(("terminal", "lines"), [(True, 1), (False, 11)])
def test_progress_takes_one_line_of_a_terminal_and_few_of_a_log(terminal: bool, lines: int) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Stream()
    show = shown_on(stream)
    for there in range(0, 5_000_001, 5000):
        show(there, 5_000_000)
    assert stream.getvalue().count("\n") == lines
    assert stream.getvalue().endswith("100 % of 5 MB\n")


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serve(Publisher(breaks_after=[1_000_000, 500_000])) as publisher:
        path = download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)
    assert path.read_bytes() == WHOLE
    assert [asked.get("range") for asked in publisher.asked] == [None, "bytes=1000000-", "bytes=1500000-"]
    assert publisher.asked[1]["if-range"] == '"one"'


def test_a_download_that_failed_goes_on_the_next_time(tmp_path: Path) -> None:
    with serve(Publisher(breaks_after=[1_000_000, 0])) as publisher:
        model = model_of(publisher.url)
        with pytest.raises(DownloadFailed, match="could not be fetched") as failure:
            download_model(model, SETTINGS, folder=tmp_path)
        assert "1 MB are kept" in failure.value.hint
        assert not model.path(tmp_path).exists()
        seen: list[int] = []
        download_model(model, SETTINGS, folder=tmp_path, progress=lambda there, _: seen.append(there))
    assert seen[0] == 1_000_000
    assert publisher.asked[-1]["range"] == "bytes=1000000-"
    assert model.path(tmp_path).read_bytes() == WHOLE


def test_what_arrived_before_ctrl_c_is_kept(tmp_path: Path) -> None:
    def interrupt(there: int, _: int) -> None:
        if there:
            raise KeyboardInterrupt

    with serve(Publisher()) as publisher:
        model = model_of(publisher.url)
        with pytest.raises(KeyboardInterrupt):
            download_model(model, SETTINGS, folder=tmp_path, progress=interrupt)
        assert not model.path(tmp_path).exists()
        download_model(model, SETTINGS, folder=tmp_path)
    assert int(publisher.asked[1]["range"].removeprefix("bytes=").removesuffix("-")) > 0
    assert model.path(tmp_path).read_bytes() == WHOLE


def test_a_server_that_ignores_ranges_starts_again(tmp_path: Path) -> None:
    with serve(Publisher(knows_ranges=False, breaks_after=[1_000_000])) as publisher:
        path = download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)
    assert path.read_bytes() == WHOLE
    assert len(publisher.asked) == 2


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    with serve(Publisher(content=b"old" * 1_024_000, breaks_after=[1_000_000, 0])) as publisher:
        model = model_of(publisher.url)
        with pytest.raises(DownloadFailed):
            download_model(model, SETTINGS, folder=tmp_path)
        publisher.content, publisher.etag = WHOLE, '"two"'
        assert download_model(model, SETTINGS, folder=tmp_path).read_bytes() == WHOLE


def test_a_file_with_another_digest_is_never_put_into_place(tmp_path: Path) -> None:
    other = WHOLE[:-1] + b"!"
    with serve(Publisher(content=other)) as publisher:
        with pytest.raises(DownloadFailed) as failure:
            download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)
        assert hashlib.sha256(other).hexdigest() in failure.value.message
        assert left_over(tmp_path) == []


def test_a_file_of_another_size_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    with serve(Publisher(content=WHOLE + b"more")) as publisher:
        with pytest.raises(DownloadFailed, match="the catalogue says 3,072,000"):
            download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)
        assert left_over(tmp_path) == []


def test_another_part_than_the_one_asked_for_is_refused(tmp_path: Path) -> None:
    with (
        serve(Publisher(breaks_after=[1_000_000], wrong_range=True)) as publisher,
        pytest.raises(DownloadFailed, match="another part"),
    ):
        download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)


def test_the_servers_refusal_is_told(tmp_path: Path) -> None:
    with serve(Publisher(status=404)) as publisher, pytest.raises(DownloadFailed, match="404 Not Found"):
        download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)


def test_a_part_that_the_server_cannot_continue_is_dropped(tmp_path: Path) -> None:
    with serve(Publisher()) as publisher:
        model = model_of(publisher.url)
        part = tmp_path / (model.file_name + ".part")
        part.write_bytes(WHOLE[:1000])
        publisher.status = 416
        with pytest.raises(DownloadFailed, match="416"):
            download_model(model, SETTINGS, folder=tmp_path)
        assert not part.exists()


def test_nobody_listening_is_a_clear_failure(tmp_path: Path) -> None:
    with serve(Publisher()) as publisher:
        url = publisher.url
    with pytest.raises(DownloadFailed, match="could not be fetched from"):
        download_model(model_of(url), SETTINGS, folder=tmp_path)


def test_local_only_refuses_the_publisher_before_anything_happens(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    outside = model_of("https://93.184.215.14/model.gguf")
    with pytest.raises(EgressRefused, match="not a loopback or private address"):
        download_model(outside, Settings(local_only=True), folder=folder)
    assert not folder.exists()


def test_redirects_are_followed_only_to_hosts_that_are_allowed(tmp_path: Path) -> None:
    with serve(Publisher()) as mirror, serve(Publisher(status=302, location=mirror.url)) as publisher:
        model = model_of(publisher.url)
        assert download_model(model, SETTINGS, folder=tmp_path / "a").read_bytes() == WHOLE
        publisher.location = "https://93.184.215.14/model.gguf"
        with pytest.raises(EgressRefused):
            download_model(model, Settings(local_only=True), folder=tmp_path / "b")
        publisher.location = "file:///etc/passwd"
        with pytest.raises(DownloadFailed, match="302 Found"):
            download_model(model, SETTINGS, folder=tmp_path / "c")


def test_a_full_disk_is_noticed_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int = 10**9
        used: int = 10**9 - 1000
        free: int = 1000

    with serve(Publisher()) as publisher:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
        with pytest.raises(DownloadFailed, match="needs 3 MB more"):
            download_model(model_of(publisher.url), SETTINGS, folder=tmp_path)
        assert publisher.asked == []


def test_a_folder_that_cannot_be_written_is_a_clear_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadFailed, match="cannot write"):
        download_model(model_of("http://127.0.0.1:9/m.gguf"), SETTINGS, folder=tmp_path / "file" / "models")


@pytest.mark.parametrize("name", catalogue())
def test_the_catalogue_names_immutable_files_with_digest_and_licence(name: str) -> None:
    model = catalogue()[name]
    is_hex: Callable[[str], bool] = lambda text: set(text) <= set("0123456789abcdef")  # noqa: E731
    assert model.url.startswith("https://huggingface.co/")
    revision = model.url.split("/resolve/")[1].split("/")[0]
    assert (len(revision), is_hex(revision)) == (40, True)
    assert (len(model.sha256), is_hex(model.sha256)) == (64, True)
    assert model.licence == "Apache-2.0"
    assert model.size > 50_000_000
    assert model.context_window >= 4096
    assert model.about
    assert model.publisher
    assert model.path().name == f"{name}-{model.sha256[:12]}.gguf"

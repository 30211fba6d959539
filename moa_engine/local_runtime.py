"""Models loaded into this process: each file once, however many members share it.

llama.cpp runs through `xllamacpp.Server`, whose methods take requests as function calls. The server
also insists on listening: it is given a Unix socket in a folder that only the user can enter, or,
where there are no such sockets, a loopback port behind a random key. Nothing connects to either.

Seen of xllamacpp 2026.10: it holds the interpreter's lock while it loads a model (0.9 s for 1.1 GB),
works off one request after the other, and asks whether to stop at each token and after each batch of
the prompt. It takes over no signals.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from moa_engine.errors import ConfigError

T = TypeVar("T")

#: Tokens of a prompt that are read at once: for how long a cancelled request goes on at most.
_BATCH = 128

#: The longest path of a Unix socket on all systems (104 bytes on macOS), with a little to spare.
_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Which file to load, and how. `threads` None means one per core."""

    path: Path
    context_window: int
    threads: int | None


class Runtime:
    """One loaded model. All its work happens in one thread of its own, in the order it was asked for."""

    def __init__(self, file: ModelFile) -> None:
        self.file = file
        self.users = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="moa-local")
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._server: Any = None

    async def load(self) -> None:
        """Load the model, if it is not loaded yet.

        Raises:
            ConfigError: llama.cpp cannot load the file.
        """
        await self._run(self._load)

    async def complete(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The chunks of one streamed chat completion; cancelling stops the generation.

        Raises:
            ConfigError: llama.cpp cannot load the file.
            ValueError, RuntimeError: llama.cpp does not understand the request.
        """
        stop = threading.Event()
        try:
            return await self._run(lambda: self._complete(body, stop))
        finally:
            stop.set()

    async def close(self) -> None:
        """Free the model's memory, after whatever is still under way."""
        await self._run(self._unload)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _load(self) -> None:
        if self._server is not None:
            return
        # Read when the library starts: threads that spin while they wait make two threads far slower
        # than one on a busy machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        import xllamacpp

        self._folder = tempfile.TemporaryDirectory(prefix="moa-", ignore_cleanup_errors=True)
        address = str(Path(self._folder.name) / "llama.sock")  # known to be one by the end of its name
        params = xllamacpp.CommonParams()
        params.model.path = str(self.file.path)
        unix = hasattr(socket, "AF_UNIX") and len(address) < _SOCKET_PATH
        params.hostnames = [address if unix else "127.0.0.1"]
        params.port = 0
        params.api_keys = [secrets.token_urlsafe(32)]
        params.endpoint_slots = params.ui = False
        params.endpoint_metrics = True
        params.n_parallel = 1
        params.n_ctx = self.file.context_window
        params.n_batch = _BATCH
        params.warmup = False
        params.verbosity = 0
        # Fitting to a GPU's memory and repacking weights for the CPU make loading four times slower.
        # The first is of no use without a GPU; without the second, prompts are read faster (65 against
        # 42 tokens/s for 1.5B) and answers written slower (10.5 against 13), and prompts are longer.
        cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
        params.fit_params = any(device["type"] != cpu for device in xllamacpp.get_device_info())
        params.no_extra_bufts = True
        if self.file.threads is not None:
            params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.file.threads
        try:
            server = xllamacpp.Server(params)
        except Exception as error:  # whatever C++ threw
            self._folder.cleanup()
            raise ConfigError(
                f"{self.file.path} cannot be loaded: {error}",
                hint="is it a whole GGUF file of a kind that llama.cpp knows, and does it fit into memory?",
            ) from error
        # Answered by the server's loop: one that is freed before its loop runs waits for it for ever.
        server.handle_metrics()
        self._server = server

    def _complete(self, body: dict[str, Any], stop: threading.Event) -> list[dict[str, Any]]:
        self._load()
        chunks: list[dict[str, Any]] = []

        def receive(chunk: dict[str, Any]) -> bool:
            chunks.append(chunk)
            return stop.is_set()

        if not stop.is_set():
            self._server.handle_chat_completions(body, receive)
        return chunks

    def _unload(self) -> None:
        self._server = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


_runtimes: dict[ModelFile, Runtime] = {}
_lock = threading.Lock()


def borrow(file: ModelFile) -> Runtime:
    """The runtime of a model file; everybody who borrows one gives it back."""
    with _lock:
        runtime = _runtimes.get(file)
        if runtime is None:
            runtime = _runtimes[file] = Runtime(file)
        runtime.users += 1
        return runtime


async def give_back(runtime: Runtime) -> None:
    """The model leaves memory with its last user."""
    with _lock:
        runtime.users -= 1
        if runtime.users:
            return
        del _runtimes[runtime.file]
    await runtime.close()

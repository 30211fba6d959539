"""The web side's thread: uvicorn on a socket that was bound before, so that a taken port is found at once."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn
from starlette.applications import Starlette

from moa_engine.errors import ConfigError, MoaError

#: Seconds that answers on their way have when the server stops.
_LAST_ANSWERS = 10


def bound(host: str, port: int) -> socket.socket:
    """A socket on which is listened soon.

    Raises:
        ConfigError: the address is no address, or is taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol named, asyncio turns Nagle's algorithm off: it costs 40 ms on kept connections.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise ConfigError(
            f"{host} is no address to listen on: {error.strerror}", hint="see --host"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"{host}:{port} cannot be listened on: {error.strerror}", hint="see --host and --port"
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Where it is reached from this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listening:
    """A thread that answers. Signals are the main thread's."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        self._socket = listening
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            http="h11",
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._answer, name="web", daemon=True)

    def start(self) -> None:
        """Answer from now on.

        Raises:
            MoaError: it does not come up.
        """
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.02)
            if not self._thread.is_alive():
                raise MoaError("the web side did not start", hint="what was said before tells why")

    def stop(self) -> None:
        """Give the last answers, and end."""
        self._server.should_exit = True
        self._thread.join(_LAST_ANSWERS + 5)

    def _answer(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

"""The child's end of the socket to the server: tokens come over it, and it is the child's life line.

A review goes on only as long as the server that started it is there. Whether that closes the socket or dies,
this process ends at that moment, in the middle of whatever it does: somebody else may be posting the same
review in the next.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import socket
import threading

from review_bot.github.client import Unreachable
from review_bot.github.tokens import Token

#: The exit code of a child whose server is gone, or wants it gone.
CLOSED = 75


class Channel:
    """The socket, and the thread that watches it."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="channel", daemon=True).start()

    def token(self, refused: str) -> Token:
        """A token from the server; another one than the one that GitHub refused.

        Raises:
            Unreachable: the server has none.
        """
        digest = hashlib.sha256(refused.encode()).hexdigest() if refused else ""
        try:
            self._socket.sendall(json.dumps({"token": digest}).encode() + b"\n")
        except OSError:
            os._exit(CLOSED)
        answer = json.loads(self._answers.get())
        if "error" in answer:
            raise Unreachable(f"there is no token for GitHub: {answer['error']}", hint=answer["hint"])
        return Token(answer["token"], answer["expires"])

    def _watch(self) -> None:
        try:
            with self._socket.makefile("rb") as stream:
                while (line := stream.readline()).endswith(b"\n"):
                    self._answers.put(line)
        finally:
            os._exit(CLOSED)

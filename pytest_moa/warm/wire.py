"""Frames between client, warm process and children: a length, a kind, and a payload, mostly JSON.

Who reads does not trust who writes: a frame has a greatest length, and only the client, which is
outside, looks into what a job has sent.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

HEADER = struct.Struct("!IB")

#: The greatest payload in bytes.
GREATEST = 32 << 20

# From the client
SETUP = ord("p")  #: how to confine and what to preload
CALL = ord("c")  #: a job

# From the warm process
WARM = ord("w")  #: the preload is done; its report
FAILED = ord("f")  #: the preload failed; why
ENDED = ord("e")  #: how a job ended

# From a job's child, passed on to the client
YIELDS = ord("g")  #: the job is a generator
VALUE = ord("v")  #: one value that the job yielded
RETURNED = ord("r")  #: what the job returned; nothing for a generator
RAISED = ord("x")  #: how the job failed


class Malformed(Exception):
    """What came is not a frame."""


def send(descriptor: int, kind: int, payload: bytes = b"") -> None:
    """Write one frame.

    Raises:
        OSError: nobody reads any more.
        Malformed: the payload is too long.
    """
    if len(payload) > GREATEST:
        raise Malformed(f"{len(payload)} bytes are more than fit into one frame")
    left = memoryview(HEADER.pack(len(payload), kind) + payload)
    while left:
        left = left[os.write(descriptor, left) :]


class Frames:
    """The frames in a stream of bytes that arrive in pieces."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take what has arrived; give the frames that are complete.

        Raises:
            Malformed: a frame is announced that is too long.
        """
        self._bytes += data
        while len(self._bytes) >= HEADER.size:
            length, kind = HEADER.unpack_from(self._bytes)
            if length > GREATEST:
                raise Malformed(f"a frame of {length} bytes is announced")
            end = HEADER.size + length
            if len(self._bytes) < end:
                return
            payload = bytes(self._bytes[HEADER.size : end])
            del self._bytes[:end]
            yield kind, payload


def read_frame(descriptor: int) -> tuple[int, bytes] | None:
    """The next frame and not a byte more, from a descriptor that blocks; None at the end.

    Raises:
        Malformed: the stream ends within a frame, or a frame is too long.
    """
    header = _exactly(descriptor, HEADER.size)
    if header is None:
        return None
    length, kind = HEADER.unpack(header)
    if length > GREATEST:
        raise Malformed(f"a frame of {length} bytes is announced")
    payload = _exactly(descriptor, length)
    if payload is None:
        raise Malformed("the stream ends within a frame")
    return kind, payload


def _exactly(descriptor: int, length: int) -> bytes | None:
    """So many bytes; None if the stream has ended before the first of them."""
    data = bytearray()
    while len(data) < length:
        piece = os.read(descriptor, min(length - len(data), 1 << 20))
        if not piece:
            if data:
                raise Malformed("the stream ends within a frame")
            return None
        data += piece
    return bytes(data)

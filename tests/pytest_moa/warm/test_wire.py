"""Frames arrive whole, in any pieces; who announces too much is not believed."""

from __future__ import annotations

import os
import threading

import pytest

from pytest_moa.warm import wire


def packed(kind: int, payload: bytes) -> bytes:
    return wire.HEADER.pack(len(payload), kind) + payload


@pytest.mark.parametrize("piece", [1, 3, 5, 6, 1000])
def test_frames_arrive_in_any_pieces(piece: int) -> None:
    stream = packed(wire.VALUE, b"one") + packed(wire.RETURNED, b"") + packed(wire.VALUE, b"three")
    frames = wire.Frames()
    found = []
    for start in range(0, len(stream), piece):
        found += frames.feed(stream[start : start + piece])
    assert found == [(wire.VALUE, b"one"), (wire.RETURNED, b""), (wire.VALUE, b"three")]


def test_too_long_a_frame_is_refused_when_it_is_announced() -> None:
    with pytest.raises(wire.Malformed):
        list(wire.Frames().feed(wire.HEADER.pack(wire.GREATEST + 1, wire.VALUE)))
    with pytest.raises(wire.Malformed):
        wire.send(1, wire.VALUE, bytes(wire.GREATEST + 1))


def test_read_frame_takes_no_byte_of_the_next() -> None:
    reader, writer = os.pipe()
    sent = packed(wire.CALL, b"x" * 500_000) + packed(wire.CALL, b"next")

    def write() -> None:
        with os.fdopen(writer, "wb") as stream:
            stream.write(sent)

    thread = threading.Thread(target=write)
    thread.start()
    assert wire.read_frame(reader) == (wire.CALL, b"x" * 500_000)
    assert wire.read_frame(reader) == (wire.CALL, b"next")
    assert wire.read_frame(reader) is None
    thread.join()
    os.close(reader)


@pytest.mark.parametrize("broken", [b"\0\0", packed(wire.CALL, b"whole")[:-1], packed(wire.CALL, b"x")[:5]])
def test_a_stream_that_ends_within_a_frame_is_malformed(broken: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, broken)
    os.close(writer)
    with pytest.raises(wire.Malformed):
        wire.read_frame(reader)
    os.close(reader)

"""Attempts to speak to anybody outside."""

from __future__ import annotations

import socket
import subprocess
import sys


def tcp_by_address(state, a):
    socket.create_connection(("127.0.0.1", a["tcp"]), timeout=2).sendall(b"escaped")


def tcp_by_name(state, a):
    socket.create_connection(("localhost", a["tcp"]), timeout=2).sendall(b"escaped")


def tcp_v6(state, a):
    socket.create_connection(("::1", a["tcp"]), timeout=2).sendall(b"escaped")


def tcp_to_every_own_address(state, a):
    for address in a["addresses"]:
        socket.create_connection((address, a["tcp"]), timeout=2).sendall(b"escaped")


def tcp_with_fast_open(state, a):
    with socket.socket() as opened:
        opened.sendto(b"escaped", socket.MSG_FASTOPEN, ("127.0.0.1", a["tcp"]))


def udp(state, a):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(b"escaped", ("127.0.0.1", a["udp"]))


def internet(state, a):
    socket.create_connection(("192.0.2.1", 443), timeout=1)
    return "connected"


def dns(state, a):
    return socket.getaddrinfo("example.com", 443)


def dns_by_hand(state, a):
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(1)
        opened.sendto(query, ("9.9.9.9", 53))
        return repr(opened.recv(512))


def unix_by_path(state, a):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(a["unix"])
        opened.sendall(b"escaped")


def unix_in_project(state, a):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(a["unix_in_project"])
        opened.sendall(b"escaped")


def unix_abstract(state, a):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect("\0" + a["abstract"])
        opened.sendall(b"escaped")


def unix_from_a_pair(state, a):
    """A datagram socket of a pair can be turned to any other address."""
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"escaped", a["unix_datagram"])


def unix_from_a_connected_pair(state, a):
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    one.shutdown(socket.SHUT_RDWR)
    one.connect(a["unix"])
    one.sendall(b"escaped")


def netlink(state, a):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    return "opened"


def raw_packets(state, a):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300)
    return "opened"


def vsock(state, a):
    socket.socket(40, socket.SOCK_STREAM).connect((2, 22))
    return "connected"


def another_program(state, a):
    code = f"import socket; socket.create_connection(('127.0.0.1', {a['tcp']}), 2).sendall(b'escaped')"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)

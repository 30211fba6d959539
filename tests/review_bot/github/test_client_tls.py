"""TLS: what breaks in the handshake never arrived, what breaks after it may have."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from review_bot.github.client import Client, Connection, Patience, Unclear, Unreachable, connect
from tests.review_bot.github.fake_github import Clock


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(host, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(text + signed.public_bytes(pem))
    return path


class Rude:
    """Takes requests over TLS and answers with something that is no TLS."""

    def __init__(self, pem: Path) -> None:
        self.requests = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:  # closed
                return
            with plain:
                try:
                    secure = self._context.wrap_socket(plain, server_side=True)
                except (ssl.SSLError, OSError):
                    continue
                with secure:
                    text = b""
                    while b"Hello" not in text and (part := secure.recv(65536)):
                        text += part
                    self.requests += 1
                    os.write(secure.fileno(), b"no TLS at all\n")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def rude(pem: Path) -> Iterator[Rude]:
    server = Rude(pem)
    yield server
    server.close()


def connected(rude: Rude, clock: Clock) -> Client:
    patience = Patience(60.0, clock, clock.sleep)
    return connect(Connection("ada/shop", "x", rude.url, rude.url, between_writes=0.0, patience=patience))


def test_a_connection_that_broke_after_the_request_is_unclear(
    rude: Rude, pem: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with pytest.raises(Unclear):
        connected(rude, clock).create_issue_comment(1, "Hello")
    assert rude.requests == 1


def test_a_certificate_that_is_not_trusted_gets_nothing(rude: Rude, clock: Clock) -> None:
    with pytest.raises(Unreachable):
        connected(rude, clock).create_issue_comment(1, "Hello")
    assert rude.requests == 0

"""Why a connection failed, whichever HTTP library says so: backends wrap the system's errors differently."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from moa_engine.errors import CallError, Overloaded, Refused, TimedOut

UNREACHED = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL)


def never_connected(error: Exception) -> bool:
    """Whether nothing can have been sent: another address of the host is worth a try."""
    return any(isinstance(cause, OSError) and cause.errno in UNREACHED for cause in _causes(error))


def translated(error: Exception, where: str, seconds: float) -> CallError:
    """Our error for a backend's: `where` was asked, and `seconds` were allowed for the connection."""
    causes = tuple(_causes(error))

    def has(kind: type[BaseException]) -> bool:
        return any(isinstance(cause, kind) for cause in causes)

    if has(ConnectionRefusedError):
        return Overloaded(
            f"nothing listens at {where}", hint="start the server, or correct base_url in the configuration"
        )
    if has(socket.gaierror):
        return Overloaded(f"the host name of {where} is not known", hint="check base_url and the network")
    if has(ssl.SSLCertVerificationError):
        return Refused(
            f"the certificate of {where} is not trusted: {error}",
            hint="set SSL_CERT_FILE to the certificate of its authority",
        )
    if has(ssl.SSLError):
        return Refused(
            f"no secure connection to {where}: {error}", hint="is it http:// rather than https://?"
        )
    if has(TimeoutError):
        return TimedOut(f"no connection to {where} within {seconds:g} s")
    return Overloaded(f"the connection to {where} broke: {str(error) or type(error).__name__}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _causes(inner)
    before = error.__cause__ or error.__context__  # httpcore leaves the cause out
    if before is not None:
        yield from _causes(before)

"""Where requests may go: `local_only` and `allow_hosts`, decided on addresses rather than on names.

A name is resolved once, when it is first checked, and requests then go to the addresses that were
checked: a name that later resolves to something else (DNS rebinding) changes nothing.

`local_only` allows loopback (127.0.0.0/8, ::1) and private addresses (RFC 1918: 10.0.0.0/8,
172.16.0.0/12, 192.168.0.0/16; RFC 4193: fc00::/7), and nothing else: not link-local ones, behind
which clouds keep credentials, not 0.0.0.0, not the shared range 100.64.0.0/10. Every address of a
name must be allowed. IPv4-mapped IPv6 addresses count as the IPv4 address they stand for.

`allow_hosts` takes names (`api.example.org`), names below a domain (`*.example.org`), either with a
port (`localhost:11434`), addresses and networks (`10.1.0.0/16`). Without `local_only` a name on the
list is taken at its word: the certificate vouches for it under https, nothing does under http.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from moa_engine.errors import ConfigError, EgressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]

LOCAL_NETWORKS = tuple(
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)

# Stricter than RFC 3986, so that no two parsers can disagree about which host is meant.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:/[!-\[\]-~]*)?"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """The host (lower case, without brackets and trailing dot) and port that a URL leads to."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """`scheme://host:port`."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def address(self) -> Address | None:
        """The address, where the host is one in its usual notation; an IPv4-mapped one as IPv4."""
        try:
            return unmapped(self.host)
        except ValueError:
            return None

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, judged without resolving anything."""
        if (address := self.address) is not None:
            return address.is_loopback
        return self.host == "localhost" or self.host.endswith(".localhost")


def destination(url: str) -> Destination:
    """Where a URL leads.

    Raises:
        ConfigError: it is no http(s) URL, or carries a user, a password or characters out of place.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigError(
            "an endpoint's URL must not carry a user name or password",
            hint="put the key into an environment variable and name that variable in api_key_env",
        )
    match = _URL.fullmatch(url)
    if match is None:
        raise ConfigError(
            f"not a usable URL: {url!r}",
            hint="expected http:// or https://, a host name or address, perhaps a port and a path",
        )
    scheme, host, port = match["scheme"], match["host"].strip("[]").lower(), match["port"]
    if not 0 < (number := int(port or (443 if scheme == "https" else 80))) < 65536:
        raise ConfigError(f"not a usable port in {url!r}: {port}")
    return Destination(scheme, host.removesuffix("."), number)


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system resolves it.

    Raises:
        OSError: the name is not known.
    """
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def unmapped(text: str) -> Address:
    """The address that a text stands for, which is the IPv4 address where it is IPv4-mapped.

    Raises:
        ValueError: it stands for none.
    """
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_local(address: Address) -> bool:
    """Whether an address is a loopback or private one: what `local_only` allows, and what costs nothing."""
    return _within(address, LOCAL_NETWORKS)


class Egress:
    """The rules of one committee. Without any, every host is allowed.

    Raises:
        ConfigError: an entry of `allow_hosts` is none of the known forms.
    """

    def __init__(
        self, local_only: bool = False, allow_hosts: Sequence[str] = (), *, resolver: Resolver = resolve
    ) -> None:
        self.local_only = local_only
        self.allow_hosts = tuple(allow_hosts)
        self._networks = tuple(net for entry in allow_hosts if (net := _network(entry)) is not None)
        self._names = tuple(_name(entry) for entry in allow_hosts if _network(entry) is None)
        self._resolver = resolver
        self._checked: dict[Destination, tuple[str, ...]] = {}

    def check(self, url: str, *, member: str = "") -> tuple[str, ...]:
        """Allow or refuse a URL; resolves its host the first time, which may block for a while.

        Returns the addresses that requests must go to, () where the rules do not look at addresses.

        Raises:
            EgressRefused: the rules do not allow it.
            ConfigError: it is no usable URL.
        """
        target = destination(url)
        if (known := self._checked.get(target)) is None:
            known = self._checked[target] = self._decide(target, f"{member}: " if member else "")
        return known

    def checked(self, target: Destination) -> tuple[str, ...] | None:
        """What `check` returned for this destination; None if it was not checked yet. Never blocks."""
        return self._checked.get(target)

    @property
    def looks_at_addresses(self) -> bool:
        """Whether `check` may have to resolve names."""
        return self.local_only or bool(self._networks)

    def _decide(self, target: Destination, who: str) -> tuple[str, ...]:
        by_name = any(name.allows(target) for name in self._names)
        by_address = bool(self._networks) and not by_name
        if self.allow_hosts and not by_name and not by_address:
            raise _refusal(who, target, None, "not in allow_hosts", self._list_hint)
        if not self.local_only and not by_address:
            return ()
        try:
            found = dict.fromkeys(unmapped(text) for text in self._resolver(target.host, target.port))
            if not found:
                raise OSError("no address")
        except OSError as error:
            raise EgressRefused(
                f"{who}{target.host} cannot be resolved, so nobody knows whether it is allowed",
                hint=f"the system says: {error}",
            ) from None
        for address in found:
            if self.local_only and not is_local(address):
                hint = "local_only = true allows nothing else; change the rule or the member's base_url"
                if address.is_unspecified:
                    hint = f"{address} is for listening; a server on this machine is reached at 127.0.0.1"
                raise _refusal(who, target, address, "not a loopback or private address", hint)
            if by_address and not _within(address, self._networks):
                raise _refusal(who, target, address, "not in allow_hosts", self._list_hint)
        return tuple(str(address) for address in found)

    @property
    def _list_hint(self) -> str:
        return f"allow_hosts = {list(self.allow_hosts)}; add the host or change the member's base_url"


def _refusal(who: str, target: Destination, address: Address | None, why: str, hint: str) -> EgressRefused:
    named = address is not None and str(address) != target.host
    return EgressRefused(f"{who}{target.origin} is {f'{address}, ' if named else ''}{why}", hint=hint)


@dataclass(frozen=True, slots=True)
class _Name:
    host: str
    below: bool
    port: int | None

    def allows(self, target: Destination) -> bool:
        if self.port is not None and self.port != target.port:
            return False
        return target.host.endswith(f".{self.host}") if self.below else target.host == self.host


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry.strip().strip("[]"), strict=False)
    except ValueError:
        return None


def _name(entry: str) -> _Name:
    match = re.fullmatch(r"(\*\.)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", entry.strip())
    if match is None:
        raise ConfigError(
            f"allow_hosts: {entry!r} is not understood",
            hint="expected a host name, *.domain, host:port, an address or a network such as 10.0.0.0/8",
        )
    return _Name(
        match[2].strip("[]").lower().removesuffix("."), bool(match[1]), int(match[3]) if match[3] else None
    )


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

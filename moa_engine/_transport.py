"""HTTP: the only module that knows httpx. Nothing of it shows in a public signature.

All members of a process share one `Transport` per event loop, so that connections are reused: a
client per call costs seconds a run. The stock backend is quick to import; its cost per call grows
with the number of open connections. The aiohttp backend (extra `aiohttp`) is for many calls at once.

Requests are handed to httpx's transports directly, which saves the client's own work per call
(cookies, redirects, authentication: none of them is wanted here; a redirect would be a way around
the egress rules).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, cast
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

from moa_engine.connection_errors import never_connected, translated
from moa_engine.egress import Destination, Egress, destination
from moa_engine.errors import BrokenAnswer, ConfigError, TimedOut

if TYPE_CHECKING:
    import httpx

Backend = Literal["httpx", "aiohttp"]
Choice = Literal["auto", "httpx", "aiohttp"]

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 30.0
LARGEST_ANSWER = 32 * 1024 * 1024  #: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers with lower-case names, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Lane:
    """What reaches one origin: httpx transports that are lent to one request at a time.

    A stock transport looks at each of its connections several times per request, which is quadratic
    in their number (https://github.com/encode/httpx/issues/3215). So each has one connection, and
    the one that was used last is lent first. An aiohttp transport is shared by all requests.
    """

    def __init__(self, backend: Backend, *, secure: bool, proxy: str | None) -> None:
        self._make = partial(_make, backend, secure=secure, proxy=proxy)
        self._many = backend == "aiohttp"
        self._free: list[httpx.AsyncBaseTransport] = []
        self._all: list[httpx.AsyncBaseTransport] = []

    def open(self) -> None:
        """Have one ready."""
        if not self._free:
            self._free.append(self._make())
            self._all.append(self._free[-1])

    async def exchange(self, request: httpx.Request) -> Response:
        """Send a request and read its response."""
        self.open()
        transport = self._free[-1] if self._many else self._free.pop()
        try:
            return await _exchange(transport, request)
        finally:
            if not self._many:
                self._free.append(transport)

    async def aclose(self) -> None:
        for transport in self._all:
            await transport.aclose()


@dataclass(frozen=True, slots=True)
class _Route:
    """How one URL is reached."""

    url: httpx.URL  #: with the address that was checked in place of the host
    host: str  #: the Host header
    lane: _Lane
    extensions: dict[str, object]
    prepared: dict[tuple[tuple[str, str], ...], httpx.Headers] = field(default_factory=dict)

    def request(self, method: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
        """A request; headers are encoded once, which is most of its cost."""
        import httpx

        key = tuple(headers.items())
        if (known := self.prepared.get(key)) is None:
            known = self.prepared[key] = httpx.Headers({"host": self.host, **_PLAIN, **headers})
        stream = httpx.ByteStream(body)
        request = httpx.Request(method, self.url, headers=known, stream=stream, extensions=self.extensions)
        if method == "POST":
            request.headers["content-length"] = str(len(body))
        request.read()
        return request


class Transport:
    """Sends requests over connections that it keeps. Use `shared` rather than one's own."""

    def __init__(self, backend: Backend = "httpx") -> None:
        self.backend = backend
        self._lanes: dict[tuple[str, str | None], _Lane] = {}
        self._routes: dict[tuple[str, str | None], _Route] = {}
        self._users: set[object] = set()
        self._proxies = getproxies()

    async def prepare(self, url: str, *, egress: Egress, member: str = "") -> None:
        """Check the rules, and do what the first request would otherwise wait for (imports, certificates).

        Raises:
            EgressRefused: the rules do not allow this host.
            ConfigError: the URL cannot be used.
        """
        _failures(self.backend)
        target = _destination(url)
        for _, address in _with_last(await _check(egress, url, member)):
            self._route(url, address, target).lane.open()
        "".encode("idna")  # sockets resolve names with this codec, which is slow to load
        if self.backend == "httpx":
            import anyio

            await anyio.sleep(0)

    async def post_json(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float, *, egress: Egress
    ) -> Response:
        """POST a JSON body; any status is a response. `timeout` (seconds) covers all of it.

        Raises:
            EgressRefused: the rules do not allow this host.
            TimedOut: no complete response in time.
            Overloaded: the host cannot be reached, or the connection broke.
            Refused: the host's certificate is not trusted.
            BrokenAnswer: the response is no HTTP or larger than `LARGEST_ANSWER`.
        """
        return await self._send("POST", url, body, headers, timeout, egress)

    async def get_json(
        self, url: str, headers: Mapping[str, str], timeout: float, *, egress: Egress
    ) -> Response:
        """GET; errors as for `post_json`."""
        return await self._send("GET", url, b"", headers, timeout, egress)

    async def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float, egress: Egress
    ) -> Response:
        target = _destination(url)
        addresses = egress.checked(target)
        try:
            async with asyncio.timeout(timeout):
                if addresses is None:
                    addresses = await _check(egress, url)
                return await self._over(addresses, method, url, body, headers, target)
        except TimeoutError:
            raise TimedOut(f"no complete answer from {target.origin} within {timeout:g} s") from None

    async def _over(
        self,
        addresses: tuple[str, ...],
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        target: Destination,
    ) -> Response:
        """Try one address after the other, as long as nothing listens there."""
        for last, address in _with_last(addresses):
            route = self._routes.get((url, address)) or self._route(url, address, target)
            request = route.request(method, body, headers)
            try:
                return await route.lane.exchange(request)
            except _failures(self.backend) as error:
                if last or not never_connected(error):
                    raise translated(error, target.origin, CONNECT_SECONDS) from None
        raise AssertionError("unreachable: the last address returns or raises")

    def _route(self, url: str, address: str | None, target: Destination) -> _Route:
        import httpx

        parsed = httpx.URL(url)
        host = parsed.netloc.decode("ascii")
        extensions: dict[str, object] = {"timeout": {"connect": CONNECT_SECONDS}}
        if address is not None:
            parsed = parsed.copy_with(host=address)
            if target.scheme == "https" and target.address is None:
                extensions["sni_hostname"] = target.host
        lane = self._lanes.get((target.origin, address))
        if lane is None:
            proxy = None if address is not None else self._proxy_for(target)
            lane = _Lane(self.backend, secure=target.scheme == "https", proxy=proxy)
            self._lanes[target.origin, address] = lane
        route = self._routes[url, address] = _Route(parsed, host, lane, extensions)
        return route

    def _proxy_for(self, target: Destination) -> str | None:
        """The proxy that the environment asks for; never for this machine."""
        if target.is_loopback or proxy_bypass(f"{target.host}:{target.port}"):
            return None
        proxy = self._proxies.get(target.scheme) or self._proxies.get("all")
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"

    def join(self, user: object) -> None:
        """Keep the connections as long as this user has not left."""
        self._users.add(user)

    async def leave(self, user: object) -> None:
        """Close the connections when the last user has left."""
        self._users.discard(user)
        if not self._users:
            await self.aclose()

    @property
    def idle(self) -> bool:
        """Whether nobody uses it."""
        return not self._users

    async def aclose(self) -> None:
        """Close all connections."""
        lanes, self._lanes = self._lanes, {}
        self._routes.clear()
        for lane in lanes.values():
            await lane.aclose()


_PLAIN = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "pytest-moa",
}
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, Transport] = WeakKeyDictionary()


def shared(choice: Choice = "auto", *, many: bool = False) -> Transport:
    """The transport of the running event loop; made on first use, with the backend that is asked for.

    `auto` takes aiohttp where `many` calls run at once and it is installed, and otherwise what is
    there already. A transport that is in use stays as it is.

    Raises:
        ConfigError: aiohttp is asked for and not installed.
    """
    loop = asyncio.get_running_loop()
    found = _shared.get(loop)
    if found is not None and (not found.idle or choice == found.backend or (choice == "auto" and not many)):
        return found
    installed = (choice == "aiohttp" or many) and find_spec("httpx_aiohttp") is not None
    if choice == "aiohttp" and not installed:
        raise ConfigError(
            'transport = "aiohttp" needs a package that is not installed',
            hint="python -m pip install 'pytest-moa[aiohttp]'",
        )
    found = _shared[loop] = Transport("aiohttp" if installed and choice != "httpx" else "httpx")
    return found


async def _check(egress: Egress, url: str, member: str = "") -> tuple[str, ...]:
    if egress.looks_at_addresses:  # then it asks the resolver, which may take its time
        return await asyncio.to_thread(egress.check, url, member=member)
    return egress.check(url, member=member)


async def _exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Response:
    response = await transport.handle_async_request(request)
    stream = cast("httpx.AsyncByteStream", response.stream)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise BrokenAnswer(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB")
            chunks.append(chunk)
    finally:
        await stream.aclose()
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers.raw}
    if headers.get("content-encoding", "identity") != "identity":
        raise BrokenAnswer("the answer is compressed, although the request did not allow that")
    return Response(response.status_code, headers, b"".join(chunks))


def _make(backend: Backend, *, secure: bool, proxy: str | None) -> httpx.AsyncBaseTransport:
    """A transport without limits of its own (`pacing` has them). No CA bundle is read for http:// URLs."""
    import httpx

    context = _tls_context(secure or (proxy or "").startswith("https:"))
    socks = proxy is not None and proxy.startswith("socks")
    if socks and find_spec("socksio") is None:
        raise ConfigError(
            f"the environment asks for the proxy {proxy}, which needs a package that is not installed",
            hint="python -m pip install 'httpx[socks]'",
        )
    if backend == "httpx" or socks:  # aiohttp knows no SOCKS
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_SECONDS
        )
        return httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy)
    import aiohttp
    import httpx_aiohttp

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=KEEPALIVE_SECONDS)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return httpx_aiohttp.AiohttpTransport(
        verify=context,
        proxy=None if proxy is None else httpx.Proxy(proxy),
        client=session,
    )


@cache
def _tls_context(secure: bool) -> ssl.SSLContext:
    """The system's trust where it is needed; reading it takes time, and http:// does not."""
    import httpx

    return httpx.create_ssl_context(verify=secure)


@cache
def _destination(url: str) -> Destination:
    return destination(url)


@cache
def _failures(backend: Backend) -> tuple[type[Exception], ...]:
    """What a backend raises when a request fails; anything else is a bug."""
    import httpx

    if backend == "httpx":
        return (httpx.TransportError, OSError)
    import aiohttp
    import httpx_aiohttp  # noqa: F401 - imported here so that `prepare` pays for it

    return (httpx.TransportError, OSError, aiohttp.ClientError)


def _with_last(addresses: tuple[str, ...]) -> Iterator[tuple[bool, str | None]]:
    if not addresses:
        yield True, None
    for index, address in enumerate(addresses, 1):
        yield index == len(addresses), address

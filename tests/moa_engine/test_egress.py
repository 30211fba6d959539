import asyncio
import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from moa_engine import _transport
from moa_engine._transport import Response, Transport
from moa_engine.chat import build
from moa_engine.config import ChatSettings, Settings
from moa_engine.egress import Egress, Resolver, destination
from moa_engine.errors import BrokenAnswer, ConfigError, EgressRefused, Overloaded, Refused
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

CERTIFICATE = str(Path(__file__).with_name("model.internal.pem"))
BACKENDS: tuple[_transport.Backend, ...] = ("httpx", "aiohttp")


def names(**known: Sequence[str]) -> Resolver:
    """A resolver that knows addresses as they are, and these names (with _ for .)."""
    table = {name.replace("_", "."): addresses for name, addresses in known.items()}

    def resolver(host: str, port: int) -> Sequence[str]:
        if host in table:
            return table[host]
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]

    return resolver


def refused(egress: Egress, url: str) -> EgressRefused:
    with pytest.raises(EgressRefused) as caught:
        egress.check(url, member="qwen")
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.10",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "[::1]",
        "[fd12:3456::1]",
        "[::ffff:10.0.0.1]",
        "model.internal",
        "MODEL.internal.",
        "2130706433",
        "0x7f.1",
        "017700000001",
    ],
)
def test_local_only_allows_loopback_and_private_addresses(host: str) -> None:
    egress = Egress(local_only=True, resolver=names(model_internal=["192.168.1.7", "fd00::7"]))
    assert egress.check(f"http://{host}:8000/v1")


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "172.32.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "[::]",
        "[2001:4860:4860::8888]",
        "[fe80::1]",
        "[::ffff:8.8.8.8]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a00:1]",
        "[2002:0a00:0001::]",
        "134744072",
        "0x08080808",
        "010.8.8.8",
        "both.example",
        "hosted.example",
    ],
)
def test_local_only_refuses_everything_else(host: str) -> None:
    resolver = names(both_example=["10.0.0.1", "93.184.216.34"], hosted_example=["93.184.216.34"])
    problem = refused(Egress(local_only=True, resolver=resolver), f"http://{host}:8000/v1")
    assert isinstance(problem, ConfigError)
    assert "qwen" in problem.message
    assert "local_only" in str(problem) or "127.0.0.1" in problem.hint


def test_a_refusal_names_the_address_behind_a_name() -> None:
    egress = Egress(local_only=True, resolver=names(hosted_example=["93.184.216.34"]))
    assert (
        "https://hosted.example:443 is 93.184.216.34, not"
        in refused(egress, "https://hosted.example").message
    )


def test_local_only_refuses_a_name_that_cannot_be_resolved() -> None:
    egress = Egress(local_only=True, resolver=names())
    assert "cannot be resolved" in refused(egress, "http://nowhere.example/v1").message


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("api.example.org", "https://api.example.org/v1", True),
        ("api.example.org", "https://API.Example.ORG./v1", True),
        ("api.example.org", "https://api.example.org.evil.test/v1", False),
        ("api.example.org", "https://evil-api.example.org/v1", False),
        ("*.example.org", "https://a.b.example.org/v1", True),
        ("*.example.org", "https://example.org/v1", False),
        ("*.example.org", "https://badexample.org/v1", False),
        ("localhost:11434", "http://localhost:11434/v1", True),
        ("localhost:11434", "http://localhost:8000/v1", False),
        ("api.example.org:443", "https://api.example.org/v1", True),
        ("10.0.0.0/8", "http://10.9.8.7/v1", True),
        ("10.0.0.0/8", "http://11.0.0.1/v1", False),
        ("10.0.0.0/8", "http://inside.example/v1", True),
        ("10.0.0.0/8", "http://outside.example/v1", False),
        ("10.0.0.0/8", "http://[::ffff:10.1.1.1]/v1", True),
        ("192.168.1.5", "http://192.168.1.5:8000/v1", True),
        ("fd00::/8", "http://[fd00::5]/v1", True),
        ("[::1]:8000", "http://[::1]:8000/v1", True),
    ],
)
def test_the_list_of_allowed_hosts(entry: str, url: str, allowed: bool) -> None:
    resolver = names(inside_example=["10.0.0.5"], outside_example=["10.0.0.5", "93.184.216.34"])
    egress = Egress(allow_hosts=["elsewhere.test", entry], resolver=resolver)
    if allowed:
        egress.check(url)
    else:
        assert "allow_hosts" in str(refused(egress, url))


def test_local_only_and_the_list_must_both_allow_it() -> None:
    egress = Egress(True, ["hosted.example", "127.0.0.1"], resolver=names(hosted_example=["93.184.216.34"]))
    assert egress.check("http://127.0.0.1:1") == ("127.0.0.1",)
    refused(egress, "http://hosted.example")
    refused(egress, "http://127.0.0.2:1")


@pytest.mark.parametrize("entry", ["http://example.org", "exa mple.org", "", "*", "a.*.org", "host:port"])
def test_an_entry_that_is_not_understood_is_a_config_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="allow_hosts"):
        Egress(allow_hosts=[entry])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@evil.test/v1",
        "http://user:secret@127.0.0.1/v1",
        "http://evil.test\\@127.0.0.1/v1",
        "http://127.0.0.1\t.evil.test/v1",
        "http://127.0.0.1%2eevil.test/v1",
        "http://127.0.0.1#@evil.test/",
        "http://127.0.0.1?@evil.test/",
        "http://bücher.example/v1",
        "http:///v1",
        "http://host:99999/v1",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "127.0.0.1:8000",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Egress().check(url)
    assert "secret" not in str(caught.value)


def test_a_name_without_any_address_is_refused() -> None:
    refused(Egress(local_only=True, resolver=lambda host, port: []), "http://empty.example/v1")


def test_without_rules_nothing_is_resolved() -> None:
    def resolver(host: str, port: int) -> Sequence[str]:
        raise AssertionError("must not be asked")

    assert Egress(resolver=resolver).check("https://hosted.example/v1") == ()
    assert Egress(allow_hosts=["*.example"], resolver=resolver).check("https://hosted.example/v1") == ()


def test_where_a_url_leads() -> None:
    assert destination("https://API.example.org/v1").origin == "https://api.example.org:443"
    assert destination("http://[::1]:8000/v1").origin == "http://[::1]:8000"


@pytest.fixture(params=BACKENDS)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """A transport of each backend, with no proxy in the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return Transport(request.param)


def post(transport: Transport, url: str, egress: Egress, times: int = 1) -> list[Response]:
    async def run() -> list[Response]:
        try:
            return [
                await transport.post_json(f"{url}/chat/completions", b"{}", {}, 5, egress=egress)
                for _ in range(times)
            ]
        finally:
            await transport.aclose()

    return asyncio.run(run())


def test_requests_go_to_the_address_that_was_checked(transport: Transport) -> None:
    answers = iter([["127.0.0.1"], ["93.184.216.34"]])
    egress = Egress(local_only=True, resolver=lambda host, port: next(answers))
    with ScriptedEndpoint() as endpoint:
        post(transport, f"http://model.internal:{endpoint.port}/v1", egress, times=2)
    assert endpoint.count == 2
    assert endpoint.requests[0].headers["host"] == f"model.internal:{endpoint.port}"


def test_the_next_address_is_tried_where_nothing_listens(transport: Transport) -> None:
    egress = Egress(local_only=True, resolver=names(model_internal=["127.0.0.2", "127.0.0.1"]))
    with ScriptedEndpoint() as endpoint:
        assert post(transport, f"http://model.internal:{endpoint.port}/v1", egress)[0].status == 200


def test_a_request_that_is_not_allowed_does_not_leave(transport: Transport) -> None:
    with ScriptedEndpoint() as endpoint:
        with pytest.raises(EgressRefused):
            post(transport, endpoint.base_url, Egress(allow_hosts=["elsewhere.test"]))
        assert endpoint.connections == 0


def test_https_goes_to_the_checked_address_under_its_own_name(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    _transport._tls_context.cache_clear()
    egress = Egress(
        local_only=True, resolver=names(model_internal=["127.0.0.1"], other_internal=["127.0.0.1"])
    )
    try:
        with ScriptedEndpoint(certificate=CERTIFICATE) as endpoint:
            assert post(transport, f"https://model.internal:{endpoint.port}/v1", egress)[0].status == 200
            with pytest.raises(Refused, match="certificate"):
                post(transport, f"https://other.internal:{endpoint.port}/v1", egress)
    finally:
        _transport._tls_context.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_refused(transport: Transport) -> None:
    egress = Egress(local_only=True, resolver=names(model_internal=["127.0.0.1"]))
    with ScriptedEndpoint(certificate=CERTIFICATE) as endpoint:
        with pytest.raises(Refused, match="not trusted") as caught:
            post(transport, f"https://model.internal:{endpoint.port}/v1", egress)
        assert "SSL_CERT_FILE" in caught.value.hint
        assert endpoint.count == 0


def test_https_to_a_server_that_speaks_http_is_refused(transport: Transport) -> None:
    with ScriptedEndpoint() as endpoint, pytest.raises(Refused, match="no secure connection"):
        post(transport, endpoint.base_url.replace("http:", "https:"), Egress())


def test_an_unknown_host_is_overloaded_and_named(transport: Transport) -> None:
    with pytest.raises(Overloaded, match=r"nowhere\.invalid:80 is not known"):
        post(transport, "http://nowhere.invalid/v1", Egress())


def test_the_environments_proxy_is_used_but_not_for_this_machine(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedEndpoint() as proxy, ScriptedEndpoint() as endpoint:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        proxied = Transport(transport.backend)
        assert post(proxied, "http://api.example.invalid/v1", Egress())[0].status == 200
        post(proxied, endpoint.base_url, Egress())
        post(proxied, f"http://localhost:{endpoint.port}/v1", Egress())
        assert [received.path for received in proxy.requests] == [
            "http://api.example.invalid/v1/chat/completions"
        ]
        assert endpoint.count == 2


@pytest.mark.parametrize(
    "rules", [{"local_only": True}, {"allow_hosts": ["127.0.0.0/8"]}], ids=["local", "network"]
)
def test_no_proxy_stands_between_us_and_a_checked_address(
    rules: dict[str, bool | list[str]], transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedEndpoint() as proxy, ScriptedEndpoint() as endpoint:
        monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{proxy.port}")
        egress = Egress(**rules, resolver=names(model_internal=["127.0.0.1"]))  # type: ignore[arg-type]
        post(Transport(transport.backend), f"http://model.internal:{endpoint.port}/v1", egress)
        assert (proxy.connections, endpoint.count) == (0, 1)


def test_no_proxy_hosts_are_reached_directly(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedEndpoint() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "example.invalid")
        with pytest.raises(Overloaded, match="not known"):
            post(Transport(transport.backend), "http://api.example.invalid/v1", Egress())
        assert proxy.count == 0


def test_an_answer_that_is_compressed_without_being_asked_is_broken(transport: Transport) -> None:
    with ScriptedEndpoint(
        lambda _: Scripted(raw=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    ) as endpoint:
        with pytest.raises(BrokenAnswer, match="compressed"):
            post(transport, endpoint.base_url, Egress())
        assert endpoint.requests[0].headers["accept-encoding"] == "identity"


def test_get_and_post_share_the_rules_and_the_connection(transport: Transport) -> None:
    with ScriptedEndpoint(models=["a", "b"]) as endpoint:

        async def run() -> Response:
            await transport.post_json(f"{endpoint.base_url}/chat/completions", b"{}", {}, 5, egress=Egress())
            found = await transport.get_json(f"{endpoint.base_url}/models", {}, 5, egress=Egress())
            await transport.aclose()
            return found

        response = asyncio.run(run())
        assert [model["id"] for model in json.loads(response.body)["data"]] == ["a", "b"]
        assert response.headers["content-type"] == "application/json"
        assert endpoint.connections == 1


def test_a_member_is_refused_when_it_opens_before_any_call() -> None:
    member = build(
        "gpt", ChatSettings(model="m", base_url="http://93.184.216.34/v1"), Settings(local_only=True)
    )

    async def scenario() -> None:
        with pytest.raises(EgressRefused, match=r"^gpt: "):
            await member.open()
        await member.aclose()

    asyncio.run(scenario())


def test_the_backend_follows_the_setting_and_the_number_of_calls() -> None:
    async def backend(choice: _transport.Choice, *, many: bool) -> str:
        return _transport.shared(choice, many=many).backend

    assert asyncio.run(backend("auto", many=False)) == "httpx"
    assert asyncio.run(backend("auto", many=True)) == "aiohttp"
    assert asyncio.run(backend("httpx", many=True)) == "httpx"
    assert asyncio.run(backend("aiohttp", many=False)) == "aiohttp"


def test_all_of_a_loop_share_one_transport() -> None:
    async def scenario() -> None:
        first = _transport.shared(many=True)
        first.join("somebody")
        assert _transport.shared() is first
        assert _transport.shared("httpx") is first

    asyncio.run(scenario())

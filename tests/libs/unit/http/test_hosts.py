"""By which names a server is called, and that no response repeats a name that is none of its own."""

from typing import Any

import httpx
import pytest
from modelport_http.connections.allowed_hosts import Hosts, HostsMiddleware
from modelport_http.connections.redirects import LocalRedirectsMiddleware
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

HOSTS = Hosts(["Models.Example.com"], "https://platform.example:8443/base")


def called(*names: str) -> bool:
    return HOSTS.allow([(b"accept", b"*/*"), *((b"host", name.encode("latin-1")) for name in names)])


@pytest.mark.parametrize(
    "name",
    ["localhost", "LocalHost:8000", "localhost.", "127.0.0.1:1", "127.9.8.7", "[::1]", "[::1]:8000",
     "models.example.com", "MODELS.example.com:80", "platform.example", "platform.example:9"],
)  # fmt: skip
def test_names_of_this_machine_and_listed_ones_are_its_own(name: str) -> None:
    for _ in range(2):
        assert called(name)


@pytest.mark.parametrize(
    "name",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"),
        *("evil.localhost", "localhost@evil.example", "evil.example#localhost", "localhost evil.example"),
        *("128.0.0.1", "10.0.0.1", "0.0.0.0", "[::]", "[fd00::1]", "127.1", "2130706433", "::1"),
        *("", ":8000", "localhost:", "localhost:8000:1", "[::1", "\u00e9"),
    ],
)
def test_all_others_are_not(name: str) -> None:
    for _ in range(2):
        assert not called(name)


def test_each_host_counts_and_none_is_no_browsers() -> None:
    assert called()
    assert called("localhost", "127.0.0.1")
    assert not called("localhost", "evil.example")


def test_names_that_a_caller_makes_up_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelport_http.connections.allowed_hosts._KEPT", 10)
    assert all(called(f"127.0.0.1:{port}") for port in range(100))
    assert len(HOSTS._allowed) <= 10


def client(app: Any, host: str = "evil.example") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}")


async def hello(_: Any) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def test_a_foreign_name_reaches_nothing_and_is_not_repeated() -> None:
    app = HostsMiddleware(Starlette(routes=[Route("/", hello)]), HOSTS)
    async with client(app) as evil, client(app, "localhost:8000") as own:
        response = await evil.get("/")
        assert response.status_code == 421
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["X-Request-ID"]
        assert "MODELPORT_ALLOWED_HOSTS" in response.json()["detail"]
        assert "evil" not in response.text + str(response.headers)
        assert (await own.get("/")).text == "hello"


async def test_a_redirect_within_the_server_names_no_host() -> None:
    async def lead_away(_: Any) -> RedirectResponse:
        return RedirectResponse("https://elsewhere.example/x?y=1")

    app = LocalRedirectsMiddleware(Starlette(routes=[Route("/a", hello), Route("/away", lead_away)]))
    async with client(app) as evil:
        assert (await evil.get("/a/?b=1")).headers["Location"] == "/a?b=1"
        assert (await evil.get("/away")).headers["Location"] == "https://elsewhere.example/x?y=1"

"""The control API as a process: migrating by command, two ports, and draining on SIGTERM."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest
from modelport_control_api.__main__ import main
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.process.serve import Listeners, serve
from modelport_http.serving import Stop

URL = "MODELPORT_CONTROL_API_DATABASE_URL"


def test_migrate_prepares_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, f"sqlite:///{tmp_path}/new.db")
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [("", "is not set"), ("sqlite:////nonexistent/folder/x.db", "cannot be used")],
)
def test_migrate_says_what_is_wrong(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(URL, url)
    assert main(["migrate"]) == 1
    assert said in capsys.readouterr().err


async def get_once_up(client: httpx.AsyncClient, url: str) -> httpx.Response:
    while True:
        try:
            return await client.get(url)
        except httpx.ConnectError:
            await asyncio.sleep(0.05)


async def test_two_ports_serve_until_sigterm(control_plane: ControlPlane) -> None:
    listeners = Listeners(socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0)))
    public, internal = (
        f"http://127.0.0.1:{s.getsockname()[1]}" for s in (listeners.public, listeners.internal)
    )
    running = asyncio.create_task(serve(control_plane, listeners, Stop(delay=0.5, drain=5)))
    async with asyncio.timeout(100), httpx.AsyncClient(timeout=60) as client:
        assert (await get_once_up(client, f"{public}/readyz")).status_code == 200
        assert (await get_once_up(client, f"{internal}/readyz")).status_code == 200
        jwks = "/.well-known/jwks.json"
        assert (await client.get(public + jwks)).json() == (await client.get(internal + jwks)).json()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)
        stopping = await client.get(f"{public}/readyz")
        assert (stopping.status_code, stopping.headers["Connection"]) == (503, "close")
        assert (await client.get(public + jwks)).status_code == 200
        await running

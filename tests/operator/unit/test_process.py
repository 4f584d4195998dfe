"""The process around the controller: its probes, why it cannot start, and what standalone is spared."""

import getpass
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from modelport_operator.shell.kubernetes import kopf_events
from modelport_operator.shell.kubernetes.http import Health, serving
from modelport_operator.shell.kubernetes.kopf_events import build_kopf_settings, build_registry
from modelport_operator.shell.watching import WATCHED_KINDS

from tests.operator.unit.harness import settings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def _served(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    address = f"127.0.0.1:{_free_port()}"
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with (
        serving(health, address),
        httpx.AsyncClient(base_url=f"http://{address}", transport=transport) as client,
    ):
        yield client


async def test_a_process_is_alive_and_ready_from_the_first_moment() -> None:
    async with _served(Health()) as client:
        assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]


async def test_a_process_that_stops_is_alive_but_not_ready() -> None:
    health = Health()
    health.stopping = True
    async with _served(health) as client:
        assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 503]


async def test_metrics_are_prometheus_text() -> None:
    async with _served(Health()) as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for name in ("leader", "queue_depth", "reconcile_seconds_count", "models"):
        assert f"modelport_operator_{name}" in response.text


async def test_there_is_nothing_else() -> None:
    async with _served(Health()) as client:
        assert (await client.get("/")).status_code == 404


def test_kopf_writes_nothing_and_lets_the_server_filter() -> None:
    built = build_kopf_settings(settings(watch_silence_seconds=42))
    assert (built.posting.enabled, built.scanning.disabled) == (False, True)
    assert built.watching.inactivity_timeout == 42
    assert set(built.watching.label_selectors.values()) == {"serving.modelport.dev/model"}
    assert len(built.watching.label_selectors) == len(WATCHED_KINDS) - 1


def test_kopf_watches_with_handlers_that_need_no_finalizer() -> None:
    registry = build_registry(lambda key: None)
    assert len(registry._watching.get_all_handlers()) == len(WATCHED_KINDS)
    assert not registry._changing.get_all_handlers()
    assert not registry._spawning.get_all_handlers()


def _started(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modelport_operator"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_missing_setting_is_reported_in_one_line() -> None:
    ended = _started({})
    assert ended.returncode == 1
    assert "The operator cannot start: MODELPORT_OPERATOR_ARTIFACT_BASE_URL is not set" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_missing_cluster_is_reported_in_the_last_line() -> None:
    given = {"ARTIFACT_BASE_URL": "file:///{sha256}", "LISTEN": f"127.0.0.1:{_free_port()}"}
    environment = {f"MODELPORT_OPERATOR_{name}": value for name, value in given.items()}
    ended = _started({**environment, "KUBECONFIG": "/nowhere"})
    assert ended.returncode == 1
    assert "No access to a Kubernetes cluster" in ended.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_reported_in_the_last_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        given = {"ARTIFACT_BASE_URL": "file:///{sha256}", "LISTEN": listen}
        ended = _started({f"MODELPORT_OPERATOR_{name}": value for name, value in given.items()})
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        f"MODELPORT_OPERATOR_LISTEN={listen} cannot be listened on"
    )


@pytest.mark.parametrize("module", ["kopf", "kubernetes"])
def test_standalone_is_spared_what_only_a_cluster_needs(module: str) -> None:
    code = f"import sys, modelport_standalone.platform; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


async def test_it_needs_no_name_of_the_user_that_it_runs_as(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise KeyError("getpwuid(): uid not found: 1000700000")

    monkeypatch.setattr(getpass, "getuser", fail)
    tasks = await kopf_events._spawn(settings(watch_namespaces="team-a"), lambda key: None)
    await kopf_events._stop(tasks)
    assert tasks

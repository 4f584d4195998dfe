"""The operator as a process on this machine, against a real API server, with no more rights than it needs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.kubectl import Kubectl
from tests.e2e.operator.manifests import a_list
from tests.e2e.operator.rights import grants

CHILD_KINDS = ("deployments", "services", "serviceaccounts", "networkpolicies", "poddisruptionbudgets")


def until(holds: Callable[[], Any], seconds: float = 120, every: float = 0.1) -> Any:
    """Return the first response that counts as true. Raises with the last other one. A process that is not up
    yet is no response."""
    deadline = time.monotonic() + seconds
    while not (found := _result(holds)):
        assert time.monotonic() < deadline, f"it never came to hold: {found!r}"
        time.sleep(every)
    return found


def _result(holds: Callable[[], Any]) -> Any:
    try:
        return holds()
    except httpx.TransportError:
        return None


@dataclass(frozen=True)
class Operator:
    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://{self.address}{path}", timeout=120)

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def passes(self) -> float:
        # Whoever waits for one that has ended waits for minutes, and is then told nothing of it.
        assert self.process.poll() is None, f"the operator has ended: {self.log.read_text()[-2000:]}"
        return self.metric("modelport_operator_reconcile_seconds_count")

    def writes(self) -> float:
        return self.metric("modelport_operator_writes_total")

    def leads(self) -> bool:
        return self.metric("modelport_operator_leader") == 1

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def end(self, seconds: float = 120) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass(frozen=True)
class Harness:
    """A namespace for models and one for the platform."""

    models: Kubectl
    platform: Kubectl
    kubeconfig: Path
    folder: Path

    @contextmanager
    def operator(self, *, module: str = "modelport_operator", **settings: str) -> Iterator[Operator]:
        """Not waited for: it may have to wait for the Lease. Ended with the block unless it has ended, and
        without a trace: one that died would hold the Lease for another 15 seconds."""
        address = f"127.0.0.1:{_free_port()}"
        log = self.folder / f"operator-{address.rpartition(':')[2]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # Beside all other tests it would not get what a pod's CPU request is for: its turn in time to
                # renew the Lease. Where that is not allowed, nice says so and starts it all the same.
                ["nice", "-n", "-5", sys.executable, "-m", module],
                env=self._environment(address, settings),
                stderr=output,
            )
        operator = Operator(process, address, log)
        try:
            yield operator
        finally:
            if process.poll() is None:
                operator.end()
            if process.poll() != 0:
                self.platform.run("delete", "lease", "--all")

    def children(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.models.json("get", ",".join(CHILD_KINDS))["items"]
        return [obj for obj in found if obj["metadata"]["name"] != "default"]

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.models.json("get", "mlm", name).get("status", {})
        return found

    def reason(self, name: str, version: str = "v1") -> str:
        versions = self.status(name).get("versions", [])
        return next((each.get("reason", "") for each in versions if each["name"] == version), "")

    def condition(self, name: str, type_: str) -> str:
        conditions = self.status(name).get("conditions", [])
        return next((each["status"] for each in conditions if each["type"] == type_), "")

    def delete_models(self) -> None:
        self.models.run("delete", "mlm", "--all")
        until(lambda: not self.children(), seconds=240)

    def _environment(self, address: str, settings: dict[str, str]) -> dict[str, str]:
        given = {
            "ARTIFACT_BASE_URL": "http://control-api:8081/{sha256}",
            "LISTEN": address,
            "MODELS_NAMESPACE": self.models.namespace,
            "WATCH_NAMESPACES": self.models.namespace,
            "PLATFORM_NAMESPACE": self.platform.namespace,
            # Pods that wait for a node say the same forever; those whose image is missing do not.
            "NODE_SELECTOR": '{"modelport.dev/nowhere": "true"}',
            **{name.upper(): value for name, value in settings.items()},
        }
        own = {f"MODELPORT_OPERATOR_{name}": value for name, value in given.items()}
        return {**os.environ, **own, "KUBECONFIG": str(self.kubeconfig)}


@contextmanager
def harness(kubeconfig: Path, folder: Path) -> Iterator[Harness]:
    models, platform = Kubectl(kubeconfig, "operator-models"), Kubectl(kubeconfig, "operator-platform")
    models.apply_crd()
    models.create_namespace()
    platform.create_namespace()
    _grant(models, platform)
    try:
        yield Harness(models, platform, _kubeconfig_of_operator(platform, folder), folder)
    finally:
        models.leave_namespace()
        platform.leave_namespace()


def _grant(models: Kubectl, platform: Kubectl) -> None:
    objects = grants(models.namespace, platform.namespace)
    for kubectl in (models, platform):
        own = [obj for obj in objects if obj["metadata"]["namespace"] == kubectl.namespace]
        kubectl.run("apply", "-f", "-", input=a_list(own))


def _kubeconfig_of_operator(platform: Kubectl, folder: Path) -> Path:
    token = platform.run("create", "token", "operator", "--duration=3h").strip()
    config = platform.json("config", "view", "--raw", "--minify", "--flatten")
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

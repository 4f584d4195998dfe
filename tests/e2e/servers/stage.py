"""What the tests of this folder act on: processes, users, and the objects that an operator would write."""

import json
import socket
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from modelport_control_api.accounts.auth.accounts import ensure_admin
from modelport_control_api.accounts.passwords import Passwords
from modelport_control_api.db.session import Database
from modelport_crds.names import LABEL_MODEL, LABEL_MODEL_VERSION

from tests.e2e.kubectl import Kubectl
from tests.e2e.servers import rights
from tests.e2e.servers.processes import Process, free_port, start
from tests.support.redis_fixtures import RedisServer

PASSWORD = "Sensible-Passphrase-7"


def own_address() -> str:
    """An address of this machine that an EndpointSlice may hold: loopback is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent: only the route is looked up.
        probe.connect(("192.0.2.1", 9))
        address: str = probe.getsockname()[0]
    return address


@dataclass
class Stage:
    cluster: Any
    kubectl: Kubectl
    redis: RedisServer
    folder: Path
    database_url: str
    started: list[Process] = field(default_factory=list)
    _internal_port: int = field(default_factory=free_port)

    @cached_property
    def control_api(self) -> Process:
        return self.start_control_api()

    @cached_property
    def gateway(self) -> Process:
        return self.start_gateway()

    def start_control_api(self) -> Process:
        port = free_port()
        environment = {
            **self._common("control-api"),
            "MODELPORT_CONTROL_API_DATABASE_URL": self.database_url,
            "MODELPORT_CONTROL_API_SIGNING_KEYS_DIR": str(self.folder / "keys"),
            "MODELPORT_CONTROL_API_ARTIFACTS_URL": str(self.folder / "artifacts"),
            "MODELPORT_CONTROL_API_MODELS_NAMESPACE": self.kubectl.namespace,
            "MODELPORT_CONTROL_API_WATCH_ALL_NAMESPACES": "true",
            "MODELPORT_CONTROL_API_LISTEN": f"127.0.0.1:{port}",
            "MODELPORT_CONTROL_API_INTERNAL_LISTEN": f"127.0.0.1:{self._internal_port}",
            "MODELPORT_CONTROL_API_SHUTDOWN_DELAY_SECONDS": "1",
            "MODELPORT_CONTROL_API_BCRYPT_ROUNDS": "4",
            "MODELPORT_LIMIT_REGISTER": "1000/minute",
            "MODELPORT_LIMIT_LOGIN": "1000/minute",
        }
        return self._start("modelport_control_api", "serve", port=port, environment=environment)

    def start_gateway(self) -> Process:
        port = free_port()
        environment = {
            **self._common("gateway"),
            "MODELPORT_GATEWAY_MODELS_NAMESPACE": self.kubectl.namespace,
            "MODELPORT_GATEWAY_WATCH_ALL_NAMESPACES": "true",
            "MODELPORT_GATEWAY_CONTROL_URL": f"http://127.0.0.1:{self._internal_port}",
            "MODELPORT_GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "MODELPORT_GATEWAY_SHUTDOWN_DELAY_SECONDS": "1",
            "MODELPORT_LIMIT_PREDICT": "100000/minute",
        }
        return self._start("modelport_gateway", port=port, environment=environment)

    def stop(self) -> None:
        for process in self.started:
            process.kill()

    def person(self, name: str) -> httpx.Client:
        account = {"email": f"{name}@example.com", "password": PASSWORD}
        httpx.post(f"{self.control_api.url}/api/v1/auth/register", json=account, timeout=120)
        return self._log_in(account)

    def admin(self) -> httpx.Client:
        account = {"email": "root@example.com", "password": PASSWORD}
        database, passwords = Database(self.database_url), Passwords(rounds=4, threads=1)
        ensure_admin(database, passwords, account["email"], PASSWORD)
        database.close()
        passwords.close()
        return self._log_in(account)

    def mlmodel(self, name: str, **spec: Any) -> dict[str, Any]:
        versions = [
            {"name": "v1", "framework": "onnx", "artifact": {"uri": "https://x/y", "sha256": "a" * 64}}
        ]
        return {
            "apiVersion": "serving.modelport.dev/v1alpha1",
            "kind": "MLModel",
            "metadata": {"name": name},
            "spec": {"versions": versions, "traffic": [{"version": "v1", "weight": 100}], **spec},
        }

    def serve(
        self, name: str, *endpoints: tuple[str, dict[str, bool]], namespace: str | None = None, **spec: Any
    ) -> None:
        """Play the operator: a model that has answered, at these addresses with these conditions."""
        kubectl = Kubectl(self.kubectl.kubeconfig, namespace or self.kubectl.namespace)
        kubectl.run("apply", "-f", "-", input=self.mlmodel(name, **spec))
        answered = {"name": "v1", "ready": True, "answered": True, "reason": "Serving", "replicas": 1}
        status = {"traffic": [{"version": "v1", "weight": 100}], "versions": [answered]}
        kubectl.run(
            "patch", "mlm", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
        )
        self.endpoints(name, *endpoints, namespace=namespace)

    def endpoints(
        self, name: str, *endpoints: tuple[str, dict[str, bool]], namespace: str | None = None
    ) -> None:
        kubectl = Kubectl(self.kubectl.kubeconfig, namespace or self.kubectl.namespace)
        # One slice an endpoint, since a slice has one port for all of them.
        for number, (address, conditions) in enumerate(endpoints):
            host, _, port = address.rpartition(":")
            slice_ = {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{name}-{number}",
                    "labels": {LABEL_MODEL: name, LABEL_MODEL_VERSION: "v1"},
                },
                "addressType": "IPv4",
                "endpoints": [{"addresses": [host], "conditions": conditions}],
                "ports": [{"port": int(port)}],
            }
            kubectl.run("apply", "-f", "-", input=slice_)

    def _common(self, who: str) -> dict[str, str]:
        kubeconfig = self.folder / f"{who}.kubeconfig"
        if not kubeconfig.exists():
            rights.kubeconfig_of(self.kubectl, who, kubeconfig)
        return {"KUBECONFIG": str(kubeconfig), "MODELPORT_REDIS_URL": self.redis.url}

    def _start(self, module: str, *arguments: str, port: int, environment: dict[str, str]) -> Process:
        log = self.folder / f"{module}-{port}.log"
        url = f"http://127.0.0.1:{port}"
        process = start(module, *arguments, url=url, environment=environment, log=log)
        self.started.append(process)
        return process

    def _log_in(self, account: dict[str, str]) -> httpx.Client:
        response = httpx.post(f"{self.control_api.url}/api/v1/auth/login", json=account, timeout=120)
        bearer = {"Authorization": f"Bearer {response.raise_for_status().json()['access_token']}"}
        return httpx.Client(base_url=self.control_api.url, headers=bearer, timeout=60)

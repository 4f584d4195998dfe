"""Each disturbance, by the name that docs/operations.md gives it. Blocking: the load runs elsewhere.

Each returns only once it has seen that what it was to break is gone.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.e2e.disturbances.harness import Harness
from tests.e2e.kubectl import Kubectl
from tests.support.waiting import eventually


def nothing(_: Harness) -> None:
    time.sleep(5)


def roll_a_version(harness: Harness) -> None:
    harness.person.upload(harness.file, "--to", harness.model_id)


def roll_back(harness: Harness) -> None:
    before = harness.person.model(harness.model_id)["traffic"]
    harness.person.cli("rollback", harness.model_id)
    eventually(lambda: harness.person.model(harness.model_id)["traffic"] != before)


def delete_a_gateway_pod(harness: Harness) -> None:
    _delete_pod(harness.release, "app.kubernetes.io/component=gateway")


def delete_a_model_pod(harness: Harness) -> None:
    _delete_pod(harness.models, f"serving.modelport.dev/model={harness.model_id}")


def kill_a_gateway(harness: Harness) -> None:
    _sigkill(harness, "-m modelport_gateway")


def kill_a_model(harness: Harness) -> None:
    _sigkill(harness, "-m modelport_runtime", f"MODELPORT_RUNTIME_MODEL={harness.model_id}")


def kill_the_operators(harness: Harness) -> None:
    """The one that leads and the one that stands by, twice, so that a leader is among them for sure."""
    for _ in range(2):
        _sigkill(harness, "-m modelport_operator")


def kill_the_control_api(harness: Harness) -> None:
    _sigkill(harness, "-m modelport_control_api serve")


def restart_redis(harness: Harness) -> None:
    _delete_pod(harness.release, "app.kubernetes.io/component=redis")


def kill_redis(harness: Harness) -> None:
    _sigkill(harness, "redis-server")


def kill_postgresql(harness: Harness) -> None:
    _sigkill(harness, "postgres")


def restart_postgresql(harness: Harness) -> None:
    _delete_pod(harness.release, "app.kubernetes.io/component=postgresql")


def restart_the_api_server(harness: Harness) -> None:
    harness.cluster.restart_api_server()


KINDS: Mapping[str, Callable[[Harness], None]] = {
    "nothing (for comparison)": nothing,
    "roll a version": roll_a_version,
    "roll back": roll_back,
    "delete a gateway pod": delete_a_gateway_pod,
    "delete a model pod": delete_a_model_pod,
    "SIGKILL a gateway": kill_a_gateway,
    "SIGKILL a model's process": kill_a_model,
    "SIGKILL two operators": kill_the_operators,
    "SIGKILL the control API": kill_the_control_api,
    "restart Redis": restart_redis,
    "SIGKILL Redis": kill_redis,
    "restart PostgreSQL": restart_postgresql,
    "restart the API server (SIGKILL)": restart_the_api_server,
}


def _delete_pod(kubectl: Kubectl, selector: str) -> None:
    running = ("--field-selector", "status.phase=Running", "-o", "jsonpath={.items[0].metadata.uid}")
    uid = kubectl.run("get", "pod", "-l", selector, *running)
    name = kubectl.run("get", "pod", "-l", selector, *running[:2], "-o", "name").split()[0]
    kubectl.run("delete", name, "--wait=false")
    everyone = ("get", "pod", "-l", selector, "-o", "jsonpath={.items[*].metadata.uid}")
    eventually(lambda: uid not in kubectl.run(*everyone).split())


def _sigkill(harness: Harness, command: str, variable: str = "") -> None:
    """The oldest process in a pod whose command line has `command` and whose environment has `variable`."""
    if harness.cluster.kind != "host":
        pytest.skip("processes in pods can be seen from here on a cluster of host processes only")
    pid = min(pid for pid in _pids() if _is_meant(pid, command, variable))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_meant(pid: int, command: str, variable: str) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        in_a_pod = "kubepods" in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False  # It has ended since it was listed.
    return in_a_pod and command in line and (not variable or variable in variables)

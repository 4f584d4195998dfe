"""How the operator bears many models: `make bench-operator` (needs a cluster; 4 minutes).

Applies 50, 100 and 200 MLModels whose pods stay pending, starts one operator on them, and tells how long it
took until each had its objects and its status, the operator's CPU time and memory, and how much it wrote.
Then it restarts the operator, which must write nothing.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from modelport_kube.api import KubernetesApi
from modelport_kube.connect import connected

from tests.cluster.finding import find_or_start
from tests.e2e.kubectl import Kubectl

COUNTS = (50, 100, 200)
PORT = 18_081
_TICKS = os.sysconf("SC_CLK_TCK")
_CHILDREN = ("Deployment", "Service", "ServiceAccount", "NetworkPolicy")


@dataclass(frozen=True)
class Cost:
    """`seconds`: wall clock until all was written; `peak_mib`: the operator's resident memory."""

    models: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    writes: int
    writes_again: int

    def row(self) -> str:
        each = f"{self.seconds / self.models * 1000:.0f} | {self.cpu_seconds:.1f} | {self.peak_mib:.0f}"
        wrote = f"{self.writes / self.models:.1f} | {self.writes_again}"
        return f"| {self.models} | {self.seconds:.1f} | {each} | {wrote} |"


def manifest(namespace: str, number: int) -> dict[str, Any]:
    sha256 = f"{number:064x}"
    version = {
        "name": "v1",
        "framework": "sklearn",
        "artifact": {"uri": f"https://models.invalid/{number}", "sha256": sha256},
        # More than any node has: the pod stays pending, so that only the operator is measured.
        "resources": {"requests": {"cpu": "10000"}},
    }
    return {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {"name": f"model-{number}", "namespace": namespace},
        "spec": {"versions": [version], "traffic": [{"version": "v1", "weight": 100}]},
    }


@contextmanager
def operator(namespace: str, kubeconfig: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(kubeconfig),
        "MODELPORT_OPERATOR_ARTIFACT_BASE_URL": "https://models.invalid/{sha256}",
        "MODELPORT_OPERATOR_WATCH_NAMESPACES": namespace,
        "MODELPORT_OPERATOR_MODELS_NAMESPACE": namespace,
        "MODELPORT_OPERATOR_PLATFORM_NAMESPACE": namespace,
        "MODELPORT_OPERATOR_LISTEN": f"127.0.0.1:{PORT}",
        "MODELPORT_OPERATOR_LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen([sys.executable, "-m", "modelport_operator"], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


async def all_are_written(kube: KubernetesApi, namespace: str, count: int) -> None:
    """Each model has a status for its generation, and each child is there."""
    while True:
        models = await kube.list("MLModel", namespace)
        reported = [each for each in models if each.get("status", {}).get("observedGeneration")]
        children = [len(await kube.list(kind, namespace)) for kind in _CHILDREN]
        if len(reported) == count and min(children) >= count:
            return
        await asyncio.sleep(0.2)


async def is_quiet(seconds: float = 5.0) -> int:
    """Wait until nothing has been written for so long; gives all that was written since the start."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        now = await writes()
        if now != last:
            last, since = now, time.monotonic()
        await asyncio.sleep(0.5)
    return last


async def writes() -> int:
    async with httpx.AsyncClient() as client:
        try:
            page = (await client.get(f"http://127.0.0.1:{PORT}/metrics")).text
        except httpx.TransportError:
            return -1
    lines = [line for line in page.splitlines() if line.startswith("modelport_operator_writes_total")]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def measure(kube: KubernetesApi, kubectl: Kubectl, count: int) -> Cost:
    namespace, kubeconfig = kubectl.namespace, kubectl.kubeconfig
    kubectl.create_namespace()
    manifests = (manifest(namespace, number) for number in range(1, count + 1))
    await asyncio.gather(*(kube.apply(each, field_manager="bench") for each in manifests))
    begin = time.monotonic()
    with operator(namespace, kubeconfig) as process:
        await all_are_written(kube, namespace, count)
        seconds = time.monotonic() - begin
        written = await is_quiet()
        cpu, memory = cpu_seconds(process.pid), peak_mib(process.pid)
    with operator(namespace, kubeconfig):
        written_again = await is_quiet(15.0)
    return Cost(count, seconds, cpu, memory, written, written_again)


async def main() -> None:
    kubeconfig = find_or_start().kubeconfig
    os.environ["KUBECONFIG"] = str(kubeconfig)
    kubectl = Kubectl(kubeconfig, "modelport-bench")
    kubectl.apply_crd()
    print("| models | seconds | ms a model | CPU s | peak MiB | writes a model | writes of a second start |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    async with connected() as client:
        for count in COUNTS:
            print((await measure(KubernetesApi(client), kubectl, count)).row(), flush=True)
    kubectl.delete_namespace()


if __name__ == "__main__":
    asyncio.run(main())

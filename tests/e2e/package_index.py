"""A package index in the cluster: a folder of wheels behind Python's own HTTP server, filled from here."""

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.e2e.kubectl import Kubectl
from tests.e2e.pods import restricted_pod
from tests.support.wheels import make_wheel

NAME = "package-index"
_PORT = 8000
# What the runtime needs of a model's own packages; the rest of the index is made here.
_FETCHED = ("numpy==2.4.6", "joblib==1.5.3")
_UNPACK = "import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall('/index')"


def address(namespace: str) -> str:
    return f"http://{NAME}.{namespace}.svc:{_PORT}/simple"


def egress(namespace: str) -> list[dict[str, Any]]:
    """As the chart takes it."""
    pods = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": {"app": NAME}},
    }
    return [{"to": [pods], "ports": [{"port": _PORT, "protocol": "TCP"}]}]


def fetch(folder: Path, *own: str, beside: tuple[str, ...]) -> Path:
    """Return a folder with the pages of an index; `own`: names of packages to make, of version 1.0; `beside`:
    others to fetch, each by its version."""
    wheels = folder / "wheels"
    options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", "3.11")
    # Apart, since both may have a NumPy.
    for wanted in (_FETCHED, beside):
        command = ["python3", "-m", "pip", "download", *options, "--dest", str(wheels), *wanted]
        subprocess.run(command, check=True, timeout=300)
    for name in own:
        make_wheel(wheels, name, "1.0")
    for wheel in wheels.glob("*.whl"):
        page = folder / "simple" / wheel.name.split("-")[0].replace("_", "-")
        page.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with (page / "index.html").open("a") as links:
            links.write(f'<a href="/wheels/{wheel.name}#sha256={digest}">{wheel.name}</a>\n')
    return folder


def start(kubectl: Kubectl, folder: Path, image: str) -> None:
    """Have it respond, with what lies in the folder. Nobody finds it before: empty, it would refuse."""
    pod, service = _objects(image)
    kubectl.run("apply", "-f", "-", input=pod)
    kubectl.run("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=240s", timeout=270)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, arcname=".")
    command = ["kubectl", "--kubeconfig", str(kubectl.kubeconfig), "--namespace", kubectl.namespace]
    command += ["exec", "-i", NAME, "--", "python", "-c", _UNPACK]
    subprocess.run(command, input=packed.getvalue(), check=True, timeout=120, capture_output=True)
    kubectl.run("apply", "-f", "-", input=service)


def withdraw(kubectl: Kubectl, package: str) -> None:
    """Have it know nothing of the package."""
    kubectl.run("exec", NAME, "--", "mv", f"/index/simple/{package}", "/index")


def bring_back(kubectl: Kubectl, package: str) -> None:
    kubectl.run("exec", NAME, "--", "mv", f"/index/{package}", "/index/simple")


def stop(kubectl: Kubectl) -> None:
    kubectl.run("delete", "pod,service", NAME, "--ignore-not-found", "--grace-period=0", "--force")


def _objects(image: str) -> list[dict[str, Any]]:
    command = ["python", "-m", "http.server", str(_PORT), "--directory", "/index"]
    mount = {"name": "index", "mountPath": "/index"}
    pod = restricted_pod(NAME, image, command, {"name": "index", "emptyDir": {}}, mount)
    pod["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": _PORT}, "periodSeconds": 1}
    pod["spec"]["automountServiceAccountToken"] = False
    metadata = {"name": NAME, "labels": {"app": NAME}}
    service = {"selector": {"app": NAME}, "ports": [{"port": _PORT}]}
    return [
        pod,
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]

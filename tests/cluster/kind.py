"""A cluster from kind, where Docker runs: how users with Docker get theirs."""

import shutil
from pathlib import Path

from tests.cluster import folders
from tests.cluster.cluster import Cluster
from tests.cluster.commands import run, succeeds
from tests.cluster.progress import run_step
from tests.cluster.waiting import wait_until

_NAME = "modelport"
_NODE = f"{_NAME}-control-plane"
_CREATE = ("kind", "create", "cluster", "--name", _NAME, "--wait", "120s")


def possible() -> bool:
    return shutil.which("kind") is not None and succeeds("docker", "info", timeout=10)


def exists() -> bool:
    return possible() and _NAME in run("kind", "get", "clusters").split()


def up() -> Cluster:
    if not exists():
        create = [*_CREATE, "--kubeconfig", str(kubeconfig())]
        log = folders.cache() / "logs" / "kind.log"
        run_step("Creating a cluster with kind (1 minute; the first time it fetches an image)", create, log)
    run("kind", "export", "kubeconfig", "--name", _NAME, "--kubeconfig", kubeconfig())
    return Cluster("kind", kubeconfig(), _load_image, _remove_image, _restart_api_server)


def down() -> None:
    if exists():
        run("kind", "delete", "cluster", "--name", _NAME, "--kubeconfig", kubeconfig())


def kubeconfig() -> Path:
    return folders.state().with_name("modelport-kind.kubeconfig")


def _load_image(archive: Path) -> None:
    run("kind", "load", "image-archive", archive, "--name", _NAME, timeout=600)


def _remove_image(name: str) -> None:
    # It fails where the image is not there.
    succeeds("docker", "exec", _NODE, "crictl", "rmi", name)


def _restart_api_server() -> None:
    # kubelet starts it again.
    run("docker", "exec", _NODE, "pkill", "kube-apiserver")
    ready = ("kubectl", "--kubeconfig", str(kubeconfig()), "get", "--raw", "/readyz")
    wait_until(lambda: not succeeds(*ready), 10)
    if not wait_until(lambda: succeeds(*ready), 120):
        raise TimeoutError("the API server of kind's node does not answer again")

"""The chart, installed as a platform team would: into a namespace where Pod Security is at its strictest."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import ingress
from tests.cluster.cluster import Cluster
from tests.e2e import images, package_index
from tests.e2e.kubectl import Kubectl

CHART = Path(__file__).parents[2] / "helm" / "modelport"
NAME = "modelport"
_MODELS_NAMESPACE = "modelport-models"
BUNDLES_NAMESPACE = "modelport-bundles"


@dataclass(frozen=True)
class Platform:
    """`url` is the ingress; `release` and `models` are kubectl in their namespaces."""

    url: str
    release: Kubectl
    models: Kubectl
    runtime_image: str = images.image_of("runtime-sklearn")


def platform_of(cluster: Cluster, url: str) -> Platform:
    return Platform(url, Kubectl(cluster.kubeconfig, NAME), Kubectl(cluster.kubeconfig, _MODELS_NAMESPACE))


def values(annotations: Mapping[str, str]) -> Mapping[str, Any]:
    """What differs from the defaults: an ingress, limits that no test meets, and annotations of the pods."""
    limits = {"register": "1000/minute", "login": "1000/minute", "upload": "1000/minute"}
    parts = {part: {"podAnnotations": dict(annotations)} for part in ("controlApi", "gateway", "operator")}
    return {
        "ingress": {"enabled": True, "className": ingress.CLASS},
        "settings": {"limits": {**limits, "predict": "100000/second"}},
        # The tests' file server is a pod, which models may not reach otherwise where policies are enforced.
        "runtime": {
            "artifactNetworks": ["10.0.0.0/8"],
            "requirements": {"index": package_index.address(NAME), "egress": package_index.egress(NAME)},
        },
        **parts,
    }


def install(kubectl: Kubectl, folder: Path, annotations: Mapping[str, str], chart: Path = CHART) -> None:
    """`helm upgrade --install`, until everything is ready. Other annotations: new pods."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values(annotations)))
    # Other tests may have applied the resource's definition with kubectl before.
    options = ("--install", "--take-ownership", "--wait", "--timeout", "15m", "--values", str(file))
    helm(kubectl, "upgrade", *options, NAME, str(chart))


def uninstall(kubectl: Kubectl) -> None:
    helm(kubectl, "uninstall", NAME, "--wait", "--ignore-not-found")


def helm(kubectl: Kubectl, *arguments: str, timeout: float = 960) -> str:
    """Return what it printed. Raises with helm's own words when it fails."""
    command = ["helm", "--kubeconfig", str(kubectl.kubeconfig), "--namespace", kubectl.namespace, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    if answer.returncode:
        pods = kubectl.try_run("get", "pods", "-o", "wide").stdout
        raise AssertionError(f"helm {' '.join(arguments)}: {answer.stderr.strip()}\n{pods}")
    return answer.stdout

"""The chart as tests see it: its files, and what helm makes of them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import programs

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "modelport"
NAMESPACE = "platform"
# Helm built without release flags takes itself for an old Kubernetes.
KUBE_VERSION = "1.34.0"

Object = dict[str, Any]


def find_helm() -> str:
    """Skips the test where there is no helm; fails it in CI, which must have one."""
    found = shutil.which("helm")
    if found:
        return found
    if programs.HELM.path.exists() or (os.environ.get("CI") == "true" and programs.go_is_there()):
        return str(programs.ensure(programs.HELM))
    if os.environ.get("CI") == "true":
        pytest.fail("there is no helm, and no go to build it with")
    pytest.skip("there is no helm (make cluster-up builds one)")


def run_helm(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_helm(), command, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def render(*settings: str, json_values: Sequence[str] = (), files: Sequence[Path] = ()) -> list[Object]:
    """The objects of a release, hooks too. `settings`: as for --set; `json_values`: as for --set-json."""
    answer = _template(*_options(settings, json_values, files))
    assert answer.returncode == 0, answer.stderr
    return [each for each in yaml.safe_load_all(answer.stdout) if each]


def refusal(*settings: str, json_values: Sequence[str] = ()) -> str:
    """What helm says about settings that it does not take."""
    answer = _template(*_options(settings, json_values, ()))
    assert answer.returncode != 0
    return answer.stderr


def _options(settings: Sequence[str], json_values: Sequence[str], files: Sequence[Path]) -> list[str]:
    return [
        *(word for each in files for word in ("--values", str(each))),
        *(word for each in settings for word in ("--set", each)),
        *(word for each in json_values for word in ("--set-json", each)),
    ]


def _template(*options: str) -> subprocess.CompletedProcess[str]:
    version = ("--namespace", NAMESPACE, "--kube-version", KUBE_VERSION)
    return run_helm("template", "modelport", str(CHART), *version, *options)


def of_kind(objects: Sequence[Object], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pod_specs(objects: Sequence[Object]) -> dict[str, Object]:
    """By kind and name: the spec of every pod that the release can make."""
    specs = {}
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            specs[name] = each["spec"]
        elif each["kind"] in ("Deployment", "StatefulSet", "Job"):
            specs[name] = each["spec"]["template"]["spec"]
    return specs


def containers(spec: Object) -> list[Object]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def environment(container: Object) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", [])}

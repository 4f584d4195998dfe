"""The MLModel schema on a real API server: what it takes, what it refuses, and what it says then."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.kubectl import Kubectl

pytestmark = pytest.mark.e2e

CORPUS = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text())
CASES = CORPUS["cases"]


def merged(target: Any, change: Any) -> Any:
    """RFC 7396."""
    if not isinstance(change, dict):
        return change
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@pytest.fixture(scope="module")
def kubectl(cluster: Any) -> Iterator[Kubectl]:
    kubectl = Kubectl(cluster.kubeconfig, "modelport-corpus")
    kubectl.apply_crd()
    kubectl.create_namespace()
    yield kubectl
    kubectl.leave_namespace()


def test_the_corpus_has_forty_cases_of_both_kinds() -> None:
    refused = [case for case in CASES if "refused" in case]
    assert len(CASES) >= 40
    assert len(refused) >= 20
    assert len(CASES) - len(refused) >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_manifest(kubectl: Kubectl, case: dict[str, Any]) -> None:
    if "first" in case:
        before = merged(CORPUS["base"], case["first"])
        kubectl.run("apply", "-f", "-", input=before)
    try:
        answer = kubectl.try_run(
            "apply", "--dry-run=server", "-f", "-", input=merged(CORPUS["base"], case["change"])
        )
    finally:
        if "first" in case:
            kubectl.run("delete", "mlm", before["metadata"]["name"])
    if "refused" in case:
        assert answer.returncode != 0
        assert case["refused"] in answer.stderr
    else:
        assert answer.returncode == 0, answer.stderr

"""Looked at again, what is as it should be is left alone."""

import pytest

from tests.e2e.operator.manifests import a_list, mlmodel, version
from tests.e2e.operator.operating import Harness, Operator, until

pytestmark = pytest.mark.e2e

# Written in every way that users write quantities; the API server writes them in one.
UNUSUAL = {
    "requests": {"cpu": "0.25", "memory": "1048576Ki"},
    "limits": {"cpu": "1500m", "memory": "1.5Gi"},
}


def test_a_second_pass_over_fifty_models_writes_nothing(harness: Harness) -> None:
    models = [
        mlmodel(f"model-{number}", "v1", scaling={"minReplicas": 1 + number % 2, "maxReplicas": 2})
        for number in range(50)
    ]
    models[7]["spec"]["versions"] = [version("v1", resources=UNUSUAL, sample={"input": [1, "$HOME"]})]
    models[8]["spec"]["versions"] = [
        version("v1", artifact={"uri": "file:///models/a", "sha256": "0" * 64}),
    ]
    models[9]["spec"]["versions"] = [
        version("v1", artifact={"uri": "pvc://claim/a", "sha256": "0" * 64}),
    ]
    settings = {"resync_seconds": "3", "tolerations": '[{"key": "models", "operator": "Exists"}]'}
    with harness.operator(**settings) as operator:
        harness.models.run("apply", "-f", "-", input=a_list(models))
        until(lambda: _is_quiet(operator), seconds=800)
        before, written, passes = _versions_of_all(harness), operator.writes(), operator.passes()
        until(lambda: operator.passes() >= passes + 50, seconds=400)
        assert operator.writes() == written
        assert _versions_of_all(harness) == before


def _is_quiet(operator: Operator) -> bool:
    """Whether all 50 have had a pass and none of the last ones wrote."""
    written, passes = operator.writes(), operator.passes()
    until(lambda: operator.passes() >= passes + 50, seconds=400)
    return passes >= 50 and operator.writes() == written


def _versions_of_all(harness: Harness) -> dict[tuple[str, str], str]:
    objects = [*harness.children(), *harness.models.json("get", "mlm")["items"]]
    return {(obj["kind"], obj["metadata"]["name"]): obj["metadata"]["resourceVersion"] for obj in objects}

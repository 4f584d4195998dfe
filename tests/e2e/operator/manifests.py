"""MLModels whose pods never start: what is watched here is what the operator writes."""

from typing import Any


def mlmodel(name: str = "iris", *versions: str, **spec: Any) -> dict[str, Any]:
    """All requests go to the last version."""
    names = versions or ("v1",)
    return {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {"name": name},
        "spec": {
            "versions": [version(each) for each in names],
            "traffic": [{"version": names[-1], "weight": 100}],
            **spec,
        },
    }


def version(name: str, **changes: Any) -> dict[str, Any]:
    artifact = {"uri": "https://models.example.org/model.joblib", "sha256": "0" * 64}
    return {"name": name, "framework": "sklearn", "artifact": artifact, **changes}


def a_list(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": objects}

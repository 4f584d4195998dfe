"""Why no pod for batch jobs is ready, in words: no line of a log, no bare exit code."""

from typing import Any

import pytest
from modelport_control_api.batch.pods import lookup
from modelport_crds.mlmodel import from_object

LOG_LINE = '{"time": "2026-11-01", "level": "info", "event": "sandboxed", "sandbox_level": 2}'


class Pods:
    def __init__(self, ended: dict[str, Any]) -> None:
        self._status = {"containerStatuses": [{"state": {}, "lastState": {"terminated": ended}}]}

    async def list(self, kind: str, namespace: str, labels: Any) -> list[dict[str, Any]]:
        return [{"metadata": {}, "status": self._status}]


MODEL = from_object(
    {
        "apiVersion": "serving.modelport.dev/v1alpha1",
        "kind": "MLModel",
        "metadata": {"name": "iris", "namespace": "models"},
        "spec": {
            "versions": [
                {
                    "name": "v1",
                    "framework": "sklearn",
                    "artifact": {"uri": "artifact:a", "sha256": "a" * 64},
                    "batchReplicas": 1,
                }
            ],
            "traffic": [{"version": "v1", "weight": 100}],
        },
    }
)


@pytest.mark.parametrize(
    ("ended", "reason", "words"),
    [
        ({"exitCode": 143, "message": LOG_LINE}, "LoadTimeout", "starved of CPU"),
        (
            {"exitCode": 143, "reason": "StartupProbeFailed", "message": "It was starved of CPU."},
            "LoadTimeout",
            "Its process was started again. It was starved of CPU.",
        ),
        ({"exitCode": 137, "message": LOG_LINE}, "OutOfMemory", "as happens when memory runs out"),
        ({"exitCode": 142, "message": LOG_LINE}, "LoadTimeout", "took longer than it may"),
        ({"exitCode": 139, "message": LOG_LINE}, "RuntimeCrashed", "Its last words: sandboxed"),
        ({"exitCode": 1, "message": "ImportError: x"}, "RuntimeCrashed", "Its last words: ImportError: x"),
    ],
)
async def test_an_ended_pod_is_explained_in_words(ended: dict[str, Any], reason: str, words: str) -> None:
    found = await lookup.find(Pods(ended), "models", MODEL, "v1")  # type: ignore[arg-type]
    assert (found.reason, words in found.message) == (reason, True), found.message
    assert "{" not in found.message


@pytest.mark.parametrize("message", ["", " \n", '{"level": "info"}', "{}"])
async def test_a_pod_that_said_nothing_has_no_last_words(message: str) -> None:
    ended = {"exitCode": 139, "message": message}
    found = await lookup.find(Pods(ended), "models", MODEL, "v1")  # type: ignore[arg-type]
    assert "last words" not in found.message

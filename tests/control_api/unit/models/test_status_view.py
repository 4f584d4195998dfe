"""What users see of a model follows from what is wanted and what the cluster says."""

from collections.abc import Mapping
from typing import Any

import pytest
from modelport_control_api.registry.status_view import model_view, version_view
from modelport_crds import mlmodel

from tests.control_api.unit.models.fake_cluster import DOWN, FAILED, READY, STARTING


def live(traffic: Mapping[str, int], **versions: Mapping[str, Any]) -> mlmodel.MLModel:
    return mlmodel.from_object(
        {
            "metadata": {"name": "m"},
            "spec": {"versions": [], "traffic": []},
            "status": {
                "traffic": [{"version": name, "weight": weight} for name, weight in traffic.items()],
                "versions": [{"name": name, **facts} for name, facts in versions.items()],
            },
        }
    )


HELD = {**READY, "reason": "SignatureChanged", "message": "It gets no requests."}
V1, V2, SPLIT = {"v1": 100}, {"v2": 100}, {"v1": 90, "v2": 10}

CASES: dict[str, tuple[Mapping[str, int], mlmodel.MLModel | None, str, str, str]] = {
    "not published yet": (V1, None, "pending", "Progressing", "v1"),
    "loading": (V1, live({}, v1=STARTING), "pending", "Progressing", "loading"),
    "no node": (V1, live({}, v1={"reason": "Unschedulable"}), "pending", "Unschedulable", "node"),
    "predicted, traffic not moved": (V1, live({}, v1=READY), "pending", "Progressing", "about to move"),
    "serving": (V1, live(V1, v1=READY), "ready", "Serving", "v1 serves"),
    "serving a split": (
        SPLIT,
        live({"v2": 10, "v1": 90}, v1=READY, v2=READY),
        "ready",
        "Serving",
        "v1 (90 %) and v2 (10 %) serve.",
    ),
    "a split, and a third one starting": (
        {"v3": 100},
        live(SPLIT, v1=READY, v2=READY, v3=STARTING),
        "pending",
        "Progressing",
        "v1 (90 %) and v2 (10 %) go on serving.",
    ),
    "failed": (V1, live({}, v1=FAILED), "failed", "LoadFailed", "v1 failed: ValueError: no."),
    "new one starting": (V2, live(V1, v1=READY, v2=STARTING), "pending", "Progressing", "v1 goes on serving"),
    "new one failed": (V2, live(V1, v1=READY, v2=FAILED), "degraded", "LoadFailed", "v1 goes on serving"),
    "replicas down": (V1, live(V1, v1=DOWN), "degraded", "RuntimeCrashed", "v1 has no ready replica"),
    "half down": (SPLIT, live(SPLIT, v1=READY, v2=DOWN), "degraded", "RuntimeCrashed", "v1 goes on serving"),
    "weights not moved yet": (SPLIT, live(V1, v1=READY, v2=READY), "pending", "Progressing", "v1 goes on"),
    "all ready, weights not moved yet": (
        SPLIT,
        live(V1, v1=READY, v2=READY),
        "pending",
        "Progressing",
        "about to",
    ),
    "new one held": (V2, live(V1, v1=READY, v2=HELD), "degraded", "SignatureChanged", "v1 goes on serving"),
    "a canary held": (SPLIT, live(V1, v1=READY, v2=HELD), "degraded", "SignatureChanged", "v2 is held."),
    "held, and another one failed": (
        {"v2": 50, "v3": 50},
        live(V1, v1=READY, v2=HELD, v3=FAILED),
        "degraded",
        "LoadFailed",
        "v3 failed",
    ),
    "held, and nobody wants it any more": (V1, live(V1, v1=READY, v2=HELD), "ready", "Serving", "v1"),
    "rolled back over a failure": (V1, live(V1, v1=READY, v2=FAILED), "ready", "Serving", "v1 serves"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_status_of_a_model(case: str) -> None:
    wanted, known, status, reason, words = CASES[case]
    view = model_view(wanted, known, {"v2"})
    assert (view.status, view.reason) == (status, reason)
    assert words in view.message


def test_traffic_that_was_forced_is_about_to_move() -> None:
    view = model_view(V2, live(V1, v1=READY, v2=HELD))
    assert (view.status, view.reason) == ("pending", "Progressing")


def test_a_version_that_is_held_is_ready_for_its_reason() -> None:
    view = version_view("v2", live(V1, v1=READY, v2=HELD))
    assert (view.status, view.reason, view.message) == ("ready", "SignatureChanged", "It gets no requests.")


@pytest.mark.parametrize(
    ("traffic", "facts", "status"),
    [
        ({}, STARTING, "pending"),
        ({}, READY, "ready"),
        (V1, READY, "ready"),
        (V1, DOWN, "degraded"),
        ({}, FAILED, "failed"),
        ({}, {"answered": True, "ready": False, "reason": "Progressing"}, "pending"),
    ],
)
def test_the_status_of_a_version(traffic: Mapping[str, int], facts: Mapping[str, Any], status: str) -> None:
    assert version_view("v1", live(traffic, v1=facts)).status == status

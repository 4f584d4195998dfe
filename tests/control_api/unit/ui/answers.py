"""Versions and models as the API answers them, for views that are made of them."""

from datetime import UTC, datetime
from typing import Any

from modelport_control_api.models.schemas import VersionAnswer

MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def version(**changes: Any) -> VersionAnswer:
    facts = {
        "name": "v1",
        "status": "ready",
        "reason": "Serving",
        "message": "v1 answers.",
        "framework": "sklearn",
        "sha256": "0" * 64,
        "size": 1234,
        "sample": None,
        "signature": None,
        "libraries": None,
        "sandbox": None,
        "engine": None,
        "acceleration": None,
        "traffic": 100,
        "replicas": 1,
        "restarts": 0,
        "data_drift": {"state": "no_reference", "message": "", "rows": 0, "since": None, "features": []},
        "created_at": MOMENT,
    }
    return VersionAnswer.model_validate(facts | changes)

"""Experiments as users see them."""

from typing import Any

from modelport_control_api.experiments.schemas import ExperimentAnswer, ExperimentSummary
from modelport_control_api.registry.tables import ExperimentRow


def render(row: ExperimentRow) -> ExperimentAnswer:
    """With its looks, which must be loaded."""
    return ExperimentAnswer.model_validate({**_fields(row), "looks": row.looks})


def render_summary(row: ExperimentRow) -> ExperimentSummary:
    """Without its looks."""
    return ExperimentSummary.model_validate(_fields(row))


def _fields(row: ExperimentRow) -> dict[str, Any]:
    return {
        **row.design,
        "id": row.number,
        "arms": row.arms,
        "state": row.state,
        "verdict": row.verdict,
        "winner": row.winner,
        "promoted": row.promoted,
        "evidence": row.evidence,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "decided_at": row.decided_at,
        "ended_at": row.ended_at,
    }

"""What was last found of a version and of each of its features, detached from any session."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from modelport_control_api.drift.tables import DriftStateRow

Change = Literal["none", "small", "large"]


@dataclass(frozen=True, slots=True)
class FeatureResult:
    """`p_value` is adjusted for the number of features. `summary`: what it was and is, where it changed.

    `change`: "small" is certain, but too little to be drift; "large" is drift. `expected_change`: of
    accuracy, if this feature is all that moves; None: that is not known.
    """

    name: str
    drifts: bool
    psi: float
    p_value: float
    summary: str = ""
    change: Change = "none"
    expected_change: float | None = None


def write_results(results: Sequence[FeatureResult]) -> list[dict[str, Any]]:
    """Return the results as JSON, in the same order, for `read_results`."""
    return [asdict(result) for result in results]


def read_results(stored: Sequence[dict[str, Any]]) -> tuple[FeatureResult, ...]:
    """Return the results in the stored order. A field that was not stored has its default."""
    return tuple(FeatureResult(**result) for result in stored)


WatchedState = Literal["collecting", "ok", "drift"]


@dataclass(frozen=True, slots=True)
class DriftThresholds:
    """A model's own; None: the platform's."""

    psi_threshold: float | None = None
    alpha: float | None = None
    window_rows: int | None = None


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """`rows` of the last window, or while collecting: so far. `results`: the worst first."""

    state: WatchedState
    since: datetime
    rows: int
    wanted_rows: int
    results: tuple[FeatureResult, ...]


def counted_now(record: DriftRecord, rows: int, wanted_rows: int) -> DriftRecord:
    """While collecting: with what is counted and wanted now, not when it was last evaluated."""
    return replace(record, rows=rows, wanted_rows=wanted_rows) if record.state == "collecting" else record


def to_drift_record(row: DriftStateRow) -> DriftRecord:
    """Copy the row, so that the record outlives its session."""
    return DriftRecord(
        state=cast(WatchedState, row.state),
        since=row.since,
        rows=row.rows,
        wanted_rows=row.wanted_rows,
        results=read_results(row.results),
    )

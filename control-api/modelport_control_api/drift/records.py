"""What was last found of a version, detached from any session."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from modelport_control_api.drift.feature_results import Verdict, read_verdicts
from modelport_control_api.drift.tables import DriftStateRow

WatchedState = Literal["collecting", "ok", "drift"]


@dataclass(frozen=True, slots=True)
class DriftThresholds:
    """A model's own; None: the platform's."""

    psi_threshold: float | None = None
    alpha: float | None = None
    window_rows: int | None = None


@dataclass(frozen=True, slots=True)
class DriftRecord:
    """`rows` of the last window, or while collecting: so far. `verdicts`: the worst first."""

    state: WatchedState
    since: datetime
    rows: int
    wanted_rows: int
    verdicts: tuple[Verdict, ...]


def to_drift_record(row: DriftStateRow) -> DriftRecord:
    return DriftRecord(
        state=cast(WatchedState, row.state),
        since=row.since,
        rows=row.rows,
        wanted_rows=row.wanted_rows,
        verdicts=read_verdicts(row.verdicts),
    )

"""States in words: what was found, and what to do."""

from modelport_control_api.drift.records import DriftRecord
from modelport_control_api.drift.schemas import DataDriftSummary, DriftingFeature

_SHOWN_FEATURES = 10
NO_REFERENCE = (
    "No reference: give the rows that the model was trained on, as a CSV file with a header "
    "(PUT …/reference, or reference at upload), and live inputs are compared with them."
)


def summarise(record: DriftRecord | None) -> DataDriftSummary:
    if record is None:
        return DataDriftSummary(state="no_reference", message=NO_REFERENCE, rows=0, since=None, features=[])
    drifting = [verdict for verdict in record.verdicts if verdict.drifts][:_SHOWN_FEATURES]
    return DataDriftSummary(
        state=record.state,
        message=state_message(record),
        rows=record.rows,
        since=record.since,
        features=[
            DriftingFeature(name=each.name, psi=each.psi, p_value=each.p_value, summary=each.summary)
            for each in drifting
        ],
    )


def state_message(record: DriftRecord) -> str:
    if record.state == "collecting":
        return f"Collecting: {record.rows} of {record.wanted_rows} sampled rows."
    drifting = [verdict.name for verdict in record.verdicts if verdict.drifts]
    if record.state == "ok":
        return f"The newest {record.rows} sampled rows are distributed as the reference is."
    if not drifting:
        return "No feature drifts in the newest rows; it is ok again after a whole window of such."
    named = ", ".join(drifting[:3])
    others = f" and {len(drifting) - 3} more" if len(drifting) > 3 else ""
    return (
        f"Live inputs differ from the reference in {named}{others}: look at where they come from, "
        "or train the model on newer rows."
    )

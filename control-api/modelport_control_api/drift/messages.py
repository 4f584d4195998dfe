"""States in words: what was found, and what to do."""

from datetime import timedelta

from modelport_http.wording import counted

from modelport_control_api.drift.profiles.times import is_weekend
from modelport_control_api.drift.records import DriftRecord, FeatureResult
from modelport_control_api.drift.schemas import DataDriftSummary, DriftingFeature, ReferenceAnswer, Window

_SHOWN_FEATURES = 10
_DAY = timedelta(days=1)
_LEAST_POINTS = 0.1
_ROWS_OF_WEEKENDS = 20
_NO_WEEKENDS = (
    " The window has rows of a weekend, and of the reference's none, or hardly any, are known to be: if "
    "inputs follow the days of the week, give a reference of some whole weeks."
)
NO_REFERENCE = (
    "No reference: give the rows that the model was trained on, as a CSV file with a header "
    "(PUT …/reference, or reference at upload), and live inputs are compared with them."
)


def summarize(record: DriftRecord | None) -> DataDriftSummary:
    """Return the state for lists and cards; None: the version has no reference."""
    if record is None:
        return DataDriftSummary(state="no_reference", message=NO_REFERENCE, rows=0, since=None, features=[])
    drifting = [result for result in record.results if result.drifts][:_SHOWN_FEATURES]
    return DataDriftSummary(
        state=record.state,
        message=state_message(record),
        rows=record.rows,
        since=record.since,
        features=[
            DriftingFeature(
                name=each.name,
                psi=each.psi,
                p_value=each.p_value,
                expected_change=each.expected_change,
                summary=each.summary,
            )
            for each in drifting
        ],
    )


def state_message(record: DriftRecord) -> str:
    """Return a sentence about the state, with the features that drift."""
    if record.state == "collecting":
        return _collecting(record)
    drifting = [_with_effect(result) for result in record.results if result.drifts]
    if record.state == "ok":
        small = [result.name for result in record.results if result.change == "small"]
        but = f", but for small, certain changes in {_listed(small)}" if small else ""
        rows = counted(record.rows, "sampled row")
        return f"The newest {rows} are distributed as the reference is{but}."
    if not drifting:
        return "No feature drifts in the newest rows; it is ok again after a whole window of such."
    return (
        f"Live inputs differ from the reference in {_listed(drifting)}: look at where they come from, "
        "or train the model on newer rows."
    )


def _with_effect(result: FeatureResult) -> str:
    points = 100 * (result.expected_change or 0.0)
    if abs(points) < _LEAST_POINTS:
        return result.name
    return f"{result.name} (expected accuracy {points:+.1f} points)"


def _collecting(record: DriftRecord) -> str:
    # Until a new reference is first evaluated, nobody has written down how many rows it takes.
    if not record.wanted_rows:
        return f"Collecting: {counted(record.rows, 'sampled row')} so far."
    so_far = min(record.rows, record.wanted_rows)
    return f"Collecting: {so_far:,} of {counted(record.wanted_rows, 'sampled row')}."


def season_advice(
    state: str, reference: ReferenceAnswer | None, window: Window | None, *, weekend_rows: int = 0
) -> str:
    """Return what a window may be mistaken for, of whose hours or days the reference knows nothing.

    `weekend_rows`: rows of the reference that are of Saturdays and Sundays.
    """
    if state != "drift" or reference is None or window is None:
        return ""
    if reference.time_column is not None:
        return "" if weekend_rows >= _ROWS_OF_WEEKENDS or not _touches_weekend(window) else _NO_WEEKENDS
    span = window.end - window.start
    if span >= _DAY:
        return ""
    return (
        f" The window spans {_span(span)} only: if inputs follow the time of day, put a column of times "
        "(ISO 8601) into the reference, and they are compared with its rows of the same hours."
    )


def _touches_weekend(window: Window) -> bool:
    last = window.end - timedelta(minutes=1)
    return is_weekend(window.start) or is_weekend(last) or last - window.start >= timedelta(days=5)


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return counted(round(minutes / 60), "hour") if minutes >= 120 else counted(max(1, minutes), "minute")


def _listed(names: list[str]) -> str:
    others = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{others}"

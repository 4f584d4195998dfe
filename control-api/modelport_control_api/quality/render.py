"""Quality as users see it. Imports scikit-learn, so nothing imports it until it is used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modelport_control_api.analytics.query import Range
from modelport_control_api.quality.calibration.basis import Basis
from modelport_control_api.quality.curves import Calibration
from modelport_control_api.quality.figures import compute
from modelport_control_api.quality.figures.compute import Part
from modelport_control_api.quality.rows import Columns, Reading
from modelport_control_api.quality.schemas import (
    CalibrationAnswer,
    QualityAnswer,
    QualityPoint,
    ReliabilityBin,
    UnknownClass,
    VersionQuality,
)

_NOTHING = (
    "No predictions were observed in this range. Set the model's feedback, so that its predictions are kept "
    "until their truth is known."
)


def answer(model_id: str, range_: Range, reading: Reading, bases: Mapping[str, Basis]) -> QualityAnswer:
    """Compute all figures, and return them. bases: by the versions that can be calibrated."""
    names = sorted(reading.versions, key=lambda name: (len(name), name))
    since = reading.since.astimezone(range_.zone) if reading.since else None
    return QualityAnswer(
        model=model_id,
        **_asked(range_),
        since=since,
        message=_message(names, since),
        versions=[_version(name, reading.versions[name], bases.get(name), range_) for name in names],
    )


def _asked(range_: Range) -> dict[str, Any]:
    return {
        "from_": _moment(range_.boundaries[0], range_),
        "to": _moment(range_.until, range_),
        "bucket": range_.bucket,
        "timezone": range_.zone.key,
    }


def _message(names: list[str], since: datetime | None) -> str:
    if since is None:
        return "" if names else _NOTHING
    return (
        f"The range has more predictions than one response reads: it covers the newest ones, from "
        f"{since.isoformat()} on. Ask for a shorter range, or for one version, to see the others."
    )


def _version(name: str, columns: Columns, basis: Basis | None, range_: Range) -> VersionQuality:
    found = compute.of_version(columns, basis.of if basis else None)
    return VersionQuality(
        version=name,
        task=columns.task,
        calibration=_calibration(found.calibration, basis),
        **_part(found.whole),
        series=[
            QualityPoint(start=_moment(range_.boundaries[number], range_), **_part(part))
            for number, part in sorted(found.buckets.items())
        ],
        reliability=[ReliabilityBin(**each._asdict()) for each in found.reliability],
        unknown_classes=[UnknownClass(label=label, rows=rows) for label, rows in found.unknown.items()],
        unreadable_labels=columns.unreadable,
    )


def _part(part: Part) -> Mapping[str, Any]:
    return {
        "predictions": part.predictions,
        "labels": part.labels,
        "rewards": part.rewards,
        "metrics": {name: figure._asdict() for name, figure in part.metrics.items()},
        "expected": {name: figure._asdict() for name, figure in part.expected.items()},
    }


def _calibration(found: Calibration | None, basis: Basis | None) -> CalibrationAnswer | None:
    if found is None or basis is None:
        return None
    return CalibrationAnswer(
        source="uploaded" if basis.created_at else "labels", rows=found.rows, created_at=basis.created_at
    )


def _moment(seconds: int, range_: Range) -> datetime:
    return datetime.fromtimestamp(seconds, range_.zone)

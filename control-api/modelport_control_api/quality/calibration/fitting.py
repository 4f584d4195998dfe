"""From a file to what is known of a version by it. Blocking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelport_control_api.drift.profiles.profile import from_json, match
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.quality import rows
from modelport_control_api.quality.calibration.cells import CellCounts
from modelport_control_api.quality.calibration.file_rows import CalibrationInvalid, read
from modelport_control_api.quality.curves import Calibration


@dataclass(frozen=True)
class Fitted:
    """`effects`: of each feature's cells (`quality.calibration.cells`), as the reference has them."""

    calibration: Calibration
    effects: Mapping[str, Any]
    reference_id: str | None


def fit_file(
    path: Path, label: str, signature: Mapping[str, Any], reference: DriftReferenceRow | None
) -> Fitted:
    """reference: the version's. Raises CalibrationInvalid."""
    # Of scikit-learn, as all that computes quality.
    from modelport_control_api.quality.figures.compute import fit_columns
    from modelport_control_api.quality.figures.expected import FEWEST_ROWS

    columns = match(from_json(reference.profile), signature).columns if reference else ()
    example, counts = (signature.get("classes") or [""])[0], CellCounts(columns)

    def observed() -> Iterator[Observation]:
        for row in read(path, label):
            counts.add(row, example)
            yield row.as_observed(example)

    found = rows.read(observed(), lambda _: 0, lambda _: signature)
    calibration = fit_columns(found.versions[""]) if found.versions else None
    if calibration is None:
        raise CalibrationInvalid(
            f"The file needs {FEWEST_ROWS} rows or more whose {label} is known, some of a class that has a "
            "probability: check its labels, and give more rows."
        )
    return Fitted(calibration, counts.as_json(), reference.id if reference else None)

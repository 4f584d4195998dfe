"""From a file to the curves of a version. Blocking."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelport_control_api.quality import rows
from modelport_control_api.quality.calibration.file_rows import CalibrationInvalid, observed
from modelport_control_api.quality.curves import Calibration


def fit_file(path: Path, label: str, signature: Mapping[str, Any]) -> Calibration:
    """Raises CalibrationInvalid."""
    # Of scikit-learn, as all that computes quality.
    from modelport_control_api.quality.figures.compute import fit_columns
    from modelport_control_api.quality.figures.expected import FEWEST_ROWS

    classes = signature.get("classes") or [""]
    read = rows.read(observed(path, label, classes[0]), lambda _: 0, lambda _: signature)
    found = fit_columns(read.versions[""]) if read.versions else None
    if found is None:
        raise CalibrationInvalid(
            f"The file needs {FEWEST_ROWS} rows or more whose {label} is known, some of a class that has a "
            "probability: check its labels, and give more rows."
        )
    return found

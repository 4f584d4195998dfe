"""Loads each file of a folder as a version's process does, and compares its answers with the stored ones.

Run by the Python that is to serve them: `python answer.py FOLDER`. Prints JSON: name → "same", "other" or the
reason for which it is refused.
"""

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from modelport_runtime.core import backends
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction
from modelport_runtime.inspection import Inspection, inspect
from modelport_runtime.inspection.libraries import check_modules
from modelport_runtime.worker.failures import explain

_RELATIVE = 1e-6


def main(folder: Path) -> None:
    warnings.filterwarnings("ignore")
    logging.disable()
    stored = json.loads((folder / "answers.json").read_text())
    backends.prepare("sklearn")
    print(json.dumps({name: _outcome(folder / f"{name}.joblib", facts) for name, facts in stored.items()}))


def _outcome(file: Path, facts: dict[str, Any]) -> str:
    found = inspect(file)
    try:
        engine = load(file, found, None)
    except Exception as error:  # noqa: BLE001  # its reason is what is asked for
        return explain(error, found.libraries, (), 0).reason
    return _compared(engine, facts)


def load(file: Path, found: Inspection, sample: dict[str, Any] | None) -> Engine:
    """Return the file's engine once it has predicted a row. Raises whatever its load raises."""
    check_modules(found.references)
    engine = backends.load(
        file,
        "sklearn",
        sample,
        model="m",
        version="v1",
        max_batch_rows=64,
        trusted=True,
        found=found.libraries.found,
    )
    backends.self_check(engine)
    return engine


def _compared(engine: Engine, facts: dict[str, Any]) -> str:
    (answer,) = engine.predict_many([Call("native", json.dumps({"inputs": facts["rows"]}).encode())])
    if not isinstance(answer, Prediction):
        return "ModelError"
    found = json.loads(answer.body)["predictions"]
    alike = len(found) == len(facts["predictions"]) and all(map(_alike, found, facts["predictions"]))
    return "same" if alike else "other"


def _alike(found: Any, stored: Any) -> bool:
    if isinstance(stored, list):
        return isinstance(found, list) and len(found) == len(stored) and all(map(_alike, found, stored))
    return bool(found == stored) or abs(found - stored) <= _RELATIVE * max(1.0, abs(stored))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

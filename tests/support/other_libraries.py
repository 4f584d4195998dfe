"""What the runtime predicts in an environment's own Python, which has the runtime and no tests."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = """
import json, sys
from pathlib import Path
from modelport_runtime.core import backends
from modelport_runtime.core.types import Call, LoadError

framework, outputs, only_known = json.loads(sys.argv[1])
backends.prepare(framework)
found = {}
for name, rows in json.load(sys.stdin).items():
    try:
        engine = backends.load(Path(name), framework, None, model="m", version="v1", max_batch_rows=64)
        backends.self_check(engine)
    except LoadError as error:
        found[name] = {"reason": error.reason, "message": error.message}
        continue
    if only_known:
        names = [column.name for column in engine.signature.columns]
        rows = [row if isinstance(row, list) else {name: row[name] for name in names} for row in rows]
    wanted = engine.signature.usual_outputs if outputs == "usual" else outputs
    body = {"inputs": rows} | ({"return": wanted} if wanted else {})
    (prediction,) = engine.predict_many([Call("native", json.dumps(body).encode())])
    found[name] = {**json.loads(prediction.body), "signature": engine.signature.to_json()}
json.dump({"found": found, "has_sklearn": "sklearn" in sys.modules}, sys.stdout)
"""


@dataclass(frozen=True)
class Answers:
    """found: by file its body and signature, or reason and message of why it does not load."""

    found: dict[str, Any]
    has_sklearn: bool
    """Whether scikit-learn was imported for them."""


def predict_in(
    python: Path,
    framework: str,
    rows: Mapping[str, Sequence[Any]],
    folder: Path,
    *,
    outputs: Sequence[str] | str = "usual",
    only_known: bool = False,
) -> Answers:
    """Return what each file in the folder predicts for its rows.

    outputs: names, "usual" for all that are usual, none for what is returned unasked.
    only_known: of a row that is an object send the columns of the signature.
    """
    done = subprocess.run(
        [python, "-I", "-c", _PROGRAM, json.dumps([framework, outputs, only_known])],
        input=json.dumps(rows),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return Answers(**json.loads(done.stdout))

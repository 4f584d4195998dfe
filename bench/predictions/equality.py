"""Compares the runtime's predictions of 10,000 rows with the model's own.

``make bench ARGS="--only equality"``. Labels must be equal, probabilities within 1e-6.
"""

import http.client
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.models.model import Model, Row
from bench.models.trained import one_or_many
from bench.predictions.measuring import Measuring
from bench.servers import starting

ROWS = 10_000
TOLERANCE = 1e-6
_SIZES = (1, 7, 32, 64)
_SEED = 11


def equality(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Facts by model: share of equal rows in percent, and the largest difference of a probability."""
    facts: dict[str, float | str | None] = {}
    for model in models.values():
        with starting.runtime(model.path, folder) as server:
            equal, largest = _compare(model, server.address)
            engine = server.get("/status").get("engine", "native")
        facts[f"{model.name}, rows equal, %"] = equal / ROWS * 100
        facts[f"{model.name}, largest difference"] = largest
        facts[f"{model.name}, engine"] = engine
        print(f"{model.name}: {equal} of {ROWS} rows equal, {largest:.3g} apart, {engine}", flush=True)
    measuring.facts["equality"] = facts


def _compare(model: Model, address: str) -> tuple[int, float]:
    """Return the number of equal rows and the largest difference."""
    # Here, so that the groups before this one are measured by a process without them, as in `estimators`.
    import joblib
    import numpy as np

    original = joblib.load(model.path)
    rows = [_unseen(row, number) for number, row in enumerate(itertools.islice(model.rows(_SEED), ROWS))]
    labels, probabilities = [], []
    for response in _answers(model, rows, address):
        labels += response["predictions"]
        probabilities += response["probabilities"]
    table = _table(model, rows)
    expected = original.predict_proba(table)
    difference = np.abs(_matrix(probabilities, original) - expected).max(axis=1)
    same = original.predict(table) == np.array(labels, dtype=original.classes_.dtype)
    return int((same & (difference <= TOLERANCE)).sum()), float(difference.max())


def _unseen(row: Row, number: int) -> Row:
    """Every twentieth row with words that no model has been fitted on."""
    return [f"{value}?" if isinstance(value, str) else value for value in row] if number % 20 == 0 else row


def _answers(model: Model, rows: list[Row], address: str) -> Iterator[Any]:
    connection = http.client.HTTPConnection(address, timeout=60)
    source = iter(rows)
    for size in itertools.cycle(_SIZES):
        batch = [model.named(row) for row in itertools.islice(source, size)]
        if not batch:
            break
        body = one_or_many(batch) | {"return": ["prediction", "probabilities"]}
        connection.request("POST", "/predict", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{model.name} was answered {response.status}: {content[:300]!r}")
        yield _as_many(json.loads(content))
    connection.close()


def _as_many(response: dict[str, Any]) -> dict[str, Any]:
    """A single row's response in the form of many."""
    if "predictions" in response:
        return response
    return {"predictions": [response["prediction"]], "probabilities": [response["probabilities"]]}


def _matrix(probabilities: list[Any], original: Any) -> Any:
    """One row each, in the order of the original's classes."""
    import numpy as np

    if isinstance(probabilities[0], dict):
        names = [str(each) for each in original.classes_.tolist()]
        return np.array([[row[name] for name in names] for row in probabilities])
    return np.array(probabilities)


def _table(model: Model, rows: list[Row]) -> Any:
    """The rows as the estimator itself takes them."""
    import numpy as np
    import pandas

    return pandas.DataFrame(rows, columns=list(model.columns)) if model.columns else np.array(rows)

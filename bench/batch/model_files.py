"""The forests of the batch bench, their inputs, and what they take without a platform."""

import io
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import orjson
import pandas
from modelport_control_api.batch.storage.chunks import read_chunk
from modelport_control_api.batch.storage.files import BatchFiles
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from bench.models.model import Model

_SEED = 7
_LARGE_ROWS = 20_000
_COLUMNS = 10
# Of the labels, turned round: as real data is, no forest of it is shallow.
_NOISE = 0.05


def train(folder: Path) -> list[Model]:
    """Both of a hundred trees: of the data set as it is (569 rows, shallow), and of 20,000 rows like its."""
    features, labels = load_breast_cancer(return_X_y=True)
    features = features[:, :_COLUMNS]
    large, noisy = _more(features, labels)
    return [
        _save(folder, "forest-569", features, labels, features),
        _save(folder, "forest-20000", large, noisy, features),
    ]


def _more(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(_SEED)
    chosen = generator.integers(0, len(features), _LARGE_ROWS)
    moved = features[chosen] * generator.uniform(0.9, 1.1, (_LARGE_ROWS, features.shape[1]))
    return moved, labels[chosen] ^ (generator.random(_LARGE_ROWS) < _NOISE)


def _save(folder: Path, name: str, features: np.ndarray, labels: np.ndarray, data: np.ndarray) -> Model:
    path = folder / f"{name}.joblib"
    joblib.dump(RandomForestClassifier(100, random_state=_SEED).fit(features, labels), path)
    return Model(name, path, None, data.tolist())


def csv_of(model: Model, rows: int, *, bad_every: int = 0) -> bytes:
    """New rows with a key; `bad_every`: one in so many has a word where a number should be."""
    generator = np.random.default_rng(rows)
    data: np.ndarray = np.array(model.data)
    moved = data[generator.integers(0, len(data), rows)] * generator.uniform(0.9, 1.1, (rows, data.shape[1]))
    table = pandas.DataFrame(moved.round(5), columns=[f"x{place}" for place in range(data.shape[1])])
    if bad_every:
        table["x0"] = table["x0"].astype(object)
        table.loc[::bad_every, "x0"] = "unknown"
    table.insert(0, "id", np.arange(rows))
    text = io.StringIO()
    table.to_csv(text, index=False)
    return text.getvalue().encode()


def one_row(model: Model, row: list[Any]) -> bytes:
    return orjson.dumps({"input": row})


def seconds_between(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


async def predict_chunks(model: Model, files: BatchFiles, job_id: str) -> tuple[float, float]:
    """Seconds of `model.predict` alone, and with the chunks read and made arrays."""
    estimator = joblib.load(model.path)
    begin, predicting, number = time.perf_counter(), 0.0, 0
    while True:
        try:
            chunk = read_chunk(await files.read_chunk(job_id, number))
        except FileNotFoundError:
            return predicting, time.perf_counter() - begin
        rows = np.frombuffer(chunk.inputs).reshape(-1, chunk.columns)
        started = time.perf_counter()
        estimator.predict(rows)
        predicting += time.perf_counter() - started
        number += 1

"""Files that a doctor is shown: fixtures of other versions, and small ones that are made here."""

import io
import os
import pickle
import subprocess
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import joblib
import numpy as np
import pandas as pd
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression

FIXTURES = Path(__file__).parents[3] / "fixtures"
ROWS, LABELS = np.arange(12.0).reshape(6, 2), [0, 1] * 3


class Named:
    """Pickled as an instance of a class that there is not, or as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._reduced = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reduced


def _instance_of(module: str, name: str) -> bytes:
    """By hand: names are looked up when a pickle is written, and there is none of this one."""
    return f"\x80\x03ccopyreg\n_reconstructor\n(c{module}\n{name}\ncbuiltins\nobject\nNtR.".encode("latin-1")


def _saved_by(version: str, model: Any) -> bytes:
    with patch("sklearn.base.__version__", version):
        return pickle.dumps(model)


def _dumped(held: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(held, file, **options)
    return file.getvalue()


def _logistic(rows: Any) -> LogisticRegression:
    return LogisticRegression().fit(rows, LABELS)


MADE: Mapping[str, Callable[[], bytes]] = {
    "here.joblib": lambda: _dumped(_logistic(pd.DataFrame(ROWS, columns=["a", "b"])), compress=3),
    "nameless.pkl": lambda: pickle.dumps(_logistic(ROWS)),
    "protocol-0.pkl": lambda: pickle.dumps(_logistic(ROWS), protocol=0),
    "gaussian_process-1.2.pkl": lambda: _saved_by("1.2.2", GaussianProcessRegressor().fit(ROWS, LABELS)),
    "ancient.pkl": lambda: _saved_by("0.24.2", _logistic(ROWS)),
    "future.pkl": lambda: _saved_by("1.99.0", _logistic(ROWS)),
    "empty.joblib": lambda: b"",
    "cut.pkl": lambda: pickle.dumps(_logistic(ROWS))[:-9],
    "rows.parquet": lambda: b"PAR1" + bytes(80),
    "large.joblib": lambda: _dumped(ROWS) + bytes(9000),
    "array.joblib": lambda: _dumped(ROWS),
    "frame.pkl": lambda: pickle.dumps(pd.DataFrame(ROWS)),
    "texts.pkl": lambda: pickle.dumps(pd.DataFrame({"town": ["Rome"]})),
    "dictionary.pkl": lambda: pickle.dumps({"model": _logistic(ROWS), "columns": ["a", "b"]}),
    "state.pkl": lambda: pickle.dumps(OrderedDict(weight=ROWS)),
    "list-0.pkl": lambda: pickle.dumps([1, 2], protocol=0),
    # Its producer's name would clear the terminal.
    "steering.onnx": lambda: b"\x08\x08\x12\x05\x1b[2Jx\x1a\x011:\x00B\x00",
    "model.cbm": lambda: b"CBM1" + (40).to_bytes(4, "little") + b"Summary: CatBoost release 1.2.10".ljust(40),
    "notebook.pkl": lambda: _instance_of("__main__", "Ratio"),
    "package.pkl": lambda: _instance_of("mypackage.transformers", "Ratio"),
    "system.pkl": lambda: pickle.dumps(Named(os.system, "true")),
    "process.pkl": lambda: pickle.dumps(Named(subprocess.check_output, ["true"])),
    "eval.pkl": lambda: pickle.dumps(Named(eval, "1")),
}
OTHER_VERSIONS = (
    "other_versions/1.1.3/neighbours.joblib",
    "other_versions/1.2.2/tree.skops",
    "other_versions/1.3.2/forest.joblib",
    "other_versions/1.5.2/columns_by_name.joblib",
    "other_versions/1.8.0/boosting.joblib",
    "other_boosters/lightgbm-3.3.5/numbers.joblib",
    "other_boosters/xgboost-1.7.6/classes.ubj",
    "other_boosters/xgboost-3.0.5/words.joblib",
    "other_boosters/xgboost-3.0.5/classes.deprecated",
    "other_boosters/xgboost-3.0.5/leaves.joblib",
)


def path_of(name: str, folder: Path) -> Path:
    """Return a fixture, or write what is made here into the folder."""
    if name not in MADE:
        return FIXTURES / name
    path = folder / name
    path.write_bytes(MADE[name]())
    return path

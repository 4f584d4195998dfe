"""What scikit-learn seldom needs is not there until it is needed, and then nothing tells that it came late.

Each test has a process of its own: this one has imported everything.
"""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import scipy.stats
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, SplineTransformer, StandardScaler

from tests.support import models

DEFERRED = {"pandas", "scipy.stats", "scipy.optimize", "scipy.interpolate", "numpy.testing", "numpy.f2py"}

# What the runtime does, with its own ways of telling what was imported and what was answered.
SERVE = """
import json, sys
from pathlib import Path
from modelport_runtime.core import backends
from modelport_runtime.core.types import Call

backends.prepare("sklearn")
prepared = set(sys.modules)
engine = backends.load(Path(sys.argv[1]), "sklearn", None, model="m", version="v", max_batch_rows=8)
backends.self_check(engine)
(answer,) = engine.predict_many([Call("native", sys.stdin.buffer.read())])
print(json.dumps({
    "prepared": sorted(prepared), "served": sorted(sys.modules),
    "libraries": engine.libraries_here, "answer": json.loads(answer.body),
}))
"""

# Every estimator, fitted and asked, or what it raised.
EVERY = """
import json, sys, warnings
if sys.argv[1] == "deferred":
    from modelport_runtime.core.backends import deferred_imports
    deferred_imports.install()
import numpy as np
from sklearn import datasets
from sklearn.utils import all_estimators
rows, classes = (part[::5] for part in datasets.load_iris(return_X_y=True))
reported = {}
for name, kind in all_estimators():
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            model = kind()
            known = {"random_state": 0, "n_jobs": 1, "max_iter": 20, "cv": 2, "n_quantiles": 10}
            model.set_params(**{key: value for key, value in known.items() if key in model.get_params()})
            model.fit(rows, classes)
            methods = ("predict", "predict_proba", "transform", "decision_function")
            given = [getattr(model, method)(rows) for method in methods if hasattr(model, method)]
        dense = [one.toarray() if hasattr(one, "toarray") else np.asarray(one) for one in given]
        reported[name] = [[one.tolist() for one in dense], [str(one.message) for one in warned]]
    except Exception as error:
        reported[name] = repr(error)
print(json.dumps(reported))
"""


def run(script: str, *arguments: str, given: bytes = b"") -> Any:
    # Not measured: it would trace every call of scikit-learn, and other tests run the same lines of ours.
    environment = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        input=given, capture_output=True, check=False, timeout=100, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def served(model: Any, rows: list[Any], folder: Path) -> Any:
    return run(SERVE, str(models.save_pickle(model, folder)), given=json.dumps({"inputs": rows}).encode())


@pytest.mark.parametrize("train", [models.iris_logistic, models.iris_logistic_named, models.iris_forest])
def test_a_model_that_needs_none_of_it_is_served_without(train: Any, tmp_path: Path) -> None:
    trained = train()
    reported = served(trained.model, trained.rows, tmp_path)
    assert reported["answer"]["predictions"] == trained.model.predict(trained.data).tolist()
    assert not DEFERRED & set(reported["served"])
    assert reported["libraries"]["pandas"] == pd.__version__
    assert reported["libraries"]["scikit-learn"] == sys.modules["sklearn"].__version__


def test_a_column_transformer_gets_its_data_frame(tmp_path: Path) -> None:
    trained = models.mixed_pipeline()
    reported = served(trained.model, trained.rows, tmp_path)
    assert reported["answer"]["predictions"] == trained.model.predict(trained.data).tolist()
    assert "pandas" not in reported["prepared"]
    assert "pandas" in reported["served"]


def test_data_frames_between_the_steps(tmp_path: Path) -> None:
    frame = models.iris_frame()
    model = make_pipeline(StandardScaler(), make_column_transformer((StandardScaler(), ["petal_width"])))
    model.set_output(transform="pandas").fit(frame)
    reported = served(model, frame.to_dict("records"), tmp_path)
    assert reported["answer"]["predictions"] == model.transform(frame).to_numpy().tolist()


def test_a_file_that_names_pandas_and_scipy_itself(tmp_path: Path) -> None:
    frame = models.iris_frame()
    model = make_pipeline(
        FunctionTransformer(pd.DataFrame.abs), FunctionTransformer(scipy.stats.norm.cdf), LogisticRegression()
    ).fit(frame, models.iris()[1])
    assert b"pandas.core" in pickle.dumps(model)
    reported = served(model, frame.to_dict("records"), tmp_path)
    assert reported["answer"]["predictions"] == model.predict(frame).tolist()


@pytest.mark.parametrize(
    ("first", "needs"), [(PowerTransformer, "scipy.stats"), (SplineTransformer, "scipy.interpolate")]
)
def test_what_a_transformer_needs_is_loaded_when_it_is_called(first: Any, needs: str, tmp_path: Path) -> None:
    data, species = models.iris()
    model = make_pipeline(first(), LogisticRegression(max_iter=500)).fit(data, species)
    reported = served(model, data.tolist(), tmp_path)
    assert reported["answer"]["predictions"] == model.predict(data).tolist()
    assert needs not in reported["prepared"]
    assert needs in reported["served"]


@pytest.mark.nightly
@pytest.mark.slow
def test_every_estimator_learns_predicts_warns_and_raises_as_ever() -> None:
    deferred, ordinary = run(EVERY, "deferred"), run(EVERY, "ordinary")
    assert len(ordinary) > 150
    assert sum(isinstance(reported, list) for reported in ordinary.values()) > 120
    assert deferred == ordinary

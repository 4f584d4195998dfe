"""Trains boosters of one library, and keeps each in all of its formats, with its own library's answers.

Run by the Python of the version: `python train_boosters.py FOLDER xgboost`. It uses no code of Modelport.
"""

import importlib
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

_RANDOM = np.random.RandomState(7)
_COUNT, _ROWS = 120, 10
_X = _RANDOM.normal(size=(_COUNT, 4)).round(2)
_FRAME = pd.DataFrame(_X, columns=["a", "b", "c", "d"])
_TWO = (_X[:, 0] + _X[:, 1] > 0).astype(int)
_THREE = np.digitize(_X[:, 0] + _X[:, 2], [-0.5, 0.5])
_WORDS = np.array(["high", "low", "mid"])[_THREE]
_NUMBER = (_X[:, 0] * 3 - _X[:, 3] + 10).round(2)
_COUNTS = _RANDOM.poisson(np.exp(_X[:, 0] / 2)).astype(float)
_SEVERAL = np.column_stack([_NUMBER, _X[:, 1] * 2])
_HOLES = np.where(_RANDOM.uniform(size=_X.shape) < 0.2, np.nan, _X)
_MARKED = np.where(np.isnan(_HOLES), -999.0, _HOLES)
_COLORS = _FRAME.assign(color=pd.Categorical(_RANDOM.choice(["red", "green", "blue"], _COUNT)))
_BY_COLOR = (_NUMBER + 4 * (_COLORS["color"] == "red")).round(2).to_numpy()
_CODES = np.column_stack([_X[:, :2], _RANDOM.randint(0, 5, _COUNT)])
_GROUPS = [20] * (_COUNT // 20)
_RANKS = _RANDOM.randint(0, 3, _COUNT)
_IN_PIPELINES = {"two classes", "three classes", "words", "numbers", "missing", "dart", "linear", "forest"}
_NATIVE = {"json", "ubj", "deprecated"}
_OF_WORDS = {"words", "categories and words"}
"""Native files hold no labels."""

Case = tuple[Any, Any, Any, dict[str, Any]]
"""A model, its rows, its targets, and what else `fit` takes."""


def main(folder: Path, library: str) -> None:
    warnings.filterwarnings("ignore")
    kinds, native = {"xgboost": (_xgboost, _natives_of_xgboost), "lightgbm": (_lightgbm, _texts)}[library]
    answers = {}
    for name, (model, rows, targets, more) in kinds():
        try:
            model.fit(rows, targets, **more)
            answers[name] = _answers(model, rows)
        except Exception as error:  # noqa: BLE001  # this version has none of it yet
            print(f"{name} is left out: {type(error).__name__}: {str(error)[:120]}", file=sys.stderr)
            continue
        answers[name]["files"] = dict(_files(folder, name, model, native))
        if library == "xgboost":
            answers[name]["of_files"] = dict(_read_again(folder, answers[name], model, rows))
        if name in _IN_PIPELINES:
            answers[f"{name} in a pipeline"] = _pipeline(folder, name, model, rows, targets)
    (folder / "answers.json").write_text(json.dumps(answers))


def _answers(model: Any, rows: Any) -> dict[str, Any]:
    asked = rows[:_ROWS]
    body = asked.to_json(orient="records") if isinstance(asked, pd.DataFrame) else _listed(asked)
    answers = {"rows": json.loads(body), "predictions": model.predict(asked).tolist()}
    if hasattr(model, "predict_proba") and answers["predictions"] and np.ndim(answers["predictions"]) == 1:
        answers["probabilities"] = model.predict_proba(asked).tolist()
    return answers


def _listed(rows: Any) -> str:
    known: Any = np.where(np.isnan(rows), None, rows)
    return json.dumps(known.tolist())


def _read_again(folder: Path, answers: dict[str, Any], model: Any, rows: Any) -> Iterator[tuple[str, Any]]:
    """Yield format → answers of what reads a native file anew, where the file has lost what those hang on."""
    for kind in _NATIVE.intersection(answers["files"]):
        fresh = type(model)()
        with suppress(Exception):
            fresh.load_model(folder / answers["files"][kind])
            again = _answers(fresh, rows)
            if again["predictions"] != answers["predictions"]:
                yield kind, again


def _pipeline(folder: Path, name: str, model: Any, rows: Any, targets: Any) -> dict[str, Any]:
    pipeline = make_pipeline(StandardScaler(), type(model)(**model.get_params()))
    pipeline.fit(rows, targets)
    files = dict(_files(folder, f"{name} in a pipeline", pipeline, lambda *_: iter(())))
    return {**_answers(pipeline, rows), "files": files}


Native = Callable[[Any, str], Iterator[tuple[str, Callable[[Path], Any]]]]


def _files(folder: Path, name: str, model: Any, native: Native) -> Iterator[tuple[str, str]]:
    """Yield format → file. What a version cannot write, it does not."""
    for kind, save in (*_of_python(model), *native(model, name)):
        path = folder / f"{name}.{kind}"
        try:
            save(path)
        except Exception as error:  # noqa: BLE001  # as above
            print(f"{path.name} is left out: {type(error).__name__}", file=sys.stderr)
            path.unlink(missing_ok=True)
            continue
        yield kind, path.name


def _of_python(model: Any) -> Iterator[tuple[str, Callable[[Path], Any]]]:
    yield "joblib", partial(joblib.dump, model)
    yield "pickle", lambda path: path.write_bytes(pickle.dumps(model))
    yield "skops", partial(_dump_skops, model)


def _dump_skops(model: Any, path: Path) -> None:
    from skops import io

    io.dump(model, path)


def _natives_of_xgboost(model: Any, name: str) -> Iterator[tuple[str, Callable[[Path], Any]]]:
    import xgboost

    yield "json", model.save_model
    yield "ubj", model.save_model
    # A bare booster knows neither a marker nor where its wrapper stopped.
    if "marker" not in name and "stopped" not in name:
        booster = model.get_booster()
        yield "booster.pickle", lambda path: path.write_bytes(pickle.dumps(booster))
    if tuple(map(int, xgboost.__version__.split(".")[:2])) < (3, 1):
        yield "deprecated", model.save_model


def _texts(model: Any, name: str) -> Iterator[tuple[str, Callable[[Path], Any]]]:
    if not hasattr(model, "booster_") or name in _OF_WORDS:
        return
    yield "txt", model.booster_.save_model
    yield "booster.pickle", lambda path: path.write_bytes(pickle.dumps(model.booster_))


def _xgboost() -> Iterator[tuple[str, Case]]:
    library: Any = importlib.import_module("xgboost")

    small: dict[str, Any] = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}
    classifier, regressor = (partial(kind, **small) for kind in (library.XGBClassifier, library.XGBRegressor))
    yield "two classes", (classifier(), _FRAME, _TWO, {})
    yield "two classes without names", (classifier(), _X, _TWO, {})
    yield "three classes", (classifier(), _FRAME, _THREE, {})
    yield "softmax", (classifier(objective="multi:softmax"), _FRAME, _THREE, {})
    yield "hinge", (classifier(objective="binary:hinge"), _FRAME, _TWO, {})
    yield "numbers", (regressor(), _FRAME, _NUMBER, {})
    for objective in ("count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror"):
        yield objective.partition(":")[2], (regressor(objective=objective), _FRAME, _COUNTS + 0.5, {})
    for objective in ("reg:absoluteerror", "reg:pseudohubererror"):
        yield objective.partition(":")[2], (regressor(objective=objective), _FRAME, _NUMBER, {})
    yield "logistic", (regressor(objective="reg:logistic"), _FRAME, _TWO, {})
    yield "cox", (regressor(objective="survival:cox"), _FRAME, _COUNTS + 1, {})
    yield "quantile", (regressor(objective="reg:quantileerror", quantile_alpha=0.8), _FRAME, _NUMBER, {})
    yield "base score", (regressor(base_score=9.25), _FRAME, _NUMBER, {})
    yield "base score of classes", (classifier(base_score=0.2), _FRAME, _TWO, {})
    yield "ranks", (library.XGBRanker(**small), _FRAME, _RANKS, {"group": _GROUPS})
    yield "missing", (classifier(), _HOLES, _TWO, {})
    yield "missing by a marker", (classifier(missing=-999.0), _MARKED, _TWO, {})
    yield "dart", (classifier(booster="dart", rate_drop=0.3), _FRAME, _TWO, {})
    yield "dart of numbers", (regressor(booster="dart", rate_drop=0.3), _FRAME, _NUMBER, {})
    yield "linear", (regressor(booster="gblinear"), _FRAME, _NUMBER, {})
    yield "linear classes", (classifier(booster="gblinear"), _FRAME, _THREE, {})
    stopping = {"eval_set": [(_FRAME[80:], _TWO[80:])], "verbose": False}
    yield "stopped early", (classifier(n_estimators=60, early_stopping_rounds=2), _FRAME, _TWO, stopping)
    stopping = {"eval_set": [(_FRAME[80:], _THREE[80:])], "verbose": False}
    yield (
        "three stopped early",
        (classifier(n_estimators=60, early_stopping_rounds=2), _FRAME, _THREE, stopping),
    )
    yield "forest", (library.XGBRFClassifier(**small), _FRAME, _THREE, {})
    yield "parallel trees", (regressor(num_parallel_tree=3, subsample=0.7), _FRAME, _NUMBER, {})
    yield "exact", (regressor(tree_method="exact"), _FRAME, _NUMBER, {})
    yield "categories", (regressor(enable_categorical=True, tree_method="hist"), _COLORS, _BY_COLOR, {})
    coded = {"enable_categorical": True, "tree_method": "hist", "feature_types": ["q", "q", "c"]}
    yield "codes", (regressor(**coded), _CODES, (_NUMBER + 4 * (_CODES[:, 2] == 3)), {})
    yield "several numbers", (regressor(), _FRAME, _SEVERAL, {})
    yield "several labels", (classifier(), _FRAME, np.column_stack([_TWO, _X[:, 2] > 0]).astype(int), {})
    vectors = {"multi_strategy": "multi_output_tree", "tree_method": "hist"}
    yield "several in a leaf", (regressor(**vectors), _FRAME, _SEVERAL, {})
    yield "three in a leaf", (classifier(**vectors), _FRAME, _THREE, {})


def _lightgbm() -> Iterator[tuple[str, Case]]:
    library: Any = importlib.import_module("lightgbm")

    small: dict[str, Any] = {
        "n_estimators": 5,
        "num_leaves": 6,
        "min_child_samples": 5,
        "n_jobs": 1,
        "verbose": -1,
        "random_state": 0,
    }
    classifier, regressor = (
        partial(kind, **small) for kind in (library.LGBMClassifier, library.LGBMRegressor)
    )
    yield "two classes", (classifier(), _FRAME, _TWO, {})
    yield "two classes without names", (classifier(), _X, _TWO, {})
    yield "three classes", (classifier(), _FRAME, _THREE, {})
    yield "words", (classifier(), _FRAME, _WORDS, {})
    yield "one against all", (classifier(objective="multiclassova"), _FRAME, _THREE, {})
    yield "sigmoid", (classifier(sigmoid=2.0), _FRAME, _TWO, {})
    yield "unbalanced", (classifier(is_unbalance=True), _FRAME, _TWO, {})
    yield "numbers", (regressor(), _FRAME, _NUMBER, {})
    for objective in ("regression_l1", "huber", "fair", "quantile", "mape"):
        yield objective, (regressor(objective=objective), _FRAME, _NUMBER, {})
    for objective in ("poisson", "gamma", "tweedie"):
        yield objective, (regressor(objective=objective), _FRAME, _COUNTS + 0.5, {})
    yield "cross entropy", (regressor(objective="cross_entropy"), _FRAME, _TWO, {})
    yield "roots", (regressor(reg_sqrt=True), _FRAME, _NUMBER, {})
    yield "ranks", (library.LGBMRanker(**small), _FRAME, _RANKS, {"group": _GROUPS})
    yield "missing", (classifier(), _HOLES, _TWO, {})
    yield "zeros missing", (classifier(zero_as_missing=True), np.nan_to_num(_HOLES), _TWO, {})
    yield "dart", (classifier(boosting_type="dart"), _FRAME, _TWO, {})
    bagging = {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}
    yield "forest", (classifier(**bagging), _FRAME, _THREE, {})
    yield "linear trees", (regressor(linear_tree=True), _X, _NUMBER, {})
    watched = {
        "eval_set": [(_FRAME[80:], _TWO[80:])],
        "callbacks": [library.early_stopping(2, verbose=False)],
    }
    yield "stopped early", (classifier(n_estimators=60), _FRAME, _TWO, watched)
    yield "categories", (regressor(), _COLORS, _BY_COLOR, {})
    yield "categories and words", (classifier(), _COLORS, _WORDS, {})
    yield "codes", (regressor(), _CODES, (_NUMBER + 4 * (_CODES[:, 2] == 3)), {"categorical_feature": [2]})
    yield "several numbers", (MultiOutputRegressor(regressor()), _X, _SEVERAL, {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

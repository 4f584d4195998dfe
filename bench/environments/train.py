"""Trains every estimator that fits as it is, and keeps each with the answers of its own library.

Run by an environment's Python: `python train.py FOLDER`. It uses no code of Modelport.
"""

import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingRegressor
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import all_estimators

_ROWS = 10


def main(folder: Path) -> None:
    warnings.filterwarnings("ignore")
    answers = {}
    for kind, (features, labels) in {"classifier": _iris(), "regressor": _diabetes()}.items():
        for name, model in _models(kind):
            try:
                model.fit(features, labels)
                rows = features[:: len(features) // _ROWS][:_ROWS]
                facts = {"rows": rows.tolist(), "predictions": model.predict(rows).tolist()}
            except Exception as error:  # noqa: BLE001  # it wants other data, or a part that has to be named
                print(f"{name} is left out: {type(error).__name__}", file=sys.stderr)
                continue
            answers[name] = {**facts, "files": dict(_files(model, folder, name))}
    (folder / "answers.json").write_text(json.dumps(answers))


def _files(model: Any, folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield format → file. What skops cannot write, it refuses with whatever it met."""
    dumps: dict[str, Callable[[Path], Any]] = {
        "joblib": lambda path: joblib.dump(model, path),
        "pickle": lambda path: path.write_bytes(pickle.dumps(model)),
        "skops": lambda path: skops.io.dump(model, path),
    }
    for form, dump in dumps.items():
        path = folder / f"{name}.{form}"
        try:
            dump(path)
        except Exception as error:  # noqa: BLE001  # as above
            print(f"{path.name} is left out: {type(error).__name__}", file=sys.stderr)
            continue
        yield form, path.name


def _models(kind: str) -> Iterator[tuple[str, Any]]:
    for name, estimator in all_estimators(type_filter=kind):
        try:
            model = estimator()
        except TypeError:
            continue
        if "random_state" in model.get_params():
            model.set_params(random_state=0)
        yield name, model
    yield from _pipelines()[kind].items()


def _pipelines() -> dict[str, dict[str, Any]]:
    columns = ColumnTransformer([("scaled", StandardScaler(), [0, 1]), ("kept", "passthrough", [2])])
    binned = KBinsDiscretizer(4, encode="ordinal")
    return {
        "classifier": {
            "columns and forest": make_pipeline(columns, RandomForestClassifier(20, random_state=0)),
            "neighbors impute": make_pipeline(KNNImputer(), LogisticRegression(max_iter=500)),
            "bins and one-hot": make_pipeline(binned, OneHotEncoder(), LogisticRegression(max_iter=500)),
            "stack": StackingClassifier(
                [("trees", RandomForestClassifier(10, random_state=0)), ("svc", SVC())]
            ),
            "search": GridSearchCV(SVC(), {"C": [1, 10]}),
        },
        "regressor": {
            "impute and scale": make_pipeline(SimpleImputer(), StandardScaler(), Ridge()),
            "components": make_pipeline(PCA(5), Ridge()),
            "splines": make_pipeline(SplineTransformer(), Ridge()),
            "vote": VotingRegressor([("tree", DecisionTreeRegressor(random_state=0)), ("ridge", Ridge())]),
            "search of trees": GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [2, 4]}),
        },
    }


def _iris() -> tuple[Any, Any]:
    features, target = load_iris(return_X_y=True)
    return features, target


def _diabetes() -> tuple[Any, Any]:
    features, target = load_diabetes(return_X_y=True)
    # Some estimators take targets above 0 only, as these are, and several take minutes for all rows.
    return features[:200], target[:200]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

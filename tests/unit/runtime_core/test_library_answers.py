"""What the library answers for a value is answered; what it refuses is refused with the value's name."""

from pathlib import Path
from typing import Any

import cloudpickle
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.unit.runtime_core.conftest import ask, fields, open_engine, refused

RANDOM = np.random.default_rng(0)
ROWS = 60
DATA = pd.DataFrame(
    {
        "size": RANDOM.normal(size=ROWS),
        "rooms": RANDOM.integers(1, 6, ROWS),
        "paid": RANDOM.random(ROWS) > 0.5,
    }
)
LABELS = ((DATA["size"] > 0) ^ DATA["paid"]).astype(int)
LIST = DATA.astype(object).to_numpy().tolist()


def serve(model: Any, tmp_path: Path, sample: Any = None, framework: str = "sklearn") -> Any:
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(model))
    return open_engine(path, framework, sample=None if sample is None else {"input": sample})


FLAGGED: dict[str, tuple[Any, str]] = {
    "linear": (LogisticRegression(), "sklearn"),
    "scaled": (make_pipeline(StandardScaler(), LogisticRegression()), "sklearn"),
    "boosting": (HistGradientBoostingClassifier(max_iter=3), "sklearn"),
    "xgboost": (xgboost.XGBClassifier(n_estimators=3), "xgboost"),
    "lightgbm": (lightgbm.LGBMClassifier(n_estimators=3, verbose=-1), "lightgbm"),
}


@pytest.mark.parametrize("given", [True, False], ids=["sample", "no sample"])
@pytest.mark.parametrize("name", FLAGGED)
def test_true_among_numbers_is_one(name: str, given: bool, tmp_path: Path) -> None:
    model, framework = FLAGGED[name]
    model.fit(DATA, LABELS)
    names = list(DATA)
    engine = serve(model, tmp_path, dict(zip(names, LIST[0], strict=True)) if given else None, framework)
    assert ask(engine, {"inputs": LIST})["predictions"] == model.predict(DATA).tolist()
    as_numbers = [[*row[:2], int(row[2])] for row in LIST]
    assert ask(engine, {"inputs": as_numbers})["predictions"] == model.predict(DATA).tolist()
    assert fields(refused(engine, {"input": [0.5, 3, "true"]})) == ["input[2]"]


@pytest.mark.parametrize("name", ["boosting", "xgboost", "lightgbm"])
def test_null_among_booleans_is_a_missing_number(name: str, tmp_path: Path) -> None:
    model, framework = FLAGGED[name]
    model.fit(DATA, LABELS)
    engine = serve(model, tmp_path, dict(zip(DATA, LIST[0], strict=True)), framework)
    missing = DATA.assign(paid=np.nan)
    assert ask(engine, {"inputs": [[*row[:2], None] for row in LIST]})["predictions"] == (
        model.predict(missing).tolist()
    )


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        RandomForestClassifier(4, random_state=0),
        BaggingClassifier(n_estimators=2, random_state=0),
        IsolationForest(n_estimators=3, random_state=0),
    ],
    ids=["tree", "forest", "bagging", "isolation"],
)
def test_trees_take_missing_values_wherever_they_stand(model: Any, tmp_path: Path) -> None:
    numbers = DATA[["size", "rooms"]].where(DATA["size"] > -1).to_numpy()
    model.fit(numbers, LABELS)
    holes = np.array([[np.nan, 2.0], [0.3, np.nan], [np.nan, np.nan]])
    rows = [[None, 2.0], [0.3, None], [None, None]]
    assert ask(serve(model, tmp_path), {"inputs": rows})["predictions"] == model.predict(holes).tolist()

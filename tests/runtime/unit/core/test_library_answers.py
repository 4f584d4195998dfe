"""What the library answers for a value is answered; what it refuses is refused with the value's name."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import cloudpickle
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from modelport_runtime.core.types import LoadError
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused

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
    assert predict(engine, {"inputs": LIST})["predictions"] == model.predict(DATA).tolist()
    as_numbers = [[*row[:2], int(row[2])] for row in LIST]
    assert predict(engine, {"inputs": as_numbers})["predictions"] == model.predict(DATA).tolist()
    assert fields(refused(engine, {"input": [0.5, 3, "true"]})) == ["input[2]"]


@pytest.mark.parametrize("name", ["boosting", "xgboost", "lightgbm"])
def test_null_among_booleans_is_a_missing_number(name: str, tmp_path: Path) -> None:
    model, framework = FLAGGED[name]
    model.fit(DATA, LABELS)
    engine = serve(model, tmp_path, dict(zip(DATA, LIST[0], strict=True)), framework)
    missing = DATA.assign(paid=np.nan)
    assert predict(engine, {"inputs": [[*row[:2], None] for row in LIST]})["predictions"] == (
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
    assert predict(serve(model, tmp_path), {"inputs": rows})["predictions"] == model.predict(holes).tolist()


def shouting(rows: Any) -> Any:
    return rows["word"].str.len().to_frame()


def shouter() -> Any:
    rows = pd.DataFrame({"word": ["a", "bbb"] * 10})
    return make_pipeline(FunctionTransformer(shouting), LogisticRegression()).fit(rows, [0, 1] * 10)


def inverse(rows: Any) -> Any:
    return np.log1p(rows)


def test_a_value_that_the_library_refuses_is_named(tmp_path: Path) -> None:
    engine = serve(shouter(), tmp_path)
    assert predict(engine, {"input": {"word": "cccc"}})["prediction"] == 1
    for wrong in (7, True):
        body = {"inputs": [{"word": "a"}, {"word": wrong}, {"word": "b"}]}
        failure = refused(engine, body)
        assert (failure.status, fields(failure)) == (422, ["inputs[1].word"])
        assert "inputs[1].word is refused by the model: " in failure.detail


class NeedsBoth:
    """Refuses NaN in words of its own; its signature takes a null for one."""

    n_features_in_ = 2
    feature_names_in_ = np.array(["size", "rooms"], dtype=object)
    __sklearn_tags__ = HistGradientBoostingClassifier().__sklearn_tags__

    def predict(self, rows: Any) -> Any:
        if pd.DataFrame(rows).isna().any().any():
            raise ValueError("Found a missing value")
        return np.zeros(len(rows))


@pytest.mark.parametrize("given", [True, False], ids=["sample", "no sample"])
def test_nulls_that_the_model_refuses_are_named_alike_with_and_without_a_sample(
    given: bool, tmp_path: Path
) -> None:
    engine = serve(NeedsBoth(), tmp_path, {"size": 0.5, "rooms": 3} if given else None)
    failure = refused(engine, {"inputs": [{"size": 1.0, "rooms": 2}, {"size": None, "rooms": None}]})
    assert (failure.status, fields(failure)) == (422, ["inputs[1].size", "inputs[1].rooms"])
    assert "must not be null: the model takes no missing values here" in failure.detail


def test_a_number_out_of_a_functions_range_is_named(tmp_path: Path) -> None:
    rooms = DATA[["rooms", "size"]]
    stage = ColumnTransformer([("log", FunctionTransformer(inverse), ["rooms"])], remainder="passthrough")
    engine = serve(make_pipeline(stage, LogisticRegression()).fit(rooms, LABELS), tmp_path)
    failure = refused(engine, {"inputs": [{"rooms": 2, "size": 0.5}, {"rooms": -1, "size": 0.5}]})
    assert (failure.status, fields(failure)) == (422, ["inputs[1].rooms"])


class Flags:
    """An own model that computes with a boolean column, and not with an object one."""

    n_features_in_ = 2
    feature_names_in_ = np.array(["size", "paid"], dtype=object)

    def predict(self, rows: Any) -> Any:
        if (rows["size"] == 13).any():
            raise ValueError("a fault of its own")
        return (
            (~rows["paid"].astype(bool, errors="raise")).to_numpy() if rows["paid"].dtype == bool else 1 / 0
        )


def test_null_that_a_model_then_refuses_is_named(tmp_path: Path) -> None:
    class Half(Flags):
        def predict(self, rows: Any) -> Any:
            if rows["size"].isna().any():
                raise KeyError("no number")
            return rows["size"].to_numpy()

    engine = serve(Half(), tmp_path, {"size": 1.0, "paid": None})
    assert predict(engine, {"input": {"size": 2.0, "paid": None}})["prediction"] == 2.0
    assert fields(refused(engine, {"input": {"size": None, "paid": None}})) == ["input.size"]


def test_a_fault_of_the_models_own_code_stays_its_own(tmp_path: Path) -> None:
    engine = serve(Flags(), tmp_path, {"size": 1.0, "paid": True})
    failure = refused(engine, {"inputs": [{"size": 2.0, "paid": True}, {"size": 13.0, "paid": True}]})
    assert (failure.status, failure.reason) == (500, "ModelError")


@pytest.mark.parametrize("piped", [False, True], ids=["alone", "piped"])
def test_densities_predict_scores(piped: bool, tmp_path: Path) -> None:
    rows = DATA[["size", "rooms"]].to_numpy()
    model = (make_pipeline(StandardScaler(), KernelDensity()) if piped else KernelDensity()).fit(rows)
    given = predict(serve(model, tmp_path), {"inputs": rows[:3].tolist()})
    assert given["predictions"] == model.score_samples(rows[:3]).tolist()


@pytest.mark.parametrize(
    ("model", "framework"),
    [
        (lightgbm.LGBMClassifier(n_estimators=3, verbose=-1), "lightgbm"),
        (xgboost.XGBClassifier(n_estimators=3), "xgboost"),
        (HistGradientBoostingClassifier(max_iter=3), "sklearn"),
    ],
    ids=["lightgbm", "xgboost", "boosting"],
)
def test_a_classifier_of_one_class_gives_its_probability(model: Any, framework: str, tmp_path: Path) -> None:
    model.fit(DATA, np.zeros(ROWS, int))
    engine = serve(model, tmp_path, None, framework)
    given = predict(engine, {"input": LIST[0], "return": ["prediction", "probabilities"]})
    likely = float(model.predict_proba(DATA[:1])[0, 0])
    assert (given["prediction"], given["probabilities"]) == (0, {"0": pytest.approx(likely, rel=1e-6)})


class Picking:
    """An own model that takes the columns it needs out of a bigger frame."""

    def __init__(self) -> None:
        self.inner = LogisticRegression().fit(DATA[["size", "rooms"]], LABELS)

    def predict(self, rows: Any) -> Any:
        return np.where(rows["city"] == "rome", self.inner.predict(rows[["size", "rooms"]]), -1)


def test_a_sample_of_more_columns_than_the_inner_model_has(tmp_path: Path) -> None:
    model = Picking()
    rows = [{"city": city, "rooms": 3, "size": 0.5} for city in ("rome", "oslo")]
    engine = serve(model, tmp_path, rows[0])
    assert predict(engine, {"inputs": rows})["predictions"] == model.predict(pd.DataFrame(rows)).tolist()
    assert fields(refused(engine, {"input": {"city": "rome", "rooms": 3}})) == ["input.size"]


class Nameless:
    n_features_in_ = 2

    def predict(self, rows: Any) -> Any:
        return ["no"] * len(rows)

    def predict_proba(self, rows: Any) -> Any:
        return np.full((len(rows), 2), 0.5)


def test_advice_is_given_only_where_it_helps(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="set that attribute") as refusal:
        serve(Nameless(), tmp_path)
    assert "Upload it with a sample" not in refusal.value.message


def test_a_sample_shows_integers_beyond_a_float(tmp_path: Path) -> None:
    rows = pd.DataFrame({"id": 2**60 + 1 + 2**50 * np.arange(ROWS), "size": DATA["size"]})
    model = DecisionTreeClassifier(random_state=0).fit(rows, LABELS)
    engine = serve(model, tmp_path, {"id": 2**60 + 1, "size": 0.5})
    asked = [{"id": int(one), "size": float(size)} for one, size in rows.itertuples(index=False)]
    assert predict(engine, {"inputs": asked})["predictions"] == model.predict(rows).tolist()


@pytest.mark.parametrize(
    "values",
    [
        pd.to_timedelta([1, 2, 3] * 4, unit="D"),
        pd.Series([date(2026, 1, day) for day in (1, 2, 3)] * 4, dtype=object),
        pd.Series([Decimal("1.5"), Decimal("2.5"), Decimal("3.5")] * 4, dtype=object),
    ],
    ids=["durations", "dates without a time", "decimals"],
)
@pytest.mark.parametrize("unknown", ["ignore", "error"])
def test_categories_that_json_has_no_value_for_are_an_error_at_load(
    values: Any, unknown: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"length": values})
    model = make_pipeline(OneHotEncoder(handle_unknown=unknown), LogisticRegression())
    model.fit(frame, [0, 1, 0] * 4)
    for sample in (None, {"length": "1 days"}):
        with pytest.raises(LoadError, match="JSON has no value for"):
            serve(model, tmp_path, sample)


@pytest.mark.parametrize("given", [True, False], ids=["sample", "no sample"])
def test_a_net_of_one_class_is_refused_with_advice_to_train_on_two(given: bool, tmp_path: Path) -> None:
    model = MLPClassifier((2,), max_iter=2, random_state=0).fit(DATA[["size"]].to_numpy(), [0] * ROWS)
    with pytest.raises(LoadError, match="train it on two classes or more") as raised:
        serve(model, tmp_path, [0.5] if given else None)
    assert raised.value.reason == "SampleFailed"
    assert "sample" not in raised.value.message

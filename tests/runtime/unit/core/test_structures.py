"""Whatever holds the estimator that sees the rows: the prediction is the library's, by name and in any
order.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused

ROWS = 60


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "city": random.choice(["rome", "oslo", "lima"], ROWS),
            "size": random.normal(size=ROWS),
            "paid": random.random(ROWS) > 0.5,
            "when": pd.date_range("2024-01-01", periods=ROWS, freq="7h"),
            "note": random.choice(["good day", "bad night", "so so"], ROWS),
        }
    )


DATA = frame()
MIXED = DATA[["city", "size"]]
NUMBERS = DATA[["size", "paid"]].astype(float)
TEXTS = DATA["note"].tolist()
LABELS = ((DATA["city"] == "rome") | (DATA["size"] > 0.7)).astype(int)


def columns() -> ColumnTransformer:
    return ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore"), ["city"]), ("size", StandardScaler(), ["size"])]
    )


def classifier() -> Any:
    return make_pipeline(columns(), LogisticRegression())


def regressor() -> Any:
    return make_pipeline(columns(), Ridge())


def by_place() -> Any:
    columns = ColumnTransformer([("city", OneHotEncoder(), [0]), ("size", StandardScaler(), [1])])
    return make_pipeline(columns, LogisticRegression())


class Own:
    """A class of a user's own, which hands its rows on."""

    def __init__(self, *models: Any) -> None:
        self.models = list(models)

    def fit(self, rows: Any, labels: Any) -> "Own":
        for model in self.models:
            model.fit(rows, labels)
        return self

    def predict(self, rows: Any) -> Any:
        return np.mean([model.predict(rows) for model in self.models], axis=0)


class OwnStages:
    """One that keeps its transformer and its model side by side."""

    def fit(self, rows: Any, labels: Any) -> "OwnStages":
        self.columns, self.model = columns(), LogisticRegression()
        self.model.fit(self.columns.fit_transform(rows), labels)
        return self

    def predict(self, rows: Any) -> Any:
        return self.model.predict(self.columns.transform(rows))


class Selected(TransformerMixin, BaseEstimator):
    """Takes columns of a DataFrame, and keeps no names."""

    def __init__(self, chosen: Any) -> None:
        self.chosen = chosen

    def fit(self, rows: Any, labels: Any = None) -> "Selected":
        self.fitted_ = True
        return self

    def transform(self, rows: Any) -> Any:
        return rows[self.chosen]


class Hours(Selected):
    def transform(self, rows: Any) -> Any:
        return pd.DataFrame({"hour": rows[self.chosen].dt.hour})


HOLDERS: dict[str, Callable[[], Any]] = {
    "stacking": lambda: StackingClassifier([("a", classifier())], cv=2),
    "voting": lambda: VotingClassifier([("a", classifier()), ("b", classifier())]),
    "calibrated": lambda: CalibratedClassifierCV(classifier(), cv=2),
    "search": lambda: GridSearchCV(classifier(), {"logisticregression__C": [1]}, cv=2),
    "one versus rest": lambda: OneVsRestClassifier(classifier()),
    "threshold": lambda: FixedThresholdClassifier(classifier()),
    "frozen": lambda: FrozenEstimator(classifier().fit(MIXED, LABELS)),
    "two levels": lambda: StackingClassifier([("a", CalibratedClassifierCV(classifier(), cv=2))], cv=2),
    "bagging": lambda: BaggingClassifier(by_place(), n_estimators=2, random_state=0),
    "multi-output": lambda: MultiOutputRegressor(regressor()),
    "transformed target": lambda: TransformedTargetRegressor(regressor(), func=np.exp, inverse_func=np.log),
    "union": lambda: make_pipeline(make_union(columns(), columns()), Ridge()),
    "own": lambda: Own(classifier(), classifier()),
    "own in own": lambda: Own(Own(classifier())),
    "own stages": OwnStages,
}


def serve(model: Any, folder: Path, sample: Any = None) -> Any:
    path = folder / "model.pkl"
    path.write_bytes(cloudpickle.dumps(model))
    return open_engine(path, sample=None if sample is None else {"input": sample})


def rows_of(data: pd.DataFrame) -> list[dict[str, Any]]:
    listed = data.assign(**{name: data[name].astype(str) for name in data if data[name].dtype.kind == "M"})
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in listed.to_dict("records")
    ]


def assert_predicts(engine: Any, rows: list[Any], wanted: Any) -> None:
    given = predict(engine, {"inputs": rows})["predictions"]
    one = predict(engine, {"input": rows[0]})["prediction"]
    wanted = np.asarray(wanted)
    if wanted.dtype.kind == "f":
        # The order of sums is the matrix's layout's.
        assert np.allclose(given, wanted, rtol=1e-9, atol=1e-12)
        assert np.allclose(one, wanted[0], rtol=1e-9, atol=1e-12)
    else:
        assert (given, one) == (wanted.tolist(), wanted[0].tolist())


def assert_serves(engine: Any, data: pd.DataFrame, wanted: Any) -> None:
    """Rows by name, in another order and by position; a misspelled name is refused."""
    rows = rows_of(data)
    assert not engine.signature.positional
    assert_predicts(engine, rows, wanted)
    assert_predicts(engine, [dict(reversed(row.items())) for row in rows], wanted)
    assert_predicts(engine, [list(row.values()) for row in rows], wanted)
    first = next(iter(rows[0]))
    misspelled = {f"{first}_": rows[0][first]} | {name: rows[0][name] for name in rows[0] if name != first}
    assert f"input.{first}_" in fields(refused(engine, {"input": misspelled}))


@pytest.mark.parametrize("holder", HOLDERS)
def test_who_holds_the_estimator_does_not_matter(holder: str, tmp_path: Path) -> None:
    labels = np.column_stack([LABELS, LABELS]) if holder == "multi-output" else LABELS
    model = HOLDERS[holder]().fit(MIXED, labels)
    engine = serve(model, tmp_path)
    assert [column.kind for column in engine.signature.columns] == ["string", "number"]
    assert_serves(engine, MIXED, model.predict(MIXED))


@pytest.mark.parametrize(
    "model",
    [
        OneVsOneClassifier(LogisticRegression()),
        BaggingClassifier(LogisticRegression(), n_estimators=3, max_features=1, random_state=0),
        RFE(LogisticRegression(), n_features_to_select=1),
        RegressorChain(Ridge()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_those_that_hand_on_numbers_keep_their_names(model: Any, tmp_path: Path) -> None:
    labels = np.column_stack([LABELS, LABELS]) if isinstance(model, RegressorChain) else LABELS
    model.fit(NUMBERS, labels)
    assert_serves(serve(model, tmp_path), NUMBERS, model.predict(NUMBERS))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(make_union(TfidfVectorizer(), TfidfVectorizer(analyzer="char")), LogisticRegression()),
        make_pipeline(
            FunctionTransformer(lambda texts: [text.upper() for text in texts]),
            CountVectorizer(),
            LogisticRegression(),
        ),
        VotingClassifier([("a", make_pipeline(TfidfVectorizer(), LogisticRegression()))]),
        Own(make_pipeline(TfidfVectorizer(), LogisticRegression())),
    ],
    ids=["union", "function", "voting", "own"],
)
def test_texts_reach_the_vectorizer_wherever_it_stands(model: Any, tmp_path: Path) -> None:
    model.fit(TEXTS, LABELS)
    engine = serve(model, tmp_path)
    assert engine.signature.input == "text"
    assert_predicts(engine, TEXTS, model.predict(TEXTS))


def test_the_sample_shows_that_an_own_transformer_takes_a_data_frame(tmp_path: Path) -> None:
    union = make_union(
        make_pipeline(Selected("note"), TfidfVectorizer()),
        make_pipeline(Selected(["size"]), StandardScaler()),
    )
    data = DATA[["size", "note"]]
    model = make_pipeline(union, LogisticRegression()).fit(data, LABELS)
    assert_serves(serve(model, tmp_path, rows_of(data)[0]), data, model.predict(data))


@pytest.mark.parametrize("given", [True, False], ids=["sample", "no sample"])
def test_dates_are_strings_in_iso_8601(given: bool, tmp_path: Path) -> None:
    data = DATA[["when", "city"]]
    stages = ColumnTransformer([("when", Hours("when"), ["when"]), ("city", OneHotEncoder(), ["city"])])
    model = make_pipeline(stages, Ridge()).fit(data, DATA["size"])
    engine = serve(model, tmp_path, rows_of(data)[0] if given else None)
    assert_serves(engine, data, model.predict(data))
    reported = engine.signature.columns[0]
    assert (reported.kind, reported.dtype) == ("string", "datetime64[us]")
    for wrong in ("yesterday", "2024-01-01T00:00:00Z", 1704067200, None):
        assert fields(refused(engine, {"input": {"when": wrong, "city": "rome"}})) == ["input.when"]


def test_a_sample_that_the_model_predicts_overrules_the_guess(tmp_path: Path) -> None:
    class Lengths(Ridge):
        """It inherits what takes numbers, and takes words."""

        def predict(self, rows: Any) -> Any:
            return np.array([len(word) for word in rows[:, 0]])

    model = Lengths().fit(NUMBERS.to_numpy()[:, :1], LABELS)
    engine = serve(model, tmp_path, ["four"])
    assert predict(engine, {"inputs": [["a"], ["three"]]})["predictions"] == [1, 5]


@pytest.mark.parametrize("final", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=2)])
def test_what_passes_to_a_model_that_computes_is_a_number_or_a_boolean(final: Any, tmp_path: Path) -> None:
    data = DATA[["city", "size", "paid"]]
    encoded = ColumnTransformer(
        [("city", OneHotEncoder(sparse_output=False), ["city"])], remainder="passthrough"
    )
    model = make_pipeline(encoded, final).fit(data, LABELS)
    engine = serve(model, tmp_path)
    assert_serves(engine, data, model.predict(data))
    for wrong in ("abc", "2", ""):
        refusal = refused(engine, {"input": {"city": "rome", "size": wrong, "paid": True}})
        assert fields(refusal) == ["input.size"]
        assert "must be a number or a boolean" in refusal.detail


@pytest.mark.parametrize(
    "stages",
    [
        [StandardScaler(), SimpleImputer(), LogisticRegression()],
        [MinMaxScaler(), HistGradientBoostingClassifier(max_iter=2)],
        [ColumnTransformer([("a", StandardScaler(), ["size"])]), SimpleImputer(), LogisticRegression()],
    ],
    ids=["imputer", "boosting", "columns"],
)
def test_scalers_let_missing_values_through_to_those_who_take_them(stages: list[Any], tmp_path: Path) -> None:
    data = NUMBERS.where(NUMBERS > 0)
    model = make_pipeline(*stages).fit(data, LABELS)
    assert_serves(serve(model, tmp_path), data, model.predict(data))


def test_a_scaler_before_what_takes_no_missing_values_refuses_null(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, LABELS)
    assert fields(refused(serve(model, tmp_path), {"input": {"size": None, "paid": 1}})) == ["input.size"]


@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(sparse_output=False), OrdinalEncoder()], ids=["one-hot", "ordinal"]
)
@pytest.mark.parametrize("missing", [None, np.nan], ids=["None", "NaN"])
@pytest.mark.parametrize("named", [True, False], ids=["frame", "array"])
def test_a_missing_value_may_be_a_category(encoder: Any, missing: Any, named: bool, tmp_path: Path) -> None:
    values = np.array([["a"], ["b"], [missing]] * 10, dtype=object)
    data = pd.DataFrame({"letter": pd.Series(values[:, 0], dtype=object)}) if named else values
    model = make_pipeline(encoder, HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=2)).fit(
        data, [0, 1, 2] * 10
    )
    engine = serve(model, tmp_path)
    assert predict(engine, {"inputs": [["a"], ["b"], [None]]})["predictions"] == [0, 1, 2]
    assert fields(refused(engine, {"input": ["c"]})) == ["input[0]"]


class Predicting:
    """Predicts by what it holds, and nothing else."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def predict(self, rows: Any) -> Any:
        held = self.held
        while isinstance(held, dict | list):
            held = next(iter(held.values())) if isinstance(held, dict) else held[0]
        return held.predict(rows)


@pytest.mark.parametrize("wrap", [Predicting, lambda m: {"a": {"b": [m]}}, lambda m: [[m]]])
def test_holders_in_holders_are_looked_into(wrap: Callable[[Any], Any], tmp_path: Path) -> None:
    inner = make_pipeline(
        ColumnTransformer([("city", OneHotEncoder(), ["city"])], remainder="passthrough"), Ridge()
    ).fit(MIXED, LABELS)
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(Predicting(wrap(inner))))
    engine = open_engine(path)
    wanted = inner.predict(MIXED[:1])[0]
    row = {"size": float(DATA["size"][0]), "city": DATA["city"][0]}
    assert predict(engine, {"input": row})["prediction"] == pytest.approx(wanted)
    assert fields(refused(engine, {"input": {"city": 1.5, "size": 0.0}})) == ["input.city"]


def test_an_encoder_that_takes_the_unknown_takes_null(tmp_path: Path) -> None:
    model = make_pipeline(
        ColumnTransformer(
            [("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough"
        ),
        Ridge(),
    ).fit(MIXED, LABELS)
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(model))
    row = MIXED[:1].assign(city=pd.Series([None], dtype=object))
    given = predict(open_engine(path), {"input": {"city": None, "size": float(DATA["size"][0])}})[
        "prediction"
    ]
    assert given == pytest.approx(model.predict(row)[0])


def test_a_sample_of_booleans_where_categories_became_numbers(tmp_path: Path) -> None:
    rows = DATA[["paid", "size"]].astype({"paid": "category"})
    encode = ColumnTransformer([("paid", OrdinalEncoder(), ["paid"])], remainder="passthrough")
    model = make_pipeline(encode, Ridge()).fit(rows, LABELS)
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(model))
    row = {"paid": bool(DATA["paid"][0]), "size": float(DATA["size"][0])}
    engine = open_engine(path, sample={"input": row})
    assert predict(engine, {"input": row})["prediction"] == pytest.approx(model.predict(rows[:1])[0])


def test_columns_of_numbers_or_booleans_are_reported_as_numbers(tmp_path: Path) -> None:
    model = make_pipeline(
        ColumnTransformer([("city", OneHotEncoder(), ["city"])], remainder="passthrough"), Ridge()
    ).fit(MIXED, LABELS)
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(model))
    reported = {one["name"]: one["datatype"] for one in open_engine(path).v2_metadata()["inputs"]}
    assert reported == {"city": "BYTES", "size": "FP64"}

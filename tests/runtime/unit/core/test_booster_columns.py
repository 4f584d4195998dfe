"""Boosters are asked with the very rows they were trained on, as wrapper and as native file."""

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from modelport_runtime.core.types import LoadError
from sklearn.ensemble import VotingClassifier

from tests.runtime.unit.core.conftest import fields, open_engine, predict, refused

ROWS = 120
LIGHT = {"n_estimators": 3, "verbose": -1, "min_child_samples": 2}


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "living area": random.normal(size=ROWS),
            "city": pd.Categorical(random.choice(["rome", "oslo", "lima"], ROWS)),
            "land": pd.Categorical(["it"] * ROWS),
            "rooms": random.integers(0, 5, ROWS),
            "paid": random.random(ROWS) > 0.5,
        }
    )


DATA = frame()
LABELS = ((DATA["city"] == "rome") | (DATA["living area"] > 0.5)).astype(int)
HOUSES = DATA.drop(columns="paid")
NUMBERS = DATA[["living area", "rooms", "paid"]]


def opened(model: Any, folder: Path, native: str | None, sample: Any = None) -> Any:
    framework = "xgboost" if isinstance(model, xgboost.XGBModel) else "lightgbm"
    path = folder / f"model.{native or 'pkl'}"
    if native is None:
        path.write_bytes(pickle.dumps(model))
    else:
        (model if framework == "xgboost" else model.booster_).save_model(path)
    return open_engine(path, framework, None if sample is None else {"input": sample})


def assert_serves(engine: Any, data: pd.DataFrame, model: Any) -> None:
    rows = data.to_dict("records")
    wanted = model.predict_proba(data).astype(np.float64)
    assert not engine.signature.positional
    for some in (rows, [dict(reversed(row.items())) for row in rows]):
        given = predict(engine, {"inputs": some, "return": ["probabilities"]})["probabilities"]
        assert np.allclose([list(row.values()) for row in given], wanted, rtol=1e-6, atol=1e-7)
    assert refused(engine, {"input": {f"{name}_": value for name, value in rows[0].items()}}).status == 422


@pytest.mark.parametrize("native", [None, "txt"])
@pytest.mark.parametrize("categorical", ["auto", ["city", "land", "rooms"]], ids=["auto", "integers"])
def test_lightgbm_with_constant_and_integer_categories(categorical: Any, native: Any, tmp_path: Path) -> None:
    model = lightgbm.LGBMClassifier(**LIGHT).fit(HOUSES, LABELS, categorical_feature=categorical)
    assert_serves(opened(model, tmp_path, native), HOUSES, model)


@pytest.mark.parametrize("native", [None, "txt"])
def test_lightgbm_with_ordered_categories(native: Any, tmp_path: Path) -> None:
    data = HOUSES.assign(city=HOUSES["city"].cat.as_ordered())
    model = lightgbm.LGBMClassifier(**LIGHT).fit(data, LABELS)
    assert_serves(opened(model, tmp_path, native), data, model)


def test_lightgbm_takes_both_spellings_of_a_name_with_blanks(tmp_path: Path) -> None:
    model = VotingClassifier([("a", lightgbm.LGBMClassifier(**LIGHT))], voting="soft").fit(HOUSES, LABELS)
    engine = opened(model, tmp_path, None)
    assert_serves(engine, HOUSES, model)
    assert_serves(engine, HOUSES.rename(columns={"living area": "living_area"}), model)
    both = {**HOUSES.to_dict("records")[0], "living_area": 1.0}
    assert fields(refused(engine, {"input": both})) == ["input.living area"]


def test_a_pickle_of_lightgbm_that_lost_its_names_has_those_of_the_booster(tmp_path: Path) -> None:
    numbers = NUMBERS.astype(float)
    model = lightgbm.LGBMClassifier(**LIGHT).fit(numbers, LABELS)
    # As pickles of 4.6 and before are.
    del model.__dict__["_fitted_with_feature_names"]
    assert_serves(opened(model, tmp_path, None), numbers, model)


def test_categories_that_fit_no_column_are_an_error_at_load(tmp_path: Path) -> None:
    model = lightgbm.LGBMClassifier(**LIGHT).fit(HOUSES, LABELS)
    text = model.booster_.model_to_string()
    path = tmp_path / "model.txt"
    path.write_text(text.replace('[["lima", "oslo", "rome"], ["it"]]', '[["a"], ["b"], ["c"], ["d"], ["e"]]'))
    with pytest.raises(LoadError, match="does not tell which"):
        open_engine(path, "lightgbm")


@pytest.mark.parametrize("native", [None, "json"])
@pytest.mark.parametrize("booster", ["gbtree", "dart", "gblinear"])
def test_xgboost_of_every_booster(booster: str, native: Any, tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(n_estimators=3, booster=booster).fit(NUMBERS, LABELS)
    assert_serves(opened(model, tmp_path, native), NUMBERS, model)


@pytest.mark.parametrize("native", [None, "ubj"])
@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_xgboost_with_categories(booster: str, native: Any, tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(n_estimators=3, booster=booster, enable_categorical=True).fit(DATA, LABELS)
    assert_serves(opened(model, tmp_path, native), DATA, model)


def test_categories_that_xgboost_did_not_keep_are_an_error_unless_the_sample_has_codes(
    tmp_path: Path,
) -> None:
    codes = np.column_stack([DATA["city"].cat.codes, DATA["living area"]]).astype(float)
    matrix = xgboost.DMatrix(
        codes, LABELS, feature_names=["city", "area"], feature_types=["c", "q"], enable_categorical=True
    )
    booster = xgboost.train({"objective": "binary:logistic"}, matrix, num_boost_round=3)
    path = tmp_path / "model.json"
    booster.save_model(path)
    with pytest.raises(LoadError, match="does not hold the categories of 'city'"):
        open_engine(path, "xgboost")
    engine = open_engine(path, "xgboost", {"input": {"city": 1, "area": 0.5}})
    response = predict(engine, {"inputs": codes[:, :].tolist(), "return": ["probabilities"]})
    given = [row["1"] for row in response["probabilities"]]
    assert np.allclose(given, booster.predict(matrix), rtol=1e-6)
    assert fields(refused(engine, {"input": {"city": "rome", "area": 0.5}})) == ["input.city"]

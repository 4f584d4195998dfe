"""What the proof must not let through: planted differences, estimators that are not what they are called."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from modelport_runtime.core.acceleration import Accelerated, Declined, accelerate, plan
from modelport_runtime.core.engine import Engine
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.runtime.unit.acceleration import trained
from tests.support import models

Serve = Callable[..., Engine]
Change = Callable[[plan.Plan], plan.Plan]
SECONDS = 30.0


@pytest.fixture
def planted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Change], str]:
    """Let a conversion make a mistake, and give what the proof says of it."""

    def plant(case: str, change: Change) -> str:
        engine = serve(trained.CASES[case]())
        encode = plan.encode
        monkeypatch.setattr(plan, "encode", lambda made: encode(change(made)))
        result = accelerate(engine, seconds=SECONDS)
        assert isinstance(result, Declined), result
        return result.detail

    return plant


def _final(made: plan.Plan, **changes: Any) -> plan.Plan:
    return msgspec.structs.replace(made, final=msgspec.structs.replace(made.final, **changes))


def _trees(made: plan.Plan, **changes: Any) -> plan.Plan:
    assert isinstance(made.final, plan.Forest | plan.Boosting)
    return _final(made, trees=msgspec.structs.replace(made.final.trees, **changes))


def _moved_threshold(place: int, toward: float) -> Change:
    """Move the threshold of one inner node to the next float32 (forests) or float64."""

    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.Forest | plan.Boosting)
        trees = made.final.trees
        thresholds, left = trees.threshold.unpack(), trees.left.unpack()
        node = np.flatnonzero(left != np.arange(len(left)))[place]
        single = isinstance(made.final, plan.Forest)
        kind = np.float32 if single else np.float64
        thresholds[node] = np.nextafter(kind(thresholds[node]), kind(toward))
        return _trees(made, threshold=plan.pack(thresholds))

    return change


@pytest.mark.parametrize("case", ["tree", "forest", "histograms"])
@pytest.mark.parametrize("toward", [np.inf, -np.inf])
def test_a_threshold_off_by_one_ulp(case: str, toward: float, planted: Callable[[str, Change], str]) -> None:
    assert "differ from the original" in planted(case, _moved_threshold(0, toward))


def test_a_coefficient_off_by_little(planted: Callable[[str, Change], str]) -> None:
    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.LinearClassifier)
        coefficients = made.final.coefficients.unpack()
        coefficients[0, 0] += 1e-5
        return _final(made, coefficients=plan.pack(coefficients))

    assert "differ from the original by" in planted("logistic, three classes", change)


def test_a_regressor_off_by_little(planted: Callable[[str, Change], str]) -> None:
    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.LinearRegressor)
        return _final(made, intercept=made.final.intercept * (1 + 1e-5))

    assert "differ from the original by" in planted("linear", change)


def test_two_classes_swapped(planted: Callable[[str, Change], str]) -> None:
    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.LinearClassifier)
        first, second, *rest = made.final.classes
        swapped = [second, first, *rest]
        signature = replace(made.signature, classes=tuple(swapped))
        return _final(msgspec.structs.replace(made, signature=signature), classes=swapped)

    assert "differ from the original in a label" in planted("ridge classifier", change)


def test_missing_sent_to_the_other_side(planted: Callable[[str, Change], str]) -> None:
    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.Boosting)
        return _trees(made, nan_left=plan.pack(1 - made.final.trees.nan_left.unpack(), "uint8"))

    assert "differ from the original" in planted("histograms with holes", change)


def test_a_category_on_the_other_side(planted: Callable[[str, Change], str]) -> None:
    def change(made: plan.Plan) -> plan.Plan:
        assert isinstance(made.final, plan.Boosting)
        assert made.final.trees.left_categories is not None
        left = made.final.trees.left_categories.unpack()
        left[0, 0] = 1 - left[0, 0]
        return _trees(made, left_categories=plan.pack(left, "uint8"))

    assert "differ from the original" in planted("histograms of categories", change)


def test_a_missing_check(planted: Callable[[str, Change], str]) -> None:
    """Where the original raises on what has overflowed, the kernels must raise as well."""

    def change(made: plan.Plan) -> plan.Plan:
        steps = [step for step in made.part.steps if not isinstance(step, plan.Check)]
        assert len(steps) < len(made.part.steps)
        part = plan.Part(made.part.source, steps)
        return msgspec.structs.replace(made, part=part)

    assert "on which the original raises" in planted("scaled beyond all numbers", change)


class OwnForest(LogisticRegression):
    """A subclass that predicts something else."""

    def predict(self, X: Any) -> Any:
        return super().predict(X)[::-1]


def test_that_a_subclass_stays_as_it_is(serve: Serve) -> None:
    result = accelerate(serve(OwnForest(max_iter=500).fit(*models.iris())))
    assert isinstance(result, Declined)
    assert "OwnForest has no kernels" in result.detail


def constant(X: Any) -> Any:
    return np.array(["setosa"] * len(X))


def test_that_a_method_of_the_instance_s_own_is_noticed(serve: Serve) -> None:
    model = LogisticRegression(max_iter=500).fit(*models.iris())
    model.predict = constant
    result = accelerate(serve(make_pipeline(StandardScaler(), model).fit(*models.iris())))
    assert isinstance(result, Declined)
    assert result.detail == "A LogisticRegression has a predict of its own."


def test_that_the_unknown_is_named(serve: Serve) -> None:
    result = accelerate(serve(KNeighborsClassifier().fit(*models.iris())))
    assert result == Declined("KNeighborsClassifier has no kernel.")


@pytest.mark.parametrize("make", [models.iris_logistic, models.iris_logistic_named])
def test_that_it_is_deterministic(make: Callable[[], models.Trained], serve: Serve) -> None:
    engine = serve(make().model)
    first, second = (accelerate(engine, seconds=SECONDS) for _ in range(2))
    assert isinstance(first, Accelerated)
    assert isinstance(second, Accelerated)
    assert first.plan == second.plan
    assert first.proof.largest_difference == second.proof.largest_difference


def test_that_too_little_time_is_no_proof(serve: Serve) -> None:
    result = accelerate(serve(trained.CASES["forest"]()), seconds=0.0)
    assert isinstance(result, Declined)
    assert "rows could be compared" in result.detail

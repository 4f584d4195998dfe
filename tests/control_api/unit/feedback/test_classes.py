"""Which labels say the same class."""

from typing import Any

import pytest
from modelport_control_api.ground_truth.classes import class_name, number_of


@pytest.mark.parametrize(
    ("prediction", "same", "others"),
    [
        (1, [1, 1.0, "1", "1.0", " 1 ", "1e0", True], [0, False, "true", "one", 1.5, ""]),
        (1.5, [1.5, "1.5", "1.50"], [1, "1,5"]),
        (True, [True, 1, 1.0, "true", "True", "TRUE", "1"], [False, 0, "yes", 2]),
        ("1", ["1", 1, 1.0], ["1.0", " 1", True]),
        ("true", ["true", True], ["True", 1]),
        ("01", ["01"], [1, "1"]),
        (10**20, [10**20, "1e20", float(10**20)], [10**20 + 10**6]),
    ],
)
def test_a_label_is_read_as_the_kind_that_is_predicted(
    prediction: Any, same: list[Any], others: list[Any]
) -> None:
    own = class_name(prediction, prediction)
    assert {class_name(label, prediction) for label in same} == {own}
    assert own not in {class_name(label, prediction) for label in others}


@pytest.mark.parametrize("key", ["0", "1"])
def test_keys_of_probabilities_are_the_classes_of_predictions(key: str) -> None:
    """As the runtime writes them: a class's JSON text."""
    assert class_name(key, 1) == class_name(int(key), 1)
    assert class_name(f"{key}.0", 1.0) == class_name(float(key), 1.0)
    assert class_name("true", True) == class_name(True, True)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((1, 1), (True, 1), ("2.5", 2.5), ("-1e3", -1000)),
        *((said, None) for said in ("nan", "inf", "1_000", "x", "", None, [1])),
    ],
)
def test_what_says_a_number(value: Any, number: float | None) -> None:
    assert number_of(value) == number

"""Models that older scikit-learn versions saved give the predictions that those stored beside them.

`tests/fixtures/other_versions/generate.sh` makes the files.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction
from modelport_runtime.inspection import inspect
from modelport_runtime.inspection.libraries import check_modules

FOLDERS = Path(__file__).parents[3] / "fixtures/other_versions"
FILES = sorted([*FOLDERS.glob("*/*.joblib"), *FOLDERS.glob("*/*.skops")])


def load(path: Path, row: Any) -> Engine:
    backends.prepare("sklearn")
    found = inspect(path)
    check_modules(found.references)
    engine = backends.load(
        path,
        "sklearn",
        {"input": row},
        model="m",
        version="v1",
        max_batch_rows=64,
        trusted=True,
        found=found.libraries.found,
    )
    backends.self_check(engine)
    return engine


def predict(engine: Engine, **body: Any) -> dict[str, Any]:
    (response,) = engine.predict_many([Call("native", json.dumps(body).encode())])
    assert isinstance(response, Prediction), response
    given: dict[str, Any] = json.loads(response.body)
    return given


def without_keys(probabilities: Any) -> Any:
    if isinstance(probabilities, dict):
        return list(probabilities.values())
    return (
        [without_keys(each) for each in probabilities] if isinstance(probabilities, list) else probabilities
    )


def stored(path: Path) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((path.parent / "answers.json").read_text())[path.stem]
    return answers


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_file_of_another_version_gives_its_own_versions_predictions(path: Path) -> None:
    expected = stored(path)
    rows = expected["rows"]
    engine = load(path, rows[0])

    given = predict(engine, inputs=rows)

    same(given["predictions"], expected.get("predict", expected.get("transform")))
    same([predict(engine, input=row)["prediction"] for row in rows[:2]], given["predictions"][:2])
    if "predict_proba" in expected and "probabilities" in engine.signature.outputs:
        probabilities = without_keys(
            predict(engine, inputs=rows, **{"return": ["probabilities"]})["probabilities"]
        )
        same(probabilities, by_row(expected["predict_proba"], probabilities))


def by_row(expected: Any, given: Any) -> Any:
    """Several outputs come as one list for each from scikit-learn, as one for each row from here."""
    if np.ndim(expected) == 3:
        return np.swapaxes(expected, 0, 1).tolist()
    return [[[1 - each, each] for each in row] for row in expected] if np.ndim(given) == 3 else expected


def same(given: Any, expected: Any) -> None:
    if np.asarray(expected).dtype.kind == "f":
        np.testing.assert_allclose(np.asarray(given, dtype=float), expected, rtol=1e-9, atol=1e-12)
    else:
        assert given == expected

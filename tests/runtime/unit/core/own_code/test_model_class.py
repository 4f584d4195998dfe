"""`class Model` of a user's own: what it takes, what it gives, and what is said of one that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Failure, LoadError, Prediction
from modelport_runtime.inspection.formats import can_run_code

from tests.runtime.unit.core.own_code.conftest import Load
from tests.support.own_code import fetched

TYPED = """
from typing import Literal, NotRequired, TypedDict

class Row(TypedDict):
    age: float
    rooms: int
    city: Literal["Oslo", "Rome"]
    name: str | None
    note: NotRequired[str]

class Model:
    def load(self, folder):
        self.factor = float((folder / "factor.txt").read_text())

    def predict(self, rows: list[Row]):
        return [f"{row['age'] * self.factor} {row['rooms']} {row['name']} {'note' in row}" for row in rows]
"""


def predict(engine: Engine, **body: Any) -> Any:
    (result,) = engine.predict_many([Call("native", json.dumps(body).encode())])
    return json.loads(result.body) if isinstance(result, Prediction) else result


def kinds(engine: Engine) -> list[tuple[str, str, bool]]:
    return [(each.name, each.kind, each.optional) for each in engine.signature.columns or ()]


def test_type_hints_name_the_columns_and_no_sample_is_needed(load: Load) -> None:
    engine = load(TYPED, files={"factor.txt": "2"})

    assert kinds(engine) == [
        ("age", "number", False),
        ("rooms", "integer", False),
        ("city", "string", False),
        ("name", "string", True),
        ("note", "string", True),
    ]
    row = {"age": 21, "rooms": 3, "city": "Oslo", "name": None}
    assert predict(engine, input=row)["prediction"] == "42.0 3 None False"
    assert predict(engine, input={**row, "name": "Ann", "note": "x"})["prediction"] == "42.0 3 Ann True"
    refused = predict(engine, input={**row, "city": "Bonn", "rooms": 1.5})
    assert [each["field"] for each in refused.errors] == ["input.rooms", "input.city"]


def test_rows_may_be_objects_of_a_dataclass(load: Load) -> None:
    engine = load(
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Row:\n    x: float\n    y: float = 7.0\n"
        "class Model:\n    def predict(self, rows: list[Row]):\n"
        "        return [row.x + row.y for row in rows]\n"
    )

    assert kinds(engine) == [("x", "number", False), ("y", "number", True)]
    assert predict(engine, inputs=[{"x": 1}, {"x": 1, "y": 2}])["predictions"] == [8.0, 3.0]


@pytest.mark.parametrize(
    ("hint", "given", "sample"),
    [
        ("", "[type(row).__name__ + str(row['a'] + 1) for row in rows]", {"a": 1, "b": "x"}),
        (": 'pd.DataFrame'", "(rows.a + 1).map(lambda a: 'dict' + str(a))", {"a": 1, "b": "x"}),
        (": list[dict]", "[type(row).__name__ + str(float(row['a'][0]) + 1) for row in rows]", {"a": [1]}),
        (": np.ndarray", "[f'dict{a + 1}' for a in rows[:, 0]]", {"a": 1, "b": 2}),
    ],
    ids=["no hint", "DataFrame", "rows of lists", "ndarray"],
)
def test_the_sample_names_the_columns_where_no_hint_does(
    load: Load, hint: str, given: str, sample: dict[str, Any]
) -> None:
    imports = "import numpy as np\nimport pandas as pd\n"

    engine = load(
        f"{imports}class Model:\n    def predict(self, rows{hint}):\n        return {given}\n", sample
    )

    assert predict(engine, input=sample)["prediction"] == "dict2.0"
    assert isinstance(predict(engine, input=[]), Failure)


def test_texts_are_rows_too(load: Load) -> None:
    engine = load(
        "class Model:\n    def predict(self, rows: list[str]):\n        return [len(row) for row in rows]\n"
    )

    assert engine.signature.input == "text"
    assert predict(engine, input="four")["prediction"] == 4


def test_it_is_read_in_a_full_sandbox_only(tmp_path: Path) -> None:
    assert can_run_code(fetched(tmp_path, {"model.py": TYPED}))


@pytest.mark.parametrize(("sample", "row"), [("text", ""), ({"a": [1]}, {"a": []}), ([1.0], [0.0])])
def test_a_row_of_any_form_may_be_refused(load: Load, sample: Any, row: Any) -> None:
    body = f"        if {row!r} in rows: raise ValueError('not this one')\n        return [1] * len(rows)\n"
    engine = load(f"class Model:\n    def predict(self, rows):\n{body}", sample)

    refused = predict(engine, inputs=[sample, row])

    assert (refused.status, refused.errors[0]["field"].startswith("inputs[1]")) == (422, True)


def test_a_dict_of_lists_gives_several_outputs(load: Load) -> None:
    engine = load(
        "import numpy as np\n"
        "class Model:\n"
        "    classes = ['no', 'yes']\n"
        "    def predict(self, rows):\n"
        "        return {'reason': ['because'] * len(rows), 'prediction': ['yes'] * len(rows),\n"
        "                'probabilities': np.array([[0.25, 0.75]] * len(rows))}\n",
        {"a": 1},
    )

    assert (engine.signature.task, engine.signature.classes) == ("classifier", ("no", "yes"))
    assert engine.signature.outputs == ("prediction", "reason", "probabilities")
    answer = predict(engine, input={"a": 1}, **{"return": ["prediction", "probabilities"]})
    assert (answer["prediction"], answer["probabilities"]) == ("yes", {"no": 0.25, "yes": 0.75})
    assert "reason" not in answer


def test_nan_is_null_as_of_every_model(load: Load) -> None:
    engine = load(
        "class Model:\n    def predict(self, rows):\n        return [float('nan')] * len(rows)\n", {"a": 1}
    )

    assert predict(engine, input={"a": 1})["prediction"] is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return [1]", "1 result for 2 rows"),
        ("return {1, 2}", "gave a set"),
        ("return [{1, 2} for _ in rows]", "gave a set, which JSON has no form for"),
        ("return [object() for _ in rows]", "gave a object, which JSON has no form for"),
        ("return None", "gave a NoneType"),
        ("return {'answer': [1] * len(rows)}", 'a dict without "prediction"'),
        ("return {'prediction': [1] * len(rows), 'a b': [1] * len(rows)}", "an output 'a b'"),
        (
            "return {'prediction': [1] * len(rows), 'probabilities': [{'a': 0.2}] * len(rows)}",
            "probabilities",
        ),
        ("return rows[0]['b']", "KeyError: 'b' (model.py, line 3)"),
    ],
)
def test_an_answer_that_is_none_is_a_failed_sample_that_says_why(load: Load, body: str, says: str) -> None:
    with pytest.raises(LoadError) as failed:
        load(f"class Model:\n    def predict(self, rows):\n        {body}\n", {"a": 1})

    assert failed.value.reason == "SampleFailed"
    assert says in failed.value.message


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        ("class Model:\n    def predict(self, rows): return rows", "SampleFailed", "Upload it with a sample"),
        ("class Model: pass", "NotAModel", "no method predict"),
        ("model = 1", "NotAModel", "model.py defines no class Model"),
        ("class Model:\n    def predict(self): return 1", "LoadFailed", "takes no rows"),
        ("class Model:\n    def predict(self, rows: int): return 1", "LoadFailed", "takes int"),
        ("class Model:\n    def predict(self, rows: 'Row'): return 1", "LoadFailed", "cannot be read"),
        (
            "from typing import TypedDict\nclass Row(TypedDict):\n    a: list[str]\n"
            "class Model:\n    def predict(self, rows: list[Row]): return 1",
            "LoadFailed",
            "Row.a is list[str]",
        ),
    ],
)
def test_code_that_is_no_model_is_refused_with_the_cure(
    load: Load, code: str, reason: str, says: str
) -> None:
    with pytest.raises(LoadError) as failed:
        load(code)

    assert (failed.value.reason, says in failed.value.message) == (reason, True), failed.value


def test_a_value_error_of_the_code_refuses_the_row_and_any_other_is_the_models(load: Load) -> None:
    engine = load(
        "class Model:\n"
        "    def predict(self, rows):\n"
        "        if any(row['age'] < 0 for row in rows):\n"
        "            raise ValueError('nobody is that young')\n"
        "        return [1 / (row['age'] - 5) for row in rows]\n",
        {"age": 1, "name": "Ann"},
    )

    refused = predict(engine, inputs=[{"age": 1, "name": "Bob"}, {"age": -1, "name": "Cy"}])
    raised = predict(engine, input={"age": 5, "name": "Bob"})

    assert (refused.status, refused.errors[0]["field"]) == (422, "inputs[1].age")
    assert "nobody is that young" in refused.errors[0]["message"]
    assert (raised.status, raised.reason) == (500, "ModelError")
    assert 'File "model.py", line 5' in raised.trace
    assert "modelport_runtime" not in raised.trace

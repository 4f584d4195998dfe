"""The models that are measured, trained on scikit-learn's own data, and how servers want their rows."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.models.model import Model


def train(folder: Path) -> dict[str, Model]:
    """Fit all in a process of its own, save them into `folder`."""
    models: dict[str, Model] = _elsewhere("fit_all", folder)
    return models


def unnamed(model: Model) -> Path:
    """The same model fitted on bare arrays, for servers that know no names; they are then a little faster."""
    path: Path = _elsewhere("unnamed", model)
    return path


def _elsewhere(function: str, argument: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_call, function, argument).result()


def _call(function: str, argument: Any) -> Any:
    # Here and not above, see there.
    from bench.models import estimators

    return getattr(estimators, function)(argument)


def one_or_many(rows: list[Any]) -> Any:
    """Modelport's body, and the naive server's."""
    return {"input": rows[0]} if len(rows) == 1 else {"inputs": rows}


def v1(rows: list[Any]) -> Any:
    """KServe's V1 protocol: rows as lists."""
    return {"instances": [_values(row) for row in rows]}


def v2(rows: list[Any]) -> Any:
    """The Open Inference Protocol: one tensor of float64."""
    values = [value for row in rows for value in _values(row)]
    shape = [len(rows), len(values) // len(rows)]
    return {"inputs": [{"name": "predict", "shape": shape, "datatype": "FP64", "data": values}]}


def v2_array(rows: list[Any]) -> Any:
    """The same for a model that wants a bare array of float32, as MLServer's MLflow runtime is told."""
    (tensor,) = v2(rows)["inputs"]
    return {"parameters": {"content_type": "np"}, "inputs": [tensor | {"datatype": "FP32"}]}


def _values(row: Any) -> list[Any]:
    return list(row.values()) if isinstance(row, dict) else row

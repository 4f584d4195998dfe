"""Bodies of the Open Inference Protocol in JSON, as the rows that they stand for."""

from typing import Any

# As model-runtime's `core.v2.outputs` names them.
_PROBABILITIES = "predict_proba"


def rows_of_tensors(tensors: Any, rows: int) -> list[dict[str, Any]]:
    """Return the cells by name of those of a request's tensors that have one a row."""
    columns = {
        tensor["name"]: tensor["data"]
        for tensor in (tensors if isinstance(tensors, list) else ())
        if isinstance(tensor, dict)
        and isinstance(tensor.get("name"), str)
        and isinstance(tensor.get("data"), list)
        and len(tensor["data"]) == rows
    }
    return [{name: cells[row] for name, cells in columns.items()} for row in range(rows)]


def as_predictions(response: Any) -> Any:
    """Return a response as one of `POST /predict`: what was predicted is the first output that is no
    probability, and the others have their names. None: it is no such response.
    """
    outputs = response.get("outputs") if isinstance(response, dict) else None
    try:
        named = {output["name"]: _by_row(output["shape"], output["data"]) for output in outputs or ()}
    except (KeyError, TypeError, ValueError):
        return None
    if not named:
        return None
    probabilities = named.pop(_PROBABILITIES, None)
    if probabilities is None:
        first = next(iter(named))
        return {"predictions": named.pop(first), **named}
    predictions = named.pop(next(iter(named), ""), [None] * len(probabilities))
    return {"predictions": predictions, "probabilities": probabilities, **named}


def _by_row(shape: list[int], data: list[Any]) -> list[Any]:
    """Cells of a tensor that has one a row; else a list of them."""
    rows = shape[0] if shape else 1
    width, left = divmod(len(data), rows) if rows else (0, len(data))
    if left:
        raise ValueError
    return data if width == 1 else [data[at * width : (at + 1) * width] for at in range(rows)]

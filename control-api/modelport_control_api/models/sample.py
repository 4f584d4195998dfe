"""The sample of an upload: one row that the version must answer before it gets a request."""

from typing import Any

from modelport_control_api.http import strict_json

MAX_SAMPLE_BYTES = 64 * 1024


def parse_sample(text: str) -> dict[str, Any]:
    """Read one bare row (object, list or string) or `{"input": row}`; give `{"input": row}`.

    Raises ValueError that says what is accepted.
    """
    try:
        value = strict_json.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    row = value["input"] if isinstance(value, dict) and value.keys() == {"input"} else value
    if not isinstance(row, dict | list | str):
        raise ValueError('must be one row: an object, a list or a string, bare or as {"input": row}')
    return {"input": row}

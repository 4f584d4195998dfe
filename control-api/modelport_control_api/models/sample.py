"""The sample of an upload: one row that the version must answer before it gets a request."""

import json
from typing import Any, NoReturn

MAX_SAMPLE_BYTES = 64 * 1024


def parse_sample(text: str) -> dict[str, Any]:
    """Read one bare row (object, list or string) or `{"input": row}`; give `{"input": row}`.

    Raises ValueError that says what is accepted.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        # Lone surrogates cannot be stored or sent on as UTF-8.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from None
    row = value["input"] if isinstance(value, dict) and value.keys() == {"input"} else value
    if not isinstance(row, dict | list | str):
        raise ValueError('must be one row: an object, a list or a string, bare or as {"input": row}')
    return {"input": row}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON; write null for a missing value")

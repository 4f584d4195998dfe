"""Run by an interpreter that has mlserver: prints what its unchanged codecs read of the responses, as
JSON.
"""

import json
import sys
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
from mlserver.codecs import NumpyRequestCodec, StringRequestCodec
from mlserver.types import InferenceResponse

URL, KEY, IRIS, TEXTS = sys.argv[1:]
MATRIX = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])


def infer(model: str, encoded: Any) -> InferenceResponse:
    request = Request(
        f"{URL}/v2/models/{model}/infer",
        encoded.model_dump_json().encode(),
        {"X-API-Key": KEY, "Content-Type": "application/json"},
    )
    with urlopen(request) as answer:
        return InferenceResponse.model_validate_json(answer.read())


matrix = infer(IRIS, NumpyRequestCodec.encode_request(MATRIX))
texts = infer(TEXTS, StringRequestCodec.encode_request(["goal", "ünïcode"]))
print(
    json.dumps(
        {
            "labels": NumpyRequestCodec.decode_response(matrix).tolist(),
            "texts": StringRequestCodec.decode_response(texts),
        }
    )
)

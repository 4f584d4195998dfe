"""Run by an interpreter that has tritonclient: prints what its unchanged clients got, as JSON."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio

HOST, KEY, IRIS, PAIR, TEXTS = sys.argv[1:]
HEADERS = {"X-API-Key": KEY}
MATRIX = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], np.float32)
client = triton.InferenceServerClient(HOST)


def tensor(name: str, array: Any, binary: bool, api: Any = triton) -> Any:
    made = api.InferInput(name, list(array.shape), triton_type(array))
    return made.set_data_from_numpy(array, binary_data=binary)


def triton_type(array: Any) -> str:
    return {"f": f"FP{array.dtype.itemsize * 8}", "i": "INT64", "O": "BYTES"}[array.dtype.kind]


def plain(array: Any) -> Any:
    return [each.decode() if isinstance(each, bytes) else each for each in array.ravel().tolist()]


def infer(model: str, sent: Any, names: tuple[str, ...] = (), **options: Any) -> list[Any]:
    asked = [triton.InferRequestedOutput(name) for name in names] or None
    result = client.infer(model, [sent], headers=dict(HEADERS), outputs=asked, **options)
    return [plain(result.as_numpy(name)) for name in names or ("predict",)]


def error(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except triton.InferenceServerException as raised:
        return [raised.status(), raised.message()]


async def asynchronous() -> Any:
    async with triton_aio.InferenceServerClient(HOST) as other:
        results = [
            await other.infer(IRIS, [tensor("input", MATRIX, binary, triton_aio)], headers=dict(HEADERS))
            for binary in (True, False)
        ]
    return [plain(result.as_numpy("predict")) for result in results]


described = client.get_model_metadata(PAIR, headers=HEADERS)
print(
    json.dumps(
        {
            "ready": [client.is_server_ready(), client.is_model_ready(IRIS, "1", headers=HEADERS)],
            "extensions": client.get_server_metadata()["extensions"],
            "labels": [
                infer(
                    IRIS,
                    tensor("input", MATRIX.astype(dtype), binary),
                    request_compression_algorithm=packed,
                    response_compression_algorithm=packed,
                )[0]
                for binary in (True, False)
                for dtype in (np.float32, np.float64)
                for packed in (None, "gzip", "deflate")
            ],
            "many": infer(
                IRIS,
                tensor("input", np.tile(MATRIX, (100, 1)), binary=True),
                response_compression_algorithm="gzip",
            )[0],
            "half": infer(IRIS, tensor("input", MATRIX.astype(np.float16), binary=True))[0],
            "probabilities": infer(IRIS, tensor("input", MATRIX, binary=True), ("predict_proba",))[0],
            "aio": asyncio.run(asynchronous()),
            "texts": infer(TEXTS, tensor("text", np.array(["goal", "ünïcode"], object), binary=True))[0],
            "pair": [[each["name"], each["datatype"], each["shape"]] for each in described["outputs"]],
            "outputs": infer(PAIR, tensor("x", np.array([[1, 2]], np.float32), binary=True), ("b", "a")),
            "nan": error(lambda: infer(IRIS, tensor("input", MATRIX * np.nan, binary=False))),
            "nobody": error(lambda: client.infer(IRIS, [tensor("input", MATRIX, binary=True)])),
            "config": client.get_model_config(PAIR, headers=HEADERS),
            "statistics": error(lambda: client.get_inference_statistics(IRIS, headers=HEADERS)),
            "index": error(lambda: client.get_model_repository_index(headers=HEADERS)),
        }
    )
)

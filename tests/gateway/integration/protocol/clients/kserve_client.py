"""Run by an interpreter that has kserve: prints what its unchanged REST client got, as JSON."""

import asyncio
import json
import sys

import numpy as np
from httpx import HTTPStatusError
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

URL, KEY, IRIS = sys.argv[1:]
MATRIX = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], np.float32)


async def main() -> None:
    labels = []
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        for binary in (True, False):
            for asked in ({}, {"binary_data_output": True}):
                sent = InferInput("input-0", [2, 4], "FP32")
                sent.set_data_from_numpy(MATRIX, binary_data=binary)
                request = InferRequest(model_name=IRIS, infer_inputs=[sent], parameters=asked)
                answer = await client.infer(URL, request, model_name=IRIS, headers={"X-API-Key": KEY})
                labels.append(answer.outputs[0].as_numpy().tolist())
        narrow = InferInput("input-0", [1, 3], "FP32", data=[1.0, 2.0, 3.0])
        try:
            request = InferRequest(model_name=IRIS, infer_inputs=[narrow])
            await client.infer(URL, request, model_name=IRIS, headers={"X-API-Key": KEY})
            refused = ""
        except HTTPStatusError as error:
            refused = str(error)
        ready = await client.is_model_ready(URL, IRIS, headers={"X-API-Key": KEY})
    print(json.dumps({"labels": labels, "ready": ready, "refused": refused}, default=bytes.decode))


asyncio.run(main())

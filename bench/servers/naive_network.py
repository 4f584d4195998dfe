"""The baseline for networks: FastAPI and the framework, as one writes it by hand, with one thread.

Run by the environment's Python: ``naive_network.py torch|keras MODEL PORT PACKAGES``; FastAPI comes
from the folder PACKAGES, behind the environment's own.
"""

import sys
from typing import Any

sys.path.append(sys.argv[4])

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Body(BaseModel):
    input: list[float] | None = None
    inputs: list[list[float]] | None = None


def torch_model(path: str) -> Any:
    import torch

    torch.set_num_threads(1)
    module = torch.export.load(path).module()

    def predict(rows: list[Any]) -> Any:
        with torch.inference_mode():
            return module(torch.tensor(rows)).tolist()

    return predict


def keras_model(path: str) -> Any:
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras.models.load_model(path)
    # Some 70 times as fast as `predict`, for one row.
    return lambda rows: model.predict_on_batch(np.array(rows, np.float32)).tolist()


def build_app(kind: str, path: str) -> FastAPI:
    app = FastAPI()
    answer = {"torch": torch_model, "keras": keras_model}[kind](path)

    @app.post("/predict")
    def predict(body: Body) -> dict[str, Any]:
        return {"predictions": answer(body.inputs if body.inputs is not None else [body.input])}

    return app


if __name__ == "__main__":
    uvicorn.run(
        build_app(sys.argv[1], sys.argv[2]), host="127.0.0.1", port=int(sys.argv[3]), log_level="warning"
    )

"""The baseline for models in folders: FastAPI and their library, as one writes it by hand, with one thread.

Run by the environment's Python: ``naive_folder.py transformers|autogluon FOLDER PORT PACKAGES``; FastAPI
comes from the folder PACKAGES, behind the environment's own.
"""

import sys
from collections.abc import Callable
from typing import Any

sys.path.append(sys.argv[4])

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

Predict = Callable[[list[dict[str, Any]]], list[Any]]


class Body(BaseModel):
    input: dict[str, Any] | None = None
    inputs: list[dict[str, Any]] | None = None


def transformers_model(folder: str) -> Predict:
    import torch
    from transformers import pipeline

    torch.set_num_threads(1)
    classify = pipeline("text-classification", model=folder, truncation=True)
    return lambda rows: [each["label"] for each in classify([row["text"] for row in rows])]


def autogluon_model(folder: str) -> Predict:
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor.load(folder)
    predictor.persist()
    return lambda rows: predictor.predict(pd.DataFrame(rows)).tolist()


def build_app(kind: str, folder: str) -> FastAPI:
    app = FastAPI()
    answer = {"transformers": transformers_model, "autogluon": autogluon_model}[kind](folder)

    @app.post("/predict")
    def predict(body: Body) -> dict[str, Any]:
        return {"predictions": answer(body.inputs if body.inputs is not None else [body.input or {}])}

    return app


if __name__ == "__main__":
    uvicorn.run(
        build_app(sys.argv[1], sys.argv[2]), host="127.0.0.1", port=int(sys.argv[3]), log_level="warning"
    )

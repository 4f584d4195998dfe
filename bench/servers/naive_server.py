"""The baseline: what a data scientist writes by hand. FastAPI, joblib, a pydantic body, no authentication.

Run: ``python -m bench.servers.naive_server MODEL.joblib PORT``. It unpickles in the process that listens,
as such apps do.
"""

import sys
from typing import Any

import joblib
import numpy
import pandas
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Body(BaseModel):
    input: dict[str, float | str | None] | list[float] | None = None
    inputs: list[dict[str, float | str | None]] | list[list[float]] | None = None


def build_app(path: str) -> FastAPI:
    app = FastAPI()
    model = joblib.load(path)
    named = hasattr(model, "feature_names_in_")

    @app.post("/predict")
    def predict(body: Body) -> dict[str, Any]:
        rows = body.inputs if body.inputs is not None else [body.input]
        table = pandas.DataFrame(rows) if named else numpy.array(rows)
        return {"predictions": model.predict(table).tolist()}

    return app


if __name__ == "__main__":
    uvicorn.run(build_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")

"""The baseline: what a data scientist writes by hand. FastAPI, joblib, a pydantic body, no authentication.

Run: ``python bench/naive_server.py MODEL.joblib PORT``. It unpickles in the process that listens,
as such apps do.
"""

import sys

import joblib
import pandas
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Iris(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


def build_app(path: str) -> FastAPI:
    app = FastAPI()
    model = joblib.load(path)

    @app.post("/predict")
    def predict(row: Iris) -> dict[str, object]:
        frame = pandas.DataFrame([row.model_dump()])
        return {"prediction": str(model.predict(frame)[0])}

    return app


if __name__ == "__main__":
    uvicorn.run(build_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")

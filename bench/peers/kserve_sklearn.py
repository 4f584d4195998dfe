"""KServe's scikit-learn server, whose package is not on PyPI: its model class on PyPI's `kserve`.

Run in the environment of kserve.txt: ``python kserve_sklearn.py MODEL.joblib PORT``. Its logs of
access and latency and its gRPC are off, in the server's favor.
"""

import sys
from typing import Any

import joblib
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response


class SklearnModel(Model):
    """As python/sklearnserver of the KServe repository has it."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self._path = path
        self.load()

    def load(self) -> bool:
        self._model = joblib.load(self._path)
        self.ready = True
        return True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        return get_predict_response(payload, self._model.predict(get_predict_input(payload)), self.name)


if __name__ == "__main__":
    server = ModelServer(
        http_port=int(sys.argv[2]), enable_grpc=False, enable_latency_logging=False, access_log_format=None
    )
    server.start([SklearnModel("model", sys.argv[1])])
